/** Turns code that runs much into WebAssembly functions, which the core then calls where it would interpret. */
import type { CoreExports } from '../core/core';
import { at as layout, decodedBitmapOffset, decodedDropsOffset, decodedChancesOffset, mostCalled, pageBytes, recordBytes, translatedChances } from '../core/layout';
import { instructions as table } from '../isa/instructions';
import { entryType, helpers } from './assembler';
import { takeBranchHints } from './branch-hints';
import { emit, waysOut, type Direct } from './emit';
import { explore, pageOf, type GuestFunction, type Limits } from './guest-function';
import { noneStuck, readStuck, type StuckResults } from './stuck-results';
import { wasmModule } from './wasm-code';

const limits = { blocks: 256, instructions: 2000 };
/** How far a function reaches, in pages to either side. */
const farthest = 3;
/** A module costs about as much as some hundred instructions. */
const mostTogether = 12;
/** Hot places that are gathered before they are translated. */
const mostWaiting = 6;
/** Functions, and guest instructions in them, that a machine keeps at most. More make room by forgetting all. */
export interface Bound {
  functions: number;
  instructions: number;
}

const usualBound: Bound = { functions: 8192, instructions: 1_000_000 };
/** What one translation may add, so the least that a bound has to have. */
export const leastBound: Bound = { functions: mostTogether, instructions: 2 * limits.instructions };

/** The operation of records at which translated code begins: code.ts. Its immediate is a function's index, and above that an entry's number. */
export const entryOp = table.length + 5;
const entryNumberShift = 20;
const entryIndexMask = (1 << entryNumberShift) - 1;

interface Found extends GuestFunction {
  /** The virtual address of its base page. */
  base: bigint;
  around: Surroundings;
}

/** The pages around a base page that the guest can execute from now. */
interface Surroundings {
  ramPageAt: (delta: number) => number | undefined;
  bytesAt: (delta: number) => Uint8Array | undefined;
}

/**
 * Translates what the core reports. A function's entries are records of the core's
 * own (OP_ENTRY) in the decoded page, so whatever makes decoded code stale, a store to
 * the page, a breakpoint, a full pool, makes translations unreachable in the same way.
 */
export class Translator {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #imports: { env: Record<string, unknown> };
  /** Records of instructions that translated code leaves to the core, by encoding. */
  readonly #called = new Map<number, number>();
  /** Hot places that have been reported once and not been translated, with their RAM pages. */
  readonly #waiting = new Map<bigint, number | undefined>();
  /** Where the core's own functions end in the table. */
  readonly #first: number;
  /** Functions since the last time that all were forgotten, and guest instructions in them. */
  functions = 0;
  instructions = 0;
  /** How often all were forgotten to make room. */
  evictions = 0;

  constructor(
    private readonly core: CoreExports,
    memory: WebAssembly.Memory,
    private readonly ramBytes: number,
    private readonly ramAt: number,
    /** The guest's address of the first byte of RAM. */
    private readonly ramBase: bigint,
    readonly bound: Bound = usualBound,
  ) {
    if (bound.functions < leastBound.functions || bound.instructions < leastBound.instructions) {
      throw new RangeError(`translations need room for ${leastBound.functions} functions and ${leastBound.instructions} instructions`);
    }
    takeBranchHints();
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#first = core.table.length;
    const exported = core as unknown as Record<string, unknown>;
    this.#imports = { env: { memory, ...Object.fromEntries(helpers.map(({ name }) => [name, exported[name]])) } };
  }

