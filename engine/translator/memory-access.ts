/** Translation of loads, stores and atomic instructions: what the TLB knows, inline. */
import { at as layout } from '../core/layout';
import { local, type Assembler, type Placed } from './assembler';
import { f64, i64, memory, op } from './wasm-code';

const tlbMask = (512 - 1) << 4;
/** From a TLB of reads to that of writes. */
const writeSet = 0x2000;
const pageMask = -4096;

const loads: Readonly<Record<string, number>> = {
  lb: memory.i64_load8_s, lbu: memory.i64_load8_u, lh: memory.i64_load16_s, lhu: memory.i64_load16_u, lw: memory.i64_load32_s, lwu: memory.i64_load32_u, ld: memory.i64_load,
};
const stores: Readonly<Record<string, number>> = { sb: memory.i64_store8, sh: memory.i64_store16, sw: memory.i64_store32, sd: memory.i64_store };

/**
 * Leaves on the stack where a byte of the guest's stands. Anything but a hit is the core's (tlb.ts), and
 * an atomic access that is not aligned, which (va ^ tag) & (~4095 | size - 1) finds. A page in the TLB of writes has
 * no code, no page table and no watch, so a store that hits needs nothing else.
 */
function locate(to: Assembler, { operation, at }: Placed, set: number): void {
  const { rs1, imm, flags, kind } = operation;
  const { code } = to;
  to.x(rs1);
  // That of an atomic instruction is about order.
  if (imm !== 0 && kind !== 'atomic') code.i64(imm).plain(op.i64_add);
  code.tee(local.va).plain(op.i32_wrap).i32(8).plain(op.i32_shr_u).i32(tlbMask).plain(op.i32_and).get(local.tlb).plain(op.i32_add).tee(local.entry);
  code.access(memory.i64_load, set).get(local.va).plain(op.i64_xor);
  if (kind === 'atomic') {
    code.i64(pageMask | (flags.accessBytes - 1)).plain(op.i64_and, op.i64_eqz, op.i32_eqz);
    to.leaveIf(at);
  } else {
    code.i64(4096 - flags.accessBytes).plain(op.i64_gt_u).ifLikely(false);
    to.open(-1);
    code.get(local.va).i32(flags.accessBytes | (set === 0 ? 0 : 16));
    to.call('fillTlb').plain(op.i32_eqz);
    to.leaveIf(at);
    to.close();
  }
  code.get(local.va).plain(op.i32_wrap).get(local.entry).access(memory.i32_load, set + 8).plain(op.i32_add);
}

function leaveWithoutFloats(to: Assembler, at: number): void {
  to.code.get(local.usable).plain(op.i32_eqz);
  to.leaveIf(at);
}

/** From RAM's first address to the host's; undefined where addresses are translated, or something else may have a say. */
export interface DirectRam {
  base: number;
  hostAt: number;
}

/**
 * Puts what a load reads on the stack. With `direct` it is tried first whether the address is a physical one in RAM: the function's
 * local has how far it may be into it, which is 0 whenever that must not be (tlb.ts, `chooseContext`).
 */
function read(to: Assembler, placed: Placed, opcode: number, result: number, direct: DirectRam | undefined): void {
  const { code } = to;
  const { rs1, imm } = placed.operation;
  if (direct) {
    to.x(rs1).i64(imm - direct.base).plain(op.i64_add).tee(local.long).get(local.direct).plain(op.i64_lt_u).ifLikely(true, result);
    to.open(-1);
    code.get(local.long).plain(op.i32_wrap).access(opcode, direct.hostAt).plain(op.else);
  }
  locate(to, placed, 0);
  code.access(opcode);
  if (direct) to.close();
}

