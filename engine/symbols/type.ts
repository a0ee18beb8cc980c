import type { Die } from './die';
import { AT, TAG } from './dwarf';
import type { ValueType } from './expression-value';

/** Longest chain of typedefs and qualifiers followed; damage may close one to a ring. */
const MAX_CHAIN = 32;

/** DW_ATE (DWARF 5, 7.8). */
export const ENCODING = { address: 1, boolean: 2, complexFloat: 3, float: 4, signed: 5, signedChar: 6, unsigned: 7, unsignedChar: 8, utf: 16, ascii: 18 };

const transparent: readonly number[] = [TAG.typedef, TAG.constType, TAG.volatileType, TAG.restrictType, TAG.atomicType];

/** The type of a variable, member, pointer target…; undefined stands for void. */
export function typeOf(die: Die): Die | undefined {
  return die.owner(AT.type)?.reference(AT.type);
}

/** The type without typedefs and qualifiers. */
export function stripType(type: Die | undefined): Die | undefined {
  let current = type;
  for (let depth = 0; current && transparent.includes(current.tag); depth++) {
    if (depth === MAX_CHAIN) return undefined;
    current = current.reference(AT.type);
  }
  return current;
}

export function isAggregate(type: Die): boolean {
  return type.tag === TAG.structureType || type.tag === TAG.unionType || type.tag === TAG.classType;
}

export function isPointer(type: Die): boolean {
  return type.tag === TAG.pointerType || type.tag === TAG.referenceType || type.tag === TAG.rvalueReferenceType;
}

/** One dimension of an array; undefined where only the run decides. */
export type Dimension = number | undefined;

/** Elements by dimension, outermost first. */
export function dimensionsOf(array: Die, dynamic: (subrange: Die) => bigint | undefined): Dimension[] {
  return array.children
    .filter(({ tag }) => tag === TAG.subrangeType || tag === TAG.enumerationType)
    .map((subrange) => {
      const count = subrange.constant(AT.count);
      if (count !== undefined) return toCount(count);
      const upper = subrange.constant(AT.upperBound) ?? dynamic(subrange);
      // `int a[0]` has an upper bound of -1, which gcc may write as 2^64 - 1.
      return upper === undefined ? undefined : toCount(BigInt.asIntN(64, upper) + 1n);
    });
}

function toCount(count: bigint): Dimension {
  return count >= 0n && count <= 1n << 40n ? Number(count) : undefined;
}

/** Bytes of a type, where its declaration says. */
export function sizeOf(type: Die | undefined, dynamic: (subrange: Die) => bigint | undefined = () => undefined, depth = 0): number | undefined {
  const stripped = stripType(type);
  if (!stripped || depth === MAX_CHAIN) return undefined;
  const size = stripped.number(AT.byteSize);
  if (size !== undefined && size >= 0) return size;
  if (isPointer(stripped)) return stripped.unit.addressSize;
  if (stripped.tag === TAG.enumerationType) return sizeOf(typeOf(stripped), dynamic, depth + 1);
  if (stripped.tag !== TAG.arrayType) return undefined;
  const element = sizeOf(typeOf(stripped), dynamic, depth + 1);
  if (element === undefined) return undefined;
  const bytes = dimensionsOf(stripped, dynamic).reduce<number | undefined>((total, count) => (total === undefined || count === undefined ? undefined : total * count), element);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A base type as the DWARF stack takes it. */
export function valueTypeOf(type: Die | undefined): ValueType | undefined {
  const size = type?.number(AT.byteSize);
  if (!type || type.tag !== TAG.baseType || size === undefined || size < 1 || size > 8) return undefined;
  switch (type.number(AT.encoding)) {
    case ENCODING.float:
      return size === 4 || size === 8 ? { size, encoding: 'float' } : undefined;
    case ENCODING.signed:
    case ENCODING.signedChar:
      return { size, encoding: 'signed' };
    default:
      return { size, encoding: 'unsigned' };
  }
}

/** Parts of one name at most; damage may make types of themselves. */
const MAX_NAME_PARTS = 200;

/** The type as C writes it: `struct record *`, `int [16]`, `int (*)(char)`; with what a declarator has after the type. */
export function typeName(type: Die | undefined, declarator = ''): string {
  return new Namer().name(type, declarator);
}

class Namer {
  private parts = 0;

  name(type: Die | undefined, declarator: string): string {
    if (++this.parts > MAX_NAME_PARTS) return '…';
    if (!type) return join('void', declarator);
    switch (type.tag) {
      case TAG.pointerType:
        return this.pointer(type, `*${declarator}`);
      case TAG.referenceType:
        return this.pointer(type, `&${declarator}`);
      case TAG.rvalueReferenceType:
        return this.pointer(type, `&&${declarator}`);
      case TAG.constType:
        return this.qualified(type, 'const', declarator);
      case TAG.volatileType:
        return this.qualified(type, 'volatile', declarator);
      case TAG.restrictType:
        return this.qualified(type, 'restrict', declarator);
      case TAG.atomicType:
        return this.qualified(type, '_Atomic', declarator);
      case TAG.arrayType:
        return this.name(typeOf(type), declarator + dimensionsOf(type, () => undefined).map((count) => `[${count ?? ''}]`).join(''));
      case TAG.subroutineType:
        return this.name(typeOf(type), `${declarator}(${this.parameters(type)})`);
      default:
        return join(ownName(type), declarator);
    }
  }

  /** A pointer to an array or a function binds less than what follows it. */
  private pointer(pointer: Die, declarator: string): string {
    const target = typeOf(pointer);
    const grouped = target?.tag === TAG.arrayType || target?.tag === TAG.subroutineType;
    return this.name(target, grouped ? `(${declarator})` : declarator);
  }

  /** A qualifier stands before a name but after the star of the pointer that it qualifies. */
  private qualified(type: Die, word: string, declarator: string): string {
    const target = typeOf(type);
    if (target && isPointer(target)) return this.name(target, join(` ${word}`, declarator));
    const name = this.name(target, declarator);
    // An array and its elements are qualified together.
    return name.startsWith(`${word} `) ? name : `${word} ${name}`;
  }

  private parameters(type: Die): string {
    const list: string[] = [];
    for (const child of type.children) {
      if (this.parts > MAX_NAME_PARTS) break;
      if (child.tag === TAG.formalParameter) list.push(this.name(typeOf(child), ''));
      else if (child.tag === TAG.unspecifiedParameters) list.push('...');
    }
    return list.length > 0 ? list.join(', ') : 'void';
  }
}

function join(name: string, declarator: string): string {
  return declarator === '' ? name : `${name} ${declarator}`;
}

const cLanguages: readonly number[] = [0x01, 0x02, 0x0c, 0x1d, 0x2c];

/** Words that C puts before the name of such a type. */
const keywords = new Map<number, string>([
  [TAG.structureType, 'struct'],
  [TAG.unionType, 'union'],
  [TAG.classType, 'class'],
  [TAG.enumerationType, 'enum'],
]);

function ownName(type: Die): string {
  const name = type.name;
  const keyword = keywords.get(type.tag);
  if (keyword === undefined) return name ?? '?';
  if (name === undefined) return `${keyword} {…}`;
  return cLanguages.includes(type.unit.root.number(AT.language) ?? 0) ? `${keyword} ${name}` : name;
}
