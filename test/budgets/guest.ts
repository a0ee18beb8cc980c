/**
 * Random guests for a comparison of the engine with itself: loops, calls, code
 * that overwrites itself or is overwritten by a disk, page tables and memory
 * protection that change, traps, interrupts, floating point, several harts.
 * Whatever they do is allowed: only that it is always the same is looked at.
 */
import { Random } from '../../engine/isa/random.test-support';
import { Code, csr, encode, lengthOf, loadImmediate, place } from '../oracles/assembler';
import { floatValue, integerValue } from '../oracles/random-values';
import type { Unit } from '../oracles/random-units';
import { GuestUnits, roles } from './units';

export const ramBase = 0x8000_0000;
export const ramBytes = 512 * 1024;
/** Offsets in RAM. The disk's queue is where engine/machine/virtio/driver.test-support.ts puts it. */
export const places = { handler: 0, queue: 0x1000, code: 0x1_0000, data: 0x2_0000, stack: 0x2_8000, tables: 0x3_0000 } as const;
export const codePages = 4;
const dataPages = 4;
/** Offsets in the page of the handlers. */
const supervisorHandler = 0x400;
const landings = 0x800;
const landingCount = 16;
const counter = 0xc00;

export const clint = 0x200_0000;
export const disk = 0x1000_1000;
export const uart = 0x1000_0000;

/** Where translated code and data are, besides at their physical addresses: all of the first gigabyte for user mode, RAM for user mode, and single pages of RAM. */
export const windows = { userDevices: 0x4000_0000n, user: 0xc000_0000n, pages: 0x1_0000_0000n } as const;

export interface BudgetGuest {
  /** What stands where in RAM, by offset. */
  memory: { at: number; bytes: Uint8Array }[];
  entry: bigint;
  /** Random units; those that a shorter guest leaves out are replaced by as many bytes of nops. */
  units: number;
  /** What is added to a physical address in RAM where the guest is most of the time. */
  alias: bigint;
  /** Offsets in RAM at which units begin. */
  starts: number[];
  harts: number;
  time: { source: 'instructions' | 'core'; perTick: number; corePhase: number; corePpm: number };
  /** By hart: x1 to x31. */
  registers: bigint[][];
  floats: bigint[];
  csrs: ReadonlyMap<number, bigint>;
}

