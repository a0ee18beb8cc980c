import type { Die } from './die';
import { AT, TAG } from './dwarf';
import { evaluate, type ExpressionContext } from './expression';
import { formatBase, formatEnumeration, hex, quoteText, unsignedOf } from './format';
import { memory, part, readBits, type Storage } from './storage';
import { dimensionsOf, isAggregate, isPointer, sizeOf, stripType, typeName, typeOf, valueTypeOf, type Dimension } from './type';
import type { Variable } from './types';

/** What values need of the frame that they are shown in. */
export interface ValueContext {
  expressions: ExpressionContext;
  /** Of a variable in scope: the bound of an array whose length the run decides. */
  readonly numberOf: (variable: Die) => bigint | undefined;
  readonly registerName: (number: number) => string;
  /** `table+4` for an address in a symbol, for pointers. */
  readonly describe: (address: bigint) => string | undefined;
}

/** Longest text shown of a character array or pointer, in bytes. */
const MAX_TEXT = 200;
/** Elements of an array that are listed at once; longer ones are listed in groups. */
const GROUP = 100;
/** Levels of structures, arrays and groups that children nest in one another; damage may nest them without end. */
const MAX_DEPTH = 64;

/** A variable of a type, wherever it is stored. Children and what they hold are read when asked for. */
export function makeVariable(name: string, type: Die | undefined, storage: Storage, context: ValueContext, depth = 0): Variable {
  const stripped = complete(stripType(type));
  const dynamic = dynamicBound(context);
  const size = sizeOf(stripped, dynamic);
  const encoding = valueTypeOf(stripped)?.encoding;
  const children = stripped && depth < MAX_DEPTH && !storage.absent ? childrenOf(stripped, storage, context, depth + 1) : undefined;
  return {
    name,
    type: typeName(type),
    ...(size !== undefined && { size }),
    ...(encoding && { encoding }),
    ...(storage.address !== undefined && { address: storage.address }),
    ...(storage.register !== undefined && { register: context.registerName(storage.register) }),
    value: display(type, stripped, size, storage, context),
    ...(children && { children }),
  };
}

function complete(type: Die | undefined): Die | undefined {
  return type?.flag(AT.declaration) ? (type.unit.info.definitionOf(type) ?? type) : type;
}

/** The upper bound of an array whose length the run decides: an expression, or a variable that the compiler made for it. */
function dynamicBound(context: ValueContext): (subrange: Die) => bigint | undefined {
  return (subrange) => {
    const expression = subrange.block(AT.upperBound);
    if (expression) return evaluate(expression, context.expressions);
    const variable = subrange.reference(AT.upperBound);
    return variable && context.numberOf(variable);
  };
}

function display(type: Die | undefined, stripped: Die | undefined, size: number | undefined, storage: Storage, context: ValueContext): string {
  if (storage.absent) return '<optimized out>';
  if (!stripped) return '<void>';
  if (isAggregate(stripped)) return stripped.flag(AT.declaration) ? '<incomplete type>' : '{…}';
  if (stripped.tag === TAG.arrayType) return displayArray(stripped, size, storage);
  if (size === undefined || size < 1 || size > 32) return '<unknown type>';
  const bytes = storage.read(0, size);
  if (!bytes) return missing(storage);
  return displayScalar(type, stripped, unsignedOf(bytes), 8 * size, context);
}

function missing({ address }: Storage): string {
  return address === undefined ? '<optimized out>' : `<not readable at ${hex(address)}>`;
}

function displayScalar(type: Die | undefined, stripped: Die, value: bigint, bits: number, context: ValueContext): string {
  if (stripped.tag === TAG.enumerationType) return formatEnumeration(stripped, value, bits);
  if (stripped.tag === TAG.baseType) return formatBase(stripped, value, bits, isSmallInteger(type));
  if (isPointer(stripped)) return displayPointer(stripped, value, context);
  return hex(value);
}

