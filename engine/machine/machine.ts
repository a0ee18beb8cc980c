import { coreMemory, coreModule, instantiateCore, type CacheExports, type CoreExports, type CoreImports } from '../core/core';
import { cacheBytes, Caches, type CacheRoom } from './caches';
import { boardTree, flatten } from './device-tree';
import {
  at,
  banksOffset,
  decodedPageBytes,
  hartBytes,
  memoryPages,
  mostBreakpoints,
  mostHarts,
  mostWatches,
  pageBytes,
  ramHostAddress,
  seenCounts,
  stateAt,
  stateBytes,
  uartFifoBytes,
  uartPollerLooks,
  wasmPageBytes,
  watchEntryBytes,
} from '../core/layout';
import { readLinuxImage, treeRoom } from './linux-image';
import { LoadError } from './load-error';
import { OwnDraws } from './own-inputs';
import { OutputQueue } from './output-queue';
import type { PageTree } from './page-tree';
import { Ram } from './ram';
import { changedPages, compareRams, type Peer } from './ram-comparison';
import { MachineSnapshot, machineSnapshot, ramBase, type DiskState } from './snapshot';
import { noImages, readState, writeState, type ImageOf } from './state-file';
import type { Bound } from '../translator/translator';
import { Execution } from './threads/execution';
import { PageComparison } from './threads/page-comparison';
import type { ReplicaThread } from './threads/replica-thread';
import type { Tier } from './tier';
import { StuckTables } from './stuck-bits';
import type { AwaitedValue, Computer, Flush, Output, OwnInputs, OwnState, RunOptions, Snapshot, StopReason, StruckTranslation, StruckUnit, StuckBits, TimeSource, TranslationUpset, TrapDigest, UnitUpset, WrongTranslation } from './types';
import { TransferFlips } from './transfer-flips';
import { readWrongTranslations, takeStruckTranslations, writeTranslationUpsets, writeWrongTranslations } from './tlb-faults';
import { noteTransfer, takeStruck, takeTransfer, writeAwaited, writeUpsets } from './upsets';
import { BlockDevice } from './virtio/block';
import { ConsoleDevice } from './virtio/console';
import type { Passes, VirtioDevice } from './virtio/device';
import { Disk } from './virtio/disk';
import type { DiskImage } from './virtio/disk-image';
import { EntropyDevice } from './virtio/entropy';
import { LateBuffers } from './virtio/late-buffers';
import { NetworkDevice } from './virtio/net';
import { ownAt, slotBytes } from './virtio/slot';
import { VirtioBoard, slots as mostDevices } from './virtio/transport';

export interface MachineOptions {
  /** A multiple of 4096, at most 2 GiB. */
  ramBytes: number;
  /** Hardware threads, 1 to 4. Default 1. */
  harts?: number;
  timeSource?: TimeSource;
  /** The first is the first virtio device. There are at most eight devices, disks and others. */
  disks?: readonly DiskOptions[];
  /** A network card with this address of six bytes. */
  network?: { mac: Uint8Array };
  /** A source of random numbers that starts from this whole number. */
  entropySeed?: number;
  /** A virtio console beside the UART. Default false. */
  console?: boolean;
  /** Default `interpreter`. */
  tier?: Tier;
  /** Room for caches, which the core has then, and `detailed` timing with it: all is interpreted. */
  caches?: CacheRoom;
  /** What the translator keeps at most. Default 8,192 functions and a million instructions. */
  translations?: Bound;
}

export interface DiskOptions {
  /** What the disk holds at the beginning; it must not change. */
  image: DiskImage;
  /** The guest may only read it. Default false. */
  readOnly?: boolean;
  /** What is written is to reach a file, so that flushes wait for an answer ({@link Computer.flushes}). Default false: it is lost at the end. */
  writable?: boolean;
}

/** What `load` needs of an ELF. */
export interface LoadableImage {
  entry: bigint;
  segments: readonly { address: bigint; data: Uint8Array; memoryBytes: number }[];
}

export { LoadError };
export type { Tier };

/** A flat Linux kernel and what it is started with. */
export interface KernelOptions {
  initrd?: Uint8Array;
  /** The kernel's command line. */
  bootArguments?: string;
  /** A flat firmware, such as OpenSBI's fw_jump.bin or fw_dynamic.bin, that starts the kernel in place of the built-in SBI. */
  firmware?: Uint8Array;
}

const mostRam = 2 ** 31;
const never = 0xffff_ffff_ffff_ffffn;
const stops: readonly StopReason[] = ['limit', 'breakpoint', 'watch', 'output', 'exit', 'idle', 'stalled', 'upset', 'awaited'];

/** A clock of one guest second a thousand million instructions: 100 instructions a tick of 10 MHz. */
const defaultTimeSource: TimeSource = {
  time: 'instructions',
  cycle: 'instructions',
  perTick: 100,
  corePhase: 0,
  corePpm: 0,
};

/** mcycle and minstret. */
const counterOffsets: ReadonlyMap<number, number> = new Map([
  [0xb00, at.cycleOffset],
  [0xb02, at.instretOffset],
]);

