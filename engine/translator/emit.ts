/**
 * Writes a guest function as a WebAssembly function of the same meaning as the core's
 * `interpret`, and RETIRED, CYCLES and PC as exact. Registers are in locals between an entry and
 * a way out; a block is paid for as a whole when it is entered, or not entered. While the function
 * and what it calls run, nothing changes that it leans on: no mapping, no privilege, no code;
 * whatever may change one of these is the core's, and control has come back to it by then.
 */
import { at as layout, decodedDropsOffset, pageBytes } from '../core/layout';
import { Assembler, entryType, flagAway, flagStep, helpers, local } from './assembler';
import { analyseFlow, type ControlFlow } from './control-flow';
import { writeFloat } from './floats';
import { pageOf, type Block, type End, type GuestFunction } from './guest-function';
import { integers } from './integers';
import { liveness, type BlockUse, type Liveness } from './liveness';
import { writeAtomic, writeLoad, writeStore, type DirectRam } from './memory-access';
import type { Operation } from './operation';
import type { StuckResults } from './stuck-results';
import { memory, op, type WasmFunction } from './wasm-code';

export { helpers };

/** Where translated code begins, outside of the function that goes there or at its own start. */
export interface Direct {
  /** The function that is called, by its number in the module. */
  callee: number;
  /** Its base page, in bytes from that of the caller. */
  base: number;
  /** The number of the entry. */
  entry: number;
  /** The core's record there, and what it has in its first eight bytes and in the next four as long as it is that entry. */
  record: number;
  head: number;
  where: number;
}

/** What the function is made for. */
export interface Surroundings {
  /** Where the core finds an instruction decoded. */
  recordOf: (raw: number) => number;
  /** Where a page's decoded records stand, and how often they have been dropped: what a way into it is checked by. */
  recordsOf: (delta: number) => { records: number; drops: number };
  /** What is known to begin at an offset. */
  directAt: (at: number) => Direct | undefined;
  /** Where loads may do without the TLB now. */
  direct: DirectRam | undefined;
  /** From a host address to a physical one. */
  toPhysical: number;
  /** The function's own place in the table of functions. */
  index: number;
  /** The bits that are stuck in results. */
  stuck: StuckResults;
}

const fetchMask = (512 - 1) << 4;
const floatsDirty = 0x6000;
const inexact = 1;
/** Of the account: a call's depth, and how deep they go (translated.ts). */
const [depthUnit, deepest] = [2 ** 56, 100];

const branches: Readonly<Record<string, number>> = {
  beq: op.i64_eq, bne: op.i64_ne, blt: op.i64_lt_s, bge: op.i64_ge_s, bltu: op.i64_lt_u, bgeu: op.i64_ge_u,
};

// Labels: nodes by their numbers, loops above them, ways out below -1, and what nobody jumps to is -1.
const loopLabel = 1 << 20;
const rootLabel = 1 << 21;
const exitLabel = -2;

/** True if control may leave at it. */
function mayLeave({ kind }: Operation): boolean {
  return kind === 'load' || kind === 'store' || kind === 'atomic' || kind === 'float';
}

function usesOf({ operations, end }: Block, successors: readonly number[], file: 'X' | 'F'): BlockUse {
  const [readsOf, writesOf] = file === 'X' ? (['readsX', 'writesX'] as const) : (['readsF', 'writesF'] as const);
  let [reads, writes, writesBeforeLeaving, leaves] = [0, 0, 0, false];
  for (const operation of operations) {
    reads |= operation[readsOf] & ~writes;
    if (!leaves && mayLeave(operation)) {
      leaves = true;
      writesBeforeLeaving = writes;
    }
    writes |= operation[writesOf];
  }
  return { reads, writes, writesBeforeLeaving, mayLeave: leaves, successors: end.kind === 'call' ? [] : successors };
}

/** Where it goes on to, or calls. */
function outwards(end: End): number[] {
  switch (end.kind) {
    case 'next':
    case 'jump':
      return [end.to];
    case 'branch':
      return [end.taken, end.to];
    case 'call':
      return end.to === undefined ? [] : [end.to];
    default:
      return [];
  }
}

export function waysOut(blocks: readonly Block[]): number[] {
  const inside = new Set(blocks.map(({ at }) => at));
  return [...new Set(blocks.flatMap(({ end }) => outwards(end).filter((to) => end.kind === 'call' || !inside.has(to))))];
}

