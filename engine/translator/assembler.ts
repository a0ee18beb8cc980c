/** What the parts of the translator write with: registers in locals, addresses, and ways out. */
import { at as layout } from '../core/layout';
import type { Operation } from './operation';
import { noneStuck, writeForced, type StuckResults } from './stuck-results';
import { f64, i32, i64, memory, op, type FunctionType, WasmCode } from './wasm-code';

/**
 * What the table of functions holds. Parameters: the virtual address of the function's base page; the
 * account; the number of the entry. Result: the account.
 *
 * The account has in its low 30 bits how many instructions may still be retired, from bit 32 on the
 * cycles that have been spent since the core called, from bit 56 on the depth of calls
 * (translated.ts). Flags tell why control comes back: at PC there is something for the core to
 * execute (STEP), or a call has not come back to where it should (AWAY).
 */
export const entryType: FunctionType = { parameters: [i64, i64, i32], results: [i64] };
export const [flagAway, flagStep] = [0x4000_0000, 0x8000_0000] as const;

const binary: FunctionType = { parameters: [i64, i64], results: [i64] };
const unary: FunctionType = { parameters: [i64], results: [i64] };

/** What translated code calls of the core's: translated.ts. */
export const helpers = [
  { name: 'enter', type: { parameters: [i64, i64], results: [i64] } },
  { name: 'callGuest', type: { parameters: [i64, i64, i64], results: [i64] } },
  { name: 'ownEntry', type: { parameters: [i64, i64, i32], results: [i32] } },
  { name: 'fillTlb', type: { parameters: [i64, i32], results: [i32] } },
  { name: 'floatFor', type: { parameters: [i32, i32], results: [i32] } },
  { name: 'fusedDouble', type: { parameters: [f64, f64, f64], results: [f64] } },
  { name: 'mulh', type: binary },
  { name: 'mulhsu', type: binary },
  { name: 'orcb', type: unary },
  { name: 'rev8', type: unary },
] as const satisfies readonly { name: string; type: FunctionType }[];
export type Helper = (typeof helpers)[number]['name'];
const helperIndex = new Map<string, number>(helpers.map(({ name }, index) => [name, index]));

// Parameters, then locals.
export const local = { base: 0, account: 1, next: 2, va: 3, long: 4, long2: 5, site: 6, adjust: 7, tlb: 8, entry: 9, word: 10, fetch: 11, floats: 12, usable: 13, double: 14, va2: 15, direct: 16 } as const;
const localTypes = [i64, i64, i64, i32, i64, i32, i32, i32, i32, i32, i32, f64, i64, i64];
const firstRegister = 17;

/** Of the instruction in question on: what of the block's budget has been taken but not used. */
export interface Rest {
  instructions: number;
  cycles: number;
}

export class Assembler {
  readonly code = new WasmCode();
  readonly #x: readonly number[];
  readonly #f: readonly number[];
  readonly locals: readonly number[];
  /** The label of every construct that is open, the outermost first. */
  readonly labels: number[] = [];
  /** Where the current instruction leaves to if it cannot go on. */
  leaveTo = 0;
  rest: Rest = { instructions: 0, cycles: 0 };

  constructor(
    usedX: number,
    usedF: number,
    private readonly stuck: StuckResults = noneStuck,
  ) {
    let next = firstRegister;
    const place = (mask: number): number[] => Array.from({ length: 32 }, (_, register) => ((mask >>> register) & 1 ? next++ : -1));
    this.#x = place(usedX);
    const firstFloat = next;
    this.#f = place(usedF);
    this.locals = [...localTypes, ...Array<number>(firstFloat - firstRegister).fill(i64), ...Array<number>(next - firstFloat).fill(f64)];
  }

  x(register: number): WasmCode {
    return register === 0 ? this.code.i64(0) : this.code.get(this.#x[register] ?? -1);
  }
  setX(register: number): void {
    if (register === 0) {
      this.code.plain(op.drop);
      return;
    }
    writeForced(this.code, this.stuck.x(register));
    this.code.set(this.#x[register] ?? -1);
  }
  /** What the integer arithmetic-logic unit has made of the result on the stack. */
  aluResult(): void {
    writeForced(this.code, this.stuck.alu);
  }
  /** As a double with the register's bits, whatever they mean. */
  f(register: number): WasmCode {
    return this.code.get(this.#f[register] ?? -1);
  }
  setF(register: number): void {
    const masks = this.stuck.f(register);
    if (masks) {
      this.code.plain(op.i64_reinterpret);
      writeForced(this.code, masks);
      this.code.plain(op.f64_reinterpret);
    }
    this.code.set(this.#f[register] ?? -1);
  }

  /** Writes registers to memory. */
  spill(x: number, f: number): void {
    for (let register = 1; register < 32; register++) {
      if ((x >>> register) & 1) {
        this.code.i32(0);
        this.x(register).access(memory.i64_store, layout.x + 8 * register);
      }
    }
    for (let register = 0; register < 32; register++) {
      if ((f >>> register) & 1) {
        this.code.i32(0);
        this.f(register).access(memory.f64_store, layout.f + 8 * register);
      }
    }
  }
  /** Reads registers from memory. */
  fill(x: number, f: number): void {
    for (let register = 1; register < 32; register++) {
      if ((x >>> register) & 1) {
        this.code.i32(0).access(memory.i64_load, layout.x + 8 * register);
        this.setX(register);
      }
    }
    for (let register = 0; register < 32; register++) {
      if ((f >>> register) & 1) {
        this.code.i32(0).access(memory.f64_load, layout.f + 8 * register);
        this.setF(register);
      }
    }
  }

  /** The virtual address of an offset from the base page. */
  address(at: number): WasmCode {
    return this.code.get(local.base).i64(at).plain(op.i64_add);
  }

  /** Calls what the core offers, or a function of the module by its number. */
  call(name: Helper | number): WasmCode {
    return this.code.call(typeof name === 'number' ? name : (helperIndex.get(name) ?? -1));
  }

  open(label: number): void {
    this.labels.push(label);
  }
  close(): void {
    this.labels.pop();
    this.code.plain(op.end);
  }
  /** How many constructs outwards a label is. */
  depth(label: number): number {
    const index = this.labels.lastIndexOf(label);
    if (index < 0) throw new Error(`no label ${label}`);
    return this.labels.length - 1 - index;
  }

  /** Takes a condition: if it holds, the core executes the instruction at `at`, which has done nothing. */
  leaveIf(at: number): void {
    const { code, rest } = this;
    code.ifLikely(false);
    this.open(-1);
    // What follows in the block is given back.
    code.i64(rest.instructions - rest.cycles * 2 ** 32 + flagStep).set(local.adjust).i32(at).set(local.site).br(this.depth(this.leaveTo));
    this.close();
  }
}

/** An instruction and where it stands. */
export interface Placed {
  operation: Operation;
  at: number;
}
