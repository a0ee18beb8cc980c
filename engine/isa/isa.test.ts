/**
 * Every row of the table on the real machine, against a model that was written
 * from the manuals: after each instruction the whole visible state must agree.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../machine/machine';
import { compressedInstructions } from './compressed';
import { decodeInstruction, instructionNamed, matchesCompressed } from './decode';
import { encode, randomImmediate } from './encode.test-support';
import { instructions, type Instruction } from './instructions';
import { pick, random64, randomF, randomX } from './operands.test-support';
import { Random } from './random.test-support';
import { execute, type Operands, type ReferenceState } from './reference-model.test-support';
import { csrNumbers, fNames, xNames } from './registers';
import { tiers } from './tiers.test-support';

const RAM = 0x80000000n;
const HANDLER = RAM + 0x400n;
/** The last one straddles two pages. */
const CODE = [RAM + 0x1000n, RAM + 0x1002n, RAM + 0x1ffen];
const DATA = RAM + 0x10000n;
const DATA_BYTES = 0x2000;
const VECTORS = 80;

const NOP = 0x00000013;
const FS_DIRTY = 0x6000n;

function csr(name: string): number {
  const number = csrNumbers.get(name);
  if (number === undefined) throw new Error(`no CSR is called ${name}`);
  return number;
}

function littleEndian(raw: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (raw >>> (8 * index)) & 0xff);
}

function randomState(random: Random, row: Instruction): ReferenceState {
  const isSingle = row.mnemonic === 'fcvt.d.s' || (row.mnemonic !== 'fcvt.s.d' && row.extension === 'F');
  return {
    x: Array.from({ length: 32 }, (_, index) => (index === 0 ? 0n : randomX(random))),
    f: Array.from({ length: 32 }, () => randomF(random, isSingle)),
    pc: pick(random, CODE),
    fflags: random.below(32),
    frm: random.below(5),
    mscratch: random64(random),
    memory: Uint8Array.from({ length: DATA_BYTES }, () => random.below(256)),
    memoryBase: DATA,
    reservation: null,
  };
}

function randomOperands(random: Random, row: Instruction): Operands {
  const isCsr = row.format === 'csr' || row.format === 'csr-immediate';
  return {
    rd: random.below(32),
    rs1: random.below(32),
    rs2: random.below(32),
    rs3: random.below(32),
    rm: pick(random, [0, 1, 2, 3, 4, 7]),
    imm: isCsr ? pick(random, [0x001, 0x002, 0x003, 0x340]) : randomImmediate(row, random),
    length: 4,
  };
}

/** Points rs1 at data memory. Misaligned accesses are for plain loads and stores only. */
function aimAtData(random: Random, row: Instruction, state: ReferenceState, operands: Operands): void {
  if (!row.loads && !row.stores && row.format !== 'cbo') return;
  if (operands.rs1 === 0) operands.rs1 = 1 + random.below(31);
  const plain = row.format === 'load' || row.format === 'store';
  const alignment = plain && random.below(4) === 0 ? 1 : row.accessBytes || 1;
  const place = Math.floor(random.below(DATA_BYTES - 64) / alignment) * alignment;
  const offset = plain ? BigInt(operands.imm) : 0n;
  state.x[operands.rs1] = BigInt.asUintN(64, DATA + BigInt(place) - offset);
}