/** The guest of a seed, but for the units in `omitted`. */
export function budgetGuest(seed: number, omitted: ReadonlySet<number> = new Set()): BudgetGuest {
  const random = new Random(seed);
  const chance = (oneIn: number): boolean => random.below(oneIn) === 0;
  const harts = chance(6) ? 2 + random.below(3) : 1;
  const code = new Code(ramBase + places.code);
  const units = new GuestUnits(random);
  const emitted: { unit: Unit; at: number }[] = [];
  let size = 0;
  const most = codePages * 4096 - 64;
  // Small guests run the same code often, large ones have calls and jumps across pages.
  const goal = Math.min(most, [400, 1500, 6000, most][random.below(4)] ?? most);
  while (size < goal) {
    for (const unit of units.next(size, emitted.map(({ at }) => at))) {
      const bytes = unit.reduce<number>((sum, part) => sum + lengthOf(typeof part === 'number' ? part : part.jump.raw), 0);
      if (size + bytes > most) continue;
      emitted.push({ unit, at: size });
      size += bytes;
    }
  }
  emitUnits(code, emitted, omitted);
  // From the end to the beginning.
  code.put(encode('jal', { immediate: ramBase + places.code - code.address }));
  const starts = emitted.map(({ at }) => places.code + at);
  const start = (): number => starts[random.below(starts.length)] ?? places.code;

  const home = homes[random.below(homes.length)] ?? 'machine';
  const space = (8n << 60n) | (BigInt(ramBase + places.tables) >> 12n);
  const handlers = new Uint8Array(4096);
  const { bytes: handler, landing } = machineHandler(random, home, space);
  handlers.set(handler);
  handlers.set(supervisorsHandler(), supervisorHandler);
  const view = new DataView(handlers.buffer);
  for (let i = 0; i < landingCount; i++) view.setUint32(landings + 4 * i, ramBase + start(), true);

  const data = BigUint64Array.from({ length: (dataPages * 4096) / 8 }, () => (chance(2) ? floatValue(random) : integerValue(random)));
  const address = (offset: number): bigint => BigInt(ramBase + offset);
  const registers = Array.from({ length: harts }, (_, hart) => {
    const x = Array.from({ length: 32 }, () => integerValue(random));
    for (const base of roles.bases) {
      // Also data that is code, or that crosses pages, which virtual addresses may put apart.
      const page = places.data + 4096 * random.below(dataPages);
      const at = [page + 256 + 64 * random.below(48), page + 4096 - random.below(16), start()][chance(12) ? 2 : random.below(2)] ?? page;
      x[base] = chance(3) ? windows.pages + BigInt(at) : address(at);
    }
    x[roles.code] = address(places.code);
    const devices = home === 'user' ? windows.userDevices : 0n;
    x[roles.clint] = devices + BigInt(clint + 0x4000 + 8 * hart);
    x[roles.tables] = address(places.tables + 0x3000);
    x[roles.disk] = devices + BigInt(disk);
    x[roles.queue] = address(places.queue + 0x1000);
    x[roles.uart] = devices + BigInt(uart);
    x[roles.stack] = address(places.stack + 0x1000 * (hart + 1));
    x[roles.depth] = 0n;
    x[roles.handler[2]] = address(places.handler);
    return x.slice(1);
  });
  return {
    memory: [
      { at: places.handler, bytes: handlers },
      { at: places.code, bytes: code.bytes() },
      { at: places.data, bytes: new Uint8Array(data.buffer) },
      { at: places.stack, bytes: new Uint8Array(0x5000) },
      { at: places.tables, bytes: tables(random) },
    ],
    entry: BigInt(landing),
    alias: home === 'user' ? windows.user - BigInt(ramBase) : 0n,
    units: emitted.length,
    starts,
    harts,
    time: {
      source: chance(3) ? 'core' : 'instructions',
      perTick: 1 + random.below(20),
      corePhase: random.below(500),
      corePpm: random.below(1000) - 500,
    },
    registers,
    floats: Array.from({ length: 32 }, () => floatValue(random)),
    csrs: new Map([
      [csr.mtvec, address(places.handler)],
      [csr.stvec, address(places.handler + supervisorHandler)],
      [csr.mstatus, chance(8) ? 0n : 0x6008n],
      [csr.mie, chance(3) ? 0n : 0x8aan],
      [csr.medeleg, chance(2) ? 0n : 0xa15cn & BigInt(random.word())],
      [csr.mideleg, chance(2) ? 0n : 0x222n],
      [csr.mcounteren, 7n],
      [csr.scounteren, 7n],
      [csr.menvcfg, (5n << 61n) | 0xf1n],
      [csr.senvcfg, 0xf1n],
      [csr.satp, home === 'machine' && chance(2) ? 0n : space],
      [csr.pmpaddr0, (address(places.code) >> 2n) | 0x1ffn],
      [csr.pmpaddr0 + 1, 0x3f_ffff_ffff_ffffn],
      [csr.pmpcfg0, chance(4) ? 0x1f1bn : 0x1f1fn],
    ]),
  };
}

/** Where a guest is most of the time. */
type Home = 'machine' | 'supervisor' | 'user';
const homes: readonly Home[] = ['machine', 'supervisor', 'user'];

/** Like test/oracles/random-units.ts, and with nops for the omitted ones. */
function emitUnits(code: Code, all: readonly { unit: Unit; at: number }[], omitted: ReadonlySet<number>): void {
  const nops = { 2: 0x0001, 4: 0x0000_0013 } as const;
  const end = all.at(-1)?.at ?? 0;
  all.forEach(({ unit }, index) => {
    for (const part of unit) {
      const raw = typeof part === 'number' ? part : part.jump.raw;
      if (omitted.has(index)) code.put(nops[lengthOf(raw) as 2 | 4]);
      else if (typeof part === 'number') code.put(part);
      else {
        const target = code.origin + (all[index + 1 + part.over]?.at ?? end);
        code.put((raw | (part.jump.immediate ? place(part.jump.immediate, target - code.address) : 0)) >>> 0);
      }
    }
  });
}

