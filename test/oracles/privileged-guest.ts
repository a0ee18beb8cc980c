/**
 * A guest that runs random code at every privilege, slot after slot: machine
 * mode prepares one, goes there, and gets back by a trap that it does not let
 * the code go on from. Every instruction can be compared from {@link PrivilegedGuest.begin} on.
 */
import { Random } from '../../engine/isa/random.test-support';
import { Code, csr, encode, loadImmediate } from './assembler';
import { makeElf } from './elf-writer';
import { aliasedBytes, aliases, protectedPages, RandomTables, windowPages, windows, type Layout, type Space } from './random-tables';
import { delegable, interrupts, mstatus, PrivilegedUnits, type Privilege, type Surroundings } from './privileged-units';
import { emitUnits, RandomUnits } from './random-units';
import { anyWord, floatValue, integerValue } from './random-values';

const origin = 0x8000_0000;
/** Where everything else stands: the code has the first 12 MiB. */
const places = { tables: 0x80c0_0000, pools: 0x80f0_0000, data: 0x8100_0000 } as const;
const dataPages = 32;
const pools = 16;
const poolBytes = 512;

/** sp, s0 and s1 hold addresses of data; t5 counts the traps that a supervisor may still take in a slot. */
const bases = [2, 8, 9] as const;
const trapsLeft = 30;
/** What handlers and units may use as they like; nothing is kept in them. */
const [value, address, third] = [29, 31, 27] as const;
/** Takes the address of atomic instructions. */
const scratch = 28;
/** No fetch succeeds there, and no such failure is delegated: the way back to machine mode. */
const nowhere = -0x8000_0000;

/** What machine mode prepares for a slot, as 64-bit words in this order. */
const entryFields = ['pc', 'mstatus', 'medeleg', 'mideleg', 'mie', 'mip', 'msip', 'mtimecmp', 'satp', 'stvec', 'traps', 'sp', 's0', 's1', 'trapsLeft'] as const;
type EntryField = (typeof entryFields)[number];
type Entry = Record<EntryField, bigint>;
const entryBytes = entryFields.length * 8;
const offsetOf = (field: EntryField): number => entryFields.indexOf(field) * 8;

/** Addresses of the machine's software interrupt and timer (CLINT). */
const clint = { msip: 0x200_0000, mtimecmp: 0x200_4000 } as const;
const poweroff = { register: 0x10_0000, value: 0x5555 } as const;

export interface PrivilegedGuest {
  image: Uint8Array;
  /** Behind what sets both machines to the same state. */
  begin: bigint;
  /** Where the random part is over, and the guest sums up its memory. */
  end: bigint;
}

export function privilegedGuest(seed: number, slots: number): PrivilegedGuest {
  return new Builder(seed).build(slots);
}

/** The address spaces of a guest. */
const spaceCount = 2;

class Builder {
  readonly #random: Random;
  readonly #code = new Code(origin);
  readonly #tables: RandomTables;
  readonly #spaces: Space[];
  readonly #units: RandomUnits;

  constructor(seed: number) {
    this.#random = new Random(seed);
    const layout: Layout = { code: BigInt(origin), data: BigInt(places.data), pages: dataPages, tables: BigInt(places.tables) };
    this.#tables = new RandomTables(this.#random, layout);
    this.#spaces = Array.from({ length: spaceCount }, () => this.#tables.space());
    this.#units = new RandomUnits(this.#random, { bases, reserved: new Set([...bases, trapsLeft]), scratch });
  }

