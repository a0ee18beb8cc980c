import { asm, ramBase } from '../guest.test-support';
import { Machine, type MachineOptions } from '../machine';
import type { Output } from '../types';

/** Offsets of registers: VIRTIO 1.2, section 4.2.2. */
export const reg = {
  magic: 0x00, version: 0x04, deviceId: 0x08, vendor: 0x0c,
  deviceFeatures: 0x10, deviceFeaturesSel: 0x14, driverFeatures: 0x20, driverFeaturesSel: 0x24,
  queueSel: 0x30, queueNumMax: 0x34, queueNum: 0x38, queueReady: 0x44, queueNotify: 0x50,
  interruptStatus: 0x60, interruptAck: 0x64, status: 0x70,
  queueDesc: 0x80, queueDriver: 0x90, queueDevice: 0xa0, generation: 0xfc, config: 0x100,
} as const;

export const status = { acknowledge: 1, driver: 2, driverOk: 4, featuresOk: 8, needsReset: 64, failed: 128 } as const;
export const versionOne = [0, 1] as const;
export const descriptor = { next: 1, write: 2, indirect: 4 } as const;

/** What a driver lays out for each queue, from the start of RAM on; buffers follow behind. */
const queuesAt = 0x1000;
const queueStride = 0x3000;
const parts = { descriptors: 0, available: 0x1000, used: 0x1800 };
const buffersAt = 0x8000;

/** One buffer of a chain: one to read has bytes, one to write has a length. */
export type Part = Uint8Array | number;

/**
 * A driver of one device, for tests: all that it does to registers is done by an
 * instruction of the guest, all that it does to memory by the host.
 */
export class Driver {
  #next = buffersAt;
  readonly #seen = [0, 0];
  readonly #free = [0, 0];

  constructor(
    readonly machine: Machine,
    readonly slot = 0,
    readonly size = 8,
  ) {
    this.loadCode();
  }

  /** Puts the driver's instructions where they are executed; again where a device may have written over them. */
  loadCode(): void {
    // sw a1, 0(a0); lw a2, 0(a0); sh a1, 0(a0); sd a1, 0(a0); ld a2, 0(a0).
    const code = [asm.sw(11, 10, 0), asm.lw(12, 10, 0), 0x00b51023, 0x00b53023, asm.ld(12, 10, 0)];
    code.forEach((word, i) => this.poke(i * 4, Uint8Array.of(word, word >>> 8, word >>> 16, word >>> 24)));
  }

  static of(options: Omit<MachineOptions, 'ramBytes'>, slot = 0, size = 8): Driver {
    return new Driver(Machine.create({ ramBytes: 2 ** 18, ...options }), slot, size);
  }

  /** Address of a register, as the guest has it. */
  address(offset: number): bigint {
    return BigInt(0x1000_1000 + this.slot * 0x1000 + offset);
  }

  /** Puts the hart before a store of a word; only running it is left. */
  aim(address: bigint, value: number, instruction = 0): void {
    const { machine } = this;
    machine.pc = ramBase + BigInt(instruction * 4);
    machine.setX(10, address);
    machine.setX(11, BigInt(value >>> 0));
  }

  /** The guest stores a word anywhere. */
  store(address: bigint, value: number): void {
    this.aim(address, value);
    this.machine.run(this.machine.retired + 1);
  }

