import type { Place } from '../../../engine/covert/plan';
import { csrNames, fNames, xNames } from '../../../engine/isa/registers';

const special: Readonly<Record<string, string>> = {
  zero: 'always zero: a fault there changes nothing',
  ra: 'return address',
  sp: 'stack pointer',
  gp: 'global pointer',
  tp: 'thread pointer',
};

const controlAndStatus: Readonly<Record<string, string>> = {
  mstatus: 'machine status: interrupt enable, privilege before the trap, floating-point state',
  mtvec: 'where traps to machine mode go',
  mepc: 'where the machine-mode trap came from',
  mcause: 'why the machine-mode trap was taken',
  mtval: 'what the machine-mode trap was about: an address or an instruction',
  mie: 'which machine interrupts are enabled',
  mip: 'which machine interrupts are pending',
  mscratch: "machine mode's scratch register",
  sstatus: 'supervisor status',
  stvec: 'where traps to supervisor mode go',
  sepc: 'where the supervisor-mode trap came from',
  scause: 'why the supervisor-mode trap was taken',
  satp: 'root of the page tables',
  fcsr: 'floating-point rounding mode and flags',
  cycle: "cycles of the core's clock",
  time: 'wall-clock ticks',
  instret: 'retired instructions',
};

/** What a register is for, by the calling convention of the RISC-V ELF psABI. */
export function describeRegister(place: Place): string | undefined {
  switch (place.kind) {
    case 'pc':
      return '**pc** — address of the next instruction';
    case 'x': {
      const name = xNames[place.index] ?? '';
      return `**${name}** (x${place.index}) — ${special[name] ?? roleOf(name)}`;
    }
    case 'f': {
      const name = fNames[place.index] ?? '';
      return `**${name}** (f${place.index}) — floating point, ${roleOf(name.slice(1))}`;
    }
    case 'csr': {
      const name = csrNames.get(place.number) ?? '';
      const what = controlAndStatus[name];
      return `**${name}** (CSR 0x${place.number.toString(16)})${what === undefined ? '' : ` — ${what}`}`;
    }
    case 'memory':
      return undefined;
  }
}

function roleOf(name: string): string {
  switch (name[0]) {
    case 'a':
      return name === 'a0' || name === 'a1' ? `argument ${name.slice(1)} and result` : `argument ${name.slice(1)}`;
    case 's':
      return name === 's0' ? 'kept across calls; frame pointer' : 'kept across calls';
    default:
      return 'temporary, lost in calls';
  }
}
