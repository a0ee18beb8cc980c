/** What the guests of guest.ts are made of. Bounds of loops and depths of calls are registers that nothing else writes. */
import type { Random } from '../../engine/isa/random.test-support';
import { csr, encode, loadImmediate } from '../oracles/assembler';
import { RandomUnits, type Unit } from '../oracles/random-units';

/** Registers with a meaning. `bases` hold addresses of data, `code` the code's first, and so on. */
export const roles = {
  bases: [2, 8, 9],
  code: 3, clint: 4, disk: 20, queue: 21, tables: 19, uart: 22,
  stack: 24, depth: 23, saved: 25, inner: 26, outer: 27,
  scratch: 28,
  handler: [31, 30, 29],
} as const;

const kept = [...roles.bases, roles.code, roles.clint, roles.disk, roles.queue, roles.tables, roles.uart, roles.stack, roles.depth, roles.saved, roles.inner, roles.outer];
const [ra, temporary, other] = [1, 6, 7] as const;

export class GuestUnits {
  readonly #plain: RandomUnits;
  /** Offsets of functions that have been made, from the code's start on. */
  readonly #functions: number[] = [];

  constructor(private readonly random: Random) {
    // Now and then the registers with a meaning lose it.
    const reserved = random.below(10) === 0 ? [roles.inner, roles.outer] : kept;
    this.#plain = new RandomUnits(random, { bases: roles.bases, reserved: new Set(reserved), scratch: roles.scratch, everything: true });
  }

