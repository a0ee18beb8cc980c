import type { Flush } from '../types';
import { ConsoleDevice } from './console';
import type { LateBuffers } from './late-buffers';
import type { DeviceContext, VirtioDevice } from './device';
import type { GuestMemory } from './guest-memory';
import { NetworkDevice } from './net';
import { Queue, QueueError, mostEntries, type Chain } from './queue';
import { Slot, slotBytes, type QueuePart } from './slot';

// The registers of virtio over MMIO, version 2: VIRTIO 1.2, section 4.2.2.
const register = {
  magic: 0x000,
  version: 0x004,
  deviceId: 0x008,
  vendor: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSelect: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSelect: 0x024,
  queueSelect: 0x030,
  queueMost: 0x034,
  queueSize: 0x038,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAcknowledge: 0x064,
  status: 0x070,
  sharedLengthLow: 0x0b0,
  sharedBaseHigh: 0x0bc,
  generation: 0x0fc,
  config: 0x100,
} as const;

const queueParts: ReadonlyMap<number, { part: QueuePart; half: number }> = new Map([
  [0x080, { part: 'descriptors', half: 0 }],
  [0x084, { part: 'descriptors', half: 1 }],
  [0x090, { part: 'driver', half: 0 }],
  [0x094, { part: 'driver', half: 1 }],
  [0x0a0, { part: 'device', half: 0 }],
  [0x0a4, { part: 'device', half: 1 }],
]);

const magic = 0x7472_6976;
/** "COVT", little-endian: no number that the specification gives a meaning to. */
const vendor = 0x5456_4f43;
/** VIRTIO_F_INDIRECT_DESC, in word 0; VIRTIO_F_VERSION_1, in word 1. */
const indirectFeature = 1 << 28;
const versionFeature = 1;

/** All that a driver sets. */
const statusBits = 0x8f;
const statusDriverOk = 4;
const statusFeaturesOk = 8;
const statusNeedsReset = 0x40;
const usedBuffer = 1;
const configChanged = 2;

export const slots = 8;

/**
 * Work for one write to a register, in the unit of {@link Chain.work}. What is
 * left is done at the next write that acknowledges an interrupt: so no guest,
 * however it twists its queues, makes an instruction endless, and none that
 * waits for the interrupt of what has been done notices.
 */
const mostWork = 64 * 2 ** 20;

/** As much is typed at once at most. */
const mostTyped = 4096;

export interface Outside {
  memory: GuestMemory;
  output: DeviceContext['output'];
  /** What devices are late with, and the retired count at which a transfer is over that is made now, if that is later. */
  late: LateBuffers;
  transferEnd(number: number): number | undefined;
}

/** The board's eight places for virtio devices. */
export class VirtioBoard {
  readonly #slots: readonly Slot[];
  /** Places of devices that may wait for an answer. */
  readonly #answered: readonly number[];

  constructor(
    private readonly view: DataView,
    /** Where in the linear memory the slots' state stands, and the word that says which ones interrupt. */
    private readonly at: { slots: number; raised: number },
    private readonly devices: readonly VirtioDevice[],
    private readonly outside: Outside,
  ) {
    this.#slots = devices.map((_, i) => new Slot(view, at.slots + i * slotBytes));
    this.#answered = devices.flatMap(({ answer }, i) => (answer ? [i] : []));
    devices.forEach(({ initial = 0n }, i) => {
      const slot = this.#slots[i];
      if (slot) slot.own = initial;
    });
  }

  /** A read of 1, 2 or 4 bytes. */
  read(index: number, offset: number, size: number): number {
    const slot = this.#slots[index];
    const device = this.devices[index];
    if (offset >= register.config) return device ? readConfig(device.config, offset - register.config, size) : 0;
    if (size !== 4) return 0;
    switch (offset) {
      case register.magic:
        return magic;
      case register.version:
        return 2;
      case register.vendor:
        return vendor;
    }
    // An empty place says so by its device number, and nothing else.
    if (!slot || !device) return 0;
    switch (offset) {
      case register.deviceId:
        return device.id;
      case register.deviceFeatures:
        return [device.features | indirectFeature, versionFeature][slot.deviceFeaturesWord] ?? 0;
      case register.queueMost:
        return slot.queueSelected < device.queues ? mostEntries : 0;
      case register.queueReady:
        return slot.queueSelected < device.queues && slot.queue(slot.queueSelected).ready ? 1 : 0;
      case register.interruptStatus:
        return slot.interruptStatus;
      case register.status:
        return slot.status;
      default:
        // There is no shared memory: its length and place read as all ones.
        return offset >= register.sharedLengthLow && offset <= register.sharedBaseHigh ? 0xffff_ffff : 0;
    }
  }

