/**
 * The state of one virtio-mmio device that a guest can see, in the state block:
 * so it is hashed, compared and restored with everything else.
 */
export class Slot {
  constructor(
    private readonly view: DataView,
    /** Where in the linear memory the slot's bytes stand. */
    private readonly at: number,
  ) {}

  get status(): number {
    return this.#word(0x00);
  }
  set status(value: number) {
    this.#setWord(0x00, value);
  }
  get deviceFeaturesWord(): number {
    return this.#word(0x04);
  }
  set deviceFeaturesWord(value: number) {
    this.#setWord(0x04, value);
  }
  get driverFeaturesWord(): number {
    return this.#word(0x08);
  }
  set driverFeaturesWord(value: number) {
    this.#setWord(0x08, value);
  }
  get interruptStatus(): number {
    return this.#word(0x0c);
  }
  set interruptStatus(value: number) {
    this.#setWord(0x0c, value);
  }
  /** Word 0 or 1 of the features that the driver has accepted. */
  driverFeatures(word: number): number {
    return this.#word(0x10 + word * 4);
  }
  setDriverFeatures(word: number, value: number): void {
    this.#setWord(0x10 + word * 4, value);
  }
  get queueSelected(): number {
    return this.#word(0x18);
  }
  set queueSelected(value: number) {
    this.#setWord(0x18, value);
  }
  queue(index: number): QueueState {
    return new QueueState(this.view, this.at + queuesAt + index * queueBytes);
  }
  /** True if the chain of a head waits for an answer from outside. Of a device with one queue: these bits stand where a second one's state would. */
  isWaiting(head: number): boolean {
    return ((this.#word(waitingAt + (head >> 5) * 4) >>> (head & 31)) & 1) !== 0;
  }
  setWaiting(head: number, waits: boolean): void {
    const offset = waitingAt + (head >> 5) * 4;
    const bit = 1 << (head & 31);
    this.#setWord(offset, waits ? this.#word(offset) | bit : this.#word(offset) & ~bit);
  }
  /** Heads whose chains wait, ascending. */
  get waiting(): number[] {
    const heads: number[] = [];
    for (let word = 0; word < waitingBytes / 4; word++) {
      if (this.#word(waitingAt + word * 4) === 0) continue;
      for (let bit = 0; bit < 32; bit++) if (this.isWaiting(word * 32 + bit)) heads.push(word * 32 + bit);
    }
    return heads;
  }
  forgetWaiting(): void {
    for (let offset = 0; offset < waitingBytes; offset += 4) this.#setWord(waitingAt + offset, 0);
  }

  /** 64 bits of the device's own. */
  get own(): bigint {
    return this.view.getBigUint64(this.at + ownAt, true);
  }
  set own(value: bigint) {
    this.view.setBigUint64(this.at + ownAt, value, true);
  }

  /** As after power-on, but for what is the device's own. */
  reset(): void {
    for (let offset = 0; offset < ownAt; offset += 4) this.#setWord(offset, 0);
  }

  #word(offset: number): number {
    return this.view.getUint32(this.at + offset, true);
  }
  #setWord(offset: number, value: number): void {
    this.view.setUint32(this.at + offset, value, true);
  }
}

export const slotBytes = 0x80;
const queuesAt = 0x20;
const queueBytes = 0x28;
const waitingAt = queuesAt + queueBytes;
/** A bit for each of 256 heads. */
const waitingBytes = 32;
export const ownAt = 0x70;

/** The three parts of a virtqueue whose addresses a driver sets. */
export type QueuePart = 'descriptors' | 'driver' | 'device';
const partOffsets: Readonly<Record<QueuePart, number>> = { descriptors: 0x08, driver: 0x10, device: 0x18 };

/** What a driver has set up of one queue, and how far the device is. */
export class QueueState {
  constructor(
    private readonly view: DataView,
    private readonly at: number,
  ) {}

  get size(): number {
    return this.view.getUint32(this.at, true);
  }
  set size(value: number) {
    this.view.setUint32(this.at, value, true);
  }
  get ready(): boolean {
    return this.view.getUint32(this.at + 4, true) !== 0;
  }
  set ready(value: boolean) {
    this.view.setUint32(this.at + 4, value ? 1 : 0, true);
  }
  /** Guest physical address; too large a one for RAM is rounded, and is still too large. */
  address(part: QueuePart): number {
    return Number(this.view.getBigUint64(this.at + partOffsets[part], true));
  }
  /** Sets the low (0) or high (1) half of an address. */
  setAddress(part: QueuePart, half: number, value: number): void {
    this.view.setUint32(this.at + partOffsets[part] + half * 4, value, true);
  }
  /** Entries of the available ring that have been taken, modulo 2^16. */
  get taken(): number {
    return this.view.getUint16(this.at + 0x20, true);
  }
  set taken(value: number) {
    this.view.setUint16(this.at + 0x20, value, true);
  }
  /** Entries of the used ring that have been given, modulo 2^16. */
  get given(): number {
    return this.view.getUint16(this.at + 0x22, true);
  }
  set given(value: number) {
    this.view.setUint16(this.at + 0x22, value, true);
  }
}