  /** Units that belong together, to be put at an offset of the code; `starts` are the offsets of those before. */
  next(at: number, starts: readonly number[]): Unit[] {
    const kind = this.random.below(100);
    if (kind < 14) return this.#loop(roles.outer, true);
    if (kind < 22) return this.#function(at);
    if (kind < 34) return [this.#call(at)];
    if (kind < 37) return [this.#back(at, starts)];
    if (kind < 60) return [this.#special()];
    return this.#straight(1 + this.random.below(8));
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.random.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  #straight(count: number): Unit[] {
    return Array.from({ length: count }, () => this.#plain.any());
  }

  #loop(counter: number, nests: boolean): Unit[] {
    const { random } = this;
    const body: Unit[] = [];
    for (let i = 1 + random.below(4); i > 0; i--) {
      if (nests && random.below(4) === 0) body.push(...this.#loop(roles.inner, false));
      else if (random.below(4) === 0) body.push(this.#special());
      else body.push(...this.#straight(1 + random.below(4)));
    }
    const bytes = body.flat().reduce<number>((sum, part) => sum + (((typeof part === 'number' ? part : part.jump.raw) & 3) === 3 ? 4 : 2), 0);
    return [
      [encode('addi', { rd: counter, immediate: 1 + random.below(nests ? 40 : 12) })],
      ...body,
      [encode('addi', { rd: counter, rs1: counter, immediate: -1 }), encode('blt', { rs2: counter, immediate: -(bytes + 4) })],
    ];
  }

  /** A function behind a jump over it: a leaf, one that calls another, or one that calls itself as often as `depth` says. */
  #function(at: number): Unit[] {
    const { random } = this;
    const body = this.#straight(1 + random.below(5)).filter((unit) => unit.every((part) => typeof part === 'number'));
    const inner: Unit[] = [];
    const entry = at + 4;
    const length = (units: readonly Unit[]): number => units.flat().reduce<number>((sum, part) => sum + (((typeof part === 'number' ? part : part.jump.raw) & 3) === 3 ? 4 : 2), 0);
    switch (random.below(4)) {
      case 0: case 1:
        // Now and then it returns to somewhere else.
        inner.push(...body, ...(random.below(6) === 0 ? [[encode('addi', { rd: ra, rs1: ra, immediate: 4 })]] : []), [encode('jalr', { rs1: ra })]);
        break;
      case 2: {
        const head = [[encode('addi', { rd: roles.saved, rs1: ra })], ...body];
        inner.push(...head, this.#call(entry + length(head)), [encode('jalr', { rs1: roles.saved })]);
        break;
      }
      default: {
        const { stack, depth } = roles;
        const head: Unit[] = [
          [encode('addi', { rd: stack, rs1: stack, immediate: -16 }), encode('sd', { rs1: stack, rs2: ra }), encode('addi', { rd: depth, rs1: depth, immediate: -1 })],
          ...body,
        ];
        inner.push(...head, [
          encode('bge', { rs2: depth, immediate: 8 }),
          encode('jal', { rd: ra, immediate: -(length(head) + 4) }),
          encode('ld', { rd: ra, rs1: stack }),
          encode('addi', { rd: stack, rs1: stack, immediate: 16 }),
          encode('jalr', { rs1: ra }),
        ]);
      }
    }
    this.#functions.push(entry);
    return [[encode('jal', { immediate: 4 + length(inner) })], ...inner];
  }

  /** A call of a function that is known, directly, or by an address that is computed; a tail call; a call that takes another register. */
  #call(at: number): Unit {
    const { random } = this;
    const target = this.#functions.length === 0 ? at + 8 : this.#pick(this.#functions);
    const deep = random.below(3) === 0 ? [encode('addi', { rd: roles.depth, immediate: random.below(12) })] : [];
    const from = at + 4 * deep.length;
    const link = random.below(8) === 0 ? this.#pick([0, 5]) : ra;
    if (random.below(3) !== 0) return [...deep, encode('jal', { rd: link, immediate: target - from })];
    const distance = target - from;
    const low = (distance << 20) >> 20;
    return [...deep, encode('auipc', { rd: temporary, immediate: distance - low }), encode('jalr', { rd: link, rs1: temporary, immediate: low })];
  }

  /** A branch or jump to any unit before: goto, as compilers do not write it. A register counts how often. */
  #back(at: number, starts: readonly number[]): Unit {
    const target = starts.length === 0 ? at : this.#pick(starts.slice(-40));
    const far = target - at - 4 < -4000;
    const count = encode('addi', { rd: roles.outer, rs1: roles.outer, immediate: -1 });
    return [count, far ? encode('addi', { rd: 0 }) : encode('blt', { rs2: roles.outer, immediate: target - at - 4 })];
  }

  #special(): Unit {
    switch (this.random.below(17)) {
      case 0: case 1: case 2: return this.#overwrite();
      case 3: case 14: case 15: return this.#timer();
      case 4: return this.#transfer();
      case 5: case 6: return this.#entry();
      case 7: case 8: return this.#mode();
      case 9: return this.#protection();
      case 10: case 13: return this.#device();
      case 11: return this.#interruptEnables();
      case 12: return this.#counters();
      default: return this.#space();
    }
  }

  /** Copies a word of code to another place, or changes an immediate of one; with or without telling. */
  #overwrite(): Unit {
    const { random } = this;
    const { code } = roles;
    const place = (): number => 4 * random.below(500);
    const [from, to] = [place(), place()];
    const told = random.below(2) === 0 ? [encode('fence.i')] : [];
    const how = random.below(4);
    // The next instruction but one, which may be in this very block: addi 0 or 1 in turn.
    if (how > 1) {
      const [aim, load, change, flip, store] = [
        encode('auipc', { rd: other }),
        encode('lw', { rd: temporary, rs1: other, immediate: 24 }),
        encode('lui', { rd: roles.scratch, immediate: 1 << 20 }),
        encode('xor', { rd: temporary, rs1: temporary, rs2: roles.scratch }),
        encode('sw', { rs1: other, rs2: temporary, immediate: 24 }),
      ];
      const patched = encode('addi', { rd: 10, rs1: 10, immediate: 0 });
      return [aim, load, change, flip, store, how === 2 ? encode('fence.i') : encode('addi', { rd: 11, rs1: 11, immediate: 1 }), patched];
    }
    return [encode('lw', { rd: temporary, rs1: code, immediate: from }), encode('sw', { rs1: code, rs2: temporary, immediate: how === 0 ? from : to }), ...told];
  }

  /** The next timer interrupt, soon; at times a wait for it. */
  #timer(): Unit {
    const { clint } = roles;
    const wait = this.random.below(4) === 0 ? [encode('wfi')] : [];
    return [
      encode('csrrs', { rd: temporary, immediate: 0xc01 }),
      encode('addi', { rd: temporary, rs1: temporary, immediate: this.random.below(60) }),
      this.random.below(3) === 0 ? encode('csrrw', { rs1: temporary, immediate: 0x14d }) : encode('sd', { rs1: clint, rs2: temporary }),
      ...wait,
    ];
  }

  /** One more request for the disk, which writes to code and data at once. */
  #transfer(): Unit {
    const { queue, disk } = roles;
    return [
      encode('lhu', { rd: temporary, rs1: queue, immediate: 2 }),
      encode('addi', { rd: temporary, rs1: temporary, immediate: 1 }),
      encode('sh', { rs1: queue, rs2: temporary, immediate: 2 }),
      encode('sw', { rs1: disk, immediate: 0x50 }),
    ];
  }

