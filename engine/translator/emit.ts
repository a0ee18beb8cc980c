/**
 * Translates a region of guest code to one WebAssembly function of the same
 * meaning as the core's `interpret`: the same events, and RETIRED, CYCLES and
 * PC as exact. Registers are locals from the function's beginning to its end;
 * a block is paid for as a whole when it is entered, or not entered.
 */
import { at as layout } from '../core/layout';
import { instructions } from '../isa/instructions';
import type { Block, PlacedInstruction } from './region';
import { i32, i64, memory, op, WasmCode, type FunctionType, type WasmFunction } from './wasm-code';

/** Events of interpret.ts that translated code returns by itself. */
const events = { budget: 0, leaving: 2, far: 3 } as const;

/** What the table of functions holds: page's virtual address, goal, the page's records, number of the block; the event. */
export const entryType: FunctionType = { parameters: [i64, i64, i32, i32], results: [i32] };

const binary: FunctionType = { parameters: [i64, i64], results: [i64] };
const binary32: FunctionType = { parameters: [i32, i32], results: [i64] };
const unary: FunctionType = { parameters: [i64], results: [i64] };

/** What translated code calls of the core's. */
export const helpers = [
  { name: 'loadFor', type: { parameters: [i64, i32, i64, i64, i32], results: [i64] } },
  { name: 'finishLoad', type: { parameters: [], results: [] } },
  { name: 'storeFor', type: { parameters: [i64, i32, i64, i64, i64, i32], results: [] } },
  { name: 'atomicFor', type: { parameters: [i32, i32, i64, i64, i32], results: [] } },
  { name: 'floatFor', type: { parameters: [i32, i32, i64, i64, i32], results: [] } },
  { name: 'floatUse', type: { parameters: [i64, i64, i32], results: [] } },
  ...['mulh', 'mulhsu', 'mulhu', 'div64', 'divu64', 'rem64', 'remu64'].map((name) => ({ name, type: binary })),
  ...['div32', 'divu32', 'rem32', 'remu32'].map((name) => ({ name, type: binary32 })),
  ...['orcb', 'rev8'].map((name) => ({ name, type: unary })),
] as const satisfies readonly { name: string; type: FunctionType }[];
const helperIndex = new Map<string, number>(helpers.map(({ name }, index) => [name, index]));

// Parameters, then locals.
const [pageVa, goal, records, next, paid, cycles, va, tlb, entry, event, pc, value, site] = Array.from({ length: 13 }, (_, i) => i) as [
  number, number, number, number, number, number, number, number, number, number, number, number, number,
];
const localTypes = [i64, i64, i64, i32, i32, i32, i64, i64, i32];
const firstRegister = 13;

/** The operation of records at which translated code begins: code.ts. Its immediate is a function's index, and above that a block's number. */
export const entryOp = instructions.length + 5;
export const [entryIndexMask, entryBlockShift] = [0xfffff, 20] as const;

const floatState = 0x6000;
const writeSet = 0x2000;
const tlbMask = (512 - 1) << 4;
const pageMask = -4096;

/** Where the record of an instruction that the core executes stands, or undefined if there is no room for more. */
export type RecordOf = (raw: number) => number | undefined;

