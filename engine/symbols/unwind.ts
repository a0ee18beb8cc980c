import type { CallFrames, CfaRule, RegisterRule, UnwindRow } from './cfi';
import { inCode, type ElfFile } from './elf';
import { evaluate, littleEndian, type ExpressionContext } from './expression';
import { analyzePrologue, type PrologueState } from './prologue';
import type { SymbolTable } from './symbol-table';
import type { FrameReader } from './types';

/** Numbers of the RISC-V DWARF mapping: x0..x31 are 0..31, f0..f31 are 32..63, CSR n is 4096 + n (RISC-V DWARF specification). */
const RA = 1;
const SP = 2;
const FP = 8;
const REGISTER_COUNT = 64;
const CSR_BASE = 4096;
const MEPC = 0x341;

/** Registers that a callee keeps (RISC-V psABI): sp, gp, tp, s0..s11, fs0..fs11. */
const preserved = new Set([2, 3, 4, 8, 9, ...span(18, 27), 40, 41, ...span(50, 59)]);

/** One physical frame: its registers as far as they could be restored. */
export interface Activation {
  pc: bigint;
  /** The address whose line and scope count: `pc`, or in a caller the end of its call, which may be another line than what follows. */
  lookup: bigint;
  /** The caller's stack pointer before the call. */
  cfa: bigint;
  /** By DWARF number; undefined where a callee may have changed it. */
  registers: readonly (bigint | undefined)[];
}

type Caller = Pick<Activation, 'pc' | 'registers'> & { cfa: bigint; interrupted: boolean };

/** Walks the stack by call frame information; where there is none, by the conventions of code without it. */
export class Unwinder {
  constructor(
    private readonly elf: ElfFile,
    private readonly frames: CallFrames,
    private readonly symbols: SymbolTable,
  ) {}

  /** At most `limit` physical frames, innermost first; at least one. */
  activations(reader: FrameReader, limit: number): Activation[] {
    const found: Activation[] = [];
    let pc = reader.pc;
    let lookup = pc;
    let registers: readonly (bigint | undefined)[] = currentRegisters(reader);
    for (;;) {
      const caller = this.caller({ pc, lookup, registers }, reader, found.length === 0);
      const cfa = caller?.cfa ?? registers[SP] ?? 0n;
      const before = found.at(-1);
      // A stack that does not go down is damaged, and could be walked forever.
      if (before && cfa === before.cfa && pc === before.pc) return found;
      found.push({ pc, lookup, cfa, registers });
      if (!caller || found.length >= limit || !inCode(this.elf, caller.pc)) return found;
      if (before && cfa < before.cfa && !caller.interrupted) return found;
      pc = caller.pc;
      lookup = caller.interrupted ? pc : pc - 1n;
      registers = caller.registers;
    }
  }

  private caller(frame: Omit<Activation, 'cfa'>, reader: FrameReader, innermost: boolean): Caller | undefined {
    const row = this.frames.at(frame.lookup);
    return row ? callerByRow(row, frame, reader) : this.callerByConvention(frame, reader, innermost);
  }

  /** Without a description: by what the function's first instructions did, else by frame pointer, else by ra. */
  private callerByConvention(frame: Omit<Activation, 'cfa'>, reader: FrameReader, innermost: boolean): Caller | undefined {
    const start = this.symbols.covering(frame.lookup)?.address;
    const state = start === undefined ? undefined : analyzePrologue(reader, start, frame.pc);
    if (state) return callerByPrologue(state, frame, reader);
    return this.callerByFramePointer(frame, reader) ?? (innermost ? this.callerByReturnAddress(frame) : undefined);
  }

  /** psABI: the return address stands at s0 - 8 and the caller's s0 at s0 - 16. */
  private callerByFramePointer({ pc, registers }: Omit<Activation, 'cfa'>, reader: FrameReader): Caller | undefined {
    const fp = registers[FP];
    const sp = registers[SP];
    // After a jump to nowhere s0 is still the frame of the function that jumped.
    if (!inCode(this.elf, pc) || fp === undefined || sp === undefined || fp % 8n !== 0n || fp <= sp) return undefined;
    const returnAddress = readWord(reader, fp - 8n);
    const savedFp = readWord(reader, fp - 16n);
    if (returnAddress === undefined || savedFp === undefined || !inCode(this.elf, returnAddress)) return undefined;
    return { pc: returnAddress, cfa: fp, registers: registersOfCaller(registers, fp, new Map([[FP, savedFp]])), interrupted: false };
  }

  /** A function that has not saved ra yet, or a jump to nowhere. */
  private callerByReturnAddress({ registers }: Omit<Activation, 'cfa'>): Caller | undefined {
    const ra = registers[RA];
    const sp = registers[SP];
    if (ra === undefined || sp === undefined || !inCode(this.elf, ra)) return undefined;
    return { pc: ra, cfa: sp, registers: registersOfCaller(registers, sp, new Map()), interrupted: false };
  }
}

