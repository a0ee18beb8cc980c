import {
  OP_ADD, OP_ADDI, OP_ADDIW, OP_ADDW, OP_ADD_UW, OP_AMOMAXU_D, OP_AND, OP_ANDI, OP_ANDN, OP_AUIPC, OP_BCLR,
  OP_BCLRI, OP_BEQ, OP_BEXT, OP_BEXTI, OP_BGE, OP_BGEU, OP_BINV, OP_BINVI, OP_BLT, OP_BLTU, OP_BNE, OP_BSET,
  OP_BSETI, OP_CLZ, OP_CLZW, OP_CPOP, OP_CPOPW, OP_CTZ, OP_CTZW,
  OP_CZERO_EQZ, OP_CZERO_NEZ, OP_DIV, OP_DIVU, OP_DIVUW, OP_DIVW, OP_FENCE, OP_FLD, OP_FLW, OP_FSD, OP_FSW,
  OP_ILLEGAL, OP_JAL, OP_JALR, OP_LB, OP_LBU, OP_LD, OP_LH, OP_LHU, OP_LR_W, OP_LUI, OP_LW, OP_LWU, OP_MAX, OP_MAXU,
  OP_MIN, OP_MINU, OP_MUL, OP_MULH, OP_MULHSU, OP_MULHU, OP_MULW, OP_OR, OP_ORC_B, OP_ORI, OP_ORN, OP_REM, OP_REMU,
  OP_REMUW, OP_REMW, OP_REV8, OP_ROL, OP_ROLW, OP_ROR, OP_RORI, OP_RORIW, OP_RORW, OP_SB, OP_SD, OP_SEXT_B,
  OP_SEXT_H, OP_SH, OP_SH1ADD, OP_SH1ADD_UW, OP_SH2ADD, OP_SH2ADD_UW, OP_SH3ADD, OP_SH3ADD_UW, OP_SLL, OP_SLLI,
  OP_SLLIW, OP_SLLI_UW, OP_SLLW, OP_SLT, OP_SLTI, OP_SLTIU, OP_SLTU, OP_SRA, OP_SRAI, OP_SRAIW, OP_SRAW, OP_SRL,
  OP_SRLI, OP_SRLIW, OP_SRLW, OP_SUB, OP_SUBW, OP_SW, OP_XNOR, OP_XOR, OP_XORI, OP_ZEXT_H,
  opCycles,
} from './decode.generated';
import {
  div32, div64, divu32, divu64, mulh, mulhsu, mulhu, orcb, rem32, rem64, remu32, remu64,
} from './arithmetic';
import { atomicOp } from './atomic';
import { fetchLine, isFetched, isHung } from './caches';
import { OP_BREAK, OP_ENTRY, OP_PAGE_END, OP_STEPPED, OP_STRADDLE, OP_STUCK } from './code';
import { floatDirty, floatOff, floatOp } from './float';
import { CAUSE, CYCLES, DATA_TLB, F, LEAVE, PAGE_OWNER, PC, RECORD_BYTES, RETIRED, STATE, WRITE_SET } from './layout';
import { NONE, slowLoad, slowStore } from './memory';
import { slot } from './tlb';
import { DETAILED } from './variant';

// The interpreter's loop: the one definition of what each common instruction
// does. Rare ones, which look at the machine as a whole, are left to system.ts.
//
// Records are 16 bytes: op u8 @0, step u8 @1 (bytes to the next record), rd, rs1,
// rs2 u16 @2 @4 @6 (byte offsets), immediate i32 @8, run u16 @12 (instructions
// from here to the end of the straight line), cycles u16 @14 (their cost).