  /**
   * Translates the function at HOT_VA, where the core has stopped, and unless it is to be `alone`, what it
   * calls of what has run. Then it may wait for others, since modules cost much each, until it is reported once more.
   */
  translate(breakpoints: readonly bigint[], alone: boolean): void {
    const full = this.functions + leastBound.functions > this.bound.functions || this.instructions + leastBound.instructions > this.bound.instructions;
    if (full || this.#called.size > mostCalled - limits.instructions) {
      this.forget();
      this.evictions++;
      // What is still hot will be reported again.
      return;
    }
    const va = this.#view.getBigUint64(layout.hotVa, true);
    const isAgain = this.#waiting.has(va);
    this.#waiting.set(va, this.#ramPage(va));
    if (!alone && !isAgain && this.#waiting.size < mostWaiting) return;
    // What is mapped otherwise now is another's; it will be reported again.
    const hot = [...this.#waiting].filter(([address, page]) => page !== undefined && page === this.#ramPage(address)).map(([address]) => address);
    this.#waiting.clear();
    this.#translate(hot, breakpoints, alone);
  }

  #translate(hot: readonly bigint[], breakpoints: readonly bigint[], alone: boolean): void {
    // Whichever page they are in: one of RAM may have any address, and its records belong to all of them.
    const stops = new Set(breakpoints.map((address) => Number(address & 4095n)));
    const stuck = readStuck(this.#view);
    const bounds: Limits = { ...limits, computesRightly: stuck === noneStuck, losesReservations: this.#view.getUint32(layout.losesReservations, true) !== 0, awaited: this.#view.getUint32(layout.awaitedInX, true) & ~1 };
    const batch: Found[] = [];
    const waiting = [...hot];
    const met = new Set(waiting);
    let size = 0;
    for (let va = waiting.shift(); va !== undefined && batch.length < mostTogether && size < limits.instructions; va = waiting.shift()) {
      const base = va & ~4095n;
      const start = Number(va & 4095n);
      // Offsets of what the functions before have from this base.
      const others = batch.map((found) => ({ ...found, by: Number(found.base - base) }));
      if (others.some(({ blocks, by }) => blocks.some(({ at }) => at + by === start))) continue;
      const begun = new Set(others.flatMap(({ entries, by }) => entries.map((at) => at + by)));
      const around = this.#around(base);
      // Nor is anything translated twice on purpose: at an entry of another function that one goes on. And what has not run is not
      // worth it, by the records that the interpreter has made.
      const isBoundary = (at: number): boolean => {
        if (stops.has(at & 4095) || begun.has(at)) return true;
        const { op, isDecoded } = this.#recordAt(around.ramPageAt(pageOf(at)), at);
        return op === entryOp || (!alone && !isDecoded);
      };
      const found = explore(start, around.bytesAt, bounds, isBoundary);
      if (found.entries.length === 0) continue;
      batch.push({ ...found, base, around });
      size += sizeOf(found);
      if (alone) break;
      for (const { end } of found.blocks) {
        if (end.kind !== 'call' || end.to === undefined) continue;
        const to = BigInt.asUintN(64, base + BigInt(end.to));
        if (met.has(to)) continue;
        met.add(to);
        const { op, isDecoded } = this.#recordAt(this.#ramPage(to), end.to);
        if (isDecoded && op !== entryOp) waiting.push(to);
      }
    }
    if (batch.length > 0) this.#add(batch, stuck);
  }

  /** The RAM page that the guest executes from at an address, as far as the core knows now. */
  #ramPage(va: bigint): number | undefined {
    const page = this.core.codePage(va);
    return page < 0 ? undefined : page;
  }

  /** The decoded record of a place in a RAM page, given by any offset that ends alike. */
  #recordAt(page: number | undefined, at: number): { op: number; isDecoded: boolean } {
    const records = page === undefined ? 0 : this.#recordsOf(page);
    if (records === 0) return { op: 0, isDecoded: false };
    const record = records + (at & 4095) * (recordBytes / 2);
    const run = this.#view.getUint16(record + 12, true);
    return { op: this.#bytes[record] ?? 0, isDecoded: run > 0 };
  }

  #around(base: bigint): Surroundings {
    const known = new Map<number, number | undefined>();
    const ramPageAt = (delta: number): number | undefined => {
      if (Math.abs(delta) > farthest) return undefined;
      if (!known.has(delta)) {
        known.set(delta, this.#ramPage(BigInt.asUintN(64, base + BigInt(delta * pageBytes))));
      }
      return known.get(delta);
    };
    const bytesAt = (delta: number): Uint8Array | undefined => {
      const page = ramPageAt(delta);
      return page === undefined ? undefined : this.#bytes.subarray(this.ramAt + page * pageBytes, this.ramAt + (page + 1) * pageBytes);
    };
    return { ramPageAt, bytesAt };
  }

  /** Where a RAM page's decoded records stand, or 0. */
  #recordsOf(page: number): number {
    return this.#view.getUint32(layout.dirty + this.ramBytes / pageBytes + page * 4, true);
  }

  /** Makes one module of functions, puts them into the table, and lets the core enter them. */
  #add(batch: readonly Found[], stuck: StuckResults): void {
    const first = this.#first + this.functions;
    while (first + batch.length > this.core.table.length) this.core.table.grow(64);
    const { directs, others } = this.#directs(batch, first);
    // Code that runs in machine mode mostly does so always; where it does not, it has the TLB as well.
    const direct = this.#view.getBigUint64(layout.directBytes, true) > 0n ? { base: Number(this.ramBase), hostAt: this.ramAt } : undefined;
    const functions = batch.map((found, i) =>
      emit(found, {
        index: first + i,
        recordOf: (raw) => this.#recordOf(raw),
        recordsOf: (delta) => {
          const records = this.#recordsOf(found.around.ramPageAt(delta) ?? 0);
          return { records, drops: this.#view.getUint32(records + decodedDropsOffset, true) };
        },
        directAt: (at) => directs[i]?.get(at),
        direct,
        toPhysical: Number(this.ramBase) - this.ramAt,
        stuck,
      }),
    );
    const imports = [...helpers, ...others.map((index) => ({ name: `f${index}`, type: entryType }))];
    const known = Object.fromEntries(others.map((index) => [`f${index}`, this.core.table.get(index)]));
    const module = new WebAssembly.Module(wasmModule(imports, functions));
    const { exports } = new WebAssembly.Instance(module, { env: { ...this.#imports.env, ...known } });
    batch.forEach((found, i) => {
      this.core.table.set(first + i, exports[`${i}`]);
      this.#install(found, first + i);
      this.functions++;
      this.instructions += sizeOf(found);
    });
  }

  /**
   * What each function of a batch can call without looking it up: entries of the batch and of functions that there
   * are, which the module then imports; there are `others`, by their places in the table.
   */
  #directs(batch: readonly Found[], first: number): { directs: Map<number, Direct>[]; others: number[] } {
    const others: number[] = [];
    const own = new Map<bigint, { index: number; entry: number; page: number }>();
    batch.forEach(({ base, entries }, i) => {
      entries.forEach((at, entry) => own.set(base + BigInt(at), { index: first + i, entry, page: pageOf(at) }));
    });
    // The number that a function has in the module: imports come first, and how many there are is known when all are found.
    const targets = batch.map(({ base, blocks, around }) => {
      const found = new Map<number, { at: number; index: number; entry: number; page: number; record: number }>();
      for (const at of waysOut(blocks)) {
        const ramPage = around.ramPageAt(pageOf(at));
        if (ramPage === undefined || this.#recordsOf(ramPage) === 0) continue;
        const record = this.#recordsOf(ramPage) + (at & 4095) * (recordBytes / 2);
        const where = this.#view.getUint32(record + 8, true);
        const there = this.#bytes[record] === entryOp
          ? { index: where & entryIndexMask, entry: where >>> entryNumberShift, page: this.#view.getInt16(record + 2, true) }
          : own.get(base + BigInt(at));
        if (!there) continue;
        if (there.index < first && !others.includes(there.index)) others.push(there.index);
        found.set(at, { at, record, ...there });
      }
      return found;
    });
    const directs = targets.map((found) => new Map([...found].map(([at, { index, entry, page, record }]): [number, Direct] => [at, {
      callee: index < first ? helpers.length + others.indexOf(index) : helpers.length + others.length + index - first,
      base: (pageOf(at) - page) * pageBytes,
      entry,
      record,
      head: entryOp + (page & 0xffff) * 2 ** 16,
      where: (index | (entry << entryNumberShift)) >>> 0,
    }])));
    return { directs, others };
  }

  #install({ blocks, entries, around: { ramPageAt } }: Found, index: number): void {
    const pages = new Map<number, number>();
    for (const { at } of blocks) pages.set(pageOf(at), ramPageAt(pageOf(at)) ?? 0);
    for (const { at, operations, places } of blocks) {
      const page = pages.get(pageOf(at)) ?? 0;
      // A store to any of them has to be noticed.
      const records = this.#recordsOf(page);
      this.#bytes[records + decodedChancesOffset] = translatedChances;
      operations.forEach(({ length }, i) => {
        for (let byte = 0; byte < length; byte += 2) this.#mark(records, (((places[i] ?? 0) + byte) & 4095) / 2);
      });
    }
    entries.forEach((at, number) => {
      const records = this.#recordsOf(pages.get(pageOf(at)) ?? 0);
      this.#endLinesAt(records, (at & 4095) / 2);
      const record = records + (at & 4095) * (recordBytes / 2);
      this.#bytes.fill(0, record, record + recordBytes);
      this.#bytes[record] = entryOp;
      this.#view.setInt16(record + 2, pageOf(at), true);
      this.#view.setUint32(record + 8, index | (number << entryNumberShift), true);
    });
  }

  /** Lines that have been decoded run across a new entry: what stands before it is decoded anew, up to it. */
  #endLinesAt(records: number, slot: number): void {
    // Within a line no two slots in a row are empty.
    for (let at = slot - 1, empty = 0; at >= 0 && empty < 2; at--) {
      const record = records + at * recordBytes;
      const op = this.#bytes[record] ?? 0;
      empty = op === 0 ? empty + 1 : 0;
      if (op === entryOp) return;
      this.#bytes.fill(0, record, record + recordBytes);
    }
  }

  /** Forgets all translations, and with them all decoded code. */
  forget(): void {
    this.core.forget();
    for (let index = this.#first; index < this.#first + this.functions; index++) this.core.table.set(index, null);
    this.#called.clear();
    this.#waiting.clear();
    this.functions = 0;
    this.instructions = 0;
  }

  #mark(records: number, slot: number): void {
    const at = records + decodedBitmapOffset + (slot >> 3);
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (slot & 7));
  }

  #recordOf(raw: number): number {
    let record = this.#called.get(raw);
    if (record === undefined) {
      if (this.#called.size === mostCalled) throw new Error('no room for records of called instructions');
      record = layout.called + this.#called.size * recordBytes;
      this.#called.set(raw, record);
      this.core.decodeRecord(raw, record);
    }
    return record;
  }
}

function sizeOf({ blocks }: GuestFunction): number {
  return blocks.reduce((sum, { operations }) => sum + operations.length, 0);
}