describe.each(tiers)('the machine executes as the manuals say, $name', ({ create }) => {
  let machine: Machine;
  /** Rows that a test below is about. */
  const tested = new Set<string>();
  /** A test of one row, or of more. */
  function testOf(mnemonics: string, title: string, body: () => void): void {
    for (const mnemonic of mnemonics.split(' ')) tested.add(mnemonic);
    it(title, body);
  }

  beforeAll(() => {
    machine = create({ ramBytes: 1 << 20 });
    machine.setCsr(csr('mtvec'), HANDLER);
    for (let at = 0n; at < 64n; at += 4n) machine.writeMemory(HANDLER + at, littleEndian(NOP, 4));
  });

  function install(state: ReferenceState): void {
    machine.setCsr(csr('mstatus'), FS_DIRTY);
    state.x.forEach((value, index) => machine.setX(index, value));
    state.f.forEach((value, index) => machine.setF(index, value));
    machine.setCsr(csr('fcsr'), BigInt((state.frm << 5) | state.fflags));
    machine.setCsr(csr('mscratch'), state.mscratch);
    machine.writeMemory(DATA, state.memory);
    machine.pc = state.pc;
  }

  /** Places, runs and counts one instruction. */
  function runOne(raw: number, length: 2 | 4): void {
    machine.writeMemory(machine.pc, littleEndian(raw, length));
    // Nothing that a translator could join to it.
    machine.writeMemory(machine.pc + BigInt(length), littleEndian(0, 2));
    const before = machine.retired;
    expect(machine.run(before + 1)).toBe('limit');
    expect(machine.retired).toBe(before + 1);
  }

  function differences(state: ReferenceState): string[] {
    const found: string[] = [];
    const compare = (place: string, expected: bigint, actual: bigint | undefined): void => {
      if (expected !== actual) found.push(`${place} is 0x${actual?.toString(16)}, should be 0x${expected.toString(16)}`);
    };
    state.x.forEach((value, index) => compare(xNames[index] ?? '', value, machine.getX(index)));
    state.f.forEach((value, index) => compare(fNames[index] ?? '', value, machine.getF(index)));
    compare('pc', state.pc, machine.pc);
    compare('fcsr', BigInt((state.frm << 5) | state.fflags), machine.getCsr(csr('fcsr')));
    compare('mscratch', state.mscratch, machine.getCsr(csr('mscratch')));
    const memory = machine.readMemory(DATA, DATA_BYTES);
    const at = state.memory.findIndex((byte, index) => byte !== memory?.[index]);
    if (at >= 0) found.push(`memory at data + 0x${at.toString(16)} is ${memory?.[at]}, should be ${state.memory[at]}`);
    return found;
  }

  /** Runs the encoding on both sides; what differs, with the operands that made it differ. */
  function check(raw: number, mnemonic: string, operands: Operands, state: ReferenceState): void {
    const sources = `rs1=0x${state.x[operands.rs1]?.toString(16)}/0x${state.f[operands.rs1]?.toString(16)} `
      + `rs2=0x${state.x[operands.rs2]?.toString(16)}/0x${state.f[operands.rs2]?.toString(16)} rs3=0x${state.f[operands.rs3]?.toString(16)} frm=${state.frm}`;
    install(state);
    runOne(raw, operands.length);
    execute(state, mnemonic, operands);
    expect(differences(state), `${mnemonic} ${JSON.stringify(operands)} ${sources}`).toEqual([]);
  }

  /** Rows that trap, return, wait or depend on a reservation: tested one by one below. */
  const directed = new Set(['ecall', 'ebreak', 'mret', 'sret', 'wfi', 'sfence.vma', 'sc.w', 'sc.d']);

  describe.each(['I', 'M', 'A', 'F', 'D', 'Zicsr', 'Zifencei', 'Zba', 'Zbb', 'Zbs', 'Zicond', 'Zicbom', 'Zicboz'])('%s', (extension) => {
    const rows = instructions.filter((row) => row.extension === extension && !directed.has(row.mnemonic));
    for (const row of rows) testOf(row.mnemonic, row.mnemonic, () => {
      const { mnemonic } = row;
      const random = new Random(row.match);
      for (let vector = 0; vector < VECTORS; vector++) {
        const state = randomState(random, row);
        const operands = randomOperands(random, row);
        aimAtData(random, row, state, operands);
        check(encode(row, operands), mnemonic, operands, state);
      }
    });
  });

  describe('C', () => {
    for (const compressed of compressedInstructions.filter(({ mnemonic }) => mnemonic !== 'c.ebreak')) testOf(compressed.mnemonic, compressed.mnemonic, () => {
      const random = new Random(compressed.match);
      let done = 0;
      while (done < VECTORS) {
        const raw = (random.below(0x10000) & ~compressed.mask) | compressed.match;
        if (!matchesCompressed(compressed, raw)) continue;
        const decoded = decodeInstruction(raw);
        if (decoded === undefined) throw new Error(`0x${raw.toString(16)} does not decode`);
        const operands = { rd: decoded.rd, rs1: decoded.rs1, rs2: decoded.rs2, rs3: 0, rm: 0, imm: decoded.imm, length: 2 as const };
        const state = randomState(random, decoded.flags);
        aimAtData(random, decoded.flags, state, operands);
        check(raw, decoded.mnemonic, operands, state);
        done++;
      }
    });
  });

  describe.each(['w', 'd'])('sc.%s', (width) => {
    tested.add(`sc.${width}`);
    const lr = instructionNamed(`lr.${width}`);
    const sc = instructionNamed(`sc.${width}`);
    const other = DATA + 0x1000n;
    // Whether a reservation is held, for which address, and whether it was used up before.
    it.each<[string, bigint | null, boolean]>([
      ['stores after lr of the same address', DATA, false],
      ['fails without lr', null, false],
      ['fails after lr of another address', other, false],
      ['fails the second time', DATA, true],
    ])('%s', (_, reserved, used) => {
      const random = new Random(sc.match);
      for (let vector = 0; vector < 20; vector++) {
        const state = randomState(random, sc);
        state.pc = RAM + 0x1000n;
        state.x[5] = DATA;
        state.x[6] = other;
        install(state);
        const step = (row: Instruction, some: Partial<Operands>): void => {
          const operands: Operands = { rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, imm: random.below(4), length: 4, ...some };
          runOne(encode(row, operands), 4);
          execute(state, row.mnemonic, operands);
        };
        // Empties whatever reservation there was.
        step(sc, { rd: 7, rs1: 6, rs2: 8 });
        if (reserved !== null) step(lr, { rd: 9, rs1: reserved === DATA ? 5 : 6 });
        if (used) step(sc, { rd: 10, rs1: 5, rs2: 11 });
        step(sc, { rd: 12, rs1: 5, rs2: 13 });
        expect(state.x[12]).toBe(reserved === DATA && !used ? 0n : 1n);
        expect(differences(state)).toEqual([]);
      }
    });
  });

  describe('in programs', () => {
    const ROWS = instructions.filter(({ mnemonic }) => !directed.has(mnemonic) && mnemonic !== 'lr.d');
    const START = RAM + 0x20000n;
    const LENGTH = 1000;
    /** Within reach of a jalr from both ends of the program. */
    const MIDDLE = START + 1800n;
    /** x30 holds the program's middle, x31 the middle of the data; nothing else is written to them. */
    const [CODE_BASE, DATA_BASE] = [30, 31];

    interface Placed {
      raw: number;
      mnemonic: string;
      operands: Operands;
    }

    /** Random instructions one after the other, 16 and 32 bits long; what jumps, jumps to one of them. */
    function program(random: Random): Map<bigint, Placed> {
      const placed = new Map<bigint, Placed>();
      const jumps: [bigint, Instruction, Operands][] = [];
      let at = START;
      while (placed.size < LENGTH) {
        const compressed = random.below(4) === 0 ? pick(random, compressedInstructions) : undefined;
        if (compressed !== undefined) {
          const raw = (random.below(0x10000) & ~compressed.mask) | compressed.match;
          const decoded = decodeInstruction(raw);
          if (decoded === undefined || !matchesCompressed(compressed, raw)) continue;
          const { flags, rd, rs1, rs2, imm } = decoded;
          if (flags.control !== 'next' || flags.loads || flags.stores || rd >= CODE_BASE) continue;
          placed.set(at, { raw, mnemonic: decoded.mnemonic, operands: { rd, rs1, rs2, rs3: 0, rm: 0, imm, length: 2 } });
          at += 2n;
          continue;
        }
        const row = pick(random, ROWS);
        const operands = randomOperands(random, row);
        operands.rd = random.below(CODE_BASE);
        if (row.loads || row.stores || row.format === 'cbo') operands.rs1 = DATA_BASE;
        // A reserved rounding mode in frm would make later instructions trap.
        if (row.extension === 'Zicsr') operands.imm = pick(random, [csr('fflags'), csr('mscratch')]);
        if (row.control === 'jump' || row.control === 'branch') jumps.push([at, row, operands]);
        placed.set(at, { raw: encode(row, operands), mnemonic: row.mnemonic, operands });
        at += 4n;
      }
      const starts = [...placed.keys()];
      // The last one goes back to the start.
      const last: Operands = { rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, imm: 0, length: 4 };
      jumps.push([at, instructionNamed('jal'), last]);
      for (const [from, row, operands] of jumps) {
        // Forward, so that a round visits most of the program; jalr reaches no further than its immediate.
        const near = starts.filter((start) => start > from && start - from < 64n && (row.format !== 'jalr' || start - MIDDLE < 2000n));
        const to = from === at || near.length === 0 ? START : pick(random, near);
        if (row.format === 'jalr') operands.rs1 = CODE_BASE;
        operands.imm = Number(to - (row.format === 'jalr' ? MIDDLE : from));
        placed.set(from, { raw: encode(row, operands), mnemonic: row.mnemonic, operands });
      }
      return placed;
    }

    /** Runs `count` instructions of the program, stopping after at most `stride` at a time. */
    function runProgram(seed: number, count: number, stride: number): string[] {
      const random = new Random(seed);
      const code = program(random);
      const state = randomState(random, instructionNamed('fadd.d'));
      state.pc = START;
      state.x[CODE_BASE] = MIDDLE;
      state.x[DATA_BASE] = DATA + BigInt(DATA_BYTES / 2);
      install(state);
      for (const [at, { raw, operands }] of code) machine.writeMemory(at, littleEndian(raw, operands.length));
      const end = machine.retired + count;
      while (machine.retired < end) {
        const stop = machine.run(Math.min(end, machine.retired + stride));
        if (stop !== 'limit') return [`the machine stopped: ${stop}`];
      }
      for (let done = 0; done < count; done++) {
        const next = code.get(state.pc);
        if (next === undefined) throw new Error(`the program has nothing at 0x${state.pc.toString(16)}`);
        execute(state, next.mnemonic, next.operands);
      }
      return differences(state);
    }

    it.each(Array.from({ length: 12 }, (_, index) => index + 1))('a random program in one go, seed %i', (seed) => {
      expect(runProgram(seed, 5000, 5000)).toEqual([]);
    });

    it.each([1, 2])('a random program stopped after every few instructions, seed %i', (seed) => {
      for (const stride of [1, 2, 3, 7]) expect(runProgram(seed, 2000, stride), `every ${stride}`).toEqual([]);
    });
  });

  describe('traps', () => {
    const CODE_AT = RAM + 0x1000n;
    const MSTATUS_MIE = 1n << 3n;
    const MSTATUS_MPIE = 1n << 7n;
    const MSTATUS_MPP = 3n << 11n;

    function ready(setUp: Partial<ReferenceState> = {}): ReferenceState {
      const state = { ...randomState(new Random(1), instructionNamed('add')), pc: CODE_AT, ...setUp };
      install(state);
      return state;
    }

    /** A trap retires nothing itself: the one instruction that does is the handler's first. */
    function expectTrap(raw: number, length: 2 | 4, state: ReferenceState, cause: bigint, value: bigint): void {
      const mstatus = machine.getCsr(csr('mstatus')) ?? 0n;
      runOne(raw, length);
      expect(machine.getCsr(csr('mcause'))).toBe(cause);
      expect(machine.getCsr(csr('mepc'))).toBe(state.pc);
      expect(machine.getCsr(csr('mtval'))).toBe(value);
      const after = machine.getCsr(csr('mstatus')) ?? 0n;
      expect(after & MSTATUS_MIE).toBe(0n);
      expect((after & MSTATUS_MPIE) !== 0n).toBe((mstatus & MSTATUS_MIE) !== 0n);
      expect(after & MSTATUS_MPP).toBe(MSTATUS_MPP);
      // Nothing but the pc moved: the handler's first instruction is a nop.
      state.pc = HANDLER + 4n;
      expect(differences(state)).toEqual([]);
    }

    /** A trap into machine mode from a lower one; `state` is what it was before, if that matters. */
    function expectTrapFrom(privilege: bigint, raw: number, state: ReferenceState | undefined, cause: bigint): void {
      const { pc } = machine;
      runOne(raw, 4);
      expect(machine.getCsr(csr('mcause'))).toBe(cause);
      expect(machine.getCsr(csr('mepc'))).toBe(pc);
      expect((machine.getCsr(csr('mstatus')) ?? 0n) & MSTATUS_MPP).toBe(privilege << 11n);
      if (state === undefined) return;
      state.pc = HANDLER + 4n;
      expect(differences(state)).toEqual([]);
    }

    testOf('ecall', 'ecall', () => expectTrap(0x00000073, 4, ready(), 11n, 0n));
    testOf('ebreak', 'ebreak gives its own address', () => expectTrap(0x00100073, 4, ready(), 3n, CODE_AT));
    testOf('c.ebreak', 'c.ebreak gives its own address', () => expectTrap(0x9002, 2, ready(), 3n, CODE_AT));

    it('an illegal encoding is in mtval', () => {
      const random = new Random(7);
      for (let count = 0; count < 200; count++) {
        const word = random.word();
        const raw = (word & 3) === 3 ? word : word & 0xffff;
        if (decodeInstruction(raw) !== undefined) continue;
        expectTrap(raw, (raw & 3) === 3 ? 4 : 2, ready(), 2n, BigInt(raw));
      }
    });

    it('a reserved dynamic rounding mode is illegal', () => {
      const raw = encode(instructionNamed('fadd.d'), { rd: 1, rs1: 2, rs2: 3, rm: 7 });
      for (const frm of [5, 6, 7]) expectTrap(raw, 4, ready({ frm }), 2n, BigInt(raw));
    });

    it('floating point is illegal while mstatus.FS is off', () => {
      for (const mnemonic of ['fadd.s', 'fsgnj.d', 'fld', 'fsd', 'fmv.x.d', 'fcvt.d.l']) {
        const state = ready();
        state.x[5] = DATA;
        machine.setX(5, DATA);
        machine.setCsr(csr('mstatus'), 0n);
        const raw = encode(instructionNamed(mnemonic), { rd: 1, rs1: 5, rs2: 3 });
        const fcsr = (state.frm << 5) | state.fflags;
        runOne(raw, 4);
        expect(machine.getCsr(csr('mcause')), mnemonic).toBe(2n);
        expect(machine.getCsr(csr('mtval')), mnemonic).toBe(BigInt(raw));
        machine.setCsr(csr('mstatus'), FS_DIRTY);
        expect(machine.getCsr(csr('fcsr')), mnemonic).toBe(BigInt(fcsr));
      }
    });

    it.each([
      ['ld', 5n], ['lbu', 5n], ['flw', 5n], ['lr.w', 5n], ['sd', 7n], ['fsd', 7n], ['amoadd.d', 7n], ['cbo.zero', 7n],
    ])('%s outside of memory gives cause %i and changes nothing', (mnemonic, cause) => {
      const state = ready();
      const nowhere = 0x4000000000n;
      state.x[5] = nowhere;
      machine.setX(5, nowhere);
      expectTrap(encode(instructionNamed(mnemonic), { rd: 6, rs1: 5, rs2: 7 }), 4, state, cause, nowhere);
    });

    it.each([
      ['lr.w', 4n, 2n], ['lr.d', 4n, 4n], ['sc.w', 6n, 1n], ['amoswap.w', 6n, 2n], ['amoadd.d', 6n, 4n],
    ])('a misaligned %s gives cause %i', (mnemonic, cause, offset) => {
      const state = ready();
      state.x[5] = DATA + offset;
      machine.setX(5, DATA + offset);
      expectTrap(encode(instructionNamed(mnemonic), { rd: 6, rs1: 5, rs2: 7 }), 4, state, cause, DATA + offset);
    });

    it('a jump out of memory faults at its target, after it has retired', () => {
      const state = ready();
      const nowhere = 0x4000000000n;
      state.x[5] = nowhere;
      machine.setX(5, nowhere);
      runOne(encode(instructionNamed('jalr'), { rd: 1, rs1: 5 }), 4);
      expect([machine.pc, machine.getX(1)]).toEqual([nowhere, CODE_AT + 4n]);
      const before = machine.retired;
      expect(machine.run(before + 1)).toBe('limit');
      expect(machine.getCsr(csr('mcause'))).toBe(1n);
      expect(machine.getCsr(csr('mepc'))).toBe(nowhere);
      expect(machine.pc).toBe(HANDLER + 4n);
    });

    it.each<[string, number, 'csrrw' | 'csrrs']>([
      ['a CSR that is not there', 0x5c0, 'csrrs'],
      ['a write to a read-only CSR', 0xf14, 'csrrw'],
      ['a set of bits in a read-only CSR', 0xc00, 'csrrs'],
    ])('%s is illegal', (_, number, mnemonic) => {
      const raw = encode(instructionNamed(mnemonic), { rd: 5, rs1: 6, imm: number });
      expectTrap(raw, 4, ready(), 2n, BigInt(raw));
    });

    it('reads of a read-only CSR are legal', () => {
      const state = ready();
      runOne(encode(instructionNamed('csrrs'), { rd: 5, rs1: 0, imm: csr('mhartid') }), 4);
      state.x[5] = 0n;
      state.pc += 4n;
      expect(differences(state)).toEqual([]);
    });

    it('instret counts what has retired before, and a write to it counts from the next instruction', () => {
      ready();
      machine.setX(6, 1000n);
      const read = encode(instructionNamed('csrrs'), { rd: 5, rs1: 0, imm: csr('minstret') });
      runOne(encode(instructionNamed('csrrw'), { rd: 0, rs1: 6, imm: csr('minstret') }), 4);
      runOne(read, 4);
      expect(machine.getX(5)).toBe(1000n);
      runOne(NOP, 4);
      runOne(read, 4);
      expect(machine.getX(5)).toBe(1002n);
    });

    it('floating-point results make mstatus.FS dirty, others do not', () => {
      const INITIAL = 0x2000n;
      const FS = 0x6000n;
      const fsAfter = (mnemonic: string): bigint => {
        ready();
        machine.setX(5, DATA);
        machine.setCsr(csr('mstatus'), INITIAL);
        runOne(encode(instructionNamed(mnemonic), { rd: 1, rs1: 5, rs2: 3 }), 4);
        return (machine.getCsr(csr('mstatus')) ?? 0n) & FS;
      };
      for (const mnemonic of ['fadd.d', 'fld', 'fmv.w.x', 'fsgnj.s', 'fcvt.d.w']) expect(fsAfter(mnemonic), mnemonic).toBe(FS);
      // Marking it dirty too often is allowed (volume II, 3.1.6.6), so fclass and fmv.x.d may do either.
      for (const mnemonic of ['fsd', 'add']) expect(fsAfter(mnemonic), mnemonic).toBe(INITIAL);
    });

    describe('in user mode', () => {
      function enterUserMode(): ReferenceState {
        const state = ready();
        // All of memory for every mode.
        machine.setCsr(csr('pmpaddr0'), (1n << 54n) - 1n);
        machine.setCsr(csr('pmpcfg0'), 0x1fn);
        machine.setCsr(csr('mepc'), CODE_AT + 0x100n);
        machine.setCsr(csr('mstatus'), FS_DIRTY | MSTATUS_MPIE);
        runOne(0x30200073, 4);
        state.pc = CODE_AT + 0x100n;
        return state;
      }

      function expectUserTrap(raw: number, cause: bigint, value: bigint): void {
        const state = enterUserMode();
        runOne(raw, 4);
        expect(machine.getCsr(csr('mcause'))).toBe(cause);
        expect(machine.getCsr(csr('mepc'))).toBe(state.pc);
        expect(machine.getCsr(csr('mtval'))).toBe(value);
        expect((machine.getCsr(csr('mstatus')) ?? 0n) & MSTATUS_MPP).toBe(0n);
        state.pc = HANDLER + 4n;
        expect(differences(state)).toEqual([]);
      }

      it('ecall has a cause of its own', () => expectUserTrap(0x00000073, 8n, 0n));
      it('mret is illegal', () => expectUserTrap(0x30200073, 2n, 0x30200073n));
      it.each(['sret', 'sfence.vma', 'wfi'])('%s is illegal', (mnemonic) => {
        const raw = encode(instructionNamed(mnemonic), { rs1: 5, rs2: 6 });
        expectUserTrap(raw, 2n, BigInt(raw));
      });
      it('machine CSRs are illegal', () => {
        const raw = encode(instructionNamed('csrrs'), { rd: 5, rs1: 0, imm: csr('mscratch') });
        expectUserTrap(raw, 2n, BigInt(raw));
      });
      it('cycle is illegal unless mcounteren has it', () => {
        const raw = encode(instructionNamed('csrrs'), { rd: 5, rs1: 0, imm: csr('cycle') });
        machine.setCsr(csr('mcounteren'), 0n);
        expectUserTrap(raw, 2n, BigInt(raw));
        machine.setCsr(csr('mcounteren'), 7n);
        machine.setCsr(csr('scounteren'), 7n);
        const state = enterUserMode();
        runOne(raw, 4);
        expect(machine.pc).toBe(state.pc + 4n);
        // Back to machine mode for the tests after this one.
        runOne(0x00000073, 4);
      });
    });

    testOf('mret', 'mret goes to mepc, takes MPIE for MIE and leaves MPP at the least mode', () => {
      const state = ready();
      machine.setCsr(csr('mepc'), RAM + 0x2000n);
      machine.setCsr(csr('mstatus'), FS_DIRTY | MSTATUS_MPP | MSTATUS_MPIE);
      runOne(0x30200073, 4);
      state.pc = RAM + 0x2000n;
      expect(differences(state)).toEqual([]);
      const after = machine.getCsr(csr('mstatus')) ?? 0n;
      expect(after & (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP)).toBe(MSTATUS_MIE | MSTATUS_MPIE);
    });

    testOf('sret', 'sret goes to sepc, takes SPIE for SIE, leaves SPP at the least mode and switches MPRV off', () => {
      const [SIE, SPIE, SPP, MPRV] = [1n << 1n, 1n << 5n, 1n << 8n, 1n << 17n];
      const state = ready();
      machine.setCsr(csr('sepc'), RAM + 0x2000n);
      machine.setCsr(csr('mstatus'), FS_DIRTY | SPP | SPIE | MPRV);
      // All of memory for supervisor mode.
      machine.setCsr(csr('pmpaddr0'), (1n << 54n) - 1n);
      machine.setCsr(csr('pmpcfg0'), 0x1fn);
      runOne(0x10200073, 4);
      state.pc = RAM + 0x2000n;
      expect(differences(state)).toEqual([]);
      expect((machine.getCsr(csr('mstatus')) ?? 0n) & (SIE | SPIE | SPP | MPRV)).toBe(SIE | SPIE);
      // Supervisor mode it is: its call has a cause of its own.
      expectTrapFrom(1n, 0x00000073, state, 9n);
    });

    testOf('sfence.vma', 'sfence.vma orders a changed page-table entry before later accesses; TVM makes it illegal in supervisor mode', () => {
      const leaf = (page: bigint): bigint => ((RAM >> 12n) + page) << 10n | 0xcfn; // valid, rwx, accessed, dirty
      const put = (at: bigint, value: bigint): void => void machine.writeMemory(at, Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)));
      const [root, middle, last] = [RAM + 0x20000n, RAM + 0x21000n, RAM + 0x22000n];
      const pointer = (at: bigint): bigint => ((at >> 12n) << 10n) | 1n;
      put(root + 8n * 2n, leaf(0n)); // RAM's gigabyte to itself
      put(root, pointer(middle));
      put(middle, pointer(last));
      put(last, leaf(0x30n));
      put(RAM + 0x30000n, 0x1111n);
      put(RAM + 0x31000n, 0x2222n);
      const state = ready();
      machine.setCsr(csr('pmpaddr0'), (1n << 54n) - 1n);
      machine.setCsr(csr('pmpcfg0'), 0x1fn);
      machine.setCsr(csr('satp'), (8n << 60n) | (root >> 12n));
      machine.setCsr(csr('mepc'), CODE_AT);
      machine.setCsr(csr('mstatus'), FS_DIRTY | (1n << 11n));
      runOne(0x30200073, 4);
      const place = (operands: Partial<Operands>, mnemonic: string): void => runOne(encode(instructionNamed(mnemonic), operands), 4);
      place({ rd: 5 }, 'ld');
      expect(machine.getX(5)).toBe(0x1111n);
      // The entry is changed by a store through the mapping of RAM itself.
      machine.setX(6, last);
      machine.setX(7, leaf(0x31n));
      place({ rs1: 6, rs2: 7 }, 'sd');
      const raw = encode(instructionNamed('sfence.vma'), {});
      runOne(raw, 4);
      place({ rd: 5 }, 'ld');
      expect(machine.getX(5)).toBe(0x2222n);
      machine.setCsr(csr('mstatus'), (machine.getCsr(csr('mstatus')) ?? 0n) | (1n << 20n));
      state.pc = machine.pc;
      expectTrapFrom(1n, raw, undefined, 2n);
      machine.setCsr(csr('satp'), 0n);
    });

    testOf('wfi', 'wfi is a nop while an enabled interrupt is pending', () => {
      const state = ready();
      // mtimecmp of hart 0 at 0: the timer interrupt is pending from now on.
      state.x[5] = 0x02004000n;
      machine.setX(5, 0x02004000n);
      runOne(encode(instructionNamed('sd'), { rs1: 5, rs2: 0 }), 4);
      machine.setCsr(csr('mie'), 1n << 7n);
      runOne(0x10500073, 4);
      machine.setCsr(csr('mie'), 0n);
      state.pc = CODE_AT + 8n;
      expect(differences(state)).toEqual([]);
    });
  });

  it('every row of both tables has a test of its own', () => {
    const rows = [...instructions, ...compressedInstructions].map(({ mnemonic }) => mnemonic);
    expect(rows.filter((mnemonic) => !tested.has(mnemonic))).toEqual([]);
  });
});
