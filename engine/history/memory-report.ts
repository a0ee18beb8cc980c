import type { MemoryReport } from '../covert/report';
import type { System } from '../covert/system';

/** What the caches of each live replica's core have come to, under `detailed` timing. */
export function memoryOf({ live }: Pick<System, 'live'>): MemoryReport[] {
  return live.flatMap(({ name, core, computer }) => (computer.caches ? [{ replica: name, core, ...computer.caches.account() }] : []));
}
