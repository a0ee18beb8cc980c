import { STATE } from './layout';
import { hostOf, isRam } from './mmu';
import { CONSOLE, exit, output } from './output';

// Semihosting as the RISC-V Semihosting specification (version 1.0) has it, which takes its operations from Arm's.
const BEFORE: u32 = 0x01f01013;
const AFTER: u32 = 0x40705013;

const SYS_WRITEC: u64 = 0x03;
const SYS_WRITE0: u64 = 0x04;
const SYS_WRITE: u64 = 0x05;
const SYS_EXIT: u64 = 0x18;
const SYS_EXIT_EXTENDED: u64 = 0x20;
const APPLICATION_EXIT: u64 = 0x20026;

/**
 * Bytes that one call may write, less than half an output ring: a guest's wrong
 * length must not fill the host. SYS_WRITE counts the rest as not written.
 */
const MOST_BYTES: u64 = 8000;

/** True if the ebreak at `pc` stands between the two instructions that make it a call of the host. */
export function isCall(pc: u64): bool {
  return (
    isRam(pc - 4, 12) && load<u32>(hostOf(pc - 4)) == BEFORE && load<u32>(hostOf(pc + 4)) == AFTER
  );
}

@inline function field(block: u64, index: u64): u64 {
  const at = block + (index << 3);
  return isRam(at, 8) ? load<u64>(hostOf(at)) : 0;
}

/** Carries out the call in a0 with its argument in a1; the result goes to a0. */
export function call(): void {
  const operation = load<u64>(STATE + 80);
  const argument = load<u64>(STATE + 88);
  let result: u64 = 0xffffffffffffffff;
  if (operation == SYS_WRITEC) {
    if (isRam(argument, 1)) output(CONSOLE, load<u8>(hostOf(argument)));
    result = operation;
  } else if (operation == SYS_WRITE0) {
    let at = argument;
    for (let n: u64 = 0; n < MOST_BYTES && isRam(at, 1) && load<u8>(hostOf(at)) != 0; n++) {
      output(CONSOLE, load<u8>(hostOf(at++)));
    }
    result = operation;
  } else if (operation == SYS_WRITE) {
    result = write(field(argument, 0), field(argument, 1), field(argument, 2));
  } else if (operation == SYS_EXIT && argument == APPLICATION_EXIT) {
    // As 32-bit guests call it: the reason itself and no exit code.
    exit(0);
  } else if (operation == SYS_EXIT || operation == SYS_EXIT_EXTENDED) {
    // On 64-bit guests both take a block of reason and exit code.
    exit(field(argument, 0) == APPLICATION_EXIT ? <u32>field(argument, 1) : 1);
  }
  store<u64>(STATE + 80, result);
}

/** Returns the number of bytes that were not written. */
function write(handle: u64, address: u64, length: u64): u64 {
  if (handle != 1 && handle != 2) return length;
  let done: u64 = 0;
  while (done < length && done < MOST_BYTES && isRam(address + done, 1)) {
    output(CONSOLE, load<u8>(hostOf(address + done)));
    done++;
  }
  return length - done;
}
