import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { memoryPages, pageBytes, ramHostAddress } from '../../engine/core/layout';

const entryBytes = 8;
/** Bits 63 and 62 of an entry: the page is in memory, or in swap (Linux, Documentation/admin-guide/mm/pagemap.rst). */
const present = 0xc0;
/** A mapping of a machine's memory may have a little more than that. */
const most = 2 ** 20;

/**
 * Bytes of guest RAM that this process really holds, of all its machines with so much RAM; undefined where the
 * system does not tell. A guest's RAM takes memory once a page is written, and keeps it when that is zero again.
 */
export function residentRam(ramBytes: number): number | undefined {
  try {
    const bytes = memoryPages(ramBytes) * 65_536;
    const starts = readFileSync('/proc/self/maps', 'utf8').split('\n').flatMap((line) => {
      const [, from = '', to = '', rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      const beyond = Number.parseInt(to, 16) - Number.parseInt(from, 16) - bytes;
      return rights?.startsWith('rw') && beyond >= 0 && beyond < most ? [Number.parseInt(from, 16)] : [];
    });
    if (starts.length === 0) return undefined;
    const file = openSync('/proc/self/pagemap', 'r');
    try {
      let pages = 0;
      for (const start of starts) {
        const entries = Buffer.alloc((ramBytes / pageBytes) * entryBytes);
        readSync(file, entries, 0, entries.length, ((start + ramHostAddress(ramBytes)) / pageBytes) * entryBytes);
        for (let at = entryBytes - 1; at < entries.length; at += entryBytes) if (((entries[at] ?? 0) & present) !== 0) pages++;
      }
      return pages * pageBytes;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
