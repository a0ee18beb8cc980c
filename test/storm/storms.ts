/** What `npm run storm` consists of: guests, and how each is protected. */
import type { Isolation, ProtectionKind } from '../../engine/covert/plan';
import type { DebianFiles } from '../../server/guest/debian';
import { checksumGuest, nginxGuest, sqliteGuest, type StormGuest } from './guests';

/** What each storm is, and which share of the faults it has. */
export const storms: readonly { protection: ProtectionKind; isolation: Isolation; share: number }[] = [
  { protection: 'dmr', isolation: 'full', share: 0.4 },
  { protection: 'tmr', isolation: 'full', share: 0.3 },
  { protection: 'dmr', isolation: 'none', share: 0.2 },
  { protection: 'none', isolation: 'none', share: 0.1 },
];

export const guests: readonly { name: string; make: (files: DebianFiles) => Promise<StormGuest> }[] = [
  { name: 'checksum', make: checksumGuest },
  { name: 'sqlite', make: sqliteGuest },
  { name: 'nginx', make: nginxGuest },
];

/** One run that strikes the protection itself (nature.ts); an index of {@link guests}. */
export interface NatureRun {
  guest: number;
  seed: number;
  number: number;
}

/** One run of a storm; indexes of {@link guests} and {@link storms}. */
export interface StormRun {
  guest: number;
  storm: number;
  seed: number;
  number: number;
}
