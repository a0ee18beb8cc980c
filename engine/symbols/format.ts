import type { Die } from './die';
import { AT, TAG } from './dwarf';
import { toFloat } from './expression-value';
import { ENCODING } from './type';

/** A number of any size. */
export function unsignedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!);
  return value;
}

/**
 * A value of a base type. `bits` counts its bits, `plain` asks for a number where the type is a character
 * only because C has no smaller integer (`uint8_t`).
 */
export function formatBase(type: Die, value: bigint, bits: number, plain: boolean): string {
  const signed = BigInt.asIntN(bits, value);
  switch (type.number(AT.encoding)) {
    case ENCODING.boolean:
      return value === 0n ? 'false' : value === 1n ? 'true' : `${value}`;
    case ENCODING.float:
      return formatFloat(value, bits);
    case ENCODING.complexFloat: {
      const half = bits / 2;
      return `${formatFloat(BigInt.asUintN(half, value), half)} + ${formatFloat(value >> BigInt(half), half)}i`;
    }
    case ENCODING.signed:
      return `${signed}`;
    case ENCODING.signedChar:
      return plain ? `${signed}` : `${quoteCharacter(Number(BigInt.asUintN(8, value)))} ${signed}`;
    case ENCODING.unsignedChar:
      return plain ? `${value}` : `${quoteCharacter(Number(value))} ${value}`;
    case ENCODING.utf:
    case ENCODING.ascii:
      return `${quoteCharacter(Number(value))} ${value}`;
    case ENCODING.address:
      return hex(value);
    default:
      return `${value}`;
  }
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The fewest digits that give the same number again. */
function formatFloat(value: bigint, bits: number): string {
  if (bits === 16) return spell(halfToNumber(Number(value)));
  if (bits === 128) return spell(quadToNumber(value));
  if (bits !== 32) return spell(toFloat(value, 8));
  const number = toFloat(value, 4);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(number.toPrecision(digits));
    if (Math.fround(short) === number) return spell(short);
  }
  return spell(number);
}

function spell(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : `${value}`;
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** IEEE binary128, the psABI's long double, to the nearest number that JavaScript has. */
function quadToNumber(bits: bigint): number {
  const sign = bits >> 127n ? -1 : 1;
  const exponent = Number((bits >> 112n) & 0x7fffn);
  const fraction = bits & ((1n << 112n) - 1n);
  if (exponent === 0x7fff) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * 0;
  return sign * Number((1n << 112n) | fraction) * 2 ** -112 * 2 ** (exponent - 16383);
}

const escapes = new Map([
  [0, '\\0'],
  [7, '\\a'],
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [92, '\\\\'],
]);

function escapeCharacter(code: number, quote: string): string {
  const known = escapes.get(code);
  if (known !== undefined) return known;
  if (code === quote.charCodeAt(0)) return `\\${quote}`;
  if (code < 32 || (code >= 127 && code < 160) || code > 0x10ffff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return String.fromCodePoint(code);
}

function quoteCharacter(code: number): string {
  return `'${code > 127 && code < 256 ? `\\x${code.toString(16)}` : escapeCharacter(code, "'")}'`;
}

/** Text up to its NUL; bytes that are no UTF-8 are escaped one by one. */
export function quoteText(bytes: Uint8Array, truncated: boolean): string {
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  const tail = end < 0 && truncated ? '…' : '';
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(text);
    return `"${[...decoded].map((character) => escapeCharacter(character.codePointAt(0)!, '"')).join('')}"${tail}`;
  } catch {
    return `"${[...text].map((code) => (code > 126 ? `\\x${code.toString(16)}` : escapeCharacter(code, '"'))).join('')}"${tail}`;
  }
}

/** The enumerator of that value, a sum of flags, or the number. */
export function formatEnumeration(type: Die, value: bigint, bits: number): string {
  const enumerators = type.children.filter(({ tag }) => tag === TAG.enumerator);
  const valueOf = (enumerator: Die): bigint => BigInt.asUintN(bits, enumerator.constant(AT.constValue) ?? 0n);
  const exact = enumerators.find((enumerator) => valueOf(enumerator) === value);
  if (exact) return exact.name ?? `${value}`;
  let rest = value;
  const names: string[] = [];
  for (const enumerator of enumerators) {
    const flag = valueOf(enumerator);
    // Only single bits make a sum that reads one way.
    if (flag === 0n || (flag & (flag - 1n)) !== 0n || (rest & flag) === 0n) continue;
    names.push(enumerator.name ?? `${flag}`);
    rest &= ~flag;
  }
  const signed = enumerators.some((enumerator) => (enumerator.constant(AT.constValue) ?? 0n) < 0n);
  return rest === 0n && names.length > 0 ? names.join(' | ') : `${signed ? BigInt.asIntN(bits, value) : value}`;
}