  /** A write of 4 bytes to a register; the devices' configurations are read-only. Behind the last place is the core's: it is time for what is late. */
  write(index: number, offset: number, size: number, value: number): void {
    if (index === slots) return this.giveBackLate();
    const slot = this.#slots[index];
    const device = this.devices[index];
    if (!slot || !device || size !== 4 || offset >= register.config) return;
    switch (offset) {
      case register.deviceFeaturesSelect:
        slot.deviceFeaturesWord = value;
        break;
      case register.driverFeaturesSelect:
        slot.driverFeaturesWord = value;
        break;
      case register.driverFeatures:
        // Settled once both sides have agreed.
        if (slot.driverFeaturesWord < 2 && (slot.status & statusFeaturesOk) === 0) slot.setDriverFeatures(slot.driverFeaturesWord, value);
        break;
      case register.queueSelect:
        slot.queueSelected = value;
        break;
      case register.queueNotify:
        this.#serve(index, [value]);
        break;
      case register.interruptAcknowledge:
        this.#setInterrupt(index, slot.interruptStatus & ~value);
        this.#serve(index, Array.from({ length: device.queues }, (_, queue) => queue));
        break;
      case register.status:
        this.#setStatus(index, slot, device, value);
        break;
      default:
        if (slot.queueSelected < device.queues) this.#setQueue(slot, device, offset, value);
    }
  }

  /** Frames that the driver of the network card has buffers for now. Nothing changes by asking. */
  get frameRoom(): number {
    return this.#waiting(NetworkDevice, (queue) => queue.waiting);
  }

  /** Hands a frame to the network card. False where there is none, or it has no buffer for it. */
  receiveFrame(frame: Uint8Array): boolean {
    const card = this.#find(NetworkDevice);
    return card !== undefined && this.#receive(card.index, card.device.receiveQueue, (chain) => card.device.receive(chain, frame));
  }