/**
 * Machine mode's handler. Behind an exception it goes on; where that cannot be, or now and
 * then, at one of the landings, at home. Calls give machine mode. A timer is set anew.
 * `landing`: where a guest may begin, with the handler's address in its third register.
 */
function machineHandler(random: Random, home: Home, space: bigint): { bytes: Uint8Array; landing: number } {
  const [a, b, c] = roles.handler;
  const code = new Code(ramBase + places.handler);
  const holes: { at: number; mnemonic: string; rs1: number; to: string }[] = [];
  const labels = new Map<string, number>();
  const branch = (mnemonic: string, rs1: number, to: string): void => {
    holes.push({ at: code.hole(4), mnemonic, rs1, to });
  };
  const label = (name: string): void => {
    labels.set(name, code.address);
  };
  const read = (rd: number, number: number): number => encode('csrrs', { rd, immediate: number });
  const write = (rs1: number, number: number): number => encode('csrrw', { rs1, immediate: number });
  const li = (rd: number, value: number): number => encode('addi', { rd, immediate: value });
  const toMachine = [encode('addi', { rd: b, immediate: 3 }), encode('slli', { rd: b, rs1: b, immediate: 11 }), encode('csrrs', { rs1: b, immediate: csr.mstatus })];

  code.put(read(a, csr.mcause));
  branch('bge', a, 'exception');
  code.put(read(c, 0xf14), encode('andi', { rd: a, rs1: a, immediate: 15 }), encode('addi', { rd: a, rs1: a, immediate: -7 }));
  branch('bne', a, 'software');
  code.put(encode('lui', { rd: b, immediate: clint + 0xc000 }), encode('ld', { rd: a, rs1: b, immediate: -8 }));
  code.put(encode('addi', { rd: a, rs1: a, immediate: 5 + random.below(400) }));
  code.put(encode('lui', { rd: b, immediate: clint + 0x4000 }), encode('slli', { rd: c, rs1: c, immediate: 3 }), encode('add', { rd: b, rs1: b, rs2: c }));
  code.put(encode('sd', { rs1: b, rs2: a }), encode('mret'));
  label('software');
  code.put(encode('lui', { rd: b, immediate: clint }), encode('slli', { rd: c, rs1: c, immediate: 2 }), encode('add', { rd: b, rs1: b, rs2: c }));
  code.put(encode('sw', { rs1: b }));
  // The external interrupt of the disk, and the supervisor's, are turned off until something turns them on again.
  code.put(li(b, -1), encode('slli', { rd: b, rs1: b, immediate: 11 }), encode('ori', { rd: b, rs1: b, immediate: 0x22 }));
  code.put(encode('csrrc', { rs1: b, immediate: csr.mie }), encode('mret'));
  label('exception');
  // The page's address: andi has no mask for it.
  code.put(encode('auipc', { rd: c }), encode('srli', { rd: c, rs1: c, immediate: 12 }), encode('slli', { rd: c, rs1: c, immediate: 12 }));
  code.put(encode('addi', { rd: b, rs1: a, immediate: -1 }));
  branch('beq', b, 'landing');
  code.put(encode('addi', { rd: b, rs1: a, immediate: -12 }));
  branch('beq', b, 'landing');
  code.put(li(b, 1), encode('slli', { rd: b, rs1: b, immediate: 11 }), encode('add', { rd: c, rs1: c, rs2: b }));
  code.put(encode('lw', { rd: b, rs1: c, immediate: counter - 0x800 }), encode('addi', { rd: b, rs1: b, immediate: 1 }), encode('sw', { rs1: c, rs2: b, immediate: counter - 0x800 }));
  code.put(encode('andi', { rd: b, rs1: b, immediate: 63 }));
  branch('beq', b, 'landed');
  code.put(encode('addi', { rd: a, rs1: a, immediate: -8 }), encode('sltiu', { rd: a, rs1: a, immediate: 2 }));
  branch('beq', a, 'behind');
  code.put(read(a, csr.mepc), encode('slli', { rd: a, rs1: a, immediate: 34 }), encode('srli', { rd: a, rs1: a, immediate: 34 }));
  code.put(li(b, 1), encode('slli', { rd: b, rs1: b, immediate: 31 }), encode('or', { rd: a, rs1: a, rs2: b }), write(a, csr.mepc), ...toMachine);
  label('behind');
  code.put(read(a, csr.mepc), encode('addi', { rd: a, rs1: a, immediate: 4 }), write(a, csr.mepc), encode('mret'));
  label('landing');
  code.put(li(b, 1), encode('slli', { rd: b, rs1: b, immediate: 11 }), encode('add', { rd: c, rs1: c, rs2: b }));
  label('landed');
  code.put(encode('lw', { rd: b, rs1: c, immediate: counter + 4 - 0x800 }), encode('addi', { rd: b, rs1: b, immediate: 1 }), encode('sw', { rs1: c, rs2: b, immediate: counter + 4 - 0x800 }));
  code.put(encode('andi', { rd: b, rs1: b, immediate: landingCount - 1 }), encode('slli', { rd: b, rs1: b, immediate: 2 }), encode('add', { rd: c, rs1: c, rs2: b }));
  code.put(encode('lwu', { rd: a, rs1: c, immediate: landings - 0x800 }));
  if (home === 'user') code.put(...loadImmediate(b, windows.user - BigInt(ramBase)), encode('add', { rd: a, rs1: a, rs2: b }));
  code.put(write(a, csr.mepc), ...toMachine);
  if (home !== 'machine') {
    const cleared = { user: 0x1800n, supervisor: 0x1000n }[home];
    code.put(...loadImmediate(b, cleared), encode('csrrc', { rs1: b, immediate: csr.mstatus }));
    code.put(...loadImmediate(b, space), write(b, csr.satp));
  }
  code.put(encode('lui', { rd: b, immediate: 0x2_0000 }), encode('csrrc', { rs1: b, immediate: csr.mstatus }), encode('mret'));
  for (const { at, mnemonic, rs1, to } of holes) code.fill(at, [encode(mnemonic, { rs1, immediate: (labels.get(to) ?? at) - at })]);
  return { bytes: code.bytes(), landing: labels.get('landing') ?? ramBase };
}

