import { at, mostTlbFaults, pageBytes, tlbWaitingBytes, tlbWrongBytes } from '../core/layout';
import type { StruckTranslation, TranslationUpset, WrongTranslation } from './types';

const all = 0xffff_ffff_ffff_ffffn;
/** The bit beside those of units (upsets.ts) in what the core says has struck. */
const struck = 1 << 7;

/** The page of a virtual address. */
function pageOf(address: bigint): bigint {
  return address & ~BigInt(pageBytes - 1);
}

/** Tells the core what upsets of translations wait, in place of those that waited before; of several of one page, each changes what the one before has made of it. */
export function writeTranslationUpsets(view: DataView, upsets: readonly TranslationUpset[]): void {
  const pages = [...new Set(upsets.map(({ address }) => pageOf(address)))];
  if (pages.length > mostTlbFaults) throw new RangeError(`faults can wait for translations of at most ${mostTlbFaults} pages`);
  pages.forEach((page, i) => {
    const own = upsets.filter(({ address }) => pageOf(address) === page);
    const entry = at.tlbWaitingList + i * tlbWaitingBytes;
    view.setBigUint64(entry, page, true);
    view.setBigUint64(entry + 8, own.reduce((mask, { keep }) => mask & keep, all), true);
    view.setBigUint64(entry + 16, own.reduce((mask, { keep, flip }) => (mask & keep) ^ flip, 0n), true);
    view.setBigUint64(entry + 32, 0n, true);
  });
  view.setUint32(at.tlbListed, pages.length, true);
  view.setUint32(at.tlbWaiting, pages.length, true);
}

/** What they have struck since the last call. */
export function takeStruckTranslations(view: DataView): StruckTranslation[] {
  const done = view.getUint32(at.upsetsDone, true);
  if ((done & struck) === 0) return [];
  view.setUint32(at.upsetsDone, done & ~struck, true);
  const pc = view.getBigUint64(at.upsetPc, true);
  const taken: StruckTranslation[] = [];
  for (let i = 0; i < view.getUint32(at.tlbListed, true); i++) {
    const entry = at.tlbWaitingList + i * tlbWaitingBytes;
    if (view.getBigUint64(entry + 32, true) !== 1n) continue;
    view.setBigUint64(entry + 32, 2n, true);
    taken.push({ page: view.getBigUint64(entry, true), before: view.getBigUint64(entry + 24, true), pc });
  }
  return taken;
}

/** The entries that are wrong. */
export function readWrongTranslations(view: DataView): WrongTranslation[] {
  return Array.from({ length: view.getUint32(at.tlbWrong, true) }, (_, i) => {
    const [address = 0n, mask = 0n, entry = 0n, tag = 0n] = Array.from({ length: 4 }, (__, word) => view.getBigUint64(at.tlbWrongList + i * tlbWrongBytes + 8 * word, true));
    return { address, mask, entry, tag };
  });
}

export function writeWrongTranslations(view: DataView, wrong: readonly WrongTranslation[]): void {
  wrong.forEach(({ address, mask, entry, tag }, i) => {
    [address, mask, entry, tag].forEach((word, j) => view.setBigUint64(at.tlbWrongList + i * tlbWrongBytes + 8 * j, word, true));
  });
  view.setUint32(at.tlbWrong, wrong.length, true);
}
