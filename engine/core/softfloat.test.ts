import { beforeAll, describe, expect, it } from 'vitest';
import {
  bitsOfDouble, bitsOfSingle, doubleOfBits, Operands, singleOfBits,
} from './softfloat-operands.test-support';
import {
  describeResult, describeVector, operations, seed, Softfloat, vectors, type Operation,
} from './softfloat.test-support';

let softfloat: Softfloat;
beforeAll(async () => {
  softfloat = await Softfloat.compile();
});

/** Each operation gets a sequence of its own, whatever others there are. */
function operandsFor({ name }: Operation): Operands {
  return new Operands([...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), seed));
}

const exactIntegers = 2 ** 53;

/**
 * What the host's own arithmetic gives in round-to-nearest, for the operations
 * that it has. For binary32 + − × ÷ √ in binary64 and one rounding more are
 * innocuous: 53 ≥ 2 · 24 + 2 (S. Figueroa, "When is double rounding innocuous?").
 */
const host = new Map<string, (...values: bigint[]) => bigint>();
for (const [kind, toNumber, toBits] of [
  ['f32', singleOfBits, bitsOfSingle],
  ['f64', doubleOfBits, bitsOfDouble],
] as const) {
  const nan = kind === 'f32' ? 0x7fc00000n : 0x7ff8000000000000n;
  const result = (value: number): bigint => (Number.isNaN(value) ? nan : toBits(value));
  const define = (name: string, compute: (a: number, b: number) => number): void => {
    host.set(kind + name, (a = 0n, b = 0n) => result(compute(toNumber(a), toNumber(b))));
  };
  define('Add', (a, b) => a + b);
  define('Sub', (a, b) => a - b);
  define('Mul', (a, b) => a * b);
  define('Div', (a, b) => a / b);
  define('Sqrt', Math.sqrt);
  host.set(`${kind}Eq`, (a = 0n, b = 0n) => BigInt(toNumber(a) === toNumber(b)));
  host.set(`${kind}Lt`, (a = 0n, b = 0n) => BigInt(toNumber(a) < toNumber(b)));
  host.set(`${kind}Le`, (a = 0n, b = 0n) => BigInt(toNumber(a) <= toNumber(b)));
  host.set(`i32To${kind.toUpperCase()}`, (a = 0n) => result(Number(BigInt.asIntN(32, a))));
  host.set(`u32To${kind.toUpperCase()}`, (a = 0n) => result(Number(a)));
}
host.set('i64ToF64', (a = 0n) => bitsOfDouble(Number(BigInt.asIntN(64, a))));
host.set('u64ToF64', (a = 0n) => bitsOfDouble(Number(a)));
host.set('f64ToF32', (a = 0n) => (Number.isNaN(doubleOfBits(a)) ? 0x7fc00000n : bitsOfSingle(doubleOfBits(a))));
host.set('f32ToF64', (a = 0n) => (Number.isNaN(singleOfBits(a)) ? 0x7ff8000000000000n : bitsOfDouble(singleOfBits(a))));

describe('floating point against the host in round-to-nearest', () => {
  const compared = operations.filter(({ name }) => host.has(name));

  it('compares every operation that the host has', () => {
    expect(compared.map(({ name }) => name).sort()).toEqual([...host.keys()].sort());
  });

  it.each(compared)('$name', (operation) => {
    const compute = host.get(operation.name);
    const operands = operandsFor(operation);
    for (let count = 0; count < 10 * vectors; count++) {
      const values = operands.list(operation.operands);
      const actual = softfloat.call(operation, values, 0);
      const expected = compute?.(...values);
      if (actual !== expected) expect(actual.toString(16), describeVector(operation, values, 0)).toBe(expected?.toString(16));
    }
  });

  it.each(operations.filter(({ name }) => /^f\d\dTo[IU]/.test(name)))('$name of integers the host has exactly', (operation) => {
    const operands = operandsFor(operation);
    const toNumber = operation.operands[0] === 'f32' ? singleOfBits : doubleOfBits;
    const width = operation.name.endsWith('32') ? 32 : 64;
    let compared = 0;
    for (let count = 0; count < 10 * vectors; count++) {
      const values = operands.list(operation.operands);
      const value = toNumber(values[0] ?? 0n);
      if (!(Math.abs(value) <= exactIntegers)) continue;
      const integer = BigInt(Math.trunc(value));
      const fits = operation.name.includes('ToI') ? BigInt.asIntN(width, integer) === integer : BigInt.asUintN(width, integer) === integer;
      if (!fits) continue;
      compared += 1;
      const actual = softfloat.call(operation, values, 1);
      const expected = BigInt.asUintN(64, BigInt.asIntN(width, integer));
      if (actual !== expected) expect(actual.toString(16), describeVector(operation, values, 1)).toBe(expected.toString(16));
    }
    expect(compared).toBeGreaterThan(vectors);
  });
});

describe('floating point against exact arithmetic, in every rounding mode, with flags', () => {
  it.each(operations)('$name', (operation) => {
    const operands = operandsFor(operation);
    softfloat.takeFlags();
    for (let count = 0; count < vectors; count++) {
      const values = operands.list(operation.operands);
      const rm = operands.roundingMode();
      const actual = softfloat.call(operation, values, rm);
      const flags = softfloat.takeFlags();
      const expected = operation.reference(values, rm);
      if (actual !== expected.bits || flags !== expected.flags) {
        const vector = describeVector(operation, values, rm);
        expect(describeResult(actual, flags), vector).toBe(describeResult(expected.bits, expected.flags));
      }
    }
  });
});

describe('the exceptions', () => {
  it('accrue over operations', () => {
    const named = (name: string): Operation => {
      const operation = operations.find((candidate) => candidate.name === name);
      if (operation === undefined) throw new Error(`no ${name}`);
      return operation;
    };
    softfloat.takeFlags();
    softfloat.call(named('f64Div'), [0x3ff0000000000000n, 0n], 0);
    softfloat.call(named('f64Sqrt'), [0x4000000000000000n], 0);
    softfloat.call(named('f64Add'), [0x3ff0000000000000n, 0x3ff0000000000000n], 0);
    expect(describeResult(0n, softfloat.takeFlags())).toBe('0x0 NX DZ');
  });
});
