/**
 * IEEE 754 arithmetic with RISC-V's choices, exact by construction: every
 * operand is an integer times a power of two, every operation is carried out on
 * BigInts without error (division and square root keep a sticky bit), and one
 * routine rounds. Slow, and shares nothing with the core's soft-float.
 */

export interface FloatFormat {
  /** Significand bits with the hidden one. */
  precision: number;
  exponentBits: number;
}

export const single: FloatFormat = { precision: 24, exponentBits: 8 };
export const double: FloatFormat = { precision: 53, exponentBits: 11 };

export const NX = 1;
export const UF = 2;
export const OF = 4;
export const DZ = 8;
export const NV = 16;

/** Bits of the result and the flags that the operation raised. */
export interface Rounded {
  bits: bigint;
  flags: number;
}

type Unpacked =
  | { kind: 'nan'; signaling: boolean; negative: boolean }
  | { kind: 'infinite'; negative: boolean }
  /** (-1)^negative * significand * 2^exponent; zero has significand 0. */
  | { kind: 'finite'; negative: boolean; significand: bigint; exponent: number };

function bias(format: FloatFormat): number {
  return 2 ** (format.exponentBits - 1) - 1;
}

function pack(format: FloatFormat, negative: boolean, exponentField: number, fraction: bigint): bigint {
  const fractionBits = BigInt(format.precision - 1);
  return (BigInt(negative) << (fractionBits + BigInt(format.exponentBits))) | (BigInt(exponentField) << fractionBits) | fraction;
}

export function canonicalNan(format: FloatFormat): bigint {
  return pack(format, false, 2 ** format.exponentBits - 1, 1n << BigInt(format.precision - 2));
}

function infinity(format: FloatFormat, negative: boolean): bigint {
  return pack(format, negative, 2 ** format.exponentBits - 1, 0n);
}

