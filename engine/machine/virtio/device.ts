import type { Output } from '../types';
import type { Chain } from './queue';
import type { Slot } from './slot';

/** What a device works with when it is called. */
export interface DeviceContext {
  readonly slot: Slot;
  /** Something goes to the outside, as the doing of the instruction that is being executed. */
  output(kind: 'console' | 'disk' | 'net' | 'flush', payload: Pick<Output, 'value' | 'data'>): void;
}

/** One kind of virtio device: what differs from the others. */
export interface VirtioDevice {
  /** VIRTIO 1.2, chapter 5. */
  readonly id: number;
  readonly queues: number;
  /** Feature bits below 32 that it offers. */
  readonly features: number;
  /** Its configuration space, little-endian. */
  readonly config: Uint8Array;
  /** What the slot's own 64 bits hold at power-on. */
  readonly initial?: bigint;
  /** The queue whose buffers wait until something comes from outside, if there is one. All others are served at once. */
  readonly receiveQueue?: number;
  /** It transfers to and from memory, over a bus that others use, too: where that is left uncoordinated, it is late. */
  readonly isTransfer?: boolean;
  /** What a byte in a buffer costs, in the unit of {@link Chain.work}. Default 1. */
  readonly byteWork?: number;
  /**
   * Does what a chain asks for and gives the number of bytes written to it; undefined where it is given
   * back later, when an answer has come from outside. Throws QueueError where the driver broke the rules.
   */
  serve(chain: Chain, context: DeviceContext): number | undefined;
  /** Ends a chain that waited for an answer, and gives the number of bytes written to it. Throws QueueError likewise. */
  readonly answer?: ((chain: Chain, ok: boolean) => number) | undefined;
}

/** Whom a piece of a transfer to memory passes by, of which so many bytes came before: it may have changed when it comes back. */
export type Passes = (piece: Uint8Array, done: number, isLast: boolean) => void;
