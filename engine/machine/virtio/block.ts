import type { DeviceContext, VirtioDevice } from './device';
import type { Disk } from './disk';
import { sectorBytes } from './disk-image';
import { gather, lengthOf, scatter, type Chain } from './queue';

// VIRTIO 1.2, section 5.2.
const segmentsFeature = 1 << 2;
const readOnlyFeature = 1 << 5;
const flushFeature = 1 << 9;

const readRequest = 0;
const writeRequest = 1;
const flushRequest = 4;
const identifyRequest = 8;

const ok = 0;
const failed = 1;
const unsupported = 2;

/** A disk's number in the value of its outputs: more sectors than any disk has. */
export const diskStride = 2 ** 40;

const headerBytes = 16;
/** Segments of data in one request. */
const mostSegments = 126;
/** More in one request is an error: it bounds what one notification costs. */
const mostBytes = 2 ** 24;

/** A disk. Requests are done at once, by the instruction that announces them. */
export class BlockDevice implements VirtioDevice {
  readonly id = 2;
  readonly queues = 1;
  readonly features: number;
  readonly config: Uint8Array;

  constructor(
    private readonly disk: Disk,
    /** Which of the machine's disks it is. */
    private readonly number: number,
    private readonly name: string,
  ) {
    this.features = segmentsFeature | flushFeature | (disk.readOnly ? readOnlyFeature : 0);
    this.config = new Uint8Array(64);
    const view = new DataView(this.config.buffer);
    view.setBigUint64(0, BigInt(disk.sectors), true);
    view.setUint32(12, mostSegments, true);
  }

  notify(index: number, context: DeviceContext): boolean {
    const queue = context.queue(index);
    let interrupt = false;
    for (let chain = queue.take(); chain; chain = queue.take()) {
      interrupt = queue.give(chain, this.#serve(chain, context)) || interrupt;
    }
    return interrupt;
  }

  /** Does a request and gives the number of bytes written to guest memory, the status byte included. */
  #serve({ segments }: Chain, context: DeviceContext): number {
    const { memory } = context;
    const room = lengthOf(segments, true);
    // Without room for a status there is no way to say anything.
    if (room < 1) return 0;
    const sent = gather(segments, memory, headerBytes + mostBytes);
    const { status, data } =
      sent && sent.length >= headerBytes && room - 1 <= mostBytes ? this.#do(sent, room - 1, context) : { status: failed };
    if (data && !scatter(segments, memory, data)) return 0;
    return scatter(segments, memory, Uint8Array.of(status), room - 1) ? (data?.length ?? 0) + 1 : 0;
  }

  #do(sent: Uint8Array, room: number, context: DeviceContext): { status: number; data?: Uint8Array } {
    const header = new DataView(sent.buffer, sent.byteOffset, headerBytes);
    const sector = header.getBigUint64(8, true);
    const within = (bytes: number): boolean =>
      bytes % sectorBytes === 0 && sector + BigInt(bytes / sectorBytes) <= BigInt(this.disk.sectors);
    switch (header.getUint32(0, true)) {
      case readRequest: {
        if (!within(room)) return { status: failed };
        const data = new Uint8Array(room);
        this.disk.read(Number(sector) * sectorBytes, data);
        return { status: ok, data };
      }
      case writeRequest: {
        const data = sent.subarray(headerBytes);
        if (this.disk.readOnly || !within(data.length)) return { status: failed };
        this.disk.write(Number(sector) * sectorBytes, data);
        if (data.length > 0) context.output('disk', this.number * diskStride + Number(sector), data);
        return { status: ok };
      }
      case flushRequest:
        // What is written is written: there is no cache to flush.
        return { status: ok };
      case identifyRequest: {
        const data = new Uint8Array(Math.min(20, room));
        data.set(new TextEncoder().encode(this.name).subarray(0, data.length));
        return { status: ok, data };
      }
      default:
        return { status: unsupported };
    }
  }
}
