import type { GuestMemory } from './guest-memory';
import type { Queue } from './queue';
import type { Slot } from './slot';

/** What a device works with when it is called. */
export interface DeviceContext {
  readonly slot: Slot;
  readonly memory: GuestMemory;
  queue(index: number): Queue;
  /** Something goes to the outside, as the doing of the instruction that is being executed. */
  output(kind: 'disk' | 'net', value: number, data: Uint8Array): void;
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
  /** At reset: what the slot's own 64 bits hold at power-on. */
  readonly initial?: bigint;
  /**
   * The driver has made buffers available. True if it is to be interrupted.
   * Throws QueueError where the driver broke the rules.
   */
  notify(queue: number, context: DeviceContext): boolean;
}