const simple: Readonly<Record<string, number>> = {
  add: op.i64_add, sub: op.i64_sub, xor: op.i64_xor, or: op.i64_or, and: op.i64_and, sll: op.i64_shl, srl: op.i64_shr_u, sra: op.i64_shr_s,
  mul: op.i64_mul, rol: op.i64_rotl, ror: op.i64_rotr,
};
const simpleImmediate: Readonly<Record<string, number>> = {
  addi: op.i64_add, xori: op.i64_xor, ori: op.i64_or, andi: op.i64_and, slli: op.i64_shl, srli: op.i64_shr_u, srai: op.i64_shr_s, rori: op.i64_rotr,
};
const words: Readonly<Record<string, number>> = { addw: op.i64_add, subw: op.i64_sub, mulw: op.i64_mul };
const words32: Readonly<Record<string, number>> = { sllw: op.i32_shl, srlw: op.i32_shr_u, sraw: op.i32_shr_s, rolw: op.i32_rotl, rorw: op.i32_rotr };
const wordsImmediate: Readonly<Record<string, number>> = { slliw: op.i32_shl, srliw: op.i32_shr_u, sraiw: op.i32_shr_s, roriw: op.i32_rotr };
const comparisons: Readonly<Record<string, number>> = { slt: op.i64_lt_s, sltu: op.i64_lt_u };
const branches: Readonly<Record<string, number>> = {
  beq: op.i64_eq, bne: op.i64_ne, blt: op.i64_lt_s, bge: op.i64_ge_s, bltu: op.i64_lt_u, bgeu: op.i64_ge_u,
};
const calls: Readonly<Record<string, string>> = {
  mulh: 'mulh', mulhsu: 'mulhsu', mulhu: 'mulhu', div: 'div64', divu: 'divu64', rem: 'rem64', remu: 'remu64',
};
const calls32: Readonly<Record<string, string>> = { divw: 'div32', divuw: 'divu32', remw: 'rem32', remuw: 'remu32' };
const shifts: Readonly<Record<string, { by: number; word: boolean }>> = {
  sh1add: { by: 1, word: false }, sh2add: { by: 2, word: false }, sh3add: { by: 3, word: false },
  'sh1add.uw': { by: 1, word: true }, 'sh2add.uw': { by: 2, word: true }, 'sh3add.uw': { by: 3, word: true }, 'add.uw': { by: 0, word: true },
};
const inverted: Readonly<Record<string, number>> = { andn: op.i64_and, orn: op.i64_or };
const unaries: Readonly<Record<string, readonly number[]>> = {
  clz: [op.i64_clz], ctz: [op.i64_ctz], cpop: [op.i64_popcnt],
  clzw: [op.i32_wrap, op.i32_clz, op.i64_extend_u], ctzw: [op.i32_wrap, op.i32_ctz, op.i64_extend_u], cpopw: [op.i32_wrap, op.i32_popcnt, op.i64_extend_u],
  'sext.b': [op.i64_extend8_s], 'sext.h': [op.i64_extend16_s],
};
const loads: Readonly<Record<string, { code: number; signed: boolean }>> = {
  lb: { code: memory.i64_load8_s, signed: true }, lbu: { code: memory.i64_load8_u, signed: false },
  lh: { code: memory.i64_load16_s, signed: true }, lhu: { code: memory.i64_load16_u, signed: false },
  lw: { code: memory.i64_load32_s, signed: true }, lwu: { code: memory.i64_load32_u, signed: false },
  ld: { code: memory.i64_load, signed: true }, flw: { code: memory.i64_load32_u, signed: false }, fld: { code: memory.i64_load, signed: true },
};
const stores: Readonly<Record<string, number>> = {
  sb: memory.i64_store8, sh: memory.i64_store16, sw: memory.i64_store32, sd: memory.i64_store, fsw: memory.i64_store32, fsd: memory.i64_store,
};

/** True for what the core has to execute by itself, with everything it looks at brought up to date. */
export function refuses({ flags, mnemonic }: { flags: PlacedInstruction['flags']; mnemonic: string }): boolean {
  if (flags.control !== 'next' && flags.control !== 'branch' && flags.control !== 'jump') return true;
  return flags.extension === 'Zicboz' || flags.extension === 'Zicbom' || mnemonic.startsWith('cbo.');
}

export class Emitter {
  readonly #code = new WasmCode();
  readonly #registers = new Map<number, number>();
  readonly #written: number[] = [];
  readonly #indexAt: Map<number, number>;
  #block = 0;
  /** Labels between the block's own code and the next one's. */
  #depth = 0;
  /** Instructions and cycles of the block from the current one on. */
  #left = { instructions: 0, cycles: 0 };

