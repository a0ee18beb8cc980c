/** Seeded operands for floating-point tests, biased towards the edges of the formats. */

import { double, single, type FloatFormat } from '../isa/reference-float.test-support';
import { Random } from '../isa/random.test-support';

export type OperandKind = 'f32' | 'f64' | 'i32' | 'u32' | 'i64' | 'u64';

const scratch = new DataView(new ArrayBuffer(8));

export function bitsOfDouble(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

export function doubleOfBits(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

export function bitsOfSingle(value: number): bigint {
  scratch.setFloat32(0, value);
  return BigInt(scratch.getUint32(0));
}

export function singleOfBits(bits: bigint): number {
  scratch.setUint32(0, Number(bits));
  return scratch.getFloat32(0);
}

/** Gives operands; equal seeds give equal sequences. */
export class Operands {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  roundingMode(): number {
    return this.#random.below(5);
  }

  /** As many operands as there are kinds, related to each other as often as not. */
  list(kinds: readonly OperandKind[]): bigint[] {
    const operands: bigint[] = [];
    for (const kind of kinds) {
      if (kind === 'f32') operands.push(this.#float(single, operands));
      else if (kind === 'f64') operands.push(this.#float(double, operands));
      else operands.push(this.#integer(Number(kind.slice(1))));
    }
    return operands;
  }

  /** The bits of a number after the operands already chosen for the same operation. */
  #float(format: FloatFormat, earlier: readonly bigint[]): bigint {
    const choice = this.#random.below(earlier.length === 0 ? 12 : 24);
    if (choice === 0) return this.#bits(format.precision + format.exponentBits);
    if (choice === 1) return this.#special(format);
    if (choice < 4) return this.#nearInteger(format);
    if (choice < 12) return this.#compose(format, this.#exponentField(format));
    if (choice < 20) return this.#counterpart(format, earlier);
    return this.#near(format, earlier[this.#random.below(earlier.length)] ?? 0n);
  }

  #bits(count: number): bigint {
    const value = (BigInt(this.#random.word()) << 32n) | BigInt(this.#random.word());
    return BigInt.asUintN(count, value);
  }

  #compose(format: FloatFormat, field: number): bigint {
    const sign = this.#random.below(2);
    const fractionBits = BigInt(format.precision - 1);
    return (((BigInt(sign) << BigInt(format.exponentBits)) | BigInt(field)) << fractionBits) | this.#fraction(format);
  }

  /** Few ones, few zeros, runs, short fractions: what gives ties, carries and long runs of nines. */
  #fraction(format: FloatFormat): bigint {
    const count = format.precision - 1;
    const one = (): bigint => 1n << BigInt(this.#random.below(count));
    const all = (1n << BigInt(count)) - 1n;
    switch (this.#random.below(7)) {
      case 0:
        return 0n;
      case 1:
        return all ^ (this.#random.below(2) === 0 ? 0n : one());
      case 2:
        return one() | one();
      case 3:
        return all & ~(one() - 1n);
      case 4:
        return this.#bits(count) & ~(one() - 1n);
      case 5:
        return one() - 1n;
      default:
        return this.#bits(count);
    }
  }

  #exponentField(format: FloatFormat): number {
    const top = 2 ** format.exponentBits - 1;
    const bias = 2 ** (format.exponentBits - 1) - 1;
    const clamp = (field: number): number => Math.min(Math.max(field, 0), top);
    switch (this.#random.below(7)) {
      // Where a double meets the ends of single: its largest and smallest normal and subnormal numbers.
      case 6:
        return clamp(bias + ([127, 128, -126, -127, -149, -150][this.#random.below(6)] ?? 0));
      case 0:
        return this.#random.below(3);
      case 1:
        return top - this.#random.below(3);
      case 2:
        return this.#random.below(top + 1);
      // Squares, products and quotients of these meet the ends of the range.
      case 3:
        return clamp(Math.floor(bias / 2) + this.#random.below(2 * format.precision) - format.precision);
      case 4:
        return clamp(Math.floor((3 * bias) / 2) + this.#random.below(9) - 4);
      default:
        return clamp(bias + this.#random.below(2 * format.precision + 20) - format.precision - 10);
    }
  }

  #special(format: FloatFormat): bigint {
    const fractionBits = BigInt(format.precision - 1);
    const infinity = ((1n << BigInt(format.exponentBits)) - 1n) << fractionBits;
    const quiet = infinity | (1n << (fractionBits - 1n));
    const smallestNormal = 1n << fractionBits;
    const values = [
      0n, 1n, 2n, smallestNormal - 1n, smallestNormal, smallestNormal + 1n, infinity - 1n, infinity, infinity + 1n,
      quiet - 1n, quiet, quiet + 1n,
    ];
    const sign = BigInt(this.#random.below(2)) << (fractionBits + BigInt(format.exponentBits));
    return sign | (values[this.#random.below(values.length)] ?? 0n);
  }

  /** Around a power of two that ends an integer range, and around halves. */
  #nearInteger(format: FloatFormat): bigint {
    const sign = this.#random.below(2) === 0 ? 1 : -1;
    const powers = [2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64, 1, 0, 0.5, 2 ** this.#random.below(22)];
    const power = powers[this.#random.below(powers.length)] ?? 1;
    const offset = power > 2 ** 40 ? 0 : (this.#random.below(17) - 8) / 8;
    const value = sign * (power + offset);
    const bits = format === double ? bitsOfDouble(value) : bitsOfSingle(value);
    return bits === 0n ? bits : bits + BigInt(this.#random.below(5)) - 2n;
  }

  /** Close to an earlier operand in value or at least in exponent, with either sign. */
  #near(format: FloatFormat, other: bigint): bigint {
    const width = format.precision + format.exponentBits;
    const step = 1n << BigInt(this.#random.below(format.precision + 3));
    const moved = other + BigInt(this.#random.below(3) - 1) * step;
    return BigInt.asUintN(width, moved ^ (BigInt(this.#random.below(2)) << BigInt(width - 1)));
  }

  /**
   * Close to what makes an operation on the earlier operands meet an edge: minus
   * their product, which cancels in a fused multiply-add, or the factor or
   * divisor whose product or quotient is at an end of the format's range.
   */
  #counterpart(format: FloatFormat, earlier: readonly bigint[]): bigint {
    const [toNumber, toBits] = format === double ? ([doubleOfBits, bitsOfDouble] as const) : ([singleOfBits, bitsOfSingle] as const);
    const product = earlier.reduce((total, bits) => total * toNumber(bits), 1);
    const smallestNormal = 1n << BigInt(format.precision - 1);
    const infinity = ((1n << BigInt(format.exponentBits)) - 1n) * smallestNormal;
    const ends = [smallestNormal, smallestNormal, smallestNormal / 2n, 1n, infinity - 1n];
    const end = toNumber(ends[this.#random.below(ends.length)] ?? 0n);
    const value = [-product, end / product, product / end][this.#random.below(3)] ?? 0;
    return this.#random.below(2) === 0 ? toBits(value) : this.#near(format, toBits(value));
  }

  #integer(width: number): bigint {
    const value = this.#bits(1 + this.#random.below(width));
    const short = value & ~((1n << BigInt(this.#random.below(width))) - 1n);
    switch (this.#random.below(5)) {
      case 0:
        return BigInt.asUintN(width, -value);
      case 1:
        return BigInt.asUintN(width, short + BigInt(this.#random.below(3)) - 1n);
      case 2:
        return BigInt.asUintN(width, (1n << BigInt(this.#random.below(width + 1))) + BigInt(this.#random.below(3)) - 1n);
      case 3:
        return BigInt.asUintN(width, -short);
      default:
        return value;
    }
  }
}
