/** Turns code that runs much into WebAssembly functions, which the core then calls where it would interpret. */
import type { CoreExports } from '../core/core';
import { at as layout, decodedBitmapOffset, mostCalled, pageBytes, recordBytes } from '../core/layout';
import { Emitter, entryBlockShift, entryOp, helpers, refuses } from './emit';
import { findRegion, type Block } from './region';
import { wasmModule } from './wasm-code';

const limits = { blocks: 128, instructions: 1024 };
/** More make room by forgetting all. */
const mostFunctions = 8192;
const mostInstructions = 1_000_000;
const slots = pageBytes / 2;

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
  /** Where the core's own functions end in the table. */
  readonly #first: number;
  /** Functions since the last time that all were forgotten, and guest instructions in them. */
  functions = 0;
  instructions = 0;

  constructor(
    private readonly core: CoreExports,
    memory: WebAssembly.Memory,
    private readonly ramBytes: number,
    private readonly ramAt: number,
    /** The guest's address of the first byte of RAM. */
    private readonly ramBase: bigint,
  ) {
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#first = core.table.length;
    const exported = core as unknown as Record<string, unknown>;
    this.#imports = { env: { memory, ...Object.fromEntries(helpers.map(({ name }) => [name, exported[name]])) } };
  }

  /** Translates the code at HOT_VA and HOT_AT, where the core has stopped. */
  translate(breakpoints: readonly bigint[]): void {
    if (this.functions >= mostFunctions || this.instructions >= mostInstructions || this.#called.size > mostCalled - limits.instructions) {
      this.#evict();
      // What is still hot will be reported again.
      return;
    }
    const offset = Number(this.#view.getBigUint64(layout.hotAt, true) - this.ramBase);
    const page = Math.floor(offset / pageBytes);
    const records = this.#view.getUint32(layout.dirty + this.ramBytes / pageBytes + page * 4, true);
    if (records === 0) return;
    const bytes = this.#bytes.subarray(this.ramAt + page * pageBytes, this.ramAt + (page + 1) * pageBytes);
    const stops = new Set(breakpoints.map((address) => Number(address & 4095n)));
    const isEntry = (at: number): boolean => this.#bytes[records + at * (recordBytes / 2)] === entryOp;
    const blocks = findRegion(bytes, offset % pageBytes, limits, refuses, (at) => stops.has(at) || isEntry(at));
    if (blocks.length === 0) return;
    const index = this.#add(blocks);
    // Lines that have been decoded run across the new entries: they are decoded anew, up to them.
    for (let slot = 0; slot < slots; slot++) {
      const record = records + slot * recordBytes;
      if (this.#bytes[record] !== entryOp) this.#bytes.fill(0, record, record + recordBytes);
    }
    blocks.forEach(({ at, instructions, isEntry: enters }, number) => {
      // A store to any of them has to be noticed.
      for (const { at: each, length } of instructions) for (let i = 0; i < length; i += 2) this.#mark(records, (each + i) / 2);
      if (!enters) return;
      const record = records + (at / 2) * recordBytes;
      this.#bytes[record] = entryOp;
      this.#view.setUint32(record + 8, index | (number << entryBlockShift), true);
      this.#mark(records, at / 2);
    });
  }

  /** Forgets all translations, and with them all decoded code. */
  #evict(): void {
    this.core.forget();
    for (let index = this.#first; index < this.#first + this.functions; index++) this.core.table.set(index, null);
    this.#called.clear();
    this.functions = 0;
    this.instructions = 0;
  }

  #mark(records: number, slot: number): void {
    const at = records + decodedBitmapOffset + (slot >> 3);
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (slot & 7));
  }

  #add(blocks: readonly Block[]): number {
    const index = this.#first + this.functions;
    if (index === this.core.table.length) this.core.table.grow(64);
    const emitter = new Emitter(blocks, (raw) => this.#recordOf(raw), index);
    const module = new WebAssembly.Module(wasmModule(helpers, [emitter.function()]));
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    this.core.table.set(index, exports['0']);
    this.functions++;
    this.instructions += blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
    return index;
  }

  #recordOf(raw: number): number | undefined {
    let record = this.#called.get(raw);
    if (record === undefined) {
      if (this.#called.size === mostCalled) return undefined;
      record = layout.called + this.#called.size * recordBytes;
      this.#called.set(raw, record);
      this.core.decodeRecord(raw, record);
    }
    return record;
  }
}
