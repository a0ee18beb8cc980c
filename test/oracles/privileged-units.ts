/**
 * Random units that change what a hart may do: CSRs, returns to lower
 * privileges, page-table entries, memory protection. Values that a machine and
 * qemu 7.2 take differently, all of them allowed by the manual, are left out
 * and named where they are.
 */
import type { Random } from '../../engine/isa/random.test-support';
import { csr, encode, loadImmediate } from './assembler';
import { protectedPages, type RandomTables, type Space } from './random-tables';
import type { RandomUnits, Unit } from './random-units';
import { anyWord } from './random-values';

export type Privilege = 'user' | 'supervisor' | 'machine';

/** Bits of mstatus. */
export const mstatus = {
  SIE: 1n << 1n, MIE: 1n << 3n, SPIE: 1n << 5n, MPIE: 1n << 7n, SPP: 1n << 8n, MPP: 3n << 11n, FS: 3n << 13n, MPRV: 1n << 17n,
  SUM: 1n << 18n, MXR: 1n << 19n, TVM: 1n << 20n, TW: 1n << 21n, TSR: 1n << 22n,
} as const;

/** Supervisor's software, timer and external interrupt. */
export const interrupts = { SSI: 1n << 1n, STI: 1n << 5n, SEI: 1n << 9n, all: 0x222n, machine: 0x888n } as const;

/**
 * What may be delegated, but for failed fetches: machine mode gets these, so that
 * a supervisor whose handler cannot be fetched does not trap for ever.
 */
export const delegable = 0xb3ffn & ~((1n << 0n) | (1n << 1n) | (1n << 12n));

/** Registers whose bits are all kept, or whose rules both have alike for every value. */
const plain = [csr.sscratch, csr.scause, csr.stval, csr.mscratch, csr.mcause, csr.mtval, csr.sie, csr.senvcfg];
/** Registers to read: also those that are not there, those of higher privileges, and counters where they trap. */
const readable = [
  ...plain, csr.sstatus, csr.stvec, csr.sepc, csr.sip, csr.satp, csr.scounteren, csr.mstatus, csr.misa, csr.medeleg, csr.mideleg,
  csr.mie, csr.mtvec, csr.mcounteren, csr.mepc, csr.mip, csr.fcsr, 0xf11, 0xf14, 0xf15,
  0x3a0, 0x3a2, 0x3b0, 0x3b1, 0x3b2, 0x3bf,
  0x005, 0x015, 0x1ff, 0x200, 0x280, 0x3a1, 0x5c0, 0x600, 0x680, 0x6c0, 0x7a0, 0x7b0, 0x7c0, 0x800, 0x9c0, 0xa00, 0xbc0, 0xcc0, 0xdc0, 0xe00, 0xfc0,
];

/** cycle, time and instret: these guests never let a lower privilege read them. */
const counters = [0xc00, 0xc01, 0xc02];

/** What a body may count on. */
export interface Surroundings {
  privilege: Privilege;
  /** A supervisor's wait traps. */
  waitTraps: boolean;
  /** The supervisor's external interrupt is pending: qemu 7.2 would take one of lower priority first, so there is no other. */
  external: boolean;
  /** The machine's software or timer interrupt is pending: likewise. */
  machineInterrupt: boolean;
  /** What the bases hold are physical addresses, too. */
  mayBeBare: boolean;
  /**
   * What the bases hold leads to memory, if it leads anywhere. Where no memory is, qemu 7.2 takes an
   * amo instruction for a load, and an unaligned address for the aligned one before it.
   */
  memory: boolean;
}

export interface PrivilegedOptions {
  spaces: readonly Space[];
  tables: RandomTables;
  /** Physical address of the supervisor's handler, and of what memory protection is tried on: 2 MiB from here. */
  handler: bigint;
  data: bigint;
  /** Two registers that units may use as they like; handlers leave something else than 0 in `address`. */
  value: number;
  address: number;
}

const nop = 0x0001; // c.nop

export class PrivilegedUnits {
  constructor(
    private readonly random: Random,
    private readonly units: RandomUnits,
    private readonly options: PrivilegedOptions,
  ) {}