function callerByPrologue(state: PrologueState, { registers }: Omit<Activation, 'cfa'>, reader: FrameReader): Caller | undefined {
  const { frameBytes, framePointer, saved } = state;
  const base = registers[framePointer === undefined ? SP : FP];
  const distance = framePointer ?? frameBytes;
  if (base === undefined || distance === undefined) return undefined;
  const cfa = BigInt.asUintN(64, base + BigInt(distance));
  const restored = new Map([...saved].map(([register, below]) => [register, readWord(reader, BigInt.asUintN(64, cfa - BigInt(below)))]));
  const pc = restored.has(RA) ? restored.get(RA) : registers[RA];
  return { pc: pc ?? 0n, cfa, registers: registersOfCaller(registers, cfa, restored), interrupted: false };
}

function callerByRow(row: UnwindRow, frame: Omit<Activation, 'cfa'>, reader: FrameReader): Caller | undefined {
  const { registers } = frame;
  const context: ExpressionContext = {
    register: (number) => registers[number],
    read: (address, bytes) => reader.read(address, bytes),
    frameBase: () => undefined,
    cfa: () => undefined,
    entryValue: () => undefined,
    indexedAddress: () => undefined,
    baseType: () => undefined,
  };
  const cfa = evaluateCfa(row.cfa, context);
  if (cfa === undefined) return undefined;
  const restored = new Map<number, bigint | undefined>();
  for (const [number, rule] of row.registers) restored.set(number, apply(rule, number, cfa, context));
  const { returnColumn, signal } = row.common;
  const pc = returnAddress(returnColumn, signal, restored, registers, reader);
  const outermost = row.registers.get(returnColumn)?.kind === 'undefined';
  if (outermost || pc === undefined) return { pc: 0n, cfa, registers, interrupted: false };
  // Interrupted code finds all registers as it left them.
  const kept = signal ? registers.map((value, number) => (number === SP ? cfa : restored.has(number) ? restored.get(number) : value)) : registersOfCaller(registers, cfa, restored);
  return { pc, cfa, registers: kept, interrupted: signal };
}

/**
 * The address to go on from. A signal frame (a trap handler's entry) whose return column is
 * ra describes the interrupted code's ra, not where it was: that is in mepc.
 */
function returnAddress(
  column: number,
  signal: boolean,
  restored: ReadonlyMap<number, bigint | undefined>,
  registers: readonly (bigint | undefined)[],
  reader: FrameReader,
): bigint | undefined {
  if (signal && column === RA && reader.csr) return reader.csr(MEPC);
  if (restored.has(column)) return restored.get(column);
  return column >= CSR_BASE ? reader.csr?.(column - CSR_BASE) : registers[column];
}

function evaluateCfa(rule: CfaRule, context: ExpressionContext): bigint | undefined {
  if (rule.kind === 'expression') return evaluate(rule.expression, context);
  const base = context.register(rule.register);
  return base === undefined ? undefined : BigInt.asUintN(64, base + BigInt(rule.offset));
}

function apply(rule: RegisterRule, number: number, cfa: bigint, context: ExpressionContext): bigint | undefined {
  switch (rule.kind) {
    case 'undefined':
      return undefined;
    case 'same':
      return context.register(number);
    case 'register':
      return context.register(rule.register);
    case 'offset':
      return readWord(context, BigInt.asUintN(64, cfa + BigInt(rule.offset)));
    case 'value':
      return BigInt.asUintN(64, cfa + BigInt(rule.offset));
    case 'expression': {
      const address = evaluate(rule.expression, context, cfa);
      return address === undefined ? undefined : readWord(context, address);
    }
    case 'value-expression':
      return evaluate(rule.expression, context, cfa);
  }
}

/** What the caller finds after the call: what was restored, what the convention keeps, nothing else. */
function registersOfCaller(
  registers: readonly (bigint | undefined)[],
  cfa: bigint,
  restored: ReadonlyMap<number, bigint | undefined>,
): (bigint | undefined)[] {
  return registers.map((value, number) => {
    if (number === 0) return 0n;
    if (restored.has(number)) return restored.get(number);
    if (number === SP) return cfa;
    return preserved.has(number) ? value : undefined;
  });
}

function currentRegisters(reader: FrameReader): bigint[] {
  return Array.from({ length: REGISTER_COUNT }, (_, number) => BigInt.asUintN(64, number === 0 ? 0n : number < 32 ? reader.x(number) : reader.f(number - 32)));
}

function readWord(reader: Pick<FrameReader, 'read'>, address: bigint): bigint | undefined {
  const bytes = reader.read(address, 8);
  return bytes && bytes.length >= 8 ? littleEndian(bytes) : undefined;
}

function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
