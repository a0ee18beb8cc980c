import type { DeviceContext, Passes, VirtioDevice } from './device';
import type { Disk } from './disk';
import { sectorBytes } from './disk-image';
import { QueueError, type Chain } from './queue';
import type { Flush } from '../types';

// VIRTIO 1.2, section 5.2.
const segmentSizeFeature = 1 << 1;
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
const nameBytes = 20;
/** Segments of data in one request, and bytes of one: both are told to the driver. */
const mostSegments = 126;
const mostSegmentBytes = 2 ** 16;
/** Heads that a queue may have: a flush is known by its disk and its head. */
const heads = 2 ** 8;

/** The value of a flush's output. */
function flushValue({ disk, head }: Flush): number {
  return disk * heads + head;
}
/** Which flush an output of that kind is. */
export function flushOf(value: number): Flush {
  return { disk: Math.floor(value / heads), head: value % heads };
}

/** More in one request is an error: it bounds what one notification costs. */
const mostBytes = mostSegments * mostSegmentBytes;

/** Bits of a disk's smallest transfer. */
export const leastTransferBits = 8 * sectorBytes;

/**
 * A disk. Requests are done at once, by the instruction that announces them; the buffers may come back later (OwnInputs). But of a writable one, whose image
 * is to hold what the guest writes, a flush is done when somebody outside has said that it does, or that it cannot.
 * A driver that does not know of flushes holds a write that is done for a safe one (VIRTIO 1.2, 5.2.6.4): so that waits, too.
 */
export class BlockDevice implements VirtioDevice {
  readonly id = 2;
  readonly queues = 1;
  readonly isTransfer = true;
  readonly features: number;
  readonly config: Uint8Array;
  readonly answer: VirtioDevice['answer'];

  constructor(
    private readonly disk: Disk,
    /** Which of the machine's disks it is. */
    private readonly number: number,
    private readonly name: string,
    /** Called with each piece of what is transferred to memory. */
    private readonly passes: Passes,
  ) {
    if (disk.writable) this.answer = finish;
    this.features = segmentSizeFeature | segmentsFeature | flushFeature | (disk.readOnly ? readOnlyFeature : 0);
    this.config = new Uint8Array(64);
    const view = new DataView(this.config.buffer);
    view.setBigUint64(0, BigInt(disk.sectors), true);
    view.setUint32(8, mostSegmentBytes, true);
    view.setUint32(12, mostSegments, true);
  }

  serve(chain: Chain, context: DeviceContext): number | undefined {
    // Without a header, or room for a status behind the data, there is no request.
    if (chain.readable < headerBytes || chain.writable < 1) throw new QueueError('a request without header or status');
    const room = chain.writable - 1;
    const done = this.#do(chain, room, context);
    if (done === 'waits') {
      context.output('flush', { value: flushValue({ disk: this.number, head: chain.head }) });
      return undefined;
    }
    const { status, written } = done;
    chain.write(Uint8Array.of(status), room);
    return written + 1;
  }

  #do(chain: Chain, room: number, context: DeviceContext): { status: number; written: number } | 'waits' {
    const header = chain.read(0, headerBytes);
    const view = new DataView(header.buffer);
    const sector = view.getBigUint64(8, true);
    const { disk } = this;
    const possible = (bytes: number): boolean =>
      bytes <= mostBytes && bytes % sectorBytes === 0 && sector + BigInt(bytes / sectorBytes) <= BigInt(disk.sectors);
    switch (view.getUint32(0, true)) {
      case readRequest: {
        if (!possible(room)) return { status: failed, written: 0 };
        const offset = Number(sector) * sectorBytes;
        chain.fill(0, room, (target, done) => {
          disk.read(offset + done, target);
          this.passes(target, done, done + target.length === room);
        });
        return { status: ok, written: room };
      }
      case writeRequest: {
        const bytes = chain.readable - headerBytes;
        if (disk.readOnly || !possible(bytes)) return { status: failed, written: 0 };
        const data = chain.read(headerBytes, bytes);
        if (!disk.write(Number(sector) * sectorBytes, data)) return { status: failed, written: 0 };
        if (bytes > 0) context.output('disk', { value: this.number * diskStride + Number(sector), data });
        const isSafe = disk.writable && bytes > 0 && (context.slot.driverFeatures(0) & flushFeature) === 0;
        return isSafe ? 'waits' : { status: ok, written: 0 };
      }
      case flushRequest:
        // What is written to an overlay is written: there is no cache to flush.
        return disk.writable ? 'waits' : { status: ok, written: 0 };
      case identifyRequest: {
        const name = new Uint8Array(Math.min(nameBytes, room));
        name.set(new TextEncoder().encode(this.name).subarray(0, name.length));
        chain.write(name);
        return { status: ok, written: name.length };
      }
      default:
        return { status: unsupported, written: 0 };
    }
  }
}

function finish(chain: Chain, succeeded: boolean): number {
  // The driver may have written other buffers into it.
  if (chain.writable < 1) throw new QueueError('a request without status');
  chain.write(Uint8Array.of(succeeded ? ok : failed), chain.writable - 1);
  return 1;
}