  /** Chains of the first devices, a disk each, that wait for an answer. */
  get waiting(): Flush[] {
    if (this.#answered.length === 0) return [];
    return this.#answered.flatMap((disk) => (this.#slots[disk]?.waiting ?? []).map((head) => ({ disk, head })));
  }

  /** Gives back a chain that waits for it. */
  answer({ disk, head }: Flush, ok: boolean): void {
    this.#attempt(disk, (slot, device) => {
      if (!device.answer || !slot.isWaiting(head)) return false;
      slot.setWaiting(head, false);
      const queue = this.#queue(slot, 0);
      const chain = queue.chainAt(head);
      return queue.give(chain, device.answer(chain, ok));
    });
  }

  /** Bytes that the driver of the console has room for now. Nothing changes by asking. */
  get consoleRoom(): number {
    return this.#waiting(ConsoleDevice, (queue) => Math.min(mostTyped, queue.peek()?.writable ?? 0));
  }

  /** What the queue has to receive into of the first device of a kind; nothing where it is not set up, or wrongly. */
  #waiting(kind: abstract new (...options: never[]) => VirtioDevice, look: (queue: Queue) => number): number {
    const found = this.#find(kind);
    const slot = found && this.#slots[found.index];
    if (!slot || !works(slot) || found.device.receiveQueue === undefined) return 0;
    try {
      return look(this.#queue(slot, found.device.receiveQueue));
    } catch (error) {
      if (error instanceof QueueError) return 0;
      throw error;
    }
  }

  /** Hands typed bytes to the console; what there is no room for is lost. */
  receiveTyping(bytes: Uint8Array): void {
    const console = this.#find(ConsoleDevice);
    if (!console || bytes.length === 0) return;
    this.#receive(console.index, console.device.receiveQueue, (chain) => {
      const count = Math.min(bytes.length, chain.writable);
      chain.write(bytes.subarray(0, count));
      return count;
    });
  }

  /** The first device of a kind, and its place. */
  #find<D extends VirtioDevice>(kind: abstract new (...options: never[]) => D): { index: number; device: D } | undefined {
    for (const [index, device] of this.devices.entries()) if (device instanceof kind) return { index, device };
    return undefined;
  }

  #setStatus(index: number, slot: Slot, device: VirtioDevice, value: number): void {
    if (value === 0) {
      slot.reset();
      this.outside.late.forget(index);
      this.#setInterrupt(index, 0);
      return;
    }
    const unknown = (slot.driverFeatures(0) & ~(device.features | indirectFeature)) !== 0 || slot.driverFeatures(1) !== versionFeature;
    // A driver that wants what is not offered, or an older version, is told so.
    const agreed = slot.status | (value & statusBits & (unknown ? ~statusFeaturesOk : ~0));
    // Only a reset takes a bit back; and nothing works without an agreement.
    slot.status = (agreed & statusFeaturesOk) === 0 ? agreed & ~statusDriverOk : agreed;
  }

  #setQueue(slot: Slot, device: VirtioDevice, offset: number, value: number): void {
    const queue = slot.queue(slot.queueSelected);
    if (offset === register.queueReady) {
      const usable = queue.size > 0 && queue.size <= mostEntries && (queue.size & (queue.size - 1)) === 0;
      const ready = usable && (value & 1) !== 0;
      if (ready && !queue.ready) {
        queue.taken = queue.given = 0;
        if (device.answer) slot.forgetWaiting();
      }
      queue.ready = ready;
      return;
    }
    // A queue in use stays as it is.
    if (queue.ready) return;
    if (offset === register.queueSize) queue.size = value;
    const place = queueParts.get(offset);
    if (place) queue.setAddress(place.part, place.half, value);
  }

  /** Serves queues of a device, as far as its work goes. */
  #serve(index: number, queues: readonly number[]): void {
    this.#attempt(index, (slot, device) => {
      const context: DeviceContext = { slot, output: this.outside.output };
      let interrupt = false;
      let work = 0;
      for (const number of queues) {
        if (number >= device.queues || number === device.receiveQueue) continue;
        const queue = this.#queue(slot, number);
        while (work < mostWork) {
          const chain = queue.take();
          if (!chain) break;
          if (device.answer && slot.isWaiting(chain.head)) throw new QueueError('a chain that the device still has');
          const written = device.serve(chain, context);
          if (written === undefined) {
            slot.setWaiting(chain.head, true);
            continue;
          }
          const due = device.isTransfer ? this.outside.transferEnd(slot.queue(number).taken) : undefined;
          if (due === undefined) interrupt = queue.give(chain, written) || interrupt;
          else this.outside.late.add({ slot: index, queue: number, head: chain.head, written, due });
          work += chain.work(device.byteWork ?? 1);
        }
      }
      return interrupt;
    });
  }

  /** Gives back the next buffer that a device is late with, if its queue is still there. */
  giveBackLate(): void {
    const buffer = this.outside.late.take();
    if (!buffer) return;
    this.#attempt(buffer.slot, (slot) => slot.queue(buffer.queue).ready && this.#queue(slot, buffer.queue).give(buffer, buffer.written));
  }

  /** Hands something to a device from outside, in the next buffer of a queue. False where there is no buffer. */
  #receive(index: number, queue: number, put: (chain: Chain) => number): boolean {
    let taken = false;
    this.#attempt(index, (slot) => {
      const buffers = this.#queue(slot, queue);
      const chain = buffers.take();
      if (!chain) return false;
      taken = true;
      return buffers.give(chain, put(chain));
    });
    return taken;
  }

  /** Lets a device work, if it is in working order, and interrupts the driver if that is so. A driver that breaks the rules has to reset it. */
  #attempt(index: number, work: (slot: Slot, device: VirtioDevice) => boolean): void {
    const slot = this.#slots[index];
    const device = this.devices[index];
    if (!slot || !device || !works(slot)) return;
    try {
      if (work(slot, device)) this.#setInterrupt(index, slot.interruptStatus | usedBuffer);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      slot.status |= statusNeedsReset;
      this.#setInterrupt(index, slot.interruptStatus | configChanged);
    }
  }

  #queue(slot: Slot, index: number): Queue {
    return new Queue(slot.queue(index), this.outside.memory);
  }

  #setInterrupt(index: number, status: number): void {
    const slot = this.#slots[index];
    if (!slot) return;
    slot.interruptStatus = status;
    const raised = this.view.getUint32(this.at.raised, true);
    const bit = 1 << index;
    this.view.setUint32(this.at.raised, status === 0 ? raised & ~bit : raised | bit, true);
  }
}

/** True if a driver has set the device up and not broken it. */
function works(slot: Slot): boolean {
  return (slot.status & statusDriverOk) !== 0 && (slot.status & statusNeedsReset) === 0;
}

function readConfig(config: Uint8Array, offset: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (config[offset + i] ?? 0);
  return value;
}
