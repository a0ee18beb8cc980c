import type { MessagePort } from 'node:worker_threads';
import type { Bound } from '../../translator/translator';
import type { Tier } from '../tier';

/** What a thread starts as. */
export type Start = { role: 'watch'; file: string } | { role: 'execute'; shared: SharedArrayBuffer; port: MessagePort };

/** To the watch: make a thread; or end one, or all, whatever they do. */
export type WatchMessage =
  | { kind: 'start'; number: number; shared: SharedArrayBuffer; port: MessagePort }
  | { kind: 'stop'; number?: number };

/** To a thread: what to execute from now on. */
export interface Machinery {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  ramBytes: number;
  tier: Tier;
  /** What the translator keeps at most. */
  translations: Bound | undefined;
  /** With whose RAM its own is going to be compared, and where the comparison lies. */
  comparison?: { shared: SharedArrayBuffer; peer: WebAssembly.Memory };
}
