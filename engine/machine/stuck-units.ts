import { at, mostStuckCsrs, mostStuckReads, mostTlbFaults, pageBytes, stateAt, stuckCsrBytes, tlbStuckBytes } from '../core/layout';
import { forced, noMasks, putMasks, type Masks } from './stuck-masks';
import type { StuckBits } from './types';
import { units } from './upsets';

type Place = StuckBits['place'];
type OwnPlace = Extract<Place, { kind: 'unit' | 'pc' | 'csr' | 'tlb' }>;

/** The bits beside those of units: of pc, and of what floating point writes to CSRs, which are forced after each instruction. */
const pcBit = units.length;
const floatBit = units.length + 1;

const [fflags, frm, fcsr, sstatus, sie, mstatus, mie, mepc, sepc] = [0x001, 0x002, 0x003, 0x100, 0x104, 0x300, 0x304, 0x341, 0x141];
/** FS, which floating point makes dirty. */
const floatState = 3n << 13n;
/** SIE, SPIE, SPP, FS, SUM and MXR: the bits of mstatus that sstatus shows. */
const ofSupervisor = 0xc6122n;
/** UXL, SXL and SD of mstatus, which are worked out at each read. */
const workedOut = 0x8000_000f_0000_0000n;

/** Where the bits of a CSR are kept: those of a view are another's. What is left is nobody's, and is only read. */
function keepers(number: number, bits: bigint): { number: number; bits: bigint }[] {
  switch (number) {
    case fcsr:
      return [{ number: fflags, bits: bits & 0x1fn }, { number: frm, bits: (bits >> 5n) & 7n }];
    case sstatus:
      return [{ number: mstatus, bits: bits & ofSupervisor }, { number: sstatus, bits: bits & ~ofSupervisor }];
    case sie:
      return [{ number: mie, bits: bits & 0x222n }];
    case mstatus:
      return [{ number: mstatus, bits: bits & ~workedOut }, { number: mstatus, bits: bits & workedOut }];
    default:
      return [{ number, bits }];
  }
}

/** Bits that there are of a kept register: those of others are 64. */
const widths: ReadonlyMap<number, bigint> = new Map([[fflags, 0x1fn], [frm, 7n], [mepc, ~1n], [sepc, ~1n]]);

/** Bits that stick in what the core's units come to, in pc, in CSRs and in translations: as the core takes them. */
export class StuckUnits {
  readonly #units = new Map<number, Masks>();
  /** Offsets in a hart's state. */
  readonly #kept = new Map<number, Masks>();
  readonly #read = new Map<number, Masks>();
  readonly #pages = new Map<bigint, Masks>();

  /** `keptAt`: where a CSR's bits stand for the current hart, or 0. */
  constructor(private readonly keptAt: (number: number) => number) {}

  add(place: OwnPlace, bits: bigint, value: 0 | 1): void {
    switch (place.kind) {
      case 'unit':
        return this.#stick(this.#units, units.indexOf(place.unit), bits, value);
      case 'pc':
        // There is no place for bit 0.
        return this.#stick(this.#units, pcBit, bits & ~1n, value);
      case 'csr':
        for (const keeper of keepers(place.number, bits)) this.#stickCsr(keeper.number, keeper.bits, value);
        return;
      case 'tlb':
        return this.#stick(this.#pages, place.address & ~BigInt(pageBytes - 1), bits, value);
    }
  }

  #stickCsr(number: number, bits: bigint, value: 0 | 1): void {
    const kept = this.keptAt(number);
    if (kept === 0 || (number === mstatus && (bits & workedOut) !== 0n)) this.#stick(this.#read, number, bits, value);
    else this.#stick(this.#kept, kept - stateAt, bits & (widths.get(number) ?? -1n), value);
  }

  #stick<Key>(table: Map<Key, Masks>, key: Key, bits: bigint, value: 0 | 1): void {
    if (bits !== 0n) table.set(key, forced(table.get(key) ?? noMasks, bits, value));
  }

  /** Tells the core. */
  write(view: DataView): void {
    if (this.#kept.size > mostStuckCsrs || this.#read.size > mostStuckReads) throw new RangeError(`bits can be stuck in at most ${mostStuckCsrs} CSRs, and in ${mostStuckReads} that are only read`);
    if (this.#pages.size > mostTlbFaults) throw new RangeError(`bits can be stuck in translations of at most ${mostTlbFaults} pages`);
    for (const [unit, masks] of this.#units) putMasks(view, at.stuckUnitList + 16 * unit, masks);
    const float = this.#touches(at.fflags, ~0n) || this.#touches(at.mstatus, floatState);
    view.setUint32(at.stuckUnits, [...this.#units.keys()].reduce((mask, unit) => mask | (1 << unit), float ? 1 << floatBit : 0), true);
    for (const [table, count, list] of [[this.#kept, at.stuckCsrs, at.stuckCsrList], [this.#read, at.stuckReads, at.stuckReadList]] as const) {
      view.setUint32(count, table.size, true);
      [...table].forEach(([place, masks], i) => {
        view.setUint32(list + i * stuckCsrBytes, place, true);
        putMasks(view, list + i * stuckCsrBytes + 8, masks);
      });
    }
    view.setUint32(at.tlbStuck, this.#pages.size, true);
    [...this.#pages].forEach(([page, masks], i) => {
      view.setBigUint64(at.tlbStuckList + i * tlbStuckBytes, page, true);
      putMasks(view, at.tlbStuckList + i * tlbStuckBytes + 8, masks);
    });
  }

  /** True if some of these bits of a kept register are stuck. */
  #touches(address: number, bits: bigint): boolean {
    const masks = this.#kept.get(address - stateAt);
    return masks !== undefined && (~masks.keep & bits) !== 0n;
  }
}