  /** Page-table entries change places, or permissions; with or without sfence.vma. */
  #entry(): Unit {
    const { random } = this;
    const { tables } = roles;
    const page = (): number => 8 * this.#pick([16, 17, 18, 19, 32, 33, 34, 35]);
    const [first, second] = [page(), page()];
    const fence = random.below(4) === 0 ? [] : [encode('sfence.vma', { rs1: random.below(4), rs2: random.below(4) })];
    const swap = [
      encode('ld', { rd: temporary, rs1: tables, immediate: first }), encode('ld', { rd: other, rs1: tables, immediate: second }),
      encode('sd', { rs1: tables, rs2: other, immediate: first }), encode('sd', { rs1: tables, rs2: temporary, immediate: second }),
    ];
    const permissions = [
      encode('ld', { rd: temporary, rs1: tables, immediate: first }),
      encode('xori', { rd: temporary, rs1: temporary, immediate: 1 << random.below(8) }),
      encode('sd', { rs1: tables, rs2: temporary, immediate: first }),
    ];
    return [...(random.below(2) === 0 ? swap : permissions), ...fence];
  }

  /** On to the next unit in another mode, or at another of the code's addresses. From user mode it traps, and is then tried again in machine mode. */
  #mode(): Unit {
    const { random } = this;
    if (random.below(3) === 0) return [encode('ecall')];
    const previous = random.below(2) === 0 ? [encode('csrrc', { rs1: other, immediate: csr.mstatus })] : [encode('csrrs', { rs1: other, immediate: csr.mstatus })];
    // MPP: 0x1800 to be cleared, 0x800 to become supervisor mode.
    const clear = [encode('addi', { rd: other, immediate: 3 }), encode('slli', { rd: other, rs1: other, immediate: 11 }), encode('csrrc', { rs1: other, immediate: csr.mstatus })];
    const supervisor = [encode('addi', { rd: other, immediate: 1 }), encode('slli', { rd: other, rs1: other, immediate: 11 }), ...previous];
    const alias = random.below(3);
    const shift = alias === 0 ? [] : alias === 1
      ? [encode('addi', { rd: other, immediate: 1 }), encode('slli', { rd: other, rs1: other, immediate: 30 }), encode('add', { rd: temporary, rs1: temporary, rs2: other })]
      : [encode('addi', { rd: other, immediate: 1 }), encode('slli', { rd: other, rs1: other, immediate: 31 }), encode('add', { rd: temporary, rs1: temporary, rs2: other })];
    const rest = [...clear, ...supervisor, ...shift, encode('csrrw', { rs1: temporary, immediate: csr.mepc }), encode('mret')];
    return [encode('auipc', { rd: temporary }), encode('addi', { rd: temporary, rs1: temporary, immediate: 8 + 4 * rest.length }), ...rest];
  }

  /** Other permissions for the code's first page, and for all the rest; none of it is machine mode's. */
  #protection(): Unit {
    const regions = 0x1f18 | this.#pick([7, 5, 1, 4, 7, 7]);
    return [...loadImmediate(temporary, BigInt(regions)), encode('csrrw', { rs1: temporary, immediate: csr.pmpcfg0 })];
  }

  #device(): Unit {
    const { uart, clint } = roles;
    switch (this.random.below(6)) {
      case 0: case 5: return [encode('sb', { rs1: uart, rs2: this.random.below(32) })];
      case 1: return [encode('lbu', { rd: this.#plain.target(), rs1: uart, immediate: this.#pick([0, 2, 5, 6]) })];
      case 2: return [encode('ld', { rd: this.#plain.target(), rs1: clint })];
      // The software interrupt of the first hart.
      case 3: return [encode('lui', { rd: other, immediate: 0x200_0000 }), encode('addi', { rd: temporary, immediate: 1 }), encode('sw', { rs1: other, rs2: temporary })];
      // An access that crosses the end of the UART, or of RAM.
      default: return [encode('lw', { rd: this.#plain.target(), rs1: uart, immediate: 254 })];
    }
  }

  #interruptEnables(): Unit {
    const on = this.random.below(3) !== 0;
    const number = this.#pick([csr.mstatus, csr.mstatus, csr.sstatus]);
    if (this.random.below(3) === 0) return [...loadImmediate(temporary, 0x6000n), encode(on ? 'csrrs' : 'csrrc', { rs1: temporary, immediate: number })];
    return [encode(on ? 'csrrsi' : 'csrrci', { rs1: number === csr.sstatus ? 2 : 8, immediate: number })];
  }

  #counters(): Unit {
    const number = this.#pick([0xc00, 0xc01, 0xc02, 0xb00, 0xb02, csr.mip, csr.mcause, csr.sstatus, csr.fcsr]);
    return [encode('csrrs', { rd: this.#plain.target(), immediate: number })];
  }

  /** Translation on or off. */
  #space(): Unit {
    const { tables } = roles;
    const off = this.random.below(3) === 0;
    const on = [
      encode('addi', { rd: other, immediate: -3 }), encode('slli', { rd: other, rs1: other, immediate: 12 }), encode('add', { rd: temporary, rs1: tables, rs2: other }),
      encode('srli', { rd: temporary, rs1: temporary, immediate: 12 }), encode('addi', { rd: other, immediate: 1 }), encode('slli', { rd: other, rs1: other, immediate: 63 }),
      encode('or', { rd: temporary, rs1: temporary, rs2: other }),
    ];
    return [...(off ? [] : on), encode('csrrw', { rs1: off ? 0 : temporary, immediate: csr.satp })];
  }
}
