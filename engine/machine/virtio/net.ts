import type { DeviceContext, VirtioDevice } from './device';
import { gather, lengthOf, scatter } from './queue';

// VIRTIO 1.2, section 5.1.
const macFeature = 1 << 5;

const receiveQueue = 0;
const transmitQueue = 1;
/** In front of each frame, all zero but for the number of buffers. */
const headerBytes = 12;
/** An ethernet frame with a tag, without its checksum. */
export const mostFrameBytes = 1518;

/** A network card. A frame leaves by the instruction that announces it. */
export class NetworkDevice implements VirtioDevice {
  readonly id = 1;
  readonly queues = 2;
  readonly features = macFeature;
  readonly config: Uint8Array;

  constructor(mac: Uint8Array) {
    this.config = Uint8Array.from([...mac, 0, 0]);
  }

  notify(index: number, context: DeviceContext): boolean {
    // Fresh buffers to receive into wait for a frame.
    if (index !== transmitQueue) return false;
    const queue = context.queue(index);
    let interrupt = false;
    for (let chain = queue.take(); chain; chain = queue.take()) {
      const sent = gather(chain.segments, context.memory, headerBytes + mostFrameBytes);
      if (sent && sent.length > headerBytes) context.output('net', sent.length - headerBytes, sent.slice(headerBytes));
      interrupt = queue.give(chain, 0) || interrupt;
    }
    return interrupt;
  }

  /**
   * A frame from the outside. `taken` is false where the driver has no buffer for
   * it, `interrupt` true if it is to be interrupted. Throws QueueError.
   */
  receive(frame: Uint8Array, context: DeviceContext): { taken: boolean; interrupt: boolean } {
    const queue = context.queue(receiveQueue);
    const chain = queue.take();
    if (!chain) return { taken: false, interrupt: false };
    const bytes = headerBytes + frame.length;
    if (lengthOf(chain.segments, true) < bytes) {
      // Too small a buffer: the frame is lost, and the driver gets its buffer back.
      return { taken: true, interrupt: queue.give(chain, 0) };
    }
    const data = new Uint8Array(bytes);
    data[10] = 1;
    data.set(frame, headerBytes);
    const written = scatter(chain.segments, context.memory, data) ? bytes : 0;
    return { taken: true, interrupt: queue.give(chain, written) };
  }
}