  build(slots: number): PrivilegedGuest {
    const code = this.#code;
    const toStart = code.hole(4);
    code.align(8);
    // How many more traps of the slot machine mode lets go on, and where the next slot's entry is.
    const state = code.hole(16);
    const supervisor = code.address;
    this.#emitSupervisorHandler();
    const end = code.address;
    this.#emitEnd();
    const machine = code.address;
    this.#emitMachineHandler(state, end);
    code.fill(toStart, [encode('jal', { immediate: code.address - toStart })]);
    // qemu runs two harts: with one, its amo instructions load and store, and fault as loads do. The second waits for ever.
    code.put(encode('csrrs', { rd: value, immediate: 0xf14 }), encode('beq', { rs1: value, immediate: 12 }));
    code.put(encode('wfi'), encode('jal', { immediate: -4 }));
    const units = new PrivilegedUnits(this.#random, this.#units, {
      spaces: this.#spaces, tables: this.#tables, handler: BigInt(supervisor), data: BigInt(places.data), value, address,
    });
    for (let region = 0; region < 8; region++) {
      code.put(...loadImmediate(value, units.regionAddress(region)), encode('csrrw', { rs1: value, immediate: csr.pmpaddr0 + region }));
    }
    const entriesAt = this.#emitStart({ machine, supervisor, state });
    const begin = code.address;
    code.put(...jumpNowhere());
    const entries = Array.from({ length: slots }, () => this.#emitSlot(units, BigInt(supervisor)));
    code.align(8);
    code.fillAddress(entriesAt, address, code.address);
    for (const entry of entries) for (const field of entryFields) code.putDouble(entry[field]);
    code.putDouble(0n); // no pc: the end
    if (code.address > places.tables) throw new Error(`${slots} slots are too many: their code would end at ${code.address.toString(16)}`);
    return { image: this.#image(), begin: BigInt(begin), end: BigInt(end) };
  }

  #image(): Uint8Array {
    const image = new Uint8Array(places.data + dataPages * 4096 - origin);
    image.set(this.#code.bytes());
    image.set(this.#tables.bytes(), places.tables - origin);
    const words = (count: number, next: () => bigint): Uint8Array => new Uint8Array(BigUint64Array.from({ length: count }, next).buffer);
    for (let pool = 0; pool < pools; pool++) {
      const at = places.pools - origin + pool * poolBytes;
      image.set(words(32, () => floatValue(this.#random)), at);
      image.set(words(32, () => integerValue(this.#random)), at + 256);
    }
    image.set(words(dataPages * 512, () => anyWord(this.#random)), places.data - origin);
    return makeElf(BigInt(origin), image);
  }

  /** Goes on behind an exception, and masks interrupts; for vectors, each interrupt has an entry. */
  #emitSupervisorHandler(): void {
    const code = this.#code;
    const vectors = code.hole(4 * 10);
    const [exception, interrupt] = [code.address, code.address + 4 * 8];
    code.put(encode('csrrs', { rd: address, immediate: csr.scause }));
    code.put(encode('blt', { rs1: address, immediate: interrupt - code.address }));
    code.put(encode('addi', { rd: trapsLeft, rs1: trapsLeft, immediate: -1 }));
    code.put(encode('blt', { rs1: trapsLeft, immediate: interrupt + 8 - code.address }));
    code.put(encode('csrrs', { rd: address, immediate: csr.sepc }), encode('addi', { rd: address, rs1: address, immediate: 4 }));
    code.put(encode('csrrw', { rs1: address, immediate: csr.sepc }), encode('sret'));
    code.put(encode('csrrw', { immediate: csr.sie }), encode('sret'));
    code.put(...jumpNowhere());
    for (let cause = 0; cause < 10; cause++) {
      const at = vectors + 4 * cause;
      code.fill(at, [encode('jal', { immediate: exception - at })]);
    }
  }

  /** Goes on behind a trap as often as the slot may, and then to the next slot. */
  #emitMachineHandler(state: number, end: number): void {
    const code = this.#code;
    const toNext: { at: number; rs1: number; mnemonic: string }[] = [];
    const branch = (mnemonic: string): void => {
      toNext.push({ at: code.hole(4), rs1: address, mnemonic });
    };
    // With MPRV the handler's own loads would be translated.
    code.put(...loadImmediate(address, mstatus.MPRV), encode('csrrc', { rs1: address, immediate: csr.mstatus }));
    code.put(encode('csrrs', { rd: address, immediate: csr.mcause }));
    branch('blt'); // an interrupt
    code.put(encode('addi', { rd: address, rs1: address, immediate: -1 }));
    branch('beq'); // a fetch where nothing is
    code.put(encode('addi', { rd: address, rs1: address, immediate: -11 }));
    branch('beq'); // a fetch of a page that cannot be
    code.loadAddress(value, state);
    code.put(encode('lw', { rd: address, rs1: value }), encode('addi', { rd: address, rs1: address, immediate: -1 }));
    code.put(encode('sw', { rs1: value, rs2: address }));
    branch('blt');
    code.put(encode('csrrs', { rd: address, immediate: csr.mepc }), encode('addi', { rd: address, rs1: address, immediate: 4 }));
    code.put(encode('csrrw', { rs1: address, immediate: csr.mepc }), encode('mret'));
    for (const { at, rs1, mnemonic } of toNext) code.fill(at, [encode(mnemonic, { rs1, immediate: code.address - at })]);
    this.#emitNextSlot(state, end);
  }

  #emitNextSlot(state: number, end: number): void {
    const code = this.#code;
    const load = (field: EntryField, rd: number = address): number => encode('ld', { rd, rs1: third, immediate: offsetOf(field) });
    code.loadAddress(value, state);
    code.put(encode('ld', { rd: third, rs1: value, immediate: 8 }), load('pc'));
    code.put(encode('beq', { rs1: address, immediate: end - code.address }));
    code.put(encode('csrrw', { rs1: address, immediate: csr.mepc }));
    code.put(encode('addi', { rd: address, rs1: third, immediate: entryBytes }), encode('sd', { rs1: value, rs2: address, immediate: 8 }));
    code.put(load('traps'), encode('sw', { rs1: value, rs2: address }), encode('csrrw', { immediate: csr.mie }));
    code.put(encode('lui', { rd: value, immediate: clint.msip }), load('msip'), encode('sw', { rs1: value, rs2: address }));
    code.put(encode('lui', { rd: value, immediate: clint.mtimecmp }), load('mtimecmp'), encode('sd', { rs1: value, rs2: address }));
    for (const field of ['medeleg', 'mideleg', 'mip', 'mie', 'satp', 'stvec'] as const) {
      code.put(load(field), encode('csrrw', { rs1: address, immediate: csr[field] }));
    }
    code.put(encode('sfence.vma'), load('sp', 2), load('s0', 8), load('s1', 9), load('trapsLeft', trapsLeft));
    code.put(load('mstatus'), encode('csrrw', { rs1: address, immediate: csr.mstatus }), encode('mret'));
  }

  /** Sets what a reset leaves different. Returns where the address of the first entry has to be filled in. */
  #emitStart({ machine, supervisor, state }: { machine: number; supervisor: number; state: number }): number {
    const code = this.#code;
    const set = (register: number, bits: bigint): void => {
      code.put(...loadImmediate(value, bits), encode('csrrw', { rs1: value, immediate: register }));
    };
    code.put(...loadImmediate(value, BigInt(clint.mtimecmp)), ...loadImmediate(address, -1n), encode('sd', { rs1: value, rs2: address }));
    set(csr.mtvec, BigInt(machine));
    set(csr.stvec, BigInt(supervisor));
    const zero = [
      csr.satp, csr.medeleg, csr.mideleg, csr.mie, csr.mip, csr.mcounteren, csr.scounteren, csr.senvcfg, csr.mscratch, csr.sscratch,
      csr.mepc, csr.sepc, csr.mcause, csr.scause, csr.mtval, csr.stval,
    ];
    for (const register of zero) set(register, 0n);
    // Accessed and dirty bits are always set by the hardware of qemu 7.2, which does not know this register's bit.
    set(csr.menvcfg, 1n << 61n);
    set(csr.pmpaddr0 + 15, (1n << 54n) - 1n);
    set(csr.pmpcfg2, 0x1fn << 56n);
    set(csr.mstatus, mstatus.FS);
    set(csr.fcsr, 0n);
    for (let f = 0; f < 32; f++) code.put(encode('fmv.d.x', { rd: f }));
    code.loadAddress(value, state);
    const entriesAt = code.hole(8);
    code.put(encode('sd', { rs1: value, rs2: address, immediate: 8 }));
    for (let x = 1; x < 32; x++) code.put(encode('addi', { rd: x, immediate: x }));
    return entriesAt;
  }

  /** Sums up the memory that random code could change, and switches the board off. */
  #emitEnd(): void {
    const code = this.#code;
    const ranges = [
      [places.tables, places.tables + this.#tables.bytes().length],
      [places.data, places.data + dataPages * 4096],
    ] as const;
    for (const [from, to] of ranges) {
      code.put(...loadImmediate(value, BigInt(from)), ...loadImmediate(address, BigInt(to)));
      const loop = code.address;
      code.put(encode('ld', { rd: scratch, rs1: value }), encode('add', { rd: third, rs1: third, rs2: scratch }));
      code.put(encode('rori', { rd: third, rs1: third, immediate: 7 }), encode('addi', { rd: value, rs1: value, immediate: 8 }));
      code.put(encode('bltu', { rs1: value, rs2: address, immediate: loop - code.address }));
    }
    code.put(...loadImmediate(value, BigInt(poweroff.register)), ...loadImmediate(address, BigInt(poweroff.value)));
    code.put(encode('sw', { rs1: value, rs2: address }), encode('jal'));
  }

  #emitSlot(units: PrivilegedUnits, handler: bigint): Entry {
    const code = this.#code;
    const random = this.#random;
    code.align(4);
    // Instructions that stand across the end of a page begin at an odd half.
    if (random.below(4) === 0) code.put(0x0001);
    const at = BigInt(code.address);
    if (random.below(8) === 0) return this.#emitReload(at, handler);
    const privilege: Privilege = pick(random, ['machine', 'supervisor', 'supervisor', 'supervisor', 'user', 'user', 'user']);
    const translated = random.below(4) !== 0;
    // The way to lower privileges clears MPRV since version 1.12 of volume II; qemu 7.2 leaves it.
    const cleared = privilege === 'machine' ? mstatus.MPP : mstatus.MPP | mstatus.MPRV;
    const status = (units.machineStatus() & ~cleared) | modes[privilege];
    const [external, machineInterrupt] = [privilege !== 'machine' && random.below(10) === 0, random.below(16) === 0];
    // With MPRV machine mode's data is translated, too.
    const virtual = translated && (privilege !== 'machine' || random.below(2) === 0);
    const around: Surroundings = {
      privilege, waitTraps: (status & mstatus.TW) !== 0n, external, machineInterrupt,
      mayBeBare: !virtual, memory: privilege !== 'machine' || !virtual,
    };
    emitUnits(code, units.body(privilege === 'machine' ? 8 + random.below(24) : 24 + random.below(64), around));
    code.put(...jumpNowhere());
    const timer = machineInterrupt && random.below(2) === 0;
    return {
      ...quiet,
      pc: privilege === 'machine' || !translated ? at : at - BigInt(origin) + this.#alias(privilege, at),
      mstatus: status,
      medeleg: random.below(5) === 0 ? 0n : (anyWord(random) | anyWord(random)) & delegable,
      mideleg: anyWord(random) & interrupts.all,
      mie: random.below(2) === 0 ? 0n : anyWord(random) & (interrupts.all | interrupts.machine),
      mip: machineInterrupt ? 0n : external ? interrupts.SEI : pick(random, [0n, 0n, interrupts.SSI, interrupts.STI]),
      msip: machineInterrupt && !timer ? 1n : 0n,
      mtimecmp: timer ? 0n : quiet.mtimecmp,
      satp: translated ? units.addressSpace('translated') : 0n,
      stvec: handler | BigInt(random.below(2)),
      traps: BigInt(random.below(12)),
      sp: this.#dataAddress(virtual),
      s0: this.#dataAddress(virtual),
      s1: this.#dataAddress(virtual),
      trapsLeft: BigInt(random.below(32)),
    };
  }

  /** A slot that gives all other registers new values. */
  #emitReload(at: bigint, handler: bigint): Entry {
    const code = this.#code;
    code.put(...loadImmediate(value, BigInt(places.pools + this.#random.below(pools) * poolBytes)));
    for (let f = 0; f < 32; f++) code.put(encode('fld', { rd: f, rs1: value, immediate: 8 * f }));
    for (let x = 1; x < 32; x++) if (x !== value) code.put(encode('ld', { rd: x, rs1: value, immediate: 256 + 8 * x }));
    code.put(...jumpNowhere());
    return { ...quiet, pc: at, mstatus: mstatus.FS | modes.machine, stvec: handler };
  }

  #alias(privilege: Privilege, at: bigint): bigint {
    const random = this.#random;
    const reached = at - BigInt(origin) < BigInt(aliasedBytes);
    if (reached && random.below(4) === 0) return aliases.pages;
    return random.below(16) === 0 || privilege === 'supervisor' ? aliases.supervisor : aliases.user;
  }

  /** Somewhere in the data, mostly near the end of a page; `virtual`: through one of the windows, or where no window is. */
  #dataAddress(virtual: boolean): bigint {
    const random = this.#random;
    const inPage = BigInt(pick(random, [0, 8, 0x100, 0x800, 0xf00, 0xff0, 0xff8]));
    // Two pages in the middle, so that no access crosses to where other rules of protection hold.
    const near = random.below(dataPages / protectedPages) * protectedPages + 1 + random.below(2);
    const contiguous = BigInt(near) * 4096n + inPage;
    const physical = BigInt(places.data) + contiguous;
    const page = BigInt(random.below(windowPages)) * 4096n + inPage;
    if (!virtual) return physical;
    const { low, high, gigabyte, terabyte } = windows;
    const megapage = (from: number, count: number): bigint => BigInt(from + random.below(count)) << 21n;
    switch (random.below(12)) {
      case 0: return gigabyte + physical - BigInt(origin);
      case 1: return terabyte + physical;
      case 2: return (BigInt(pick(random, [1, 0x7fff, 0x10])) << 41n) + page; // no address of Sv39, or of either
      case 3: return BigInt.asUintN(64, high + megapage(0, 3) + page);
      case 4: return BigInt.asUintN(64, high + megapage(3, 5) + contiguous);
      case 5: case 6: return low + megapage(3, 5) + contiguous;
      default: return low + megapage(0, 3) + page;
    }
  }
}

const modes: Readonly<Record<Privilege, bigint>> = { user: 0n, supervisor: 1n << 11n, machine: mstatus.MPP };

/** An entry in which nothing interrupts, nothing is delegated and nothing translated. */
const quiet: Entry = {
  pc: 0n, mstatus: 0n, medeleg: 0n, mideleg: 0n, mie: 0n, mip: 0n, msip: 0n, mtimecmp: (1n << 64n) - 1n, satp: 0n, stvec: 0n, traps: 0n,
  sp: BigInt(places.data), s0: BigInt(places.data), s1: BigInt(places.data), trapsLeft: 0n,
};

function jumpNowhere(): number[] {
  return [encode('lui', { rd: address, immediate: nowhere }), encode('jalr', { rs1: address })];
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