  constructor(
    private readonly blocks: readonly Block[],
    private readonly recordOf: RecordOf,
    /** The region's own place in the table of functions. */
    private readonly index: number,
  ) {
    this.#indexAt = new Map(blocks.map(({ at }, i) => [at, i]));
    const written = new Set<number>();
    for (const { instructions } of blocks) {
      for (const { flags, rd, rs1, rs2 } of instructions) {
        if (flags.writes === 'x' && rd !== 0) written.add(rd);
        for (const register of [flags.writes === 'x' ? rd : 0, flags.reads[0] === 'x' ? rs1 : 0, flags.reads[1] === 'x' ? rs2 : 0]) {
          if (register !== 0 && !this.#registers.has(register)) this.#registers.set(register, firstRegister + this.#registers.size);
        }
      }
    }
    this.#written.push(...written);
  }

  function(): WasmFunction {
    const code = this.#code;
    for (const [register, local] of this.#registers) code.i32(0).access(memory.i64_load, layout.x + 8 * register).set(local);
    code.i32(0).access(memory.i64_load, layout.retired).set(paid);
    code.i32(0).access(memory.i64_load, layout.cycles).set(cycles);
    code.i32(0).access(memory.i32_load, layout.dataTlb).set(tlb);
    code.block().block().loop();
    for (let i = 0; i < this.blocks.length; i++) code.block();
    code.get(next).brTable(this.blocks.map((_, i) => i), 0);
    this.blocks.forEach((block, index) => {
      code.plain(op.end);
      this.#block = index;
      this.#emitBlock(block);
    });
    code.plain(op.end, op.unreachable, op.end);
    // An event of a slow path, which has left RETIRED and CYCLES as they have to be.
    code.i32(0).access(memory.i32_load, layout.event).set(event);
    code.i32(0).i32(0).access(memory.i32_store, layout.event);
    // The site is where the instruction stands, and above 16 bits its length, which counts if it has retired.
    code.get(pageVa).get(site).i32(0xffff).plain(op.i32_and, op.i64_extend_u, op.i64_add);
    code.get(site).i32(16).plain(op.i32_shr_u).i32(0).get(event).i32(events.leaving).plain(op.i32_eq, op.select, op.i64_extend_u, op.i64_add).set(pc);
    this.#flush();
    this.#call('finishLoad');
    code.get(event).plain(op.return, op.end);
    code.i32(0).get(paid).access(memory.i64_store, layout.retired);
    code.i32(0).get(cycles).access(memory.i64_store, layout.cycles);
    this.#flush();
    code.get(event);
    return { type: entryType, locals: [...localTypes, ...Array.from(this.#registers, () => i64)], code };
  }

  #flush(): void {
    const code = this.#code;
    code.i32(0).get(pc).access(memory.i64_store, layout.pc);
    for (const register of this.#written) this.#spill(register);
  }

  #spill(register: number): void {
    const local = this.#registers.get(register);
    if (local !== undefined) this.#code.i32(0).get(local).access(memory.i64_store, layout.x + 8 * register);
  }

  #reload(register: number): void {
    const local = this.#registers.get(register);
    if (local !== undefined) this.#code.i32(0).access(memory.i64_load, layout.x + 8 * register).set(local);
  }

  // Labels from inside the current block's code: those of the blocks behind it, the loop, and the two exits.
  #toLoop(): number {
    return this.blocks.length - 1 - this.#block + this.#depth;
  }
  #exit(why: number): void {
    this.#code.i32(why).set(event).br(this.#toLoop() + 2);
  }

  /** The address of an offset of the page. */
  #address(at: number): void {
    this.#code.get(pageVa).i64(at).plain(op.i64_add);
  }