export function writeLoad(to: Assembler, placed: Placed, direct: DirectRam | undefined): void {
  const { operation, at } = placed;
  const { mnemonic, rd } = operation;
  if (mnemonic === 'flw' || mnemonic === 'fld') leaveWithoutFloats(to, at);
  if (mnemonic === 'fld') {
    read(to, placed, memory.f64_load, f64, direct);
    to.setF(rd);
  } else if (mnemonic === 'flw') {
    read(to, placed, memory.i64_load32_u, i64, direct);
    to.code.i64(-0x1_0000_0000).plain(op.i64_or, op.f64_reinterpret);
    to.setF(rd);
  } else {
    read(to, placed, loads[mnemonic] ?? op.unreachable, i64, direct);
    to.setX(rd);
  }
}

export function writeStore(to: Assembler, placed: Placed): void {
  const { operation, at } = placed;
  const { mnemonic, rs2 } = operation;
  const { code } = to;
  const float = mnemonic === 'fsw' || mnemonic === 'fsd';
  if (float) leaveWithoutFloats(to, at);
  locate(to, placed, writeSet);
  if (mnemonic === 'fsd') to.f(rs2).access(memory.f64_store);
  else if (mnemonic === 'fsw') to.f(rs2).plain(op.i64_reinterpret).access(memory.i64_store32);
  else {
    to.x(rs2);
    code.access(stores[mnemonic] ?? op.unreachable);
  }
}

const amos: Readonly<Record<string, (to: Assembler, long: boolean) => void>> = {
  amoswap: () => undefined,
  amoadd: ({ code }) => void code.get(local.long).plain(op.i64_add),
  amoxor: ({ code }) => void code.get(local.long).plain(op.i64_xor),
  amoand: ({ code }) => void code.get(local.long).plain(op.i64_and),
  amoor: ({ code }) => void code.get(local.long).plain(op.i64_or),
  amomin: (to, long) => select(to, long, true, op.i64_lt_s),
  amomax: (to, long) => select(to, long, true, op.i64_gt_s),
  amominu: (to, long) => select(to, long, false, op.i64_lt_u),
  amomaxu: (to, long) => select(to, long, false, op.i64_gt_u),
};

/** Of the operand on the stack and the old value (`long`, a word's with its sign): whose comparison holds. */
function select({ code }: Assembler, long: boolean, signed: boolean, compare: number): void {
  if (!long) code.plain(op.i64_extend32_s);
  code.set(local.long2).get(local.long2).get(local.long);
  for (const operand of [local.long2, local.long]) {
    code.get(operand);
    if (!long && !signed) code.i64(0xffff_ffff).plain(op.i64_and);
  }
  code.plain(compare, op.select);
}

/**
 * One hart at a time runs, so each is atomic as it is. Loads look in the TLB of writes, too: what is
 * reserved is written soon. `toPhysical`: what makes a host address a physical one.
 */
export function writeAtomic(to: Assembler, placed: Placed, toPhysical: number): void {
  const { mnemonic, rd, rs2, flags } = placed.operation;
  const { code } = to;
  const long = flags.accessBytes === 8;
  const store = long ? memory.i64_store : memory.i64_store32;
  const physical = (): void => void code.get(local.word).plain(op.i64_extend_u).i64(toPhysical).plain(op.i64_add);
  locate(to, placed, writeSet);
  code.set(local.word);
  if (mnemonic.startsWith('lr.')) {
    code.get(local.word).access(long ? memory.i64_load : memory.i64_load32_s);
    to.setX(rd);
    code.i32(0);
    physical();
    code.access(memory.i64_store, layout.reservation);
    return;
  }
  if (mnemonic.startsWith('sc.')) {
    code.i32(0).access(memory.i64_load, layout.reservation);
    physical();
    code.plain(op.i64_eq).tee(local.entry).if().get(local.word);
    to.x(rs2).access(store);
    code.plain(op.end).i32(0).i64(-1).access(memory.i64_store, layout.reservation);
    code.get(local.entry).plain(op.i32_eqz, op.i64_extend_u);
    to.setX(rd);
    return;
  }
  code.get(local.word).access(long ? memory.i64_load : memory.i64_load32_s).set(local.long).get(local.word);
  to.x(rs2);
  amos[mnemonic.slice(0, -2)]?.(to, long);
  code.access(store).get(local.long);
  to.setX(rd);
}