/** What counts on through a reboot: clocks, counters and numbers of what has happened; and the state of a random number generator. */
const keptFields: readonly number[] = [
  at.retired, at.timeOffset, at.exceptions, at.lastCause, at.lastPc, at.outputSequence, at.reboots,
  ...Array.from({ length: mostHarts }, (_, hart) => [at.cycleOffset, at.instretOffset].map((field) => (hart === 0 ? field : field + banksOffset + hart * hartBytes))).flat(),
  ...Array.from({ length: mostDevices }, (_, slot) => at.virtio + slot * slotBytes + ownAt),
];

/** The value of `exited` while a reboot is to be carried out. */
const rebooting = 2;

const firmwareInfoBytes = 48;

/** From here on it is quicker to forget all code than to look through it for each breakpoint. */
const mostForgottenSingly = 64;

/** What OpenSBI's fw_dynamic is told in a2: struct fw_dynamic_info of its documentation, docs/firmware/fw_dynamic.md. */
function firmwareInfo(kernel: bigint): Uint8Array {
  const supervisor = 1n;
  // Magic, version, next address, its mode, options, preferred boot hart.
  const words = [0x4942_534fn, 2n, kernel, supervisor, 0n, 0n];
  return new Uint8Array(BigUint64Array.from(words).buffer);
}

/** A limit as the core takes it: the first whole count that is not below, from 0 to never. */
function bound(limit: number): bigint {
  return limit >= Number.MAX_SAFE_INTEGER ? never : BigInt(Math.ceil(Math.max(0, limit)));
}

/** A computer: a resident core with its memory. */
export class Machine implements Computer {
  readonly ramBase = ramBase;
  readonly ramBytes: number;
  readonly harts: number;
  readonly caches: Caches | undefined;
  readonly #core: CoreExports;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #ramAt: number;
  readonly #ram: Ram;
  readonly #disks: readonly Disk[];
  readonly #virtio: VirtioBoard;
  readonly #outputs: OutputQueue;
  readonly #draws: OwnDraws;
  readonly #late: LateBuffers;
  #timeSource: TimeSource = defaultTimeSource;
  readonly #memory: WebAssembly.Memory;
  readonly #devices: CoreImports;
  /** Runs the core on this thread. */
  readonly #execution: Execution;
  /** Runs it in place of that. */
  #thread: ReplicaThread | undefined;
  /** Called at each access of the guest to a virtio device, after it. */
  #whileAccessing: (() => void) | undefined;
  /** What `start` was told, until `finish`. */
  #begun: { stepOver: boolean; stopOnOutput: boolean } | undefined;
  #breakpoints: readonly bigint[] = [];
  /** Undefined where no bits are stuck, as mostly. */
  #stuck: StuckTables | undefined;
  readonly #transferFlips = new TransferFlips(() => noteTransfer(this.#view));
  /** Where the core keeps the watches that were set, with their places in the list. */
  #watches: readonly { place: number; entry: number }[] = [];
  /** What compares pages on the thread, together with this one's, and with which machine's. */
  #comparison: { pages: PageComparison; peer: Machine } | undefined;
  /** What a reboot goes back to, but for the disks. It never changes once a guest runs. */
  #start: MachineSnapshot;