/** A way out of the middle that several places share: the registers to be written back. */
interface Exit {
  x: number;
  f: number;
}

/** The numbers of its entries are their places in `entries`. */
export function emit({ blocks, entries }: GuestFunction, surroundings: Surroundings): WasmFunction {
  return new Emitter(blocks, entries, surroundings).function();
}

class Emitter {
  readonly #to: Assembler;
  readonly #indexAt: ReadonlyMap<number, number>;
  /** Numbers of entries' own nodes, behind the blocks', by offset. */
  readonly #entryAt: ReadonlyMap<number, number>;
  readonly #flow: ControlFlow;
  readonly #x: Liveness;
  readonly #f: Liveness;
  readonly #exits: Exit[] = [];
  readonly #hasFloats: boolean;
  readonly #hasMemory: boolean;
  #crosses = false;

  constructor(
    private readonly blocks: readonly Block[],
    private readonly entries: readonly number[],
    private readonly surroundings: Surroundings,
  ) {
    this.#indexAt = new Map(blocks.map(({ at }, i) => [at, i]));
    this.#entryAt = new Map(entries.map((at, i) => [at, blocks.length + i]));
    const successors = blocks.map((block) => this.#successors(block));
    this.#flow = analyseFlow([...successors, ...entries.map((at) => [this.#indexAt.get(at) ?? 0])], entries.map((_, i) => blocks.length + i));
    this.#x = liveness(blocks.map((block, i) => usesOf(block, successors[i] ?? [], 'X')));
    this.#f = liveness(blocks.map((block, i) => usesOf(block, successors[i] ?? [], 'F')));
    let [usedX, usedF, floats, accesses] = [0, 0, false, false];
    for (const { operations } of blocks) {
      for (const { readsX, readsF, writesX, writesF, kind } of operations) {
        usedX |= readsX | writesX;
        usedF |= readsF | writesF;
        if (kind === 'float') floats = true;
        if (kind === 'load' || kind === 'store' || kind === 'atomic') accesses = true;
      }
    }
    this.#hasFloats = floats || usedF !== 0;
    if (blocks.some((block) => this.#goesFar(block))) this.#crosses = true;
    this.#hasMemory = accesses;
    this.#to = new Assembler(usedX, usedF, surroundings.stuck);
  }

  /** True if it calls or goes on to translated code on another page. */
  #goesFar({ at, end }: Block): boolean {
    return outwards(end).some((to) => !this.#indexAt.has(to) && pageOf(to) !== pageOf(at) && this.surroundings.directAt(to) !== undefined);
  }

  /** Blocks that control goes on to within the function; behind a call, the entry that it comes back to. */
  #successors({ at, end }: Block): number[] {
    const inside = (to: number): number[] => {
      const index = this.#indexAt.get(to);
      if (index === undefined) return [];
      if (pageOf(to) !== pageOf(at)) this.#crosses = true;
      return [index];
    };
    switch (end.kind) {
      case 'next':
      case 'jump':
        return inside(end.to);
      case 'branch':
        return end.taken === end.to ? inside(end.to) : [...inside(end.to), ...inside(end.taken)];
      case 'call': {
        const entry = pageOf(end.back) === pageOf(at) ? this.#entryAt.get(end.back) : undefined;
        return entry === undefined ? [] : [entry];
      }
      default:
        return [];
    }
  }

  function(): WasmFunction {
    // What stands around the body is known when the body has been written: the ways out of it.
    const to = this.#to;
    for (const { x, f } of this.#possibleExits()) this.#exits.push({ x, f });
    this.#exits.forEach(() => to.code.block());
    for (let i = this.#exits.length - 1; i >= 0; i--) to.open(exitLabel - i);
    this.#begin();
    this.#tree(this.#flow.root);
    to.code.plain(op.unreachable);
    this.#exits.forEach(({ x, f }) => {
      to.close();
      to.code.i32(0);
      to.code.get(local.base).get(local.site).plain(op.i64_extend_s, op.i64_add).access(memory.i64_store, layout.pc);
      to.spill(x, f);
      to.code.get(local.account).get(local.adjust).plain(op.i64_add, op.return);
    });
    to.code.plain(op.unreachable);
    return { type: entryType, locals: to.locals, code: to.code };
  }

  /** What may be dirty where a block begins, and where it is left in the middle. */
  #possibleExits(): Exit[] {
    const found = new Map<string, Exit>();
    this.blocks.forEach(({ operations }, i) => {
      const add = (x: number, f: number): void => void found.set(`${x},${f}`, { x, f });
      add(this.#x.dirtyBefore[i] ?? 0, this.#f.dirtyBefore[i] ?? 0);
      if (operations.some(mayLeave)) add(this.#x.dirtyAfter[i] ?? 0, this.#f.dirtyAfter[i] ?? 0);
    });
    return [...found.values()];
  }

  #exitFor(x: number, f: number): number {
    const index = this.#exits.findIndex((exit) => exit.x === x && exit.f === f);
    if (index < 0) throw new Error('no such way out');
    return exitLabel - index;
  }

  /** What stays the same while the function runs. */
  #begin(): void {
    const { code } = this.#to;
    if (this.#hasMemory) code.i32(0).access(memory.i32_load, layout.dataTlb).set(local.tlb);
    if (this.#hasMemory && this.surroundings.direct) code.i32(0).access(memory.i64_load, layout.directBytes).set(local.direct);
    if (this.#crosses) code.i32(0).access(memory.i32_load, layout.fetchContext).set(local.fetch);
    if (!this.#hasFloats) return;
    code.i32(0).access(memory.i32_load, layout.mstatus).i32(floatsDirty).plain(op.i32_and).i32(floatsDirty).plain(op.i32_eq).tee(local.usable);
    code.i32(0).access(memory.i32_load, layout.fflags).i32(inexact).plain(op.i32_and, op.i32_and);
    code.i32(0).access(memory.i32_load, layout.frm).plain(op.i32_eqz, op.i32_and).set(local.floats);
  }

  /** A node and all that it dominates. */
  #tree(node: number): void {
    const to = this.#to;
    const { root, merges, isLoop, rootTargets } = this.#flow;
    const behind = merges[node] ?? [];
    const dispatches = node === root && rootTargets.length > 1;
    if (dispatches || isLoop(node)) {
      to.code.loop();
      to.open(dispatches ? rootLabel : loopLabel + node);
    }
    for (let i = behind.length - 1; i >= 0; i--) {
      to.code.block();
      to.open(behind[i] ?? 0);
    }
    if (dispatches) to.code.get(local.next).brTable(rootTargets.map((target) => to.depth(target)), to.depth(rootTargets[0] ?? 0));
    else if (node === root) this.#goTo(root, rootTargets[0] ?? 0);
    else if (node >= this.blocks.length) this.#entry(node);
    else this.#block(node);
    for (const merge of behind) {
      to.close();
      this.#tree(merge);
    }
    if (dispatches || isLoop(node)) to.close();
  }

  #entry(node: number): void {
    const to = this.#to;
    const at = this.entries[node - this.blocks.length] ?? 0;
    const block = this.#indexAt.get(at) ?? 0;
    to.fill(this.#x.live[block] ?? 0, this.#f.live[block] ?? 0);
    this.#goTo(node, block);
  }

  /** Goes on at a node of the function. Nothing may stand behind it. */
  #goTo(from: number, target: number): void {
    const to = this.#to;
    const { isBackward, isMerge, isThroughRoot, rootTargets, root } = this.#flow;
    if (from !== root && isBackward(from, target)) {
      if (isThroughRoot(from, target)) to.code.i32(rootTargets.indexOf(target)).set(local.next).br(to.depth(rootLabel));
      else to.code.br(to.depth(loopLabel + target));
    } else if (isMerge(target)) {
      to.code.br(to.depth(target));
    } else {
      this.#tree(target);
    }
  }

  /** Goes on at an offset, which may be outside. */
  #goToAddress(from: number, at: number): void {
    const target = this.#indexAt.get(at);
    if (target === undefined) {
      const to = this.#to;
      this.#writeBack(from);
      const direct = this.surroundings.directAt(at);
      if (direct) {
        this.#ifThere(direct, from, at);
        this.#callDirectly(direct);
        to.code.plain(op.return);
        to.close();
      }
      to.address(at).get(local.account);
      to.call('enter').plain(op.return);
      return;
    }
    if (pageOf(at) !== pageOf(this.blocks[from]?.at ?? 0)) this.#checkPage(from, at);
    this.#goTo(from, target);
  }

  /**
   * Opens what is done if translated code still begins there and may be called: the page is mapped as it was,
   * the record is that entry's, and calls are not too deep (`enter` in translated.ts, without a look-up).
   */
  #ifThere({ record, head, where }: Direct, from: number, at: number): void {
    const to = this.#to;
    const { code } = to;
    code.i32(0).access(memory.i64_load, record).i64(head).plain(op.i64_eq);
    code.i32(0).access(memory.i32_load, record + 8).i32(where).plain(op.i32_eq, op.i32_and);
    code.get(local.account).i64(deepest * depthUnit).plain(op.i64_lt_u, op.i32_and);
    if (pageOf(at) !== pageOf(this.blocks[from]?.at ?? 0)) {
      this.#fetchEntry(pageOf(at));
      code.access(memory.i64_load, 0).get(local.va2).plain(op.i64_eq, op.i32_and);
      code.get(local.entry).access(memory.i32_load, 8).i32(this.surroundings.recordsOf(pageOf(at)).records).plain(op.i32_eq, op.i32_and);
    }
    code.ifLikely(true);
    to.open(-1);
  }

  /** Leaves on the stack where the TLB of fetches has a page at so many pages from the base, whose address is in `va2` then. */
  #fetchEntry(page: number): void {
    const to = this.#to;
    to.address(page * pageBytes).tee(local.va2).plain(op.i32_wrap).i32(8).plain(op.i32_shr_u).i32(fetchMask).plain(op.i32_and).get(local.fetch).plain(op.i32_add).tee(local.entry);
  }