// Why `interpret` came back. PC, RETIRED and CYCLES are in memory and exact.
/** Fewer instructions remain than the next block needs. */
export const BUDGET: u32 = 0;
/** CAUSE and VALUE say which; PC is that of the instruction, which has not retired. */
export const EXCEPTION: u32 = 1;
/** The instruction has retired, and something may have to be done about what it did. */
export const LEAVING: u32 = 2;
/** PC is on another page, or its slot is not decoded, or needs special care. */
export const FAR: u32 = 3;
/** Fetching the instruction at PC has had consequences, which come before it: see caches.ts. */
export const REFETCH: u32 = 5;
/** An instruction for system.ts, or one with stuck bits, stands at PC and has not been executed. */
export const SYSTEM: u32 = 4;

const PAGE_RECORD_BYTES: usize = 0x8000;

@inline function x1(r: usize): i64 {
  return load<i64>(load<u16>(r, 4), STATE);
}
@inline function x2(r: usize): i64 {
  return load<i64>(load<u16>(r, 6), STATE);
}
@inline function setX(r: usize, value: i64): void {
  store<i64>(load<u16>(r, 2), value, STATE);
}
@inline function imm(r: usize): i64 {
  return load<i32>(r, 8);
}
@inline function imm32(r: usize): i32 {
  return load<i32>(r, 8);
}
@inline function address(r: usize): u64 {
  return <u64>(x1(r) + imm(r));
}
/** Eight bytes of records for each byte of code: so a record's place gives the pc. */
@inline function pcOf(r: usize, pageVa: u64, records: usize): u64 {
  return pageVa + <u64>(<i64><i32>(r - records) >> 3);
}

/**
 * Writes down how far the guest is just before record `r`. The whole block was
 * paid for on entry, and r's own `run` and `cycles` say how much of that is
 * still to come.
 */
function note(r: usize, paid: u64, cycles: u64): void {
  store<u64>(STATE + RETIRED, paid - load<u16>(r, 12));
  store<u64>(CYCLES, cycles - load<u16>(r, 14));
}

/** Fetches an instruction, which may stand in two lines. True if there is something to be done before it. */
@inline function mustWait(first: u32, last: u32): bool {
  if (!isFetched(first) && fetchLine(first)) {
    // Both, so that it is all the same where the guest is stopped meanwhile.
    if (first != last && !isHung() && !isFetched(last)) fetchLine(last);
    return true;
  }
  return first != last && !isFetched(last) && fetchLine(last);
}

function loadSlowly(va: u64, size: u32, r: usize, paid: u64, cycles: u64): u64 {
  note(r, paid, cycles);
  return slowLoad(va, size);
}

function storeSlowly(va: u64, size: u32, value: u64, r: usize, paid: u64, cycles: u64): void {
  note(r, paid, cycles);
  slowStore(va, size, value);
}

/**
 * Runs until RETIRED would pass `goal`, from record `start` of the page at
 * `pageVa`, whose records begin at `records`. With `stepping` the record stands
 * alone in the scratch area, `records` is such that its distance to it means
 * its pc, and exactly one instruction runs.
 */
