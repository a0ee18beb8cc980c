/** The soft-float compiled alone, and a table of its operations with what each ought to give. */

import asc from 'assemblyscript/asc';
import {
  add, classify, convert, divide, double, extreme, fromInteger, multiplyAdd, relation, single, squareRoot, toInteger,
  type FloatFormat, type Rounded,
} from '../isa/reference-float.test-support';
import type { OperandKind } from './softfloat-operands.test-support';

type Argument = number | bigint;

export interface Operation {
  /** The exported function. */
  name: string;
  /** The instruction that does the same. */
  mnemonic: string;
  operands: readonly OperandKind[];
  /** Whether the last parameter is a rounding mode. */
  rounds: boolean;
  /** Bits of the result: 64 for integers, which are sign-extended. */
  width: 32 | 64;
  reference(operands: readonly bigint[], rm: number): Rounded;
}

type Reference = (...operands: [a: bigint, b: bigint, c: bigint, rm: number]) => Rounded;

function operationsOf(kind: 'f32' | 'f64'): Operation[] {
  const format: FloatFormat = kind === 'f32' ? single : double;
  const suffix = kind === 'f32' ? 's' : 'd';
  const width = kind === 'f32' ? 32 : 64;
  const define = (name: string, mnemonic: string, count: number, rounds: boolean, bits: 32 | 64, reference: Reference): Operation => ({
    name: kind + name,
    mnemonic: `${mnemonic}.${suffix}`,
    operands: Array<OperandKind>(count).fill(kind),
    rounds,
    width: bits,
    reference: ([a = 0n, b = 0n, c = 0n], rm) => reference(a, b, c, rm),
  });
  const integers = (['i32', 'u32', 'i64', 'u64'] as const).flatMap((integer): Operation[] => {
    const bits = integer.endsWith('32') ? 32 : 64;
    const signed = integer.startsWith('i');
    const letters = (bits === 32 ? 'w' : 'l') + (signed ? '' : 'u');
    return [
      define(`To${integer.toUpperCase()}`, `fcvt.${letters}`, 1, true, 64, (a, _b, _c, rm) => toInteger(format, a, bits, signed, rm)),
      {
        name: `${integer}To${kind.toUpperCase()}`,
        mnemonic: `fcvt.${suffix}.${letters}`,
        operands: [integer],
        rounds: bits >= format.precision,
        width,
        reference: ([a = 0n], rm) => fromInteger(format, a, bits, signed, rm),
      },
    ];
  });
  return [
    define('Add', 'fadd', 2, true, width, (a, b, _c, rm) => add(format, a, b, rm)),
    define('Sub', 'fsub', 2, true, width, (a, b, _c, rm) => add(format, a, b, rm, true)),
    define('Mul', 'fmul', 2, true, width, (a, b, _c, rm) => multiplyAdd(format, a, b, undefined, rm)),
    define('Div', 'fdiv', 2, true, width, (a, b, _c, rm) => divide(format, a, b, rm)),
    define('Sqrt', 'fsqrt', 1, true, width, (a, _b, _c, rm) => squareRoot(format, a, rm)),
    define('MulAdd', 'fmadd', 3, true, width, (a, b, c, rm) => multiplyAdd(format, a, b, c, rm)),
    define('Eq', 'feq', 2, false, 32, (a, b) => relation(format, 'eq', a, b)),
    define('Lt', 'flt', 2, false, 32, (a, b) => relation(format, 'lt', a, b)),
    define('Le', 'fle', 2, false, 32, (a, b) => relation(format, 'le', a, b)),
    define('Min', 'fmin', 2, false, width, (a, b) => extreme(format, 'min', a, b)),
    define('Max', 'fmax', 2, false, width, (a, b) => extreme(format, 'max', a, b)),
    define('Classify', 'fclass', 1, false, 32, (a) => ({ bits: classify(format, a), flags: 0 })),
    ...integers,
  ];
}

export const operations: readonly Operation[] = [
  ...operationsOf('f32'),
  ...operationsOf('f64'),
  {
    name: 'f32ToF64', mnemonic: 'fcvt.d.s', operands: ['f32'], rounds: false, width: 64,
    reference: ([a = 0n], rm) => convert(single, double, a, rm),
  },
  {
    name: 'f64ToF32', mnemonic: 'fcvt.s.d', operands: ['f64'], rounds: true, width: 32,
    reference: ([a = 0n], rm) => convert(double, single, a, rm),
  },
];

type Exports = Record<string, (...args: Argument[]) => Argument> & { fflags: { value: number } };

// Neither the ES libraries nor Node's types describe it.
const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: { instantiate(bytes: Uint8Array): Promise<{ instance: { exports: Exports } }> };
};

/** Calls operations on unsigned bits and reads the flags that they raised. */
export class Softfloat {
  private constructor(private readonly exports: Exports) {}

  /** Compiles the AssemblyScript sources as they are now. */
  static async compile(): Promise<Softfloat> {
    let binary: Uint8Array | undefined;
    const messages = asc.createMemoryStream();
    const source = 'engine/core/assembly/softfloat.ts';
    const { error } = await asc.main([source, '-O3', '--noAssert', '--runtime', 'stub', '--outFile', 'softfloat.wasm'], {
      writeFile: (_name, contents) => void (binary = contents as Uint8Array),
      stderr: messages,
    });
    if (error !== null || binary === undefined) throw new Error(`asc: ${error?.message}\n${messages.toString()}`);
    const { instance } = await webAssembly.instantiate(binary);
    return new Softfloat(instance.exports);
  }

  call({ name, operands, rounds, width }: Operation, values: readonly bigint[], rm: number): bigint {
    const args: Argument[] = values.map((value, index) => (operands[index]?.endsWith('64') ? value : Number(value)));
    if (rounds) args.push(rm);
    const result = this.exports[name]?.(...args);
    if (result === undefined) throw new Error(`softfloat.ts exports no ${name}`);
    return BigInt.asUintN(width, BigInt(result));
  }

  /** The flags raised since the last call of this method. */
  takeFlags(): number {
    const flags = this.exports.fflags.value;
    this.exports.fflags.value = 0;
    return flags;
  }
}

function fromEnvironment(name: string, fallback: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a positive integer, not "${process.env[name]}"`);
  return value;
}

/** Vectors of each operation, and the seed they grow from: both may be set for longer or other runs. */
export const vectors = fromEnvironment('COVERT_FP_VECTORS', 20_000);
export const seed = fromEnvironment('COVERT_FP_SEED', 1);

const modes = ['rne', 'rtz', 'rdn', 'rup', 'rmm'];

/** One vector for a failure message, with what repeats it. */
export function describeVector({ name }: Operation, values: readonly bigint[], rm: number): string {
  const operands = values.map((value) => `0x${value.toString(16)}`).join(', ');
  return `${name}(${operands}, ${modes[rm]}), COVERT_FP_SEED=${seed} COVERT_FP_VECTORS=${vectors}`;
}

/** Result and flags as one text, for comparing both at once. */
export function describeResult(bits: bigint, flags: number): string {
  const names = ['NX', 'UF', 'OF', 'DZ', 'NV'].filter((_name, bit) => ((flags >> bit) & 1) === 1);
  return `0x${bits.toString(16)} ${names.join(' ')}`.trimEnd();
}
