import { forgetFetched } from './caches';
import { DETAILED } from './variant';
import { MSTATUS_TSR, MSTATUS_TVM, MSTATUS_TW, csrRead, csrReadable, csrWrite, pendingHere } from './csr';
import {
  OP_CBO_CLEAN, OP_CBO_FLUSH, OP_CBO_INVAL, OP_CBO_ZERO, OP_CSRRC, OP_CSRRCI, OP_CSRRS, OP_CSRRSI, OP_CSRRW, OP_CSRRWI,
  OP_EBREAK, OP_ECALL, OP_FENCE_I, OP_MRET, OP_SFENCE_VMA, OP_SRET, OP_WFI,
} from './decode.generated';
import { WAITING } from './harts';
import {
  CAUSE, CURRENT, CYCLES, FIRMWARE, MENVCFG, MIE, MIP_SOFT, MSTATUS, PC, PRIVILEGE, RETIRED, SATP, SENVCFG, STATE, STATUS, TLB_WRONG, VALUE,
} from './layout';
import { NONE, checkBlock, zeroBlock } from './memory';
import { callFirmware } from './sbi';
import { call, isCall } from './semihosting';
import { ANY_ASID, leaveWithFence } from './tlb-faults';
import { machineReturn, supervisorReturn } from './trap';

// The instructions that look at the machine as a whole. PC, RETIRED and CYCLES
// are in memory and stand before the instruction.

const ILLEGAL: u64 = 2;
const BREAKPOINT: u64 = 3;
const ECALL_USER: u64 = 8;
const MACHINE: u64 = 3;
const SUPERVISOR: u64 = 1;
const MIP: u32 = 0x344;
/** Fields of menvcfg and senvcfg. */
const CBIE: u64 = 3 << 4;
const CBCFE: u64 = 1 << 6;
const CBZE: u64 = 1 << 7;

function raise(cause: u64, value: u64): void {
  store<u64>(CAUSE, cause);
  store<u64>(VALUE, value);
}

/**
 * Executes the record of an instruction at PC, physically `at`, with this encoding
 * and cost: it has retired then, or CAUSE is set. It may have ended the hart's turn.
 */
export function systemOp(record: usize, raw: u32, length: u32, cost: u32, at: u64): void {
  const pc = load<u64>(STATE + PC);
  let target = pc + length;
  const privilege = load<u64>(STATE + PRIVILEGE);
  const mstatus = load<u64>(STATE + MSTATUS);
  switch (<u32>load<u8>(record)) {
    case OP_CSRRW: case OP_CSRRS: case OP_CSRRC: case OP_CSRRWI: case OP_CSRRSI: case OP_CSRRCI: {
      if (!csrOp(record)) raise(ILLEGAL, raw);
      break;
    }
    case OP_ECALL: {
      if (privilege == SUPERVISOR && load<u64>(STATE + FIRMWARE) != 0) {
        // A call may go on elsewhere.
        store<u64>(STATE + PC, target);
        callFirmware();
        target = load<u64>(STATE + PC);
      } else {
        raise(ECALL_USER + privilege, 0);
      }
      break;
    }
    case OP_EBREAK: {
      if (length == 4 && isUntranslated() && isCall(at)) call();
      else raise(BREAKPOINT, pc);
      break;
    }
    case OP_MRET: {
      if (privilege != MACHINE) {
        raise(ILLEGAL, raw);
      } else {
        machineReturn();
        target = load<u64>(STATE + PC);
      }
      break;
    }
    case OP_SRET: {
      if (privilege == 0 || (privilege == SUPERVISOR && (mstatus & MSTATUS_TSR) != 0)) {
        raise(ILLEGAL, raw);
      } else {
        supervisorReturn();
        target = load<u64>(STATE + PC);
      }
      break;
    }
    // The TLBs never hold what memory does not say (tlb.ts), but what faults have put there.
    case OP_SFENCE_VMA: {
      if (privilege == 0 || (privilege == SUPERVISOR && (mstatus & MSTATUS_TVM) != 0)) raise(ILLEGAL, raw);
      else if (load<u32>(TLB_WRONG) != 0) fence(record);
      break;
    }
    case OP_WFI: {
      if (privilege == 0 || (privilege == SUPERVISOR && (mstatus & MSTATUS_TW) != 0)) raise(ILLEGAL, raw);
      else if ((pendingHere() & load<u64>(STATE + MIE)) == 0) store<u64>(STATE + STATUS, WAITING);
      break;
    }
    // Stores to decoded code are seen at once, so there is nothing left to do, but that it empties the cache of instructions.
    case OP_FENCE_I: {
      if (DETAILED) forgetFetched();
      break;
    }
    case OP_CBO_ZERO: {
      if (!mayUse(CBZE)) raise(ILLEGAL, raw);
      else zeroBlock(load<u64>(STATE + load<u16>(record, 4)));
      break;
    }
    // There are no caches to manage, but the rules of who may do it are there.
    case OP_CBO_CLEAN: case OP_CBO_FLUSH: {
      if (!mayUse(CBCFE)) raise(ILLEGAL, raw);
      else checkBlock(load<u64>(STATE + load<u16>(record, 4)));
      break;
    }
    case OP_CBO_INVAL: {
      if (!mayUse(CBIE)) raise(ILLEGAL, raw);
      else checkBlock(load<u64>(STATE + load<u16>(record, 4)));
      break;
    }
    default: raise(ILLEGAL, raw); break;
  }
  if (load<u64>(CAUSE) != NONE) return;
  store<u64>(STATE + PC, target);
  store<u64>(STATE + RETIRED, load<u64>(STATE + RETIRED) + 1);
  store<u64>(CYCLES, load<u64>(CYCLES) + cost);
}

