import {
  cacheAgesOffset, cacheAt, cacheDataOffset, cacheEventBytes, cacheHeadBytes, cacheHeaderBytes, cacheLineBytes, cacheSetsOffset, cacheTagsOffset, cacheWaysOffset, lineDiffers, lineFaultBytes, messageFaultBytes,
  mostCacheEvents, mostLineFaults, mostMessageFaults, mostPendingLines, routeBytes,
} from '../core/cache-layout';
import type { CacheExports } from '../core/core';
import { at } from '../core/layout';
import type { CacheAccount, CacheControl, CacheEvent, CacheName, CacheState, Hierarchy, Hop, LineUpset, MessageUpset } from './cache-types';
import { ramBase } from './snapshot';

const names = ['l1i', 'l1d', 'l2'] as const satisfies readonly CacheName[];
const messages = ['request', 'fill', 'write-back'] as const;
const hows = ['drop', 'duplicate', 'corrupt'] as const;
/** In a message's kind: it is between a bank and a memory controller. */
const ofMemory = 4;

/** What any hierarchy of a machine takes at most. */
export interface CacheRoom {
  l1i: { sets: number; ways: number };
  l1d: { sets: number; ways: number };
  l2Lines: number;
  banks: number;
  controllers: number;
}

const linesOf = ({ sets, ways }: { sets: number; ways: number }): number => sets * ways;
const upTo = (alignment: number, bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/** Where each part stands, from the header on; and how many bytes all take. */
function layOut({ l1i, l1d, l2Lines, banks, controllers }: CacheRoom): { offsets: number[]; bytes: number } {
  const caches = [linesOf(l1i), linesOf(l1d), l2Lines];
  const parts = [
    ...caches.flatMap((lines) => [lines * 4, lines, lines * cacheLineBytes]),
    banks * routeBytes, banks * controllers * routeBytes, mostMessageFaults * messageFaultBytes, mostLineFaults * lineFaultBytes, mostCacheEvents * cacheEventBytes, mostPendingLines * 4,
  ];
  const offsets: number[] = [];
  let bytes = cacheHeaderBytes;
  for (const part of parts) {
    offsets.push(bytes);
    bytes += upTo(cacheLineBytes, part);
  }
  return { offsets, bytes };
}

/** Bytes that the caches take behind a machine's RAM. */
export function cacheBytes(room: CacheRoom): number {
  return layOut(room).bytes;
}

/** The caches of a machine's core, which the core looks after (core/assembly/caches.ts): what the host sets, keeps and asks of them. */
export class Caches implements CacheControl {
  #hierarchy: Hierarchy | undefined;
  /** The key by which two hierarchies are the same. */
  #key = '';
  #messages: readonly MessageUpset[] = [];
  #lines: readonly LineUpset[] = [];

  /** They begin at `start`. */
  constructor(
    private readonly core: CacheExports,
    private readonly view: DataView,
    private readonly bytes: Uint8Array,
    private readonly start: number,
    private readonly room: CacheRoom,
  ) {
    view.setUint32(at.caches, start, true);
    const { offsets } = layOut(room);
    const place = (index: number): number => start + (offsets[index] ?? 0);
    names.forEach((name, i) => {
      this.#setWord(cacheAt[name] + cacheTagsOffset, place(3 * i));
      this.#setWord(cacheAt[name] + cacheAgesOffset, place(3 * i + 1));
      this.#setWord(cacheAt[name] + cacheDataOffset, place(3 * i + 2));
    });
    [cacheAt.banksAt, cacheAt.routesAt, cacheAt.messageList, cacheAt.lineList, cacheAt.eventList, cacheAt.pendingList].forEach((field, i) => this.#setWord(field, place(9 + i)));
  }

  /** Whoever runs a guest has said what there is behind its core. */
  get isSet(): boolean {
    return this.#hierarchy !== undefined;
  }

  set(hierarchy: Hierarchy): void {
    const key = JSON.stringify(hierarchy);
    if (key === this.#key) return;
    if (this.#hierarchy) this.core.flushCaches();
    const { l1i, l1d, l2, banks, routes } = hierarchy;
    if (l2.sets * l2.ways * banks.length > this.room.l2Lines || banks.length > this.room.banks || linesOf(l1i) > linesOf(this.room.l1i) || linesOf(l1d) > linesOf(this.room.l1d)) {
      throw new RangeError('more caches than the machine has been made for');
    }
    this.#hierarchy = hierarchy;
    this.#key = key;
    for (const name of names) {
      this.#setWord(cacheAt[name] + cacheSetsOffset, hierarchy[name].sets);
      this.#setWord(cacheAt[name] + cacheWaysOffset, hierarchy[name].ways);
    }
    this.#setWord(cacheAt.l2Banks, banks.length);
    this.#setWord(cacheAt.controllers, routes[0]?.length ?? 0);
    banks.forEach(({ cycles }, bank) => this.view.setUint32(this.#bank(bank), cycles, true));
    routes.forEach((row, bank) => row.forEach(({ cycles }, controller) => this.view.setUint32(this.#route(bank, controller), cycles, true)));
    const dearest = (costs: readonly { cycles: number }[]): number => Math.max(0, ...costs.map(({ cycles }) => cycles));
    // An instruction and its data may each lie in two lines, and one of those may be needed again.
    this.#setWord(cacheAt.worst, 5 * (dearest(banks) + dearest(routes.flat())));
    // Whoever waits for a message that was lost does so in any hierarchy.
    const hung = this.#word(cacheAt.hung);
    this.core.dropCaches();
    this.#setWord(cacheAt.hung, hung);
    this.#arm();
  }

  /** Empty, and all copies of a line are what RAM is. */
  drop(): void {
    if (this.isSet) this.core.dropCaches();
  }

  get stall(): bigint {
    return this.view.getBigUint64(this.start + cacheAt.stall, true);
  }

  account(): CacheAccount {
    const count = (field: number): number => Number(this.view.getBigUint64(this.start + field, true));
    return {
      cycles: count(cacheAt.stall),
      l1i: { accesses: count(cacheAt.l1iAccesses), misses: count(cacheAt.l1iMisses), writeBacks: 0 },
      l1d: { accesses: count(cacheAt.l1dAccesses), misses: count(cacheAt.l1dMisses), writeBacks: count(cacheAt.l1dWriteBacks) },
      l2: { accesses: count(cacheAt.l2Accesses), misses: count(cacheAt.l2Misses), writeBacks: count(cacheAt.l2WriteBacks) },
    };
  }

  get isHung(): boolean {
    return this.#word(cacheAt.hung) !== 0;
  }

  restart(): void {
    this.bytes.fill(0, this.start, this.start + cacheAt.lastFetch);
  }

  save(): CacheState {
    const parts = names.map((name) => {
      const lines = this.#linesOf(name);
      const { tags, ages } = this.#places(name);
      return { tags: this.bytes.slice(tags, tags + 4 * lines), ages: this.bytes.slice(ages, ages + lines) };
    });
    return {
      hierarchy: this.#hierarchy,
      head: this.bytes.slice(this.start, this.start + cacheHeadBytes),
      parts,
      data: names.map((name) => {
        const places = this.#differing(name);
        const data = new Uint8Array(places.length * cacheLineBytes);
        places.forEach((place, i) => data.set(this.bytes.subarray(place, place + cacheLineBytes), i * cacheLineBytes));
        return data;
      }),
    };
  }

  load({ hierarchy, head, parts, data }: CacheState): void {
    if (hierarchy) this.set(hierarchy);
    this.bytes.set(head, this.start);
    this.#setWord(cacheAt.events, 0);
    names.forEach((name, i) => {
      const { tags, ages } = this.#places(name);
      this.bytes.set(parts[i]?.tags ?? [], tags);
      this.bytes.set(parts[i]?.ages ?? [], ages);
      this.#differing(name).forEach((place, n) => this.bytes.set(data[i]?.subarray(n * cacheLineBytes, (n + 1) * cacheLineBytes) ?? [], place));
    });
    this.core.cachesLoaded();
  }

  strikeNow(upset: LineUpset): { before: number; after: number } | undefined {
    const waiting = this.#lines;
    const events = this.#word(cacheAt.events);
    this.setLines([upset]);
    this.core.strikeLines();
    this.setLines(waiting);
    if (this.#word(cacheAt.events) === events) return undefined;
    this.#setWord(cacheAt.events, events);
    const [before, after] = [8, 12].map((offset) => this.view.getUint32(this.#word(cacheAt.eventList) + events * cacheEventBytes + offset, true)) as [number, number];
    return { before, after };
  }

  setLines(lines: readonly LineUpset[]): void {
    if (lines.length > mostLineFaults) throw new RangeError(`at most ${mostLineFaults} faults can wait for a line of a cache`);
    this.#lines = lines;
    this.#arm();
  }

  setMessages(upsets: readonly MessageUpset[]): void {
    if (upsets.length > mostMessageFaults) throw new RangeError(`at most ${mostMessageFaults} faults can wait for a message`);
    this.#messages = upsets;
    this.#arm();
  }

  #arm(): void {
    const { view } = this;
    if (!this.#hierarchy) return;
    this.#setWord(cacheAt.armedLines, this.#lines.length);
    const list = this.#word(cacheAt.lineList);
    this.#lines.forEach(({ cache, line, byte, keep, flip }, i) => {
      [names.indexOf(cache), Number((line - ramBase) / BigInt(cacheLineBytes)), byte, keep, flip].forEach((word, n) => view.setUint32(list + i * lineFaultBytes + 4 * n, word, true));
    });
    this.#setWord(cacheAt.armedMessages, 2 ** this.#messages.length - 1);
    const faults = this.#word(cacheAt.messageList);
    this.#messages.forEach(({ how, bit }, i) => {
      view.setUint32(faults + i * messageFaultBytes, hows.indexOf(how) + 1, true);
      view.setUint32(faults + i * messageFaultBytes + 4, bit, true);
    });
    const crossed = (route: readonly Hop[], back: boolean): number =>
      this.#messages.reduce((mask, { from, to }, i) => (route.some((hop) => (back ? hop.from === to && hop.to === from : hop.from === from && hop.to === to)) ? mask | (1 << i) : mask), 0);
    const write = (place: number, route: readonly Hop[]): void => {
      view.setInt32(place + 4, crossed(route, false), true);
      view.setInt32(place + 8, crossed(route, true), true);
    };
    const { banks, routes } = this.#hierarchy;
    banks.forEach(({ route }, bank) => write(this.#bank(bank), route));
    routes.forEach((row, bank) => row.forEach(({ route }, controller) => write(this.#route(bank, controller), route)));
  }

  take(): CacheEvent[] {
    const { view } = this;
    const count = this.#word(cacheAt.events);
    if (count === 0) return [];
    this.#setWord(cacheAt.events, 0);
    const list = this.#word(cacheAt.eventList);
    return Array.from({ length: count }, (_, i): CacheEvent => {
      const [kind = 0, number = 0, a = 0, b = 0] = [0, 4, 8, 12].map((offset) => view.getUint32(list + i * cacheEventBytes + offset, true));
      if (kind === 0) return { kind: 'line', upset: number, before: a, after: b };
      return { kind: 'message', upset: number, what: messages[a & 3] ?? 'request', ofMemory: (a & ofMemory) !== 0, line: ramBase + BigInt(b) * BigInt(cacheLineBytes) };
    });
  }

  #bank(bank: number): number {
    return this.#word(cacheAt.banksAt) + bank * routeBytes;
  }
  #route(bank: number, controller: number): number {
    return this.#word(cacheAt.routesAt) + (bank * this.#word(cacheAt.controllers) + controller) * routeBytes;
  }

  #linesOf(name: CacheName): number {
    const lines = this.#word(cacheAt[name] + cacheSetsOffset) * this.#word(cacheAt[name] + cacheWaysOffset);
    return name === 'l2' ? lines * this.#word(cacheAt.l2Banks) : lines;
  }

  #places(name: CacheName): { tags: number; ages: number; data: number } {
    const [tags, ages, data] = [cacheTagsOffset, cacheAgesOffset, cacheDataOffset].map((offset) => this.#word(cacheAt[name] + offset)) as [number, number, number];
    return { tags, ages, data };
  }

  /** Where the data stands of each line that the level below has otherwise. */
  #differing(name: CacheName): number[] {
    const { tags, data } = this.#places(name);
    const words = new Uint32Array(this.bytes.buffer, tags, this.#linesOf(name));
    const places: number[] = [];
    words.forEach((tag, slot) => {
      if ((tag & lineDiffers) !== 0) places.push(data + slot * cacheLineBytes);
    });
    return places;
  }

  #word(field: number): number {
    return this.view.getUint32(this.start + field, true);
  }
  #setWord(field: number, value: number): void {
    this.view.setUint32(this.start + field, value, true);
  }
}