/** Goes on behind an exception; turns the timer off, and the software interrupt. */
function supervisorsHandler(): Uint8Array {
  const [a] = roles.handler;
  const code = new Code(ramBase + supervisorHandler);
  code.put(encode('csrrs', { rd: a, immediate: csr.scause }), encode('blt', { rs1: a, immediate: 20 }));
  code.put(encode('csrrs', { rd: a, immediate: csr.sepc }), encode('addi', { rd: a, rs1: a, immediate: 4 }), encode('csrrw', { rs1: a, immediate: csr.sepc }), encode('sret'));
  const timer = 0x14d;
  code.put(encode('addi', { rd: a, immediate: -1 }), encode('csrrw', { rs1: a, immediate: timer }), encode('csrrw', { immediate: csr.sip }), encode('csrrw', { immediate: csr.sie }), encode('sret'));
  return code.bytes();
}

const V = 1n, R = 2n, W = 4n, X = 8n, U = 16n, A = 64n, D = 128n;

/** Sv39 (The RISC-V Instruction Set Manual, volume II, 4.4): a root, a table of megapages, and one of pages, which the guest changes. */
function tables(random: Random): Uint8Array {
  const at = BigInt(ramBase + places.tables);
  const all = new BigUint64Array(4 * 512);
  const entry = (physical: bigint, flags: bigint): bigint => ((physical >> 12n) << 10n) | flags;
  const everything = V | R | W | X | A | D;
  all[0] = entry(0n, everything);
  all[1] = entry(0n, everything | U);
  all[2] = entry(BigInt(ramBase), everything);
  all[3] = entry(BigInt(ramBase), everything | U);
  all[4] = entry(at + 0x2000n, V);
  all[2 * 512] = entry(at + 0x3000n, V);
  const user = random.below(2) === 0 ? U : 0n;
  for (let page = 0; page < ramBytes / 4096; page++) {
    const flags = random.below(8) === 0 ? BigInt(random.below(256)) : everything | user;
    all[3 * 512 + page] = entry(BigInt(ramBase + page * 4096), flags & ~(random.below(8) === 0 ? A | D : 0n));
  }
  return new Uint8Array(all.buffer);
}
