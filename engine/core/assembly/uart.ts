import { STATE, UART, UART_LOOKS } from './layout';
import { CONSOLE, output } from './output';

// 16550A. Transmission takes no time; received bytes wait in a 16-byte FIFO.
const IER: usize = STATE + UART;
const FCR: usize = STATE + UART + 1;
const LCR: usize = STATE + UART + 2;
const MCR: usize = STATE + UART + 3;
const SCR: usize = STATE + UART + 4;
const DLL: usize = STATE + UART + 5;
const DLM: usize = STATE + UART + 6;
const THRE_PENDING: usize = STATE + UART + 7;
const COUNT: usize = STATE + UART + 8;
const FIFO: usize = STATE + UART + 16;
const FIFO_BYTES: u32 = 16;

/**
 * Looks in vain from which on a guest polls for input. A driver that only sends looks at the same register to see that it
 * may, but not this often without sending.
 */
export const POLLER_LOOKS: u64 = 16;

const DLAB: u32 = 0x80;
/** Of the modem control register. */
const LOOP: u32 = 0x10;
const LSR_DATA_READY: u32 = 0x01;
const LSR_IDLE: u32 = 0x60;

export function readUart(offset: u32): u32 {
  const dlab = (load<u8>(LCR) & DLAB) != 0;
  switch (offset) {
    case 0: return dlab ? load<u8>(DLL) : take();
    case 1: return dlab ? load<u8>(DLM) : load<u8>(IER);
    case 2: return identify();
    case 3: return load<u8>(LCR);
    case 4: return load<u8>(MCR);
    case 5: return lineStatus();
    case 6: return modemStatus();
    case 7: return load<u8>(SCR);
    default: return 0;
  }
}

function lineStatus(): u32 {
  if (load<u8>(COUNT) > 0) return LSR_IDLE | LSR_DATA_READY;
  // With the interrupt on it is known that somebody listens.
  const looks = load<u64>(STATE + UART_LOOKS);
  if ((load<u8>(IER) & 1) == 0 && looks < POLLER_LOOKS) store<u64>(STATE + UART_LOOKS, looks + 1);
  return LSR_IDLE;
}

export function writeUart(offset: u32, value: u32): void {
  const dlab = (load<u8>(LCR) & DLAB) != 0;
  // A driver that sets the UART up throws away what has been received; whether it polls is to be seen anew.
  if (offset >= 1 && offset <= 4) store<u64>(STATE + UART_LOOKS, 0);
  switch (offset) {
    case 0: {
      if (dlab) {
        store<u8>(DLL, value);
      } else {
        store<u8>(THRE_PENDING, 1);
        if (load<u64>(STATE + UART_LOOKS) < POLLER_LOOKS) store<u64>(STATE + UART_LOOKS, 0);
        if (loopsBack()) receiveUart(value);
        else output(CONSOLE, value & 0xff);
      }
      break;
    }
    case 1: {
      if (dlab) {
        store<u8>(DLM, value);
      } else {
        if ((value & 2) != 0 && (load<u8>(IER) & 2) == 0) store<u8>(THRE_PENDING, 1);
        store<u8>(IER, value & 0xf);
      }
      break;
    }
    case 2: {
      // Switching the FIFOs on or off empties them, too.
      if ((value & 2) != 0 || ((value ^ load<u8>(FCR)) & 1) != 0) store<u8>(COUNT, 0);
      store<u8>(FCR, value & 0xc9);
      break;
    }
    case 3: store<u8>(LCR, value); break;
    case 4: store<u8>(MCR, value & 0x1f); break;
    case 7: store<u8>(SCR, value); break;
    default: break;
  }
}

/** True in the mode in which the transmitter and the modem's lines lead back to the chip itself. */
function loopsBack(): bool {
  return (load<u8>(MCR) & LOOP) != 0;
}

function modemStatus(): u32 {
  // Carrier, data-set-ready and clear-to-send, as a modem that is there says them.
  if (!loopsBack()) return 0xb0;
  const lines: u32 = load<u8>(MCR);
  // Out 2 is the carrier then, out 1 the ring, request-to-send clear-to-send, and data-terminal-ready data-set-ready.
  return ((lines & 0x0c) << 4) | ((lines & 2) << 3) | ((lines & 1) << 5);
}

/** A byte from the outside; false where the FIFO is full. */
export function receiveUart(byte: u32): bool {
  const count: u32 = load<u8>(COUNT);
  if (count >= FIFO_BYTES) return false;
  store<u8>(FIFO + count, byte);
  store<u8>(COUNT, count + 1);
  return true;
}

function take(): u32 {
  const count: u32 = load<u8>(COUNT);
  if (count == 0) return 0;
  const byte: u32 = load<u8>(FIFO);
  memory.copy(FIFO, FIFO + 1, FIFO_BYTES - 1);
  store<u8>(FIFO + FIFO_BYTES - 1, 0);
  store<u8>(COUNT, count - 1);
  return byte;
}

/** The interrupt identification register; reading it clears a transmitter interrupt. */
function identify(): u32 {
  const fifo: u32 = (load<u8>(FCR) & 1) != 0 ? 0xc0 : 0;
  const enabled = load<u8>(IER);
  if ((enabled & 1) != 0 && load<u8>(COUNT) > 0) return fifo | 0x04;
  if ((enabled & 2) != 0 && load<u8>(THRE_PENDING) != 0) {
    store<u8>(THRE_PENDING, 0);
    return fifo | 0x02;
  }
  return fifo | 0x01;
}

/** True while the interrupt line is raised. */
export function uartInterrupt(): bool {
  const enabled = load<u8>(IER);
  return ((enabled & 1) != 0 && load<u8>(COUNT) > 0) || ((enabled & 2) != 0 && load<u8>(THRE_PENDING) != 0);
}

/** The oldest byte received, or -1. Whoever asks the firmware for one polls. */
export function takeByte(): i32 {
  if (load<u8>(COUNT) > 0) return <i32>take();
  store<u64>(STATE + UART_LOOKS, POLLER_LOOKS);
  return -1;
}
