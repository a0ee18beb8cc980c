import type { FrameReader } from './types';

/** Numbers of the RISC-V DWARF register mapping: x0..x31 are 0..31, f0..f31 are 32..63 (RISC-V DWARF specification). */
export const RA = 1;
export const SP = 2;
export const FP = 8;
export const REGISTER_COUNT = 64;

/** One physical frame: its registers as far as they could be restored. */
export interface Activation {
  pc: bigint;
  /** Value of the stack pointer in the caller before the call. */
  cfa: bigint;
  /** By DWARF number; undefined where a callee did not preserve it. */
  registers: readonly (bigint | undefined)[];
}

/** What the innermost frame's registers hold now. */
export function currentRegisters(reader: FrameReader): (bigint | undefined)[] {
  return Array.from({ length: REGISTER_COUNT }, (_, number) => (number === 0 ? 0n : number < 32 ? reader.x(number) : reader.f(number - 32)));
}

/** Little-endian number in memory, or undefined where unreadable. */
export function readWord(reader: FrameReader, address: bigint): bigint | undefined {
  const bytes = reader.read(address, 8);
  if (!bytes || bytes.length < 8) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

/**
 * The caller by the frame-pointer convention of the RISC-V psABI: the return address stands at s0 - 8 and
 * the caller's s0 at s0 - 16. `innermost` functions may not have set s0 up; then the return address is still in ra.
 */
export function callerByFramePointer(reader: FrameReader, registers: readonly (bigint | undefined)[]): { cfa: bigint; pc: bigint; fp: bigint } | undefined {
  const fp = registers[FP];
  const sp = registers[SP];
  if (fp === undefined || sp === undefined || fp % 8n !== 0n || fp <= sp) return undefined;
  const pc = readWord(reader, fp - 8n);
  const saved = readWord(reader, fp - 16n);
  return pc === undefined || saved === undefined ? undefined : { cfa: fp, pc, fp: saved };
}