function unpack(format: FloatFormat, bits: bigint): Unpacked {
  const fractionBits = BigInt(format.precision - 1);
  const fraction = bits & ((1n << fractionBits) - 1n);
  const field = Number((bits >> fractionBits) & ((1n << BigInt(format.exponentBits)) - 1n));
  const negative = ((bits >> (fractionBits + BigInt(format.exponentBits))) & 1n) === 1n;
  if (field === 2 ** format.exponentBits - 1) {
    if (fraction === 0n) return { kind: 'infinite', negative };
    return { kind: 'nan', signaling: fraction >> (fractionBits - 1n) === 0n, negative };
  }
  const lowest = 2 - bias(format) - format.precision;
  if (field === 0) return { kind: 'finite', negative, significand: fraction, exponent: lowest };
  return { kind: 'finite', negative, significand: fraction | (1n << fractionBits), exponent: lowest + field - 1 };
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** significand * 2^exponent in units of 2^unit, rounded. */
function roundTo(negative: boolean, significand: bigint, exponent: number, unit: number, mode: number): { value: bigint; inexact: boolean } {
  if (unit <= exponent) return { value: significand << BigInt(exponent - unit), inexact: false };
  const shift = BigInt(unit - exponent);
  const below = significand >> shift;
  const rest = significand - (below << shift);
  const half = 1n << (shift - 1n);
  const up = [
    rest > half || (rest === half && (below & 1n) === 1n),
    false,
    negative && rest > 0n,
    !negative && rest > 0n,
    rest >= half,
  ][mode];
  if (up === undefined) throw new Error(`no rounding mode ${mode}`);
  return { value: up ? below + 1n : below, inexact: rest !== 0n };
}

/** The nearest number of the format, with tininess detected after rounding. */
function round(format: FloatFormat, negative: boolean, significand: bigint, exponent: number, mode: number): Rounded {
  if (significand === 0n) return { bits: pack(format, negative, 0, 0n), flags: 0 };
  const { precision } = format;
  const lowest = 2 - bias(format) - precision;
  const unbounded = exponent + bitLength(significand) - precision;
  const unit = Math.max(unbounded, lowest);
  const { value, inexact } = roundTo(negative, significand, exponent, unit, mode);
  let flags = inexact ? NX : 0;
  const asIfUnbounded = roundTo(negative, significand, exponent, unbounded, mode).value;
  const tiny = bitLength(asIfUnbounded) + unbounded < precision + lowest;
  if (tiny && inexact) flags |= UF;
  const carried = bitLength(value) > precision;
  const finalUnit = carried ? unit + 1 : unit;
  const finalValue = carried ? value >> 1n : value;
  const hidden = 1n << BigInt(precision - 1);
  const field = finalValue >= hidden ? finalUnit - lowest + 1 : 0;
  if (field >= 2 ** format.exponentBits - 1) {
    const toInfinity = mode === 0 || mode === 4 || (mode === 2 && negative) || (mode === 3 && !negative);
    const largest = pack(format, negative, 2 ** format.exponentBits - 2, hidden - 1n);
    return { bits: toInfinity ? infinity(format, negative) : largest, flags: OF | NX };
  }
  return { bits: pack(format, negative, field, finalValue & (hidden - 1n)), flags };
}

function nan(format: FloatFormat, flags: number): Rounded {
  return { bits: canonicalNan(format), flags };
}

function anySignaling(...values: Unpacked[]): number {
  return values.some((value) => value.kind === 'nan' && value.signaling) ? NV : 0;
}

/** a * b + c, each with its sign possibly turned; c undefined leaves the addition out. */
export function multiplyAdd(
  format: FloatFormat, aBits: bigint, bBits: bigint, cBits: bigint | undefined, mode: number, negateProduct = false, negateAddend = false
): Rounded {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  const c = cBits === undefined ? undefined : unpack(format, cBits);
  const productNegative = (a.negative !== b.negative) !== negateProduct;
  const zeroTimesInfinity = [[a, b], [b, a]].some(([p, q]) => p?.kind === 'infinite' && q?.kind === 'finite' && q.significand === 0n);
  if (zeroTimesInfinity) return nan(format, NV);
  if (a.kind === 'nan' || b.kind === 'nan' || c?.kind === 'nan') return nan(format, anySignaling(a, b, ...(c === undefined ? [] : [c])));
  const addendNegative = c === undefined ? productNegative : c.negative !== negateAddend;
  if (a.kind === 'infinite' || b.kind === 'infinite') {
    if (c?.kind === 'infinite' && addendNegative !== productNegative) return nan(format, NV);
    return { bits: infinity(format, productNegative), flags: 0 };
  }
  if (c?.kind === 'infinite') return { bits: infinity(format, addendNegative), flags: 0 };
  const product = a.significand * b.significand;
  const productExponent = a.exponent + b.exponent;
  if (c === undefined) return round(format, productNegative, product, productExponent, mode);
  return sum(format, productNegative, product, productExponent, addendNegative, c.significand, c.exponent, mode);
}

function sum(
  format: FloatFormat, aNegative: boolean, a: bigint, aExponent: number, bNegative: boolean, b: bigint, bExponent: number, mode: number
): Rounded {
  const exponent = Math.min(aExponent, bExponent);
  const left = (a << BigInt(aExponent - exponent)) * (aNegative ? -1n : 1n);
  const right = (b << BigInt(bExponent - exponent)) * (bNegative ? -1n : 1n);
  const total = left + right;
  if (total === 0n) return { bits: pack(format, aNegative === bNegative ? aNegative : mode === 2, 0, 0n), flags: 0 };
  return round(format, total < 0n, total < 0n ? -total : total, exponent, mode);
}

export function add(format: FloatFormat, aBits: bigint, bBits: bigint, mode: number, negate = false): Rounded {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  if (a.kind === 'nan' || b.kind === 'nan') return nan(format, anySignaling(a, b));
  const bNegative = b.negative !== negate;
  if (a.kind === 'infinite') {
    return b.kind === 'infinite' && a.negative !== bNegative ? nan(format, NV) : { bits: infinity(format, a.negative), flags: 0 };
  }
  if (b.kind === 'infinite') return { bits: infinity(format, bNegative), flags: 0 };
  return sum(format, a.negative, a.significand, a.exponent, bNegative, b.significand, b.exponent, mode);
}

export function divide(format: FloatFormat, aBits: bigint, bBits: bigint, mode: number): Rounded {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  if (a.kind === 'nan' || b.kind === 'nan') return nan(format, anySignaling(a, b));
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinite') return b.kind === 'infinite' ? nan(format, NV) : { bits: infinity(format, negative), flags: 0 };
  if (b.kind === 'infinite') return { bits: pack(format, negative, 0, 0n), flags: 0 };
  if (b.significand === 0n) return a.significand === 0n ? nan(format, NV) : { bits: infinity(format, negative), flags: DZ };
  // Three times the precision leaves more than enough quotient bits above the sticky one.
  const extra = 3 * format.precision;
  const dividend = a.significand << BigInt(extra);
  const sticky = dividend % b.significand === 0n ? 0n : 1n;
  return round(format, negative, ((dividend / b.significand) << 1n) | sticky, a.exponent - b.exponent - extra - 1, mode);
}

export function squareRoot(format: FloatFormat, aBits: bigint, mode: number): Rounded {
  const a = unpack(format, aBits);
  if (a.kind === 'nan') return nan(format, anySignaling(a));
  if (a.kind === 'finite' && a.significand === 0n) return { bits: aBits, flags: 0 };
  if (a.negative) return nan(format, NV);
  if (a.kind === 'infinite') return { bits: aBits, flags: 0 };
  let shift = 4 * format.precision;
  if ((a.exponent - shift) % 2 !== 0) shift += 1;
  const radicand = a.significand << BigInt(shift);
  let low = 0n;
  let high = 1n << BigInt(Math.ceil(bitLength(radicand) / 2) + 1);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle * middle <= radicand) low = middle;
    else high = middle;
  }
  const sticky = low * low === radicand ? 0n : 1n;
  return round(format, false, (low << 1n) | sticky, (a.exponent - shift) / 2 - 1, mode);
}

