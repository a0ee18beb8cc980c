import { createHash } from 'node:crypto';
import type { Plan } from '../../engine/covert/plan';
import type { DiskImage } from '../../engine/machine/virtio/disk-image';

/** What says nothing about how a run goes: where things stand, and what is expected of it. */
const beside: ReadonlySet<string> = new Set(['range', 'expectations', 'path']);

const marks = new WeakMap<Plan, string>();
const contents = new WeakMap<Uint8Array, string>();

/**
 * A hash of everything that decides how a scenario runs: its guest's ELF, its
 * chip, its protection, its faults. Two texts that mean the same have the same.
 */
export function planMark(plan: Plan): string {
  let mark = marks.get(plan);
  if (mark === undefined) marks.set(plan, (mark = createHash('sha256').update(JSON.stringify(plain(plan))).digest('hex')));
  return mark;
}

/** The texts of all that is expected, of all guests. */
export function expectedTexts({ expectations, neighbours = [] }: Plan): string[] {
  return [expectations, ...neighbours.map((each) => each.expectations)].flatMap((all, guest) => all.map(({ text }) => `${guest} ${text}`));
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return contentHash(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if (isDiskImage(value)) return value.file ? `${value.file.path} ${value.file.stamp}` : value.sha256();
  return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (beside.has(key) || one === undefined ? [] : [[key, plain(one)]])));
}

function isDiskImage(value: object): value is DiskImage {
  return 'sha256' in value && typeof value.sha256 === 'function';
}

function contentHash(bytes: Uint8Array): string {
  let hash = contents.get(bytes);
  if (hash === undefined) contents.set(bytes, (hash = createHash('sha256').update(bytes).digest('hex')));
  return hash;
}