  /** Units for code that begins at this privilege. */
  body(count: number, around: Surroundings): Unit[] {
    // Code that has gone to another privilege must not wait: nothing would end it.
    let moved = false;
    return Array.from({ length: count }, () => {
      const kind = this.random.below(100);
      // All of these trap in user mode: a few do.
      if (around.privilege === 'user' && !this.#chance(6)) return this.#ordinary(around);
      if (kind < 4) {
        moved = true;
        return this.#goElsewhere(around.privilege);
      }
      if (kind < 18) return [this.#csr(around)];
      if (kind < 32) return this.#legal(around);
      if (kind < 35) return [encode('sfence.vma', { rs1: this.random.below(32), rs2: this.random.below(32) })];
      if (kind < 38 && this.#mayWait(around, moved)) return this.#wait(around);
      if (kind < 42 && around.privilege === 'machine') return this.#entry();
      if (kind < 45 && around.privilege === 'machine') return this.#protection();
      return this.#ordinary(around);
    });
  }

  /** What any privilege may do. Every instruction that may trap has four bytes, so that a handler knows the way behind it. */
  #ordinary({ memory }: Surroundings): Unit {
    const { units } = this;
    switch (this.random.below(20)) {
      case 0: case 1: case 2: case 3: return [units.compressed(), nop]; // they are aligned, as the bases are
      case 4: return units.jumpAndLinkRegister();
      case 5: return memory ? units.reservation(this.options.address) : units.base(false);
      case 6: {
        const raw = units.trapping();
        return raw === 0 ? [raw, nop] : [raw];
      }
      default: return units.base(memory);
    }
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.random.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  #chance(oneIn: number): boolean {
    return this.random.below(oneIn) === 0;
  }

  /** Some of these bits. */
  #some(bits: bigint): bigint {
    return anyWord(this.random) & bits;
  }

  /** One CSR instruction: a read of any register, or a write of one that keeps what it is given, or of one that there is not. */
  #csr({ privilege }: Surroundings): number {
    const { random, units } = this;
    if (random.below(2) === 0) {
      const immediate = this.#pick(privilege === 'machine' ? readable : [...readable, ...counters]);
      return encode(this.#pick(['csrrs', 'csrrc', 'csrrsi', 'csrrci']), { rd: units.target(), immediate });
    }
    // qemu 7.2 lets the value 0 be set and cleared in registers that are only to be read.
    const readOnly = this.#chance(8);
    const immediate = this.#pick(readOnly ? [0xf11, 0xf14, 0xcc0] : [...plain, csr.misa, 0x5c0, 0x7c0]);
    const operation = this.#pick(readOnly ? ['csrrw', 'csrrwi'] : ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci']);
    return encode(operation, { rd: units.target(), rs1: random.below(32), immediate });
  }

  /** A write of a value that both take alike to a register that has rules. */
  #legal(around: Surroundings): Unit {
    const { random, options } = this;
    const write = (register: number, value: bigint, operations = ['csrrw']): Unit => [
      ...loadImmediate(options.value, value),
      encode(this.#pick(operations), { rd: this.units.target(), rs1: options.value, immediate: register }),
    ];
    const all = ['csrrw', 'csrrs', 'csrrc'];
    switch (random.below(14)) {
      case 0: case 1: return this.#chance(2) ? write(csr.mstatus, this.machineStatus()) : write(csr.mstatus, this.machineStatus([0n, 3n]), ['csrrs', 'csrrc']);
      case 2: case 3: return write(csr.sstatus, this.#some(supervisorBits) | this.#floatState(), all);
      case 4: case 5: return write(csr.satp, this.addressSpace(around.mayBeBare ? 'any' : 'translated or not written'));
      case 6: return write(csr.medeleg, this.#some(delegable), all);
      case 7: return write(csr.mideleg, this.#some(interrupts.all), all);
      case 8: return write(csr.mie, this.#some(interrupts.all | interrupts.machine), all);
      case 9: return around.machineInterrupt ? [nop, nop] : write(csr.mip, this.#pick([0n, interrupts.SSI, interrupts.STI]), all);
      case 10: return around.external ? [nop, nop] : write(csr.sip, this.#some(interrupts.SSI), all);
      case 11: return write(this.#pick([csr.mepc, csr.sepc]), anyWord(random) & ~1n, all);
      // Modes 2 and 3 are reserved: qemu 7.2 then keeps the whole register.
      case 12: return write(csr.stvec, this.#chance(4) ? anyWord(random) & ~3n : options.handler | BigInt(random.below(2)));
      // The counters that all implementations have stay out of sight: their values differ.
      default: return write(this.#pick([csr.mcounteren, csr.scounteren]), anyWord(random) & 0xfffffff8n, all);
    }
  }

  /**
   * A value for mstatus. qemu 7.2 keeps MPP = 2, and lets UXL and bits of the hypervisor
   * extension be written, which are left alone.
   */
  machineStatus(previous: readonly bigint[] = [0n, 1n, 3n]): bigint {
    const { MPRV } = mstatus;
    const bits = this.#some(machineBits) | (this.#pick(previous) << 11n) | this.#floatState();
    return this.#chance(3) ? bits | MPRV : bits;
  }

  /** FS: off or dirty, since qemu 7.2 forgets to set it to dirty where an instruction changes nothing but flags. */
  #floatState(): bigint {
    return this.#chance(5) ? 0n : FS;
  }

  /**
   * A value for satp: one of the spaces, or a mode that there is not. Mode 10, Sv57, is qemu's alone. Tables where there
   * is no memory are left out: qemu 7.2 calls that a page fault, the manual an access fault.
   */
  addressSpace(choice: 'any' | 'translated' | 'translated or not written'): bigint {
    const { sv39, sv48 } = this.#pick(this.options.spaces);
    const asid = this.#some(0xffffn) << 44n;
    const kind = this.random.below(12);
    if (kind === 0 && choice === 'any') return 0n;
    if (kind === 1 && choice !== 'translated') return (BigInt(this.#pick([1, 2, 5, 7, 11, 12, 15])) << 60n) | asid | sv39;
    return kind < 6 ? (9n << 60n) | asid | sv48 : (8n << 60n) | asid | sv39;
  }

  #mayWait({ privilege, waitTraps, machineInterrupt }: Surroundings, moved: boolean): boolean {
    return privilege === 'user' || (privilege === 'supervisor' ? waitTraps : !moved && !machineInterrupt);
  }

  /** wfi where it traps, or where an interrupt is pending that ends it. */
  #wait({ privilege }: Surroundings): Unit {
    if (privilege !== 'machine') return [encode('wfi')];
    const { value } = this.options;
    const pending = [csr.mie, csr.mip].map((immediate) => encode('csrrs', { rs1: value, immediate }));
    return [...loadImmediate(value, interrupts.SSI), ...pending, encode('wfi')];
  }

  /** A return to the next unit, at another privilege or the same; where it may not be used, it traps. */
  #goElsewhere(from: Privilege): Unit {
    const { value, address } = this.options;
    const byMachine = from === 'machine' && this.random.below(3) !== 0;
    const status = from === 'machine' ? csr.mstatus : csr.sstatus;
    const [counter, field] = byMachine ? [csr.mepc, mstatus.MPP] : [csr.sepc, mstatus.SPP];
    // A return to a lower privilege clears MPRV since version 1.12 of volume II; qemu 7.2 leaves it.
    const cleared = from === 'machine' ? field | mstatus.MPRV : field;
    const chosen = byMachine ? BigInt(this.#pick([0, 1, 3])) << 11n : this.#pick([0n, field]);
    // User mode has the code elsewhere, unless nothing is translated.
    const alias = this.#chance(2) ? [encode('lui', { rd: value, immediate: 0x4000_0000 }), encode('add', { rd: address, rs1: address, rs2: value })] : [];
    const rest = [
      ...alias,
      encode('csrrw', { rs1: address, immediate: counter }),
      ...loadImmediate(value, cleared),
      encode('csrrc', { rs1: value, immediate: status }),
      ...loadImmediate(value, chosen),
      encode('csrrs', { rs1: value, immediate: status }),
      encode(byMachine ? 'mret' : 'sret'),
    ];
    return [encode('auipc', { rd: address }), encode('addi', { rd: address, rs1: address, immediate: 8 + 4 * rest.length }), ...rest];
  }

  /** Another page-table entry. */
  #entry(): Unit {
    const { value, address, tables } = this.options;
    const large = this.#chance(2);
    return [
      ...loadImmediate(address, this.#pick(large ? tables.entries.megapages : tables.entries.pages)),
      ...loadImmediate(value, tables.entry(large ? 9n : 0n)),
      encode('sd', { rs1: address, rs2: value }),
      encode('sfence.vma'),
    ];
  }

  /**
   * The address of a region of memory protection: 0 to 3 are powers of two, 5 to 7 end at the
   * top of a range, which begins where the one before it ends. All have several pages: in qemu
   * 7.2 a part of a page does not end where it should, and a range that is empty has everything.
   */
  regionAddress(region: number): bigint {
    const { data } = this.options;
    const unit = BigInt(protectedPages) * 4096n;
    if (region > 3) return (data + BigInt((region - 4) * 2 + this.random.below(2)) * unit) >> 2n;
    const size = unit << BigInt(this.random.below(6));
    const start = (data + BigInt(this.random.below(16)) * unit) & ~(size - 1n);
    return (start >> 2n) | (size / 8n - 1n);
  }

  /** Another region of memory protection, and other permissions for all. */
  #protection(): Unit {
    const { value } = this.options;
    const region = this.random.below(8);
    const modes = [3n, 3n, 3n, 3n, 0n, 1n, 1n, 1n];
    // Writable and not readable is reserved.
    const permissions = [0n, 1n, 3n, 4n, 5n, 7n];
    const configuration = modes.reduce((bits, mode, i) => {
      const own = (this.#chance(2) ? mode << 3n : 0n) | this.#pick(permissions);
      return bits | (own << BigInt(8 * i));
    }, 0n);
    return [
      ...loadImmediate(value, this.regionAddress(region)),
      encode('csrrw', { rs1: value, immediate: csr.pmpaddr0 + region }),
      ...loadImmediate(value, configuration),
      encode('csrrw', { rs1: value, immediate: csr.pmpcfg0 }),
      encode('sfence.vma'),
    ];
  }
}

const { SIE, SPIE, SPP, FS, SUM, MXR, MIE, MPIE, TVM, TW, TSR } = mstatus;
const supervisorBits = SIE | SPIE | SPP | SUM | MXR;
const machineBits = SIE | MIE | SPIE | MPIE | SPP | SUM | MXR | TVM | TW | TSR;