  #execute(instruction: number, address: bigint, value: bigint): void {
    this.aim(address, 0, instruction);
    this.machine.setX(11, value);
    this.machine.run(this.machine.retired + 1);
  }

  write(offset: number, value: number): void {
    this.store(this.address(offset), value);
  }
  read(offset: number): number {
    this.#execute(1, this.address(offset), 0n);
    return Number(BigInt.asUintN(32, this.machine.getX(12)));
  }
  writeHalf(offset: number, value: number): void {
    this.#execute(2, this.address(offset), BigInt(value));
  }
  writeDouble(offset: number, value: bigint): void {
    this.#execute(3, this.address(offset), value);
  }
  readDouble(offset: number): bigint {
    this.#execute(4, this.address(offset), 0n);
    return this.machine.getX(12);
  }

  /** Memory by its distance from the start of RAM. */
  poke(offset: number, data: Uint8Array): void {
    this.machine.writeMemory(ramBase + BigInt(offset), data);
  }
  peek(offset: number, bytes: number): Uint8Array {
    return this.machine.readMemory(ramBase + BigInt(offset), bytes) ?? new Uint8Array();
  }

  /** Everything up to DRIVER_OK, with all queues ready. */
  start(queues = 1, features: readonly number[] = versionOne): this {
    this.write(reg.status, 0);
    this.write(reg.status, status.acknowledge | status.driver);
    this.negotiate(features);
    for (let queue = 0; queue < queues; queue++) this.setQueue(queue);
    this.write(reg.status, status.acknowledge | status.driver | status.featuresOk | status.driverOk);
    return this;
  }

  negotiate(features: readonly number[]): void {
    features.forEach((word, i) => {
      this.write(reg.driverFeaturesSel, i);
      this.write(reg.driverFeatures, word);
    });
    this.write(reg.status, status.acknowledge | status.driver | status.featuresOk);
  }

  /** Lays a queue out afresh. */
  setQueue(queue: number): void {
    this.poke(this.at(queue, 'available'), new Uint8Array(4));
    this.poke(this.at(queue, 'used'), new Uint8Array(4));
    this.#seen[queue] = this.#free[queue] = 0;
    this.#next = buffersAt;
    this.write(reg.queueSel, queue);
    this.write(reg.queueNum, this.size);
    for (const [register, at] of [[reg.queueDesc, this.at(queue, 'descriptors')], [reg.queueDriver, this.at(queue, 'available')], [reg.queueDevice, this.at(queue, 'used')]] as const) {
      this.write(register, Number(ramBase) + at);
      this.write(register + 4, 0);
    }
    this.write(reg.queueReady, 1);
  }

  /** Where a part of a queue stands, from the start of RAM on. */
  at(queue: number, part: keyof typeof parts): number {
    return queuesAt + queue * queueStride + parts[part];
  }

  /** Room for a buffer, from the start of RAM on. */
  allocate(bytes: number): number {
    const at = this.#next;
    this.#next += bytes;
    return at;
  }

  describe(queue: number, index: number, entry: { address: number; bytes: number; flags: number; next: number }): void {
    this.poke(this.at(queue, 'descriptors') + index * 16, encodeDescriptor(entry));
  }

  /** Makes buffers available as one chain. Gives where each stands. */
  post(queue: number, buffers: readonly Part[], flags = 0): number[] {
    const places = buffers.map((buffer) => {
      const at = this.allocate(typeof buffer === 'number' ? buffer : buffer.length);
      if (typeof buffer !== 'number') this.poke(at, buffer);
      return at;
    });
    const head = this.#free[queue] ?? 0;
    buffers.forEach((buffer, i) => {
      const index = (head + i) % this.size;
      const writable = typeof buffer === 'number';
      this.describe(queue, index, {
        address: Number(ramBase) + (places[i] ?? 0),
        bytes: writable ? buffer : buffer.length,
        flags: (writable ? descriptor.write : 0) | (i + 1 < buffers.length ? descriptor.next : 0),
        next: (index + 1) % this.size,
      });
    });
    this.#free[queue] = (head + buffers.length) % this.size;
    this.offer(queue, head, flags);
    return places;
  }

  /** Puts a head into the available ring. */
  offer(queue: number, head: number, flags = 0): void {
    const ring = this.at(queue, 'available');
    const count = view(this.peek(ring, 4)).getUint16(2, true);
    this.poke(ring + 4 + (count % this.size) * 2, half(head));
    this.poke(ring, Uint8Array.of(...half(flags), ...half(count + 1)));
  }

  notify(queue = 0): void {
    this.write(reg.queueNotify, queue);
  }

  /** Chains that the device has given back since the last look: head, bytes written. */
  used(queue = 0): { head: number; bytes: number }[] {
    const ring = this.at(queue, 'used');
    const given = view(this.peek(ring, 4)).getUint16(2, true);
    const found = [];
    for (let seen = this.#seen[queue] ?? 0; seen !== given; seen = (seen + 1) & 0xffff) {
      const entry = view(this.peek(ring + 4 + (seen % this.size) * 8, 8));
      found.push({ head: entry.getUint32(0, true), bytes: entry.getUint32(4, true) });
    }
    this.#seen[queue] = given;
    return found;
  }

  /** After a restore: what the device has given back so far is known. */
  resume(queues = 1): void {
    for (let queue = 0; queue < queues; queue++) this.#seen[queue] = view(this.peek(this.at(queue, 'used'), 4)).getUint16(2, true);
  }

  outputs(): Output[] {
    return this.machine.takeOutputs();
  }

  /** True if the PLIC has a request of this device's source. */
  get interrupts(): boolean {
    const pending = this.machine.snapshot().state;
    return ((view(pending).getUint32(0x480, true) >> (1 + this.slot)) & 1) === 1;
  }
}

export function encodeDescriptor({ address, bytes, flags, next }: { address: number; bytes: number; flags: number; next: number }): Uint8Array {
  const entry = new DataView(new ArrayBuffer(16));
  entry.setBigUint64(0, BigInt(address), true);
  entry.setUint32(8, bytes, true);
  entry.setUint16(12, flags, true);
  entry.setUint16(14, next, true);
  return new Uint8Array(entry.buffer);
}

export const half = (value: number): Uint8Array => Uint8Array.of(value, value >>> 8);
export const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Header of a request to a disk. */
export function request(type: number, sector: number | bigint): Uint8Array {
  const header = new DataView(new ArrayBuffer(16));
  header.setUint32(0, type, true);
  header.setBigUint64(8, BigInt(sector), true);
  return new Uint8Array(header.buffer);
}
