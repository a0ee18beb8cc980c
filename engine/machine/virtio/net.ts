import type { DeviceContext, Passes, VirtioDevice } from './device';
import { QueueError, type Chain } from './queue';

// VIRTIO 1.2, section 5.1.
const macFeature = 1 << 5;

const receiveQueue = 0;
/** In front of each frame, all zero but for the number of buffers. */
const headerBytes = 12;
/** An ethernet frame without its checksum: addresses and type alone, and all it can be with a tag. */
export const leastFrameBytes = 14;
export const mostFrameBytes = 1518;

/** A network card. A frame leaves by the instruction that announces it. */
export class NetworkDevice implements VirtioDevice {
  readonly id = 1;
  readonly queues = 2;
  readonly features = macFeature;
  readonly config: Uint8Array;
  readonly receiveQueue = receiveQueue;

  /** Throws a RangeError for an address that is not one of six bytes. */
  constructor(
    mac: Uint8Array,
    /** Called with each frame on its way to memory. */
    private readonly passes: Passes = () => undefined,
  ) {
    if (mac.length !== 6) throw new RangeError(`a network card's address has 6 bytes, not ${mac.length}`);
    this.config = Uint8Array.from([...mac, 0, 0]);
  }

  serve(chain: Chain, context: DeviceContext): number {
    if (chain.readable < headerBytes) throw new QueueError('a frame without header');
    const bytes = chain.readable - headerBytes;
    // What is no frame is lost, as on a wire.
    if (bytes >= leastFrameBytes && bytes <= mostFrameBytes) {
      context.output('net', { value: bytes, data: chain.read(headerBytes, bytes) });
    }
    return 0;
  }

  /** Puts a frame into a buffer of the driver's, and gives the number of bytes written: none if it is too small, and the frame lost. */
  receive(chain: Chain, frame: Uint8Array): number {
    const bytes = headerBytes + frame.length;
    if (chain.writable < bytes) return 0;
    const data = new Uint8Array(bytes);
    // num_buffers, which is always there in version 1.
    data[10] = 1;
    data.set(frame, headerBytes);
    this.passes(data.subarray(headerBytes), 0, true);
    chain.write(data);
    return bytes;
  }
}