/** `uint8_t` and `int8_t` by any spelling are numbers, although C makes them of characters. */
function isSmallInteger(type: Die | undefined): boolean {
  for (let die = type, depth = 0; die && depth < MAX_DEPTH; die = typeOf(die), depth++) {
    if (die.tag === TAG.typedef && /int_?(least|fast)?8|^[us]8$|byte/i.test(die.name ?? '')) return true;
    if (die.tag === TAG.baseType) return false;
  }
  return false;
}

function displayPointer(pointer: Die, value: bigint, context: ValueContext): string {
  const target = stripType(typeOf(pointer));
  if (isCharacter(target) && value !== 0n) {
    const text = readText(memory(context.expressions, value), MAX_TEXT);
    return text === undefined ? hex(value) : `${hex(value)} ${text}`;
  }
  const place = value === 0n ? undefined : context.describe(value);
  return place === undefined ? hex(value) : `${hex(value)} <${place}>`;
}

function isCharacter(type: Die | undefined): boolean {
  return type?.tag === TAG.baseType && /\bchar$/.test(type.name ?? '') && type.number(AT.byteSize) === 1;
}

/** Quoted text; reads in small steps, as the memory behind a short one may end. */
function readText(storage: Storage, limit: number): string | undefined {
  const found: number[] = [];
  while (found.length < limit) {
    const step = Math.min(32, limit - found.length);
    const bytes = storage.read(found.length, step) ?? storage.read(found.length, 1);
    if (!bytes) return found.length > 0 ? quoteText(Uint8Array.from(found), true) : undefined;
    found.push(...bytes);
    if (bytes.includes(0)) break;
  }
  return quoteText(Uint8Array.from(found), true);
}

function displayArray(array: Die, size: number | undefined, storage: Storage): string {
  const element = stripType(typeOf(array));
  if (!isCharacter(element) || size === undefined || array.children.length > 1) return '{…}';
  if (size === 0) return '""';
  const bytes = storage.read(0, Math.min(size, MAX_TEXT));
  return bytes ? quoteText(bytes, size > MAX_TEXT) : missing(storage);
}

function childrenOf(type: Die, storage: Storage, context: ValueContext, depth: number): (() => Variable[]) | undefined {
  if (isAggregate(type)) return type.flag(AT.declaration) ? undefined : () => members(type, storage, context, depth);
  if (type.tag === TAG.arrayType) {
    const dimensions = dimensionsOf(type, dynamicBound(context));
    return dimensions.length === 0 || dimensions.includes(0) ? undefined : () => elements(typeOf(type), dimensions, storage, context, depth);
  }
  if (!isPointer(type)) return undefined;
  return target(type, storage, context, depth);
}

function target(pointer: Die, storage: Storage, context: ValueContext, depth: number): (() => Variable[]) | undefined {
  const type = typeOf(pointer);
  const stripped = complete(stripType(type));
  const bytes = storage.read(0, pointer.unit.addressSize);
  if (!stripped || !bytes || stripped.tag === TAG.subroutineType || stripped.flag(AT.declaration)) return undefined;
  const address = unsignedOf(bytes);
  if (address === 0n) return undefined;
  return () => [makeVariable('*', type, memory(context.expressions, address), context, depth)];
}

function members(type: Die, storage: Storage, context: ValueContext, depth: number): Variable[] {
  const found: Variable[] = [];
  for (const child of type.children) {
    if (child.tag === TAG.member && !child.flag(AT.declaration) && !child.flag(AT.external)) found.push(memberOf(child, storage, context, depth));
    else if (child.tag === TAG.inheritance) {
      const base = typeOf(child);
      found.push(makeVariable(typeName(base), base, part(storage, memberOffset(child, storage, context) ?? 0), context, depth));
    } else if (child.tag === TAG.variantPart) found.push(...activeVariant(child, storage, context, depth));
  }
  return found;
}