/** -1, 0 or 1; null when unordered. */
function compare(a: Unpacked, b: Unpacked): number | null {
  if (a.kind === 'nan' || b.kind === 'nan') return null;
  const scale = (value: Exclude<Unpacked, { kind: 'nan' }>): bigint => {
    // Far above any finite number of either format.
    const magnitude = value.kind === 'infinite' ? 1n << 5000n : value.significand << BigInt(value.exponent + 1200);
    return value.negative ? -magnitude : magnitude;
  };
  const left = scale(a);
  const right = scale(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** feq is quiet, flt and fle signal for every NaN. */
export function relation(format: FloatFormat, name: 'eq' | 'lt' | 'le', aBits: bigint, bBits: bigint): Rounded {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  const order = compare(a, b);
  if (order === null) return { bits: 0n, flags: name === 'eq' ? anySignaling(a, b) : NV };
  return { bits: BigInt(name === 'eq' ? order === 0 : name === 'lt' ? order < 0 : order <= 0), flags: 0 };
}

/** minimumNumber and maximumNumber of IEEE 754-2019: -0 is below +0, a NaN loses. */
export function extreme(format: FloatFormat, name: 'min' | 'max', aBits: bigint, bBits: bigint): Rounded {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  const flags = anySignaling(a, b);
  if (a.kind === 'nan') return { bits: b.kind === 'nan' ? canonicalNan(format) : bBits, flags };
  if (b.kind === 'nan') return { bits: aBits, flags };
  const order = compare(a, b) || Number(b.negative) - Number(a.negative);
  return { bits: (order <= 0) === (name === 'min') ? aBits : bBits, flags };
}

/** The ten-bit mask of fclass. */
export function classify(format: FloatFormat, bits: bigint): bigint {
  const a = unpack(format, bits);
  if (a.kind === 'nan') return a.signaling ? 1n << 8n : 1n << 9n;
  if (a.kind === 'infinite') return a.negative ? 1n << 0n : 1n << 7n;
  if (a.significand === 0n) return a.negative ? 1n << 3n : 1n << 4n;
  const subnormal = bitLength(a.significand) < format.precision;
  if (a.negative) return subnormal ? 1n << 2n : 1n << 1n;
  return subnormal ? 1n << 5n : 1n << 6n;
}

/** To an integer of `width` bits; the result is sign-extended to 64. */
export function toInteger(format: FloatFormat, bits: bigint, width: 32 | 64, signed: boolean, mode: number): Rounded {
  const a = unpack(format, bits);
  const least = signed ? -(1n << BigInt(width - 1)) : 0n;
  const most = signed ? (1n << BigInt(width - 1)) - 1n : (1n << BigInt(width)) - 1n;
  const extend = (value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(width, value));
  if (a.kind === 'nan') return { bits: extend(most), flags: NV };
  if (a.kind === 'infinite') return { bits: extend(a.negative ? least : most), flags: NV };
  const { value, inexact } = roundTo(a.negative, a.significand, a.exponent, 0, mode);
  const integer = a.negative ? -value : value;
  if (integer < least) return { bits: extend(least), flags: NV };
  if (integer > most) return { bits: extend(most), flags: NV };
  return { bits: extend(integer), flags: inexact ? NX : 0 };
}

export function fromInteger(format: FloatFormat, value: bigint, width: 32 | 64, signed: boolean, mode: number): Rounded {
  const integer = signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
  return round(format, integer < 0n, integer < 0n ? -integer : integer, 0, mode);
}

export function convert(from: FloatFormat, to: FloatFormat, bits: bigint, mode: number): Rounded {
  const a = unpack(from, bits);
  if (a.kind === 'nan') return nan(to, anySignaling(a));
  if (a.kind === 'infinite') return { bits: infinity(to, a.negative), flags: 0 };
  return round(to, a.negative, a.significand, a.exponent, mode);
}