  /** Leaves the account on the stack. */
  #callDirectly({ callee, base, entry }: Direct): void {
    const to = this.#to;
    to.address(base).get(local.account).i64(depthUnit).plain(op.i64_add).i32(entry).call(callee).i64(depthUnit).plain(op.i64_sub);
  }

  /** Leaves if the page there is not the one that was translated, unchanged since. */
  #checkPage(from: number, at: number): void {
    const to = this.#to;
    const { code } = to;
    const { records, drops } = this.surroundings.recordsOf(pageOf(at));
    this.#fetchEntry(pageOf(at));
    code.access(memory.i64_load, 0).get(local.va2).plain(op.i64_eq);
    code.get(local.entry).access(memory.i32_load, 8).i32(records).plain(op.i32_eq, op.i32_and);
    code.i32(0).access(memory.i32_load, records + decodedDropsOffset).i32(drops).plain(op.i32_eq, op.i32_and, op.i32_eqz).ifLikely(false);
    to.open(-1);
    this.#writeBack(from);
    code.i32(0);
    to.address(at).access(memory.i64_store, layout.pc);
    code.get(local.account).plain(op.return);
    to.close();
  }

  #writeBack(block: number): void {
    this.#to.spill(this.#x.dirtyAfter[block] ?? 0, this.#f.dirtyAfter[block] ?? 0);
  }

  #block(index: number): void {
    const block = this.blocks[index];
    if (!block) throw new Error(`no block ${index}`);
    const to = this.#to;
    const { code } = to;
    const { at, operations, places, end } = block;
    let [instructions, cycles] = [operations.length, 0];
    for (const { cost } of operations) cycles += cost;
    code.get(local.account).plain(op.i32_wrap).i32(instructions).plain(op.i32_lt_u).ifLikely(false);
    to.open(-1);
    code.i64(flagStep).set(local.adjust).i32(at).set(local.site).br(to.depth(this.#exitFor(this.#x.dirtyBefore[index] ?? 0, this.#f.dirtyBefore[index] ?? 0)));
    to.close();
    code.get(local.account).i64(cycles * 2 ** 32 - instructions).plain(op.i64_add).set(local.account);
    if (operations.some(mayLeave)) to.leaveTo = this.#exitFor(this.#x.dirtyAfter[index] ?? 0, this.#f.dirtyAfter[index] ?? 0);
    operations.forEach((operation, i) => {
      to.rest = { instructions, cycles };
      this.#operation(operation, places[i] ?? 0);
      instructions--;
      cycles -= operation.cost;
    });
    const last = operations.at(-1);
    if (end.kind === 'next') this.#goToAddress(index, end.to);
    else if (end.kind === 'core') this.#leave(index, () => to.address(end.at));
    else if (last) this.#control(index, block, last);
  }

  /** Leaves the function for the PC that `pc` puts on the stack. */
  #leave(block: number, pc: () => void): void {
    const { code } = this.#to;
    this.#writeBack(block);
    code.i32(0);
    pc();
    code.access(memory.i64_store, layout.pc).get(local.account).plain(op.return);
  }

  #operation(operation: Operation, at: number): void {
    const to = this.#to;
    switch (operation.kind) {
      case 'integer': {
        const write = integers[operation.mnemonic];
        if (!write) throw new Error(`no translation of "${operation.mnemonic}"`);
        write(to, operation, at);
        to.aluResult();
        to.setX(operation.rd);
        break;
      }
      case 'load':
        writeLoad(to, { operation, at }, this.surroundings.direct);
        break;
      case 'store':
        writeStore(to, { operation, at });
        break;
      case 'atomic':
        writeAtomic(to, { operation, at }, this.surroundings.toPhysical);
        break;
      case 'float':
        writeFloat(to, { operation, at }, this.surroundings.recordOf(operation.raw));
        break;
      default:
        // Control is the block's last word.
        break;
    }
  }

  #control(index: number, { end, at: start }: Block, last: Operation): void {
    const to = this.#to;
    const { code } = to;
    const { rs1, rs2, rd, imm } = last;
    switch (end.kind) {
      case 'branch':
        to.x(rs1);
        to.x(rs2).plain(branches[last.mnemonic] ?? op.unreachable).if();
        to.open(-1);
        this.#goToAddress(index, end.taken);
        to.close();
        this.#goToAddress(index, end.to);
        break;
      case 'jump':
        this.#goToAddress(index, end.to);
        break;
      case 'return':
        this.#leave(index, () => this.#target(rs1, imm));
        break;
      case 'register':
        this.#target(rs1, imm);
        code.set(local.va);
        this.#writeBack(index);
        if (this.#flow.rootTargets.length > 1) {
          code.get(local.va).get(local.base).i32(this.surroundings.index);
          to.call('ownEntry').tee(local.next).i32(-1).plain(op.i32_ne).brIf(to.depth(rootLabel));
        }
        code.get(local.va).get(local.account);
        to.call('enter').plain(op.return);
        break;
      case 'call': {
        // The target first: it may be in the register that gets the way back.
        if (end.to === undefined) this.#target(rs1, imm);
        else to.address(end.to);
        code.set(local.va);
        to.address(end.back);
        to.setX(rd);
        this.#writeBack(index);
        const direct = end.to === undefined ? undefined : this.surroundings.directAt(end.to);
        if (end.to !== undefined && direct) {
          this.#ifThere(direct, index, end.to);
          this.#callDirectly(direct);
          code.tee(local.account).i64(flagStep).plain(op.i64_and, op.i64_eqz).i32(0).access(memory.i64_load, layout.pc);
          to.address(end.back).plain(op.i64_eq, op.i32_and, op.i32_eqz).ifLikely(false);
          code.get(local.account).i64(flagAway).plain(op.i64_or, op.return, op.end);
          code.get(local.account).i64(-1 - flagAway).plain(op.i64_and).set(local.account).plain(op.else);
        }
        code.get(local.va).get(local.account);
        to.address(end.back);
        to.call('callGuest').tee(local.account).i64(flagAway + flagStep).plain(op.i64_and, op.i64_eqz, op.i32_eqz).ifLikely(false).get(local.account).plain(op.return, op.end);
        if (direct) to.close();
        const entry = pageOf(end.back) === pageOf(start) ? this.#entryAt.get(end.back) : undefined;
        if (entry !== undefined) this.#goTo(index, entry);
        else code.get(local.account).plain(op.return);
        break;
      }
      default:
        throw new Error(`a block cannot end with ${end.kind}`);
    }
  }

  /** Where a jump to a register goes. */
  #target(rs1: number, imm: number): void {
    const { code } = this.#to;
    this.#to.x(rs1);
    if (imm !== 0) code.i64(imm).plain(op.i64_add);
    code.i64(-2).plain(op.i64_and);
  }
}