function memberOf(member: Die, storage: Storage, context: ValueContext, depth: number): Variable {
  const type = typeOf(member);
  const name = member.name ?? '<anonymous>';
  const offset = memberOffset(member, storage, context);
  const bitSize = member.number(AT.bitSize);
  if (bitSize === undefined || !(bitSize > 0 && bitSize <= 64)) {
    if (offset === undefined) return { name, type: typeName(type), value: '<optimized out>' };
    return makeVariable(name, type, part(storage, offset), context, depth);
  }
  const bits = readBits(storage, bitPosition(member, bitSize, offset ?? 0), bitSize);
  const stripped = stripType(type);
  const value = bits === undefined || !stripped ? missing(storage) : displayScalar(type, stripped, bits, bitSize, context);
  return { name, type: `${typeName(type)} : ${bitSize}`, value };
}

/** Bytes from the structure's start. C++ gives that of a virtual base as an expression. */
function memberOffset(member: Die, storage: Storage, context: ValueContext): number | undefined {
  const expression = member.block(AT.dataMemberLocation);
  if (!expression) return member.number(AT.dataMemberLocation) ?? 0;
  if (storage.address === undefined) return undefined;
  const address = evaluate(expression, context.expressions, storage.address);
  return address === undefined ? undefined : Number(BigInt.asIntN(64, address - storage.address));
}

/** Bits from the structure's start. DWARF 3 and before counted from the storage unit's most significant bit. */
function bitPosition(member: Die, bitSize: number, offset: number): number {
  const position = member.number(AT.dataBitOffset);
  if (position !== undefined) return position;
  const fromTop = member.number(AT.bitOffset);
  if (fromTop === undefined) return 8 * offset;
  const unitBytes = member.number(AT.byteSize) ?? sizeOf(typeOf(member)) ?? 0;
  return Math.max(0, 8 * (offset + unitBytes) - fromTop - bitSize);
}

/** Members of the variant that the discriminant selects, as in a Rust enum. */
function activeVariant(variants: Die, storage: Storage, context: ValueContext, depth: number): Variable[] {
  const discriminant = variants.reference(AT.discr);
  const size = discriminant && sizeOf(typeOf(discriminant));
  const bytes = discriminant && size !== undefined ? part(storage, memberOffset(discriminant, storage, context) ?? 0).read(0, size) : undefined;
  const list = variants.children.filter(({ tag }) => tag === TAG.variant);
  const selected = bytes && list.find((variant) => {
    const value = variant.constant(AT.discrValue);
    return value !== undefined && BigInt.asUintN(8 * bytes.length, value) === unsignedOf(bytes);
  });
  const variant = selected ?? list.find((candidate) => !candidate.has(AT.discrValue));
  return (variant?.children ?? []).filter(({ tag }) => tag === TAG.member).map((member) => memberOf(member, storage, context, depth));
}

function elements(type: Die | undefined, dimensions: readonly Dimension[], storage: Storage, context: ValueContext, depth: number): Variable[] {
  const [count = 0, ...inner] = dimensions;
  const innerBytes = inner.reduce<number>((total, dimension) => total * (dimension ?? 0), sizeOf(type) ?? 0);
  // Damage may have given it any number of dimensions of any size.
  if (!Number.isSafeInteger(innerBytes)) return [];
  const one = (index: number): Variable => {
    const place = part(storage, index * innerBytes);
    if (inner.length === 0) return makeVariable(`[${index}]`, type, place, context, depth);
    return {
      name: `[${index}]`,
      type: typeName(type, inner.map((dimension) => `[${dimension ?? ''}]`).join('')),
      size: innerBytes,
      ...(place.address !== undefined && { address: place.address }),
      value: '{…}',
      children: () => elements(type, inner, place, context, depth + 1),
    };
  };
  const group = (first: number, end: number): Variable[] => {
    // Groups of groups: the smallest power of GROUP that leaves at most GROUP of them.
    let step = 1;
    while ((end - first) / step > GROUP) step *= GROUP;
    if (step === 1) return Array.from({ length: end - first }, (_, index) => one(first + index));
    return Array.from({ length: Math.ceil((end - first) / step) }, (_, index) => {
      const from = first + index * step;
      const to = Math.min(end, from + step);
      const text = typeName(type, [to - from, ...inner].map((dimension) => `[${dimension ?? ''}]`).join(''));
      return { name: `[${from}..${to - 1}]`, type: text, value: '{…}', children: () => group(from, to) };
    });
  };
  return group(0, count);
}
