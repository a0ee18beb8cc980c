import { at, mostStuckWords, stuckWordBytes } from '../core/layout';
import { forced, noMasks, putMasks, type Masks } from './stuck-masks';
import { StuckUnits } from './stuck-units';
import type { StuckBits } from './types';

const all = noMasks.keep;

/** Stuck bits as the core takes them: of registers, of the arithmetic-logic unit's results, of doublewords of memory, and of what {@link StuckUnits} has. */
export class StuckTables {
  readonly #x: Masks[] = Array.from({ length: 32 }, () => noMasks);
  readonly #f: Masks[] = Array.from({ length: 32 }, () => noMasks);
  #alu = noMasks;
  readonly #units: StuckUnits;
  readonly #words = new Map<bigint, Masks>();

  /** Of two that want one bit, the later has it. Memory that `isRam` denies is left out. `keptAt`: where the core keeps a CSR, or 0. */
  constructor(faults: readonly StuckBits[], isRam: (address: bigint, bytes: number) => boolean, keptAt: (csr: number) => number) {
    this.#units = new StuckUnits(keptAt);
    for (const { place, bits, value } of faults) {
      if (place.kind === 'alu') this.#alu = forced(this.#alu, bits & all, value);
      else if (place.kind === 'unit' || place.kind === 'pc' || place.kind === 'csr' || place.kind === 'tlb') this.#units.add(place, bits & all, value);
      else if (place.kind === 'memory') {
        if (isRam(place.address, place.bytes)) this.#stickMemory(place.address, bits & ((1n << BigInt(8 * place.bytes)) - 1n), value);
      } else if (place.kind === 'f' || place.index !== 0) {
        const table = place.kind === 'x' ? this.#x : this.#f;
        table[place.index] = forced(table[place.index] ?? noMasks, bits & all, value);
      }
    }
    if (this.#words.size > mostStuckWords) throw new RangeError(`bits can be stuck in at most ${mostStuckWords} doublewords of memory`);
  }

  #stickMemory(address: bigint, bits: bigint, value: 0 | 1): void {
    const inWord = address & 7n;
    const shifted = bits << (8n * inWord);
    for (const [word, part] of [[address - inWord, shifted & all], [address - inWord + 8n, shifted >> 64n]] as const) {
      if (part !== 0n) this.#words.set(word, forced(this.#words.get(word) ?? noMasks, part, value));
    }
  }

  /** Tells the core. */
  write(view: DataView): void {
    const put = (place: number, masks: Masks): void => putMasks(view, place, masks);
    this.#units.write(view);
    const some = (table: readonly Masks[]): number => table.reduce((mask, { keep }, i) => (keep === all ? mask : mask | (1 << i)), 0);
    const [x, f, alu] = [some(this.#x), some(this.#f), this.#alu.keep === all ? 0 : 1];
    this.#x.forEach((masks, i) => put(at.stuckX + 16 * i, masks));
    this.#f.forEach((masks, i) => put(at.stuckF + 16 * i, masks));
    put(at.stuckAlu, this.#alu);
    view.setInt32(at.stuckInX, x, true);
    view.setInt32(at.stuckInF, f, true);
    view.setInt32(at.stuckInAlu, alu, true);
    view.setUint32(at.stuck, x !== 0 || f !== 0 || alu !== 0 ? 1 : 0, true);
    view.setUint32(at.stuckWords, this.#words.size, true);
    [...this.#words].forEach(([address, masks], i) => {
      view.setBigUint64(at.stuckList + i * stuckWordBytes, address, true);
      put(at.stuckList + i * stuckWordBytes + 8, masks);
    });
  }

  /** What has to be the same for code to stay as it has been decoded and translated. */
  get ofCode(): string {
    return [...this.#x, ...this.#f, this.#alu].map(({ keep, set }) => `${keep},${set}`).join(';');
  }
}