  private constructor(private readonly options: MachineOptions) {
    const { ramBytes, harts = 1, timeSource, disks = [] } = options;
    if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes % pageBytes !== 0 || ramBytes > mostRam) {
      throw new RangeError(`RAM must be a multiple of 4096 bytes, at most 2 GiB; ${ramBytes} bytes is not`);
    }
    if (!Number.isInteger(harts) || harts < 1 || harts > mostHarts) {
      throw new RangeError(`a machine has 1 to ${mostHarts} harts, not ${harts}`);
    }
    this.ramBytes = ramBytes;
    this.harts = harts;
    const { caches } = options;
    const pages = memoryPages(ramBytes);
    const memory = coreMemory(caches ? pages + Math.ceil(cacheBytes(caches) / wasmPageBytes) : pages);
    this.#memory = memory;
    this.#devices = {
      virtioRead: (slot, offset, size) => this.#virtio.read(slot, offset, size),
      virtioWrite: (slot, offset, size, value) => this.#virtio.write(slot, offset, size, value >>> 0),
    };
    this.#core = instantiateCore(memory, {
      virtioRead: (slot, offset, size) => {
        const value = this.#devices.virtioRead(slot, offset, size);
        this.#whileAccessing?.();
        return value;
      },
      virtioWrite: (slot, offset, size, value) => {
        this.#devices.virtioWrite(slot, offset, size, value);
        this.#whileAccessing?.();
      },
    }, coreModule(caches !== undefined));
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#ramAt = ramHostAddress(ramBytes);
    if (caches) this.caches = new Caches(this.#core as CoreExports & CacheExports, this.#view, this.#bytes, pages * wasmPageBytes, caches);
    this.#ram = new Ram(this.#core, memory, ramBytes);
    this.#view.setUint32(at.ramBytes, ramBytes, true);
    this.#view.setUint32(at.ramAt, this.#ramAt, true);
    this.#core.reset(ramBase, harts);
    this.#view.setUint32(at.sampling, { interpreter: 0, auto: 1, translator: 2 }[this.#tier], true);
    this.#execution = new Execution(this.#core, memory, ramBytes, this.#tier, options.translations);
    this.setTimeSource(timeSource ?? defaultTimeSource);
    this.#outputs = new OutputQueue(this.#view, (kind, value) => this.#core.output(kind, value));
    this.#draws = new OwnDraws(this.#view);
    this.#late = new LateBuffers(this.#view);
    this.#disks = disks.map(({ image, readOnly, writable }) => new Disk(image, readOnly ?? false, undefined, writable));
    this.#virtio = this.#makeVirtio();
    this.#start = this.snapshot();
  }

  static create(options: MachineOptions): Machine {
    return new Machine(options);
  }

  /**
   * The machine whose state `save` has written, on disk images that `imageOf`
   * finds again. Throws {@link StateFileError}, also where an image is another one.
   */
  static fromState(file: Uint8Array, imageOf: ImageOf = noImages, tier: Tier = 'interpreter'): Machine {
    const { snapshot, start, tohost, readOnly, writable, entropy, console, mac } = readState(file, imageOf);
    const { ramBytes, harts } = snapshot;
    const machine = new Machine({
      tier,
      ramBytes,
      harts,
      disks: snapshot.disks.map(({ image }, i) => ({ image, readOnly: readOnly[i] ?? false, writable: writable[i] ?? false })),
      console,
      // What the seed was is in the state.
      ...(entropy ? { entropySeed: 0 } : {}),
      ...(mac ? { network: { mac } } : {}),
    });
    machine.#view.setBigUint64(at.tohost, tohost, true);
    machine.#start = start;
    machine.restore(snapshot);
    return machine;
  }

  /** The whole state, to be kept in a file. Throws a RangeError where that would be larger than 4 GiB. */
  save(): Uint8Array {
    const { network, entropySeed, console = false } = this.options;
    return writeState({
      snapshot: this.snapshot(),
      start: this.#start,
      tohost: this.#view.getBigUint64(at.tohost, true),
      readOnly: this.#disks.map((disk) => disk.readOnly),
      writable: this.#disks.map((disk) => disk.writable),
      entropy: entropySeed !== undefined,
      console,
      mac: network?.mac,
    });
  }

  /**
   * Copies an image into RAM and puts all harts at its entry: machine mode, a0
   * the hart's number, a1 no device tree. `tohost` is where a guest may
   * write to end itself. Throws {@link LoadError}.
   */
  load(image: LoadableImage, options: { tohost?: bigint } = {}): void {
    for (const { address, data, memoryBytes } of image.segments) {
      const offset = address - ramBase;
      if (offset < 0n || offset + BigInt(memoryBytes) > BigInt(this.ramBytes)) {
        const end = ramBase + BigInt(this.ramBytes);
        const range = `0x${address.toString(16)}..0x${(address + BigInt(memoryBytes)).toString(16)}`;
        throw new LoadError(`a segment at ${range} is outside of RAM (0x${ramBase.toString(16)}..0x${end.toString(16)}): give the guest more RAM or link it elsewhere`);
      }
      if (memoryBytes > data.length) this.writeMemory(address, new Uint8Array(memoryBytes));
      this.writeMemory(address, data);
    }
    for (let hart = 0; hart < this.harts; hart++) this.#setPc(image.entry, hart);
    const { tohost } = options;
    const reachable = tohost !== undefined && this.#offsetOf(tohost, 8) !== undefined;
    this.#view.setBigUint64(at.tohost, reachable ? tohost : 0n, true);
    this.#start = this.snapshot();
  }

  /**
   * Puts a flat Linux kernel, its initial RAM disk and a device tree into RAM,
   * and hart 0 where firmware leaves it: supervisor mode, a0 the hart's
   * number, a1 the device tree's address, with the built-in SBI behind it. The
   * other harts are stopped until the kernel starts them. With `firmware` all
   * harts start there, in machine mode, as after a first boot stage
   * (RISC-V boot requirements of Linux, Documentation/arch/riscv/boot.rst).
   * Throws {@link LoadError}.
   */
  loadKernel(image: Uint8Array, options: KernelOptions = {}): void {
    const { initrd, bootArguments, firmware } = options;
    const { textOffset, memoryBytes } = readLinuxImage(image);
    const base = Number(ramBase);
    const align = (address: number, to: number): number => Math.floor(address / to) * to;
    // From the top: the tree, then the disk; the kernel grows upwards from below.
    const treeAt = align(base + this.ramBytes - treeRoom, treeRoom);
    const diskAt = align(treeAt - (initrd?.length ?? 0), pageBytes);
    const end = base + textOffset + memoryBytes;
    if (end > diskAt) {
      const need = Math.ceil((this.ramBytes + end - diskAt) / 2 ** 20);
      throw new LoadError(`the kernel and its initial RAM disk do not fit: give the guest at least ${need} MiB of RAM`);
    }
    const disk = initrd ? { initrd: { address: diskAt, bytes: initrd.length } } : {};
    const tree = flatten(boardTree({ ramBytes: this.ramBytes, harts: this.harts, ...(bootArguments === undefined ? {} : { bootArguments }), ...disk }));
    // Firmware adds to the tree.
    if (tree.length > treeRoom / 2) throw new LoadError('the kernel command line is too long');
    if (firmware && firmware.length > textOffset) {
      throw new LoadError(`the firmware does not fit below the kernel: it has ${firmware.length} bytes of at most ${textOffset}`);
    }
    this.writeMemory(ramBase + BigInt(textOffset), image);
    if (initrd) this.writeMemory(BigInt(diskAt), initrd);
    this.writeMemory(BigInt(treeAt), tree);
    const kernel = ramBase + BigInt(textOffset);
    if (firmware) {
      this.writeMemory(ramBase, firmware);
      const info = BigInt(treeAt + treeRoom - firmwareInfoBytes);
      this.writeMemory(info, firmwareInfo(kernel));
      // reset() has put each hart's number into its a0.
      for (let hart = 0; hart < this.harts; hart++) {
        this.#setPc(ramBase, hart);
        this.setX(11, BigInt(treeAt), hart);
        this.setX(12, info, hart);
      }
    } else {
      this.pc = kernel;
      this.setX(10, 0n);
      this.setX(11, BigInt(treeAt));
      this.#core.startSupervisor();
    }
    this.#start = this.snapshot();
  }

  /** Another machine in the same state, with a cycle counter of its own. */
  clone(): Machine {
    const twin = new Machine({ ...this.options, timeSource: this.#timeSource });
    twin.#view.setBigUint64(at.tohost, this.#view.getBigUint64(at.tohost, true), true);
    twin.#start = this.#start;
    twin.restore(this.snapshot());
    return twin;
  }

  /** How many disks it has. */
  get disks(): number {
    return this.#disks.length;
  }
  /** True if it has a network card. */
  get networked(): boolean {
    return this.options.network !== undefined;
  }
  get retired(): number {
    return this.#count(at.retired);
  }
  get hart(): number {
    return this.#count(at.hart);
  }
  get cycles(): number {
    return this.caches ? Number(BigInt.asUintN(64, this.#view.getBigUint64(at.cycles, true) + this.caches.stall)) : this.#count(at.cycles);
  }
  set cycles(value: number) {
    this.#view.setBigUint64(at.cycles, BigInt.asUintN(64, BigInt(value) - (this.caches?.stall ?? 0n)), true);
  }
  get interrupts(): number {
    return this.#count(at.interrupts);
  }
  set interrupts(value: number) {
    this.#setCount(at.interrupts, value);
  }
  get clockReads(): number {
    return this.#count(at.clockReads);
  }
  set clockReads(value: number) {
    this.#setCount(at.clockReads, value);
  }
  get exitCode(): number | null {
    return this.#count(at.exited) === 0 ? null : this.#count(at.exitCode);
  }
  get reboots(): number {
    return this.#count(at.reboots);
  }
  /** Bytes of its memory that decoded code takes now. What is decoded is no part of the state, and is forgotten at times. */
  get decodedBytes(): number {
    return this.#view.getUint32(at.decodedPages, true) * decodedPageBytes;
  }
  /** Forgets decoded code, and translations with it. They come again. */
  forgetDecoded(): void {
    this.#core.forget();
  }

  run(limit: number, options: RunOptions = {}): StopReason {
    this.start(limit, options);
    return this.finish();
  }

  start(limit: number, options: RunOptions = {}): void {
    if (this.#begun) throw new Error('the machine runs already');
    const { stopOnOutput = false, stepOver = false, collectEffects = false, cycleLimit, wakeful = false } = options;
    const view = this.#view;
    view.setBigUint64(at.limit, bound(limit), true);
    view.setBigUint64(at.cycleLimit, bound(cycleLimit ?? Infinity), true);
    view.setUint32(at.stopOnOutput, stopOnOutput ? 1 : 0, true);
    view.setUint32(at.collect, collectEffects ? 1 : 0, true);
    view.setUint32(at.wakeful, wakeful ? 1 : 0, true);
    this.#thread?.start(stepOver);
    this.#begun = { stepOver, stopOnOutput };
  }

  finish(): StopReason {
    if (!this.#begun) throw new Error('the machine does not run');
    const { stepOver, stopOnOutput } = this.#begun;
    this.#begun = undefined;
    for (let over = stepOver; ; over = false) {
      let stop = stops[this.#thread ? this.#thread.finish() : this.#execution.run(over)] ?? 'stalled';
      this.#outputs.drain();
      if (this.#count(at.exited) === rebooting) {
        this.#reboot();
        stop = 'reboot';
      }
      // Without `stopOnOutput` the core comes back only because there was no room for more.
      if (stop === 'output' && !stopOnOutput && !this.#outputs.full) {
        this.#thread?.start(false);
        continue;
      }
      // What comes from outside until the next run is not an instruction's doing.
      this.#view.setUint32(at.collect, 0, true);
      this.#giveBackLate();
      return stop;
    }
  }

  /** At each rest what is due has been given back, so that an interrupt which comes of it is due then, too. */
  #giveBackLate(): void {
    for (const { due } of this.#late.all) {
      if (due > this.retired) return;
      this.#virtio.giveBackLate();
      this.#core.lookAtSources();
    }
  }

  /**
   * From now on a thread executes the code, between `start` and `finish`; or, without one, the caller's own
   * again. The thread is one that rests. Not while the machine runs. `peer`: the machine with which it is going to be compared, which the thread takes a part in.
   */
  moveTo(thread: ReplicaThread | undefined, peer?: Machine): void {
    // Translations are in the table of the core that has run so far.
    this.forgetCode();
    this.#thread = thread;
    this.#comparison = thread && peer?.ramBytes === this.ramBytes ? { pages: new PageComparison(this.ramBytes / pageBytes), peer } : undefined;
    thread?.prepare(
      {
        module: coreModule(this.caches !== undefined),
        memory: this.#memory,
        ramBytes: this.ramBytes,
        tier: this.#tier,
        translations: this.options.translations,
        ...(this.#comparison && { comparison: { shared: this.#comparison.pages.shared, peer: this.#comparison.peer.#memory } }),
      },
      this.#devices,
    );
  }

  /**
   * Forgets what has been made of the code, which is made anew where it runs. Replicas that forget at the same count
   * translate the same from there on, byte for byte, and then V8 compiles for one of them only.
   */
  forgetCode(): void {
    this.#execution.forget();
  }

  /** Has something done at each access of the guest to a virtio device. Nothing of the machine may be touched by it. */
  whileAccessing(action: (() => void) | undefined): void {
    this.#whileAccessing = action;
  }

  get #tier(): Tier {
    return (!this.options.caches && this.options.tier) || 'interpreter';
  }

  interruptDue(): boolean {
    return this.#core.interruptDue() !== 0;
  }

  getX(index: number, hart = this.hart): bigint {
    return this.#view.getBigUint64(this.#of(hart, at.x) + (index & 31) * 8, true);
  }
  setX(index: number, value: bigint, hart = this.hart): void {
    if ((index & 31) !== 0) this.#view.setBigUint64(this.#of(hart, at.x) + (index & 31) * 8, BigInt.asUintN(64, value), true);
    this.#forceStuck();
  }
  getF(index: number, hart = this.hart): bigint {
    return this.#view.getBigUint64(this.#of(hart, at.f) + (index & 31) * 8, true);
  }
  setF(index: number, value: bigint, hart = this.hart): void {
    this.#view.setBigUint64(this.#of(hart, at.f) + (index & 31) * 8, BigInt.asUintN(64, value), true);
    this.#forceStuck();
  }
  get pc(): bigint {
    return this.getPc(this.hart);
  }
  set pc(value: bigint) {
    this.#setPc(value, this.hart);
    this.#forceStuck();
  }
  getPc(hart: number): bigint {
    return this.#view.getBigUint64(this.#of(hart, at.pc), true);
  }
  /** A pc is always even: there is no place for bit 0. */
  #setPc(value: bigint, hart: number): void {
    this.#view.setBigUint64(this.#of(hart, at.pc), BigInt.asUintN(64, value) & ~1n, true);
  }

  /** Where a field of a hart stands; `address` is that of the current hart's. */
  #of(hart: number, address: number): number {
    return hart === this.hart ? address : address + banksOffset + hart * hartBytes;
  }

  /** Does something as if it were a hart's turn. */
  #as<T>(hart: number, action: () => T): T {
    const current = this.hart;
    this.#core.selectHart(BigInt(hart));
    const result = action();
    this.#core.selectHart(BigInt(current));
    return result;
  }

  /** Functions that stand for guest code now, the guest's instructions in them, how often all were forgotten to make room, and how many instructions they have retired since creation. */
  get translated(): { functions: number; instructions: number; evictions: number; retired: number } {
    const { functions, instructions, evictions } = this.#thread?.translated ?? this.#execution;
    return { functions, instructions, evictions, retired: this.#count(at.translated) };
  }

  /**
   * The state block as it stands, in 32-bit words: layout.ts says what is where. Only to be
   * read, by who has to look at all registers after every instruction.
   */
  liveState(): Uint32Array {
    return new Uint32Array(this.#bytes.buffer, stateAt, stateBytes / 4);
  }

  getCsr(number: number, hart = this.hart): bigint | undefined {
    if (hart !== this.hart) return this.#as(hart, () => this.getCsr(number));
    return this.#core.csrExists(number) === 0 ? undefined : BigInt.asUintN(64, this.#core.peekCsr(number));
  }

  setCsr(number: number, value: bigint, hart = this.hart): boolean {
    if (hart !== this.hart) return this.#as(hart, () => this.setCsr(number, value));
    // fcsr is two fields that are registers of their own; neither has bits beyond its field.
    if (number === 0x003) return this.setCsr(0x001, value) && this.setCsr(0x002, value >> 5n);
    const offset = counterOffsets.get(number);
    if (offset !== undefined) {
      // A counter is what it counts plus an offset, and only the offset is the register's own.
      const change = value - (this.getCsr(number) ?? 0n);
      this.#view.setBigUint64(offset, BigInt.asUintN(64, this.#view.getBigUint64(offset, true) + change), true);
      return true;
    }
    const address = this.#core.csrAddress(number);
    if (address === 0) return false;
    if (number === 0x001) this.#view.setUint32(address, Number(value & 0x1fn), true);
    else if (number === 0x002) this.#view.setUint32(address, Number(value & 0x7n), true);
    // mepc's bit 0 has no place either, like the pc's; nor has sepc's.
    else this.#view.setBigUint64(address, BigInt.asUintN(64, number === 0x341 || number === 0x141 ? value & ~1n : value), true);
    this.#core.forgetTranslations();
    this.#forceStuck();
    return true;
  }

  readMemory(address: bigint, bytes: number): Uint8Array | undefined {
    const offset = this.#offsetOf(address, bytes);
    return offset === undefined ? undefined : this.#bytes.slice(this.#ramAt + offset, this.#ramAt + offset + bytes);
  }

  writeMemory(address: bigint, data: Uint8Array): boolean {
    const offset = this.#offsetOf(address, data.length);
    if (offset === undefined) return false;
    this.#bytes.set(data, this.#ramAt + offset);
    this.#core.hostWrote(address, data.length);
    return true;
  }

  takeOutputs(): Output[] {
    return this.#outputs.take();
  }

  get consoleRoom(): number {
    const virtio = this.#uartListens ? 0 : this.#virtio.consoleRoom;
    if (virtio > 0) return virtio;
    return this.#uartListens || this.#uartPolled ? uartFifoBytes - (this.#bytes[at.uartCount] ?? 0) : 0;
  }

  receive(bytes: Uint8Array): void {
    if (!this.#uartListens && this.#virtio.consoleRoom > 0) this.#virtio.receiveTyping(bytes);
    else for (const byte of bytes) this.#core.receive(byte);
    this.#core.lookAtSources();
  }

  /** True if a driver of the guest waits for what the UART receives. */
  get #uartListens(): boolean {
    return ((this.#bytes[at.uartInterrupts] ?? 0) & 1) !== 0;
  }

  /** True if the guest looks for received bytes over and over, itself or by calls of the firmware. */
  get #uartPolled(): boolean {
    return this.#view.getBigUint64(at.uartLooks, true) >= uartPollerLooks;
  }

  get frameRoom(): number {
    return this.#virtio.frameRoom;
  }

  receiveFrame(frame: Uint8Array): boolean {
    const taken = this.#virtio.receiveFrame(frame);
    this.#core.lookAtSources();
    return taken;
  }

  get flushes(): readonly Flush[] {
    return this.#virtio.waiting;
  }

  answerFlush(flush: Flush, ok: boolean): void {
    this.#virtio.answer(flush, ok);
    this.#core.lookAtSources();
  }

  nap(ticks: number): boolean {
    return this.#core.nap(BigInt(ticks)) !== 0;
  }

  traps(): TrapDigest {
    return {
      exceptions: this.#count(at.exceptions),
      cause: this.#count(at.lastCause),
      pc: this.#view.getBigUint64(at.lastPc, true),
    };
  }

  setBreakpoints(addresses: Iterable<bigint>): void {
    const sorted = [...new Set(addresses)].sort((a, b) => (a < b ? -1 : 1));
    if (sorted.length > mostBreakpoints) throw new RangeError(`at most ${mostBreakpoints} breakpoints can be set`);
    const [before, now] = [new Set(this.#breakpoints), new Set(sorted)];
    const changed = [...sorted.filter((address) => !before.has(address)), ...this.#breakpoints.filter((address) => !now.has(address))];
    if (changed.length === 0) return;
    this.#breakpoints = sorted;
    this.#view.setUint32(at.breakpoints, sorted.length, true);
    sorted.forEach((address, i) => this.#view.setBigUint64(at.breakpoints + 8 + i * 8, address, true));
    // Code in which none has come or gone stays as it is: decoded, or translated.
    if (changed.length > mostForgottenSingly) this.#core.forget();
    else for (const address of changed) this.#core.forgetCodeAt(address);
  }

  setWatches(watches: { address: bigint; bytes: number; on: 'read' | 'write' | 'access' }[]): void {
    if (watches.length === 0 && this.#watches.length === 0) return;
    const inside = watches.map((watch, place) => ({ ...watch, place })).filter(({ address, bytes }) => this.#offsetOf(address, bytes) !== undefined && bytes > 0);
    if (inside.length > mostWatches) throw new RangeError(`at most ${mostWatches} places can be watched`);
    this.#view.setUint32(at.watches, inside.length, true);
    this.#watches = inside.map(({ address, bytes, on, place }, i) => {
      const entry = at.watchList + i * watchEntryBytes;
      this.#view.setBigUint64(entry, address, true);
      this.#view.setBigUint64(entry + 8, BigInt(bytes), true);
      this.#view.setUint32(entry + 16, { read: 1, write: 2, access: 3 }[on], true);
      this.#view.setUint32(entry + 20, 0, true);
      return { place, entry };
    });
    // Accesses to watched pages are in no TLB. Code does not know of watches.
    this.#core.forgetTranslations();
  }

  takeTouched(): number[] {
    const touched = this.#watches.filter(({ entry }) => this.#view.getUint32(entry + 20, true) !== 0);
    for (const { entry } of touched) this.#view.setUint32(entry + 20, 0, true);
    return touched.map(({ place }) => place);
  }

  setUpsets(upsets: readonly UnitUpset[]): void {
    writeUpsets(this.#view, upsets);
  }

  takeStruck(): StruckUnit[] {
    return takeStruck(this.#view);
  }

  setTranslationUpsets(upsets: readonly TranslationUpset[]): void {
    if (upsets.length === 0 && this.#view.getUint32(at.tlbListed, true) === 0) return;
    writeTranslationUpsets(this.#view, upsets);
    this.#core.tlbFaultsChanged();
  }

  takeStruckTranslations(): StruckTranslation[] {
    return takeStruckTranslations(this.#view);
  }

  get wrongTranslations(): readonly WrongTranslation[] {
    return readWrongTranslations(this.#view);
  }
  set wrongTranslations(wrong: readonly WrongTranslation[]) {
    if (wrong.length === 0 && this.#view.getUint32(at.tlbWrong, true) === 0) return;
    writeWrongTranslations(this.#view, wrong);
    this.#core.tlbFaultsChanged();
  }

  setTransferFlips(bits: bigint): void {
    this.#transferFlips.set(bits);
  }

  takeStruckTransfer(): bigint | undefined {
    return takeTransfer(this.#view) ? this.#transferFlips.take() : undefined;
  }

  setAwaited(values: readonly AwaitedValue[]): void {
    const before = this.#view.getUint32(at.awaitedInX, true);
    writeAwaited(this.#view, values);
    // Decoded and translated code is made for what registers are looked at.
    if (this.#view.getUint32(at.awaitedInX, true) !== before) this.forgetCode();
  }

  setStuckBits(faults: readonly StuckBits[]): void {
    if (faults.length === 0 && !this.#stuck) return;
    const before = this.#stuck;
    const tables = new StuckTables(faults, (address, bytes) => this.#offsetOf(address, bytes) !== undefined, (csr) => this.#core.csrAddress(csr));
    this.#core.releaseStuck();
    tables.write(this.#view);
    this.#stuck = faults.length === 0 ? undefined : tables;
    this.#core.stick();
    // Decoded and translated code is made for what is stuck.
    if (before?.ofCode !== tables.ofCode) this.forgetCode();
  }

  /** Whatever has been written from outside. */
  #forceStuck(): void {
    if (this.#stuck) this.#core.forceStuck();
  }

  /** Throws a RangeError for a clock that is more than 10 % wrong: exact timer interrupts lean on that bound. */
  setTimeSource(source: TimeSource): void {
    const { perTick, corePhase, corePpm } = source;
    const whole = Number.isSafeInteger(perTick) && Number.isSafeInteger(corePhase) && Number.isSafeInteger(corePpm);
    if (!whole || perTick < 1 || corePhase < 0 || Math.abs(corePpm) > 100_000) {
      throw new RangeError(`no clock: ${perTick} a tick, phase ${corePhase}, ${corePpm} ppm`);
    }
    this.#timeSource = source;
    this.#setCount(at.perTick, perTick);
    this.#view.setBigInt64(at.corePhase, BigInt(corePhase), true);
    this.#view.setBigInt64(at.corePpm, BigInt(corePpm), true);
    this.#view.setUint32(at.timeFromCore, source.time === 'core' ? 1 : 0, true);
    this.#view.setUint32(at.cycleFromCore, source.cycle === 'core' ? 1 : 0, true);
    this.#view.setUint32(at.interruptsFromCore, (source.interrupts ?? source.time) === 'core' ? 1 : 0, true);
    this.#view.setUint32(at.rtcFromCore, (source.rtc ?? source.time) === 'core' ? 1 : 0, true);
    // It was in cycles of another clock.
    this.#setSeenAt([]);
  }

  setOwnInputs(inputs: OwnInputs | undefined): void {
    const before = this.#draws.losesReservations;
    this.#draws.set(inputs);
    // Translated code executes conditional stores itself where none fails.
    if (this.#draws.losesReservations !== before) this.forgetCode();
  }

  get own(): OwnState {
    return { seenAt: Array.from({ length: seenCounts }, (_, i) => this.#count(at.seenAt + 8 * i)), late: this.#late.all };
  }
  set own({ seenAt, late }: OwnState) {
    this.#setSeenAt(seenAt);
    this.#late.all = late;
  }

  #setSeenAt(counts: readonly number[]): void {
    for (let i = 0; i < seenCounts; i++) this.#setCount(at.seenAt + 8 * i, counts[i] ?? 0);
  }

  effects(): bigint {
    return this.#view.getBigUint64(at.effects, true);
  }

  resetEffects(): void {
    this.#view.setBigUint64(at.effects, 0n, true);
  }

  snapshot(peer?: Snapshot): MachineSnapshot {
    const { pages, disks = [] } = peer ? machineSnapshot(peer) : {};
    return this.#stateWith(this.#ram.store(pages), disks);
  }

  checkpoint(): MachineSnapshot {
    return this.#stateWith(this.#ram.replace(), []);
  }

  #stateWith(pages: PageTree, peers: readonly DiskState[]): MachineSnapshot {
    const disks = this.#disks.map((disk, i) => ({ image: disk.image, tree: disk.snapshot(peers[i]?.tree) }));
    return new MachineSnapshot(this.#stateBytes().slice(), pages, this.ramBytes, this.harts, disks);
  }

  compareState(peers: readonly Computer[], since: Snapshot): { equal: boolean; changedPages: number } {
    const others = peers.map((peer) => {
      if (!(peer instanceof Machine) || peer.ramBytes !== this.ramBytes) throw new TypeError('a computer of another kind');
      return peer;
    });
    const { pages, disks } = machineSnapshot(since);
    const ownTrees = this.#disks.map((disk) => disk.snapshot());
    const trees = [ownTrees, ...others.map((machine) => machine.#disks.map((disk, i) => disk.snapshot(ownTrees[i])))];
    const same = others.every((other, i) => Buffer.compare(this.#stateBytes(), other.#stateBytes()) === 0
      && ownTrees.every((tree, disk) => tree === trees[i + 1]?.[disk] || tree.differing(trees[i + 1]?.[disk] ?? tree).next().done === true));
    const blocks = ownTrees.reduce((sum, tree, i) => sum + [...tree.differing(disks[i]?.tree ?? tree)].length, 0);
    if (!same) return { equal: false, changedPages: changedPages(this.#ram, pages) + blocks };
    const { equal, changedPages: count } = compareRams(this.#ram, others.map((other) => other.#peerOf(this)), pages);
    return { equal, changedPages: count + blocks };
  }

  #peerOf(first: Machine): Peer {
    const [ram, thread, comparison] = [this.#ram, this.#thread, this.#comparison];
    if (!thread || comparison?.peer !== first) return { ram };
    return {
      ram,
      begin: (pages) => {
        comparison.pages.begin(pages);
        thread.compare();
        return () => {
          try {
            comparison.pages.work(first.#ram.bytes, ram.bytes);
          } finally {
            thread.finish();
          }
          return comparison.pages.equal;
        };
      },
    };
  }

  share(snapshot: Snapshot): void {
    const { pages, disks } = machineSnapshot(snapshot);
    this.#ram.hold(pages);
    this.#disks.forEach((disk, i) => disk.snapshot(disks[i]?.tree));
  }

  restore(snapshot: Snapshot): void {
    const { state, pages, ramBytes, harts, disks } = machineSnapshot(snapshot);
    // Another machine may go on from it, too.
    snapshot.keep();
    if (harts !== this.harts) throw new RangeError(`a snapshot of ${harts} harts does not fit ${this.harts}`);
    if (ramBytes !== this.ramBytes) throw new RangeError(`a snapshot of ${ramBytes} bytes of RAM does not fit ${this.ramBytes}`);
    if (disks.length !== this.#disks.length) throw new RangeError(`a snapshot of ${disks.length} disks does not fit ${this.#disks.length}`);
    disks.forEach(({ image, tree }, i) => {
      const own = this.#disks[i]?.image.bytes;
      if (image.bytes !== own) throw new RangeError(`a snapshot with a disk of ${image.bytes} bytes does not fit one of ${own}`);
      this.#disks[i]?.restore(tree);
    });
    this.caches?.drop();
    this.#refill(pages);
    this.#bytes.set(state, stateAt);
    this.#late.all = [];
    this.wrongTranslations = [];
    this.#core.forgetTranslations();
    this.#forceStuck();
  }

  /** Gives RAM the contents of a tree. */
  #refill(pages: PageTree): void {
    for (const page of this.#ram.staleAgainst(pages)) this.writeMemory(ramBase + BigInt(page * pageBytes), pages.page(page).bytes);
    this.#ram.hold(pages);
  }

  /**
   * Carries a reboot out: all is as it was when the guest was loaded, but for
   * the disks and for what counts on. A function of the state alone, at the
   * count of the instruction that has asked for it.
   */
  #reboot(): void {
    // So that each hart's fields are where they are in the state of the start.
    this.#core.selectHart(0n);
    const kept = keptFields.map((field) => this.#view.getBigUint64(field, true));
    this.caches?.drop();
    this.#refill(this.#start.pages);
    this.#bytes.set(this.#start.state, stateAt);
    this.#late.all = [];
    keptFields.forEach((field, i) => this.#view.setBigUint64(field, kept[i] ?? 0n, true));
    // Where harts take turns, a new one begins; the end of a lone hart's never comes.
    if (this.harts > 1) this.#setCount(at.switchAt, this.#count(at.switchAt) + this.retired);
    this.wrongTranslations = [];
    this.#core.forgetTranslations();
    this.#forceStuck();
  }

  #makeVirtio(): VirtioBoard {
    const { network, entropySeed, console = false } = this.options;
    const passes: Passes = (piece, done, isLast) => this.#transferFlips.pass(piece, done, isLast);
    const devices: VirtioDevice[] = [
      ...this.#disks.map((disk, i) => new BlockDevice(disk, i, `covert-disk-${i}`, passes)),
      ...(network ? [new NetworkDevice(network.mac, passes)] : []),
      ...(entropySeed === undefined ? [] : [new EntropyDevice(entropySeed, () => this.#draws.entropy())]),
      ...(console ? [new ConsoleDevice()] : []),
    ];
    if (devices.length > mostDevices) throw new RangeError(`a machine has at most ${mostDevices} virtio devices, not ${devices.length}`);
    return new VirtioBoard(this.#view, { slots: at.virtio, raised: at.virtioRaised }, devices, {
      memory: {
        range: (address, bytes) => {
          const offset = address - Number(ramBase);
          if (!(offset >= 0 && offset + bytes <= this.ramBytes)) return undefined;
          return this.#bytes.subarray(this.#ramAt + offset, this.#ramAt + offset + bytes);
        },
        wrote: (address, bytes) => this.#core.deviceWrote(BigInt(address), bytes),
      },
      output: (kind, payload) => this.#outputs.add(kind, payload),
      late: this.#late,
      transferEnd: (number) => this.#draws.transferEnd(number),
    });
  }

  #stateBytes(): Uint8Array {
    return this.#bytes.subarray(stateAt, stateAt + stateBytes);
  }

  /** Offset in RAM, or undefined where any byte is outside. */
  #offsetOf(address: bigint, bytes: number): number | undefined {
    const offset = address - ramBase;
    return offset < 0n || offset + BigInt(bytes) > BigInt(this.ramBytes) ? undefined : Number(offset);
  }

  #count(address: number): number {
    return Number(this.#view.getBigUint64(address, true));
  }

  #setCount(address: number, value: number): void {
    this.#view.setBigUint64(address, BigInt(value), true);
  }
}