export function interpret(start: usize, pageVa: u64, records: usize, goal: u64, stepping: bool): u32 {
  // What RETIRED will be at the end of the block that is running.
  let paid = load<u64>(STATE + RETIRED);
  let cycles = load<u64>(CYCLES);
  // Fixed while no system instruction and no trap comes.
  const tlb = load<usize>(DATA_TLB);
  // The line, of RAM, that the page begins with: 64 bytes of code have 512 of records.
  const firstLine: u32 = DETAILED && !stepping ? load<u32>(records, PAGE_OWNER) << 6 : 0;
  let next = start;
  let r = start;

  for (;;) {
    // A block's entry. A record beyond the page belongs to another one, and the scratch record has no neighbours.
    const run: u64 =
      next - records >= PAGE_RECORD_BYTES || (stepping && next != start) ? 0 : load<u16>(next, 12);
    if (run == 0 || paid + run > goal) {
      store<u64>(STATE + PC, pcOf(next, pageVa, records));
      store<u64>(STATE + RETIRED, paid);
      store<u64>(CYCLES, cycles);
      return run == 0 ? FAR : BUDGET;
    }
    paid += run;
    cycles += load<u16>(next, 14);
    let event: u32 = BUDGET;
    let op: u32 = 0;

    for (;;) {
      r = next;
      next = r + load<u8>(r, 1);
      // Records that stand for no instruction are not fetched.
      if (DETAILED && !stepping && load<u16>(r, 12) != 0 && mustWait(firstLine + <u32>((r - records) >> 9), firstLine + <u32>((next - RECORD_BYTES - records) >> 9))) {
        event = REFETCH;
        break;
      }
      op = load<u8>(r);
      switch (op) {
        case OP_LUI: setX(r, imm(r)); continue;
        case OP_AUIPC: setX(r, <i64>pcOf(r, pageVa, records) + imm(r)); continue;
        case OP_ADDI: setX(r, x1(r) + imm(r)); continue;
        case OP_SLTI: setX(r, i64(x1(r) < imm(r))); continue;
        case OP_SLTIU: setX(r, i64(<u64>x1(r) < <u64>imm(r))); continue;
        case OP_XORI: setX(r, x1(r) ^ imm(r)); continue;
        case OP_ORI: setX(r, x1(r) | imm(r)); continue;
        case OP_ANDI: setX(r, x1(r) & imm(r)); continue;
        case OP_SLLI: setX(r, x1(r) << imm(r)); continue;
        case OP_SRLI: setX(r, <i64>(<u64>x1(r) >> <u64>imm(r))); continue;
        case OP_SRAI: setX(r, x1(r) >> imm(r)); continue;
        case OP_ADD: setX(r, x1(r) + x2(r)); continue;
        case OP_SUB: setX(r, x1(r) - x2(r)); continue;
        case OP_SLL: setX(r, x1(r) << (x2(r) & 63)); continue;
        case OP_SLT: setX(r, i64(x1(r) < x2(r))); continue;
        case OP_SLTU: setX(r, i64(<u64>x1(r) < <u64>x2(r))); continue;
        case OP_XOR: setX(r, x1(r) ^ x2(r)); continue;
        case OP_SRL: setX(r, <i64>(<u64>x1(r) >> (<u64>x2(r) & 63))); continue;
        case OP_SRA: setX(r, x1(r) >> (x2(r) & 63)); continue;
        case OP_OR: setX(r, x1(r) | x2(r)); continue;
        case OP_AND: setX(r, x1(r) & x2(r)); continue;
        case OP_ADDIW: setX(r, <i64><i32>(x1(r) + imm(r))); continue;
        case OP_SLLIW: setX(r, <i64>(<i32>x1(r) << imm32(r))); continue;
        case OP_SRLIW: setX(r, <i64><i32>(<u32>x1(r) >> <u32>imm32(r))); continue;
        case OP_SRAIW: setX(r, <i64>(<i32>x1(r) >> imm32(r))); continue;
        case OP_ADDW: setX(r, <i64><i32>(x1(r) + x2(r))); continue;
        case OP_SUBW: setX(r, <i64><i32>(x1(r) - x2(r))); continue;
        case OP_SLLW: setX(r, <i64>(<i32>x1(r) << (<i32>x2(r) & 31))); continue;
        case OP_SRLW: setX(r, <i64><i32>(<u32>x1(r) >> (<u32>x2(r) & 31))); continue;
        case OP_SRAW: setX(r, <i64>(<i32>x1(r) >> (<i32>x2(r) & 31))); continue;
        case OP_FENCE: continue;
        case OP_MUL: setX(r, x1(r) * x2(r)); continue;
        case OP_MULH: setX(r, mulh(x1(r), x2(r))); continue;
        case OP_MULHSU: setX(r, mulhsu(x1(r), <u64>x2(r))); continue;
        case OP_MULHU: setX(r, <i64>mulhu(<u64>x1(r), <u64>x2(r))); continue;
        case OP_DIV: setX(r, div64(x1(r), x2(r))); continue;
        case OP_DIVU: setX(r, divu64(x1(r), x2(r))); continue;
        case OP_REM: setX(r, rem64(x1(r), x2(r))); continue;
        case OP_REMU: setX(r, remu64(x1(r), x2(r))); continue;
        case OP_MULW: setX(r, <i64><i32>(x1(r) * x2(r))); continue;
        case OP_DIVW: setX(r, div32(<i32>x1(r), <i32>x2(r))); continue;
        case OP_DIVUW: setX(r, divu32(<u32>x1(r), <u32>x2(r))); continue;
        case OP_REMW: setX(r, rem32(<i32>x1(r), <i32>x2(r))); continue;
        case OP_REMUW: setX(r, remu32(<u32>x1(r), <u32>x2(r))); continue;
        case OP_SH1ADD: setX(r, (x1(r) << 1) + x2(r)); continue;
        case OP_SH1ADD_UW: setX(r, (<i64><u32>x1(r) << 1) + x2(r)); continue;
        case OP_SH2ADD: setX(r, (x1(r) << 2) + x2(r)); continue;
        case OP_SH2ADD_UW: setX(r, (<i64><u32>x1(r) << 2) + x2(r)); continue;
        case OP_SH3ADD: setX(r, (x1(r) << 3) + x2(r)); continue;
        case OP_SH3ADD_UW: setX(r, (<i64><u32>x1(r) << 3) + x2(r)); continue;
        case OP_ADD_UW: setX(r, <i64><u32>x1(r) + x2(r)); continue;
        case OP_SLLI_UW: setX(r, <i64><u32>x1(r) << imm(r)); continue;
        case OP_ANDN: setX(r, x1(r) & ~x2(r)); continue;
        case OP_ORN: setX(r, x1(r) | ~x2(r)); continue;
        case OP_XNOR: setX(r, ~(x1(r) ^ x2(r))); continue;
        case OP_CLZ: setX(r, clz(x1(r))); continue;
        case OP_CTZ: setX(r, ctz(x1(r))); continue;
        case OP_CPOP: setX(r, popcnt(x1(r))); continue;
        case OP_CLZW: setX(r, <i64>clz(<i32>x1(r))); continue;
        case OP_CTZW: setX(r, <i64>ctz(<i32>x1(r))); continue;
        case OP_CPOPW: setX(r, <i64>popcnt(<i32>x1(r))); continue;
        case OP_SEXT_B: setX(r, <i64><i8>x1(r)); continue;
        case OP_SEXT_H: setX(r, <i64><i16>x1(r)); continue;
        case OP_ZEXT_H: setX(r, x1(r) & 0xffff); continue;
        case OP_ORC_B: setX(r, <i64>orcb(<u64>x1(r))); continue;
        case OP_REV8: setX(r, <i64>bswap(<u64>x1(r))); continue;
        case OP_MIN: setX(r, min(x1(r), x2(r))); continue;
        case OP_MAX: setX(r, max(x1(r), x2(r))); continue;
        case OP_MINU: setX(r, <i64>min(<u64>x1(r), <u64>x2(r))); continue;
        case OP_MAXU: setX(r, <i64>max(<u64>x1(r), <u64>x2(r))); continue;
        case OP_ROL: setX(r, rotl(x1(r), x2(r))); continue;
        case OP_ROR: setX(r, rotr(x1(r), x2(r))); continue;
        case OP_RORI: setX(r, rotr(x1(r), imm(r))); continue;
        case OP_ROLW: setX(r, <i64>rotl(<i32>x1(r), <i32>x2(r))); continue;
        case OP_RORW: setX(r, <i64>rotr(<i32>x1(r), <i32>x2(r))); continue;
        case OP_RORIW: setX(r, <i64>rotr(<i32>x1(r), imm32(r))); continue;
        case OP_BCLR: setX(r, x1(r) & ~(<i64>1 << (x2(r) & 63))); continue;
        case OP_BCLRI: setX(r, x1(r) & ~(<i64>1 << (imm(r) & 63))); continue;
        case OP_BEXT: setX(r, (x1(r) >> (x2(r) & 63)) & 1); continue;
        case OP_BEXTI: setX(r, (x1(r) >> (imm(r) & 63)) & 1); continue;
        case OP_BINV: setX(r, x1(r) ^ (<i64>1 << (x2(r) & 63))); continue;
        case OP_BINVI: setX(r, x1(r) ^ (<i64>1 << (imm(r) & 63))); continue;
        case OP_BSET: setX(r, x1(r) | (<i64>1 << (x2(r) & 63))); continue;
        case OP_BSETI: setX(r, x1(r) | (<i64>1 << (imm(r) & 63))); continue;
        case OP_CZERO_EQZ: setX(r, x2(r) == 0 ? 0 : x1(r)); continue;
        case OP_CZERO_NEZ: setX(r, x2(r) != 0 ? 0 : x1(r)); continue;
        case OP_LB: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && ((va ^ load<u64>(entry)) & ~4095) == 0) {
            setX(r, <i64>load<i8>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 1, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><i8>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_LBU: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && ((va ^ load<u64>(entry)) & ~4095) == 0) {
            setX(r, <i64>load<u8>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 1, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><u8>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_LH: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4095) {
            setX(r, <i64>load<i16>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 2, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><i16>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_LHU: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4095) {
            setX(r, <i64>load<u16>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 2, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><u16>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_LW: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4093) {
            setX(r, <i64>load<i32>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 4, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><i32>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_LWU: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4093) {
            setX(r, <i64>load<u32>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 4, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><u32>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_LD: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4089) {
            setX(r, <i64>load<i64>(<usize>va + load<u32>(entry, 8)));
            continue;
          }
          const value = loadSlowly(va, 8, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          setX(r, <i64><i64>value);
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_SB: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && ((va ^ load<u64>(entry, WRITE_SET)) & ~4095) == 0) {
            store<u8>(<usize>va + load<u32>(entry, WRITE_SET + 8), <u8>x2(r));
            continue;
          }
          storeSlowly(va, 1, <u64>x2(r), r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_SH: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry, WRITE_SET)) < 4095) {
            store<u16>(<usize>va + load<u32>(entry, WRITE_SET + 8), <u16>x2(r));
            continue;
          }
          storeSlowly(va, 2, <u64>x2(r), r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_SW: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry, WRITE_SET)) < 4093) {
            store<u32>(<usize>va + load<u32>(entry, WRITE_SET + 8), <u32>x2(r));
            continue;
          }
          storeSlowly(va, 4, <u64>x2(r), r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_SD: {
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry, WRITE_SET)) < 4089) {
            store<u64>(<usize>va + load<u32>(entry, WRITE_SET + 8), <u64>x2(r));
            continue;
          }
          storeSlowly(va, 8, <u64>x2(r), r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_JAL: {
          setX(r, <i64>pcOf(next, pageVa, records));
          next = r + (imm32(r) << 3);
          break;
        }
        case OP_JALR: {
          const target = <u64>address(r) & ~1;
          setX(r, <i64>pcOf(next, pageVa, records));
          if (((target ^ pageVa) & ~4095) == 0 && !stepping) {
            next = records + (<usize>(target & 4095) << 3);
          } else {
            store<u64>(STATE + PC, target);
            event = FAR;
          }
          break;
        }
        case OP_BEQ: {
          if (x1(r) == x2(r)) next = r + (imm32(r) << 3);
          break;
        }
        case OP_BNE: {
          if (x1(r) != x2(r)) next = r + (imm32(r) << 3);
          break;
        }
        case OP_BLT: {
          if (x1(r) < x2(r)) next = r + (imm32(r) << 3);
          break;
        }
        case OP_BGE: {
          if (x1(r) >= x2(r)) next = r + (imm32(r) << 3);
          break;
        }
        case OP_BLTU: {
          if (<u64>x1(r) < <u64>x2(r)) next = r + (imm32(r) << 3);
          break;
        }
        case OP_BGEU: {
          if (<u64>x1(r) >= <u64>x2(r)) next = r + (imm32(r) << 3);
          break;
        }
        case OP_FLW: {
          if (floatOff()) { event = SYSTEM; break; }
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4093) {
            store<u64>(load<u16>(r, 2), 0xffffffff00000000 | <u64>load<u32>(<usize>va + load<u32>(entry, 8)), STATE + F);
            floatDirty();
            continue;
          }
          const value = loadSlowly(va, 4, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          store<u64>(load<u16>(r, 2), 0xffffffff00000000 | value, STATE + F);
          floatDirty();
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_FLD: {
          if (floatOff()) { event = SYSTEM; break; }
          const va = address(r);
          const entry = tlb + slot(va);
          if (!DETAILED && (va ^ load<u64>(entry)) < 4089) {
            store<u64>(load<u16>(r, 2), load<u64>(<usize>va + load<u32>(entry, 8)), STATE + F);
            floatDirty();
            continue;
          }
          const value = loadSlowly(va, 8, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          store<u64>(load<u16>(r, 2), value, STATE + F);
          floatDirty();
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_FSW: {
          if (floatOff()) { event = SYSTEM; break; }
          const va = address(r);
          const entry = tlb + slot(va);
          const value = load<u64>(load<u16>(r, 6), STATE + F);
          if (!DETAILED && (va ^ load<u64>(entry, WRITE_SET)) < 4093) {
            store<u32>(<usize>va + load<u32>(entry, WRITE_SET + 8), <u32>value);
            continue;
          }
          storeSlowly(va, 4, value, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        case OP_FSD: {
          if (floatOff()) { event = SYSTEM; break; }
          const va = address(r);
          const entry = tlb + slot(va);
          const value = load<u64>(load<u16>(r, 6), STATE + F);
          if (!DETAILED && (va ^ load<u64>(entry, WRITE_SET)) < 4089) {
            store<u64>(<usize>va + load<u32>(entry, WRITE_SET + 8), value);
            continue;
          }
          storeSlowly(va, 8, value, r, paid, cycles);
          if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
          if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
          continue;
        }
        // The straight line ends without a jump.
        case OP_PAGE_END:
        case OP_BREAK:
        case OP_ENTRY:
        case OP_STRADDLE:
        case OP_STEPPED: {
          next = r;
          break;
        }
        case OP_STUCK: { event = SYSTEM; break; }
        default: {
          if (op >= OP_LR_W && op <= OP_AMOMAXU_D) {
            note(r, paid, cycles);
            atomicOp(op, r);
            if (load<u64>(CAUSE) != NONE) { event = EXCEPTION; break; }
            if (load<u32>(LEAVE) != 0) { event = LEAVING; break; }
            continue;
          }
          if (op != OP_ILLEGAL && floatOp(op, r)) continue;
          event = SYSTEM;
          break;
        }
      }
      break;
    }

    if (event == BUDGET) continue;
    if (event == FAR) {
      store<u64>(STATE + RETIRED, paid);
      store<u64>(CYCLES, cycles);
      return FAR;
    }
    if (event == LEAVING) {
      // The slow path has noted where the instruction began; its record may be gone, if it stored to code.
      store<u64>(STATE + RETIRED, load<u64>(STATE + RETIRED) + 1);
      store<u64>(CYCLES, load<u64>(CYCLES) + opCycles(op));
      store<u64>(STATE + PC, pcOf(next, pageVa, records));
    } else {
      note(r, paid, cycles);
      store<u64>(STATE + PC, pcOf(r, pageVa, records));
    }
    return event;
  }
}