  #goTo(at: number): void {
    const target = this.#indexAt.get(at);
    if (target === undefined) {
      this.#address(at);
      this.#code.set(pc);
      this.#exit(events.far);
    } else if (target > this.#block) {
      this.#code.br(target - this.#block - 1 + this.#depth);
    } else {
      this.#code.i32(target).set(next).br(this.#toLoop());
    }
  }

  #emitBlock({ at, instructions, next: behind }: Block): void {
    const code = this.#code;
    const run = instructions.length;
    const cost = instructions.reduce((sum, instruction) => sum + instruction.cost, 0);
    code.get(paid).i64(run).plain(op.i64_add).tee(value).get(goal).plain(op.i64_gt_u).if();
    this.#depth++;
    this.#address(at);
    code.set(pc);
    this.#exit(events.budget);
    this.#depth--;
    code.plain(op.end).get(value).set(paid);
    code.get(cycles).i64(cost).plain(op.i64_add).set(cycles);
    this.#left = { instructions: run, cycles: cost };
    for (const instruction of instructions) {
      this.#emit(instruction);
      this.#left.instructions--;
      this.#left.cycles -= instruction.cost;
    }
    const last = instructions.at(-1);
    if (last?.flags.control === 'jump') return;
    if (this.#indexAt.get(behind) !== this.#block + 1) this.#goTo(behind);
  }

  #x(register: number): WasmCode {
    const local = this.#registers.get(register);
    return register === 0 || local === undefined ? this.#code.i64(0) : this.#code.get(local);
  }

  #setX(register: number): void {
    const local = this.#registers.get(register);
    if (register === 0 || local === undefined) this.#code.plain(op.drop);
    else this.#code.set(local);
  }

  #call(name: string): void {
    const index = helperIndex.get(name);
    if (index === undefined) throw new Error(`no helper "${name}"`);
    this.#code.call(index);
  }

  /** What the whole block has been paid for, and what of that is left from the current instruction on. */
  #before(): void {
    this.#code.get(paid).get(cycles).i32(this.#left.instructions | (this.#left.cycles << 16));
  }

  #emit(instruction: PlacedInstruction): void {
    const { mnemonic, flags, rd, rs1, rs2, imm, at, length } = instruction;
    const code = this.#code;
    if (flags.format === 'amo' || flags.format === 'lr') {
      this.#emitAtomic(instruction);
    } else if (loads[mnemonic]) {
      this.#emitLoad(instruction, loads[mnemonic]);
    } else if (stores[mnemonic] !== undefined) {
      this.#emitStore(instruction, stores[mnemonic]);
    } else if (flags.extension === 'F' || flags.extension === 'D') {
      this.#emitFloat(instruction);
    } else if (branches[mnemonic] !== undefined) {
      this.#x(rs1);
      this.#x(rs2);
      code.plain(branches[mnemonic]).if();
      this.#depth++;
      this.#goTo(at + imm);
      this.#depth--;
      code.plain(op.end);
    } else if (mnemonic === 'jal') {
      this.#link(rd, at + length);
      this.#goTo(at + imm);
    } else if (mnemonic === 'jalr') {
      this.#emitJumpRegister(instruction);
    } else if (mnemonic !== 'fence') {
      if (rd === 0) return;
      this.#emitValue(instruction);
      this.#setX(rd);
    }
  }

  #link(rd: number, at: number): void {
    if (rd === 0) return;
    this.#address(at);
    this.#setX(rd);
  }

  #emitJumpRegister({ rd, rs1, imm, at, length }: PlacedInstruction): void {
    const code = this.#code;
    this.#x(rs1).i64(imm).plain(op.i64_add).i64(-2).plain(op.i64_and).set(pc);
    this.#link(rd, at + length);
    // To another entry of this region, if it is one: its record says so.
    code.get(pc).get(pageVa).plain(op.i64_xor).i64(pageMask).plain(op.i64_and, op.i64_eqz).if();
    this.#depth++;
    code.get(pc).plain(op.i32_wrap).i32(4095).plain(op.i32_and).i32(3).plain(op.i32_shl).get(records).plain(op.i32_add).tee(entry);
    code.access(memory.i32_load8_u).i32(entryOp).plain(op.i32_eq);
    code.get(entry).access(memory.i32_load, 8).tee(event).i32(entryIndexMask).plain(op.i32_and).i32(this.index).plain(op.i32_eq, op.i32_and).if();
    this.#depth++;
    code.get(event).i32(entryBlockShift).plain(op.i32_shr_u).set(next).br(this.#toLoop());
    this.#depth -= 2;
    code.plain(op.end, op.end);
    this.#exit(events.far);
  }

  /** Leaves what rd gets on the stack. */
  #emitValue(instruction: PlacedInstruction): void {
    const { mnemonic, rs1, rs2, imm, at } = instruction;
    const code = this.#code;
    const both = (): WasmCode => {
      this.#x(rs1);
      return this.#x(rs2);
    };
    if (simple[mnemonic] !== undefined) both().plain(simple[mnemonic]);
    else if (simpleImmediate[mnemonic] !== undefined) this.#x(rs1).i64(imm).plain(simpleImmediate[mnemonic]);
    else if (words[mnemonic] !== undefined) both().plain(words[mnemonic], op.i64_extend32_s);
    else if (words32[mnemonic] !== undefined) {
      this.#x(rs1).plain(op.i32_wrap);
      this.#x(rs2).plain(op.i32_wrap, words32[mnemonic], op.i64_extend_s);
    } else if (wordsImmediate[mnemonic] !== undefined) this.#x(rs1).plain(op.i32_wrap).i32(imm).plain(wordsImmediate[mnemonic], op.i64_extend_s);
    else if (mnemonic === 'addiw') this.#x(rs1).i64(imm).plain(op.i64_add, op.i64_extend32_s);
    else if (comparisons[mnemonic] !== undefined) both().plain(comparisons[mnemonic], op.i64_extend_u);
    else if (mnemonic === 'slti') this.#x(rs1).i64(imm).plain(op.i64_lt_s, op.i64_extend_u);
    else if (mnemonic === 'sltiu') this.#x(rs1).i64(imm).plain(op.i64_lt_u, op.i64_extend_u);
    else if (mnemonic === 'lui') code.i64(imm);
    else if (mnemonic === 'auipc') this.#address(at + imm);
    else if (calls[mnemonic] !== undefined) {
      both();
      this.#call(calls[mnemonic]);
    } else if (calls32[mnemonic] !== undefined) {
      this.#x(rs1).plain(op.i32_wrap);
      this.#x(rs2).plain(op.i32_wrap);
      this.#call(calls32[mnemonic]);
    } else if (shifts[mnemonic]) {
      const { by, word } = shifts[mnemonic];
      this.#x(rs1);
      if (word) code.i64(0xffffffff).plain(op.i64_and);
      code.i64(by).plain(op.i64_shl);
      this.#x(rs2).plain(op.i64_add);
    } else if (mnemonic === 'slli.uw') this.#x(rs1).i64(0xffffffff).plain(op.i64_and).i64(imm).plain(op.i64_shl);
    else if (inverted[mnemonic] !== undefined) both().i64(-1).plain(op.i64_xor, inverted[mnemonic]);
    else if (mnemonic === 'xnor') both().plain(op.i64_xor).i64(-1).plain(op.i64_xor);
    else if (unaries[mnemonic]) this.#x(rs1).plain(...unaries[mnemonic]);
    else if (mnemonic === 'zext.h') this.#x(rs1).i64(0xffff).plain(op.i64_and);
    else if (mnemonic === 'orc.b' || mnemonic === 'rev8') {
      this.#x(rs1);
      this.#call(mnemonic === 'orc.b' ? 'orcb' : 'rev8');
    } else this.#emitSelected(instruction);
  }

  #emitSelected({ mnemonic, rs1, rs2, imm }: PlacedInstruction): void {
    const code = this.#code;
    const both = (): void => {
      this.#x(rs1);
      this.#x(rs2);
    };
    const bit = (immediate: boolean): void => {
      code.i64(1);
      if (immediate) code.i64(imm & 63);
      else this.#x(rs2);
      code.plain(op.i64_shl);
    };
    const lesser: Readonly<Record<string, [number, boolean]>> = {
      min: [op.i64_lt_s, true], max: [op.i64_lt_s, false], minu: [op.i64_lt_u, true], maxu: [op.i64_lt_u, false],
    };
    const order = lesser[mnemonic];
    if (order) {
      const [compare, first] = order;
      if (first) both();
      else {
        this.#x(rs2);
        this.#x(rs1);
      }
      both();
      code.plain(compare, op.select);
    } else if (mnemonic === 'czero.eqz' || mnemonic === 'czero.nez') {
      const zero = mnemonic === 'czero.eqz';
      if (zero) code.i64(0);
      this.#x(rs1);
      if (!zero) code.i64(0);
      // select takes the first where the condition holds.
      this.#x(rs2).plain(op.i64_eqz, op.select);
    } else if (mnemonic === 'bext' || mnemonic === 'bexti') {
      this.#x(rs1);
      if (mnemonic === 'bexti') code.i64(imm & 63);
      else this.#x(rs2);
      code.plain(op.i64_shr_u).i64(1).plain(op.i64_and);
    } else {
      const name = mnemonic.replace(/i$/, '');
      const immediate = name !== mnemonic;
      this.#x(rs1);
      bit(immediate);
      if (name === 'bclr') code.i64(-1).plain(op.i64_xor, op.i64_and);
      else if (name === 'binv') code.plain(op.i64_xor);
      else if (name === 'bset') code.plain(op.i64_or);
      else throw new Error(`no translation of "${mnemonic}"`);
    }
  }

  /** The TLB entry of an access, and whether it is no hit: (va ^ tag) & (~4095 | size - 1), which also finds unaligned addresses. */
  #probe(rs1: number, imm: number, size: number, set: number): void {
    const code = this.#code;
    this.#x(rs1).i64(imm).plain(op.i64_add).tee(va);
    code.i64(8).plain(op.i64_shr_u, op.i32_wrap).i32(tlbMask).plain(op.i32_and).get(tlb).plain(op.i32_add).tee(entry);
    code.access(memory.i64_load, set).get(va).plain(op.i64_xor).i64(pageMask | (size - 1)).plain(op.i64_and, op.i64_eqz);
  }

  /** Where a hit's byte stands. */
  #host(set: number): void {
    this.#code.get(va).plain(op.i32_wrap).get(entry).access(memory.i32_load, set + 8).plain(op.i32_add);
  }

  /** Leaves by the event that a slow path has found, if it has. */
  #leaveOnEvent({ at, length }: PlacedInstruction): void {
    this.#code.i32(at | (length << 16)).set(site).i32(0).access(memory.i32_load, layout.event).brIf(this.#toLoop() + 1);
  }

  /** Leaves it to the core where floating point is off. */
  #checkFloat(instruction: PlacedInstruction): void {
    const code = this.#code;
    code.i32(0).access(memory.i32_load, layout.mstatus).i32(floatState).plain(op.i32_and, op.i32_eqz).if();
    this.#depth++;
    this.#before();
    this.#call('floatUse');
    this.#leaveOnEvent(instruction);
    this.#depth--;
    code.plain(op.end);
  }

  #emitLoad(instruction: PlacedInstruction, { code: load, signed }: { code: number; signed: boolean }): void {
    const { flags, rd, rs1, imm, mnemonic } = instruction;
    const code = this.#code;
    const float = flags.writes === 'f';
    if (float) this.#checkFloat(instruction);
    const size = flags.accessBytes;
    const keep = (): void => {
      if (!float) {
        this.#setX(rd);
        return;
      }
      if (mnemonic === 'flw') code.i64(-0x1_0000_0000).plain(op.i64_or);
      code.set(value).i32(0).get(value).access(memory.i64_store, layout.f + 8 * rd);
      code.i32(0).i32(0).access(memory.i32_load, layout.mstatus).i32(floatState).plain(op.i32_or).access(memory.i32_store, layout.mstatus);
    };
    this.#probe(rs1, imm, size, 0);
    code.if(i64);
    this.#host(0);
    code.access(load).plain(op.else);
    this.#depth++;
    code.get(va).i32(size | (signed && size < 8 ? 16 : 0) | ((float ? rd + 32 : rd) << 8));
    this.#before();
    this.#call('loadFor');
    this.#leaveOnEvent(instruction);
    this.#depth--;
    code.plain(op.end);
    keep();
  }

  #emitStore(instruction: PlacedInstruction, store: number): void {
    const { flags, rs1, rs2, imm } = instruction;
    const code = this.#code;
    const float = flags.reads[1] === 'f';
    if (float) this.#checkFloat(instruction);
    const size = flags.accessBytes;
    const stored = (): void => {
      if (float) code.i32(0).access(memory.i64_load, layout.f + 8 * rs2);
      else this.#x(rs2);
    };
    this.#probe(rs1, imm, size, writeSet);
    code.if();
    this.#host(writeSet);
    stored();
    code.access(store).plain(op.else);
    this.#depth++;
    code.get(va).i32(size);
    stored();
    this.#before();
    this.#call('storeFor');
    this.#leaveOnEvent(instruction);
    this.#depth--;
    code.plain(op.end);
  }

  /** The core executes it on registers in memory. */
  #withRecord(instruction: PlacedInstruction, call: (record: number) => void): void {
    const { raw, rd, rs1, rs2, flags } = instruction;
    const record = this.recordOf(raw);
    if (record === undefined) throw new Error('no record for an instruction that needs one');
    const used = new Set([flags.reads[0] === 'x' ? rs1 : 0, flags.reads[1] === 'x' ? rs2 : 0, flags.writes === 'x' ? rd : 0]);
    for (const register of used) if (register !== 0) this.#spill(register);
    call(record);
    if (flags.writes === 'x' && rd !== 0) this.#reload(rd);
    this.#leaveOnEvent(instruction);
  }

  #emitAtomic(instruction: PlacedInstruction): void {
    this.#withRecord(instruction, (record) => {
      this.#code.i32(0).access(memory.i32_load8_u, record).i32(record);
      this.#before();
      this.#call('atomicFor');
    });
  }

  #emitFloat(instruction: PlacedInstruction): void {
    this.#withRecord(instruction, (record) => {
      this.#code.i32(0).access(memory.i32_load8_u, record).i32(record);
      this.#before();
      this.#call('floatFor');
    });
  }
}