/** sfence.vma: x0 in place of an address or of an ASID means all (volume II, section 4.2.1). */
function fence(record: usize): void {
  const address: usize = load<u16>(record, 4);
  const asid: usize = load<u16>(record, 6);
  const at = load<u64>(STATE + address);
  leaveWithFence(load<u64>(STATE + CURRENT), address == 0 ? 0 : at, address == 0 ? <u64>-1 : at, asid == 0 ? ANY_ASID : load<u64>(STATE + asid) & 0xffff);
}

/** False where the access is illegal. */
function csrOp(record: usize): bool {
  const op: u32 = load<u8>(record);
  const number = load<u32>(record, 8);
  const rd = load<u16>(record, 2);
  const field: u32 = load<u16>(record, 4);
  const immediate = op >= OP_CSRRWI;
  const operand: u64 = immediate ? field : load<u64>(STATE + field);
  const isWrite = op == OP_CSRRW || op == OP_CSRRWI;
  // Set and clear write nothing when their operand is x0 or 0.
  const writes = isWrite || field != 0;
  if (writes && number >> 10 == 3) return false;
  if (!csrReadable(number)) return false;
  // A write alone (rd = x0) has none of the side effects of reading.
  const old = csrRead(number, isWrite && rd >= 256);
  if (writes) {
    // What a source raises in mip is read, but no part of what is written back (volume II, section 3.1.9).
    const kept = number == MIP ? load<u64>(STATE + MIP_SOFT) : old;
    if (isWrite) csrWrite(number, operand);
    else if (op == OP_CSRRS || op == OP_CSRRSI) csrWrite(number, kept | operand);
    else csrWrite(number, kept & ~operand);
  }
  store<u64>(STATE + rd, old);
  return true;
}

/** True if the environment of the current privilege lets the cache-block operations with this field be used. */
function mayUse(field: u64): bool {
  const privilege = load<u64>(STATE + PRIVILEGE);
  if (privilege == MACHINE) return true;
  if ((load<u64>(STATE + MENVCFG) & field) == 0) return false;
  return privilege == SUPERVISOR || (load<u64>(STATE + SENVCFG) & field) != 0;
}

/** True where instructions' addresses are physical ones. */
function isUntranslated(): bool {
  return load<u64>(STATE + PRIVILEGE) == MACHINE || load<u64>(STATE + SATP) >> 60 == 0;
}
