/**
 * The border between a computer and whoever runs it. {@link Machine} in
 * machine.ts implements `Computer`; chip, covert and history use nothing else.
 *
 * Addresses and register values are unsigned 64-bit `bigint`; counts are `number`.
 */

import type { CacheControl } from './cache-types';

export type StopReason =
  /** `retired` has reached the asked count. */
  | 'limit'
  /** The next instruction stands at a breakpoint and has not been executed. */
  | 'breakpoint'
  /** The last instruction reads or writes a watched place (see `setWatch`); it has retired. */
  | 'watch'
  /**
   * The last instruction produced at least one output (with `stopOnOutput`); or so
   * much output waits to be taken, 64 MiB, that it has to be before the guest goes on.
   */
  | 'output'
  /**
   * The last instruction has asked for a reboot, and that is done: the machine stands
   * before the first instruction of what was loaded, and goes on from there when it is run.
   */
  | 'reboot'
  /** The guest has ended by itself; `exitCode` says how. No further instruction retires. */
  | 'exit'
  /** Waits for an interrupt that nothing can ever raise, or with `wakeful` for any; no further instruction retires. */
  | 'idle'
  /** Takes traps without end and retires nothing. */
  | 'stalled'
  /** The last instruction has been struck by an upset (see `setUpsets`). */
  | 'upset'
  /** A register has a value that is waited for (see `setAwaited`). */
  | 'awaited';

export interface RunOptions {
  /** Stop after any instruction that produced output. Default false. */
  stopOnOutput?: boolean;
  /** Do not stop at a breakpoint on the very first instruction. Default false. */
  stepOver?: boolean;
  /** Fold every instruction's effects into `effects()`; several times slower. Default false. */
  collectEffects?: boolean;
  /** Also stop at the first instruction boundary at which `cycles` is at least this. */
  cycleLimit?: number;
  /** Where all harts wait, stop with `idle` even if a timer is set, so that something may come from outside first: no time passes but by {@link Computer.nap}. Default false. */
  wakeful?: boolean;
}

/** Something sent to the outside. `sequence` counts from 0 and is part of the guest's state. */
export interface Output {
  sequence: number;
  /** Retired instructions just after the one that produced it. */
  instruction: number;
  kind: 'console' | 'exit' | 'disk' | 'net' | 'flush';
  /**
   * A byte for `console`, the exit code for `exit`, the first sector for `disk`
   * (512 bytes each, with the disk's number times 2^40), the length for `net`, for `flush` which one ({@link flushOf}).
   */
  value: number;
  /** What a `disk` is written with, or the ethernet frame that a `net` sends. */
  data?: Uint8Array;
}

/** A request to a disk that is done when all that was written before has reached the image. */
export interface Flush {
  /** Which of the machine's disks. */
  disk: number;
  /** Of the chain of buffers that asks for it: there is one at a time. */
  head: number;
}

/**
 * A lasting fault of the hardware: these bits read as `value` however often they are written. A register's
 * is that of every hart, since harts take turns on one core. `alu`: of each result of the integer
 * arithmetic-logic unit, on its way to rd (`isAlu` in isa/instructions.ts says which).
 */
export interface StuckBits {
  place:
    | { kind: 'x' | 'f'; index: number }
    | { kind: 'pc' }
    /** Where it is kept; one that is worked out anew whenever it is read, as it is read. */
    | { kind: 'csr'; number: number }
    | { kind: 'alu' }
    /** Of all that the unit comes to: see {@link UnitUpset}. */
    | { kind: 'unit'; unit: Exclude<UnitName, 'alu'> }
    | { kind: 'memory'; address: bigint; bytes: 1 | 2 | 4 | 8 }
    /** Of each entry of the core's TLB with the page of a virtual address. */
    | { kind: 'tlb'; address: bigint };
  /** A mask. */
  bits: bigint;
  value: 0 | 1;
}

/**
 * A transient fault of one unit: what it comes to in the next instruction that uses it is `(value & keep) ^ flip`, once. `alu` and `load`:
 * what is written to rd, from the arithmetic-logic unit (`isAlu` in isa/instructions.ts) or from memory. `store`, `store address`: what is
 * stored, of its width, and where. Atomic instructions are none of these. `branch`: 1 if a conditional branch is taken. `fetch`: the 16 or
 * 32 bits of the instruction. One that traps has no result, but a fetched word and the address of a store.
 */
export interface UnitUpset {
  unit: UnitName;
  keep: bigint;
  flip: bigint;
}

export type UnitName = 'alu' | 'load' | 'store' | 'store address' | 'branch' | 'fetch';

/** What an upset has struck. */
export interface StruckUnit {
  unit: UnitName;
  /** The right value, and a mask of the bits that there are of it. */
  before: bigint;
  bits: bigint;
  /** The instruction's pc, and how many had retired before it. */
  pc: bigint;
  retired: number;
}

/**
 * A transient fault of a TLB: the entry for a virtual address is `(entry & keep) ^ flip` from the next walk on that finds it, a page-table
 * entry as it was found. It stays so until the guest fences it off, by sfence.vma, a call of the firmware, or a write of satp with ASID 0.
 */
export interface TranslationUpset {
  address: bigint;
  keep: bigint;
  flip: bigint;
}

/** What such an upset has struck. */
export interface StruckTranslation {
  /** The page of the address that was waited for. */
  page: bigint;
  /** The right entry. */
  before: bigint;
  /** Of the instruction. */
  pc: bigint;
}

/** An entry that is wrong: for which virtual addresses, and its ASID with the hart above it. */
export interface WrongTranslation {
  address: bigint;
  /** The bits of an address that it does not translate. */
  mask: bigint;
  entry: bigint;
  tag: bigint;
}

/** A register of the hart that executes the next instruction, and the value that is waited for. */
export interface AwaitedValue {
  register: { kind: 'x' | 'f'; index: number } | { kind: 'pc' } | { kind: 'csr'; number: number };
  value: bigint;
}

/** Which of the machine's clocks guest-visible time is read from. */
export interface TimeSource {
  /**
   * `instructions`: `time` and `cycle` are functions of the retired-instruction
   * count, so equal for all replicas. `core`: they follow the cycles of the core
   * that runs the guest, and differ between cores.
   */
  time: 'instructions' | 'core';
  cycle: 'instructions' | 'core';
  /** `core`: timers and devices interrupt the guest at the ticks of the core's own clock, each at the next one. Default: as `time`. */
  interrupts?: 'instructions' | 'core';
  /** The same of the real-time clock. Default: as `time`. */
  rtc?: 'instructions' | 'core';
  /** `instructions`: retired instructions a timer tick; `core`: cycles a tick. */
  perTick: number;
  /** Added to the core's cycle count when it is read: this core's clock phase. */
  corePhase: number;
  /** This core's clock error in parts per million. */
  corePpm: number;
}

/** Inputs that a guest is handed as the core that runs it has them, and not as all replicas do. */
export interface OwnInputs {
  /** What makes the core's draws its own: a whole number from 0 on. */
  seed: number;
  /** Random numbers come from the core's own source, which does not go back where the guest does. */
  entropy: boolean;
  /** Of the conditional stores that would succeed one in 32 fails. */
  reservations: boolean;
  /** A disk gives back its buffers some instructions after the transfer, but before the retired count is a multiple of this. Left out: at once. */
  transfersWithin?: number;
}

/** A buffer that a virtio device is done with and gives back when the retired count is `due`: the chain from descriptor `head` on, with so many bytes written. */
export interface LateBuffer {
  readonly slot: number;
  readonly queue: number;
  readonly head: number;
  readonly written: number;
  readonly due: number;
}

/** What a core and its devices have of their own, apart from the state, while inputs are uncoordinated. */
export interface OwnState {
  /** The core's clock in cycles from which on it sees what the interrupt controller has for it, and each hart's timers. */
  readonly seenAt: readonly number[];
  readonly late: readonly LateBuffer[];
}

/** One place of two states that differs. */
export interface PlaceDifference {
  /** `a0`, `ft0`, `pc`, `mstatus`, `mtimecmp`, with several harts `hart1.a0`; `memory[0x80001000]` and `disk0[0x1200]` (8-byte granules). */
  place: string;
  a: bigint;
  b: bigint;
}

/** An immutable state. Equal pages are shared between snapshots. */
export interface Snapshot {
  readonly retired: number;
  /** SHA-256 over the architectural state, hex; computed once, on demand. */
  hash(): string;
  /** True if the architectural states are equal; fast when pages are shared. */
  equals(other: Snapshot): boolean;
  /** At most `limit` differing places, registers first, then memory by address. */
  difference(other: Snapshot, limit?: number): PlaceDifference[];
  /** How many RAM pages have another content in `other`. */
  changedPages(other: Snapshot): number;
  /** Indexes of the RAM pages that are not all zeros. */
  usedPages(): number[];
  /** From now on it lasts, if it is one of {@link Computer.checkpoint}. */
  keep(): void;
}

/** How many of each trap were taken, folded into one number that two replicas can compare. */
export interface TrapDigest {
  /** Synchronous exceptions taken since reset (part of the state). */
  exceptions: number;
  /** Cause of the newest one, and its pc; meaningless when `exceptions` is 0. */
  cause: number;
  pc: bigint;
}

export interface Computer {
  readonly ramBase: bigint;
  readonly ramBytes: number;
  /** Of one that has been made with caches, for `detailed` timing. `restore` empties them. */
  readonly caches: CacheControl | undefined;

  /** Instructions retired since reset. Part of the state: `restore` takes it back. */
  readonly retired: number;
  /**
   * Core cycles spent so far. Not part of the state: `restore`
   * leaves it alone. Writable: the VMM charges its own work to the core, and
   * history sets the clock back when it travels.
   */
  cycles: number;
  /** Interrupts taken since creation. Like `cycles` not part of the state, and writable. */
  interrupts: number;
  /** Reads of `time`, `cycle` and the CLINT's mtime since creation; likewise. */
  clockReads: number;
  /** Reboots so far. Part of the state. */
  readonly reboots: number;
  /** The guest's exit code, or null while it runs. */
  readonly exitCode: number | null;

  /** Run until `retired === limit` or an earlier stop. Never throws on the guest's account. */
  run(limit: number, options?: RunOptions): StopReason;
  /**
   * `run` in two halves, so that several computers can run at the same time where each has a thread:
   * nothing else is to be asked of it between the two. `finish` may throw what keeps it from running on.
   */
  start(limit: number, options?: RunOptions): void;
  finish(): StopReason;

  /** True if an interrupt will be taken before the instruction at `pc`. A rest at a limit is always before it. */
  interruptDue(): boolean;

  readonly harts: number;
  /** The hart that executes the next instruction. Registers are its, where no other hart is named. */
  readonly hart: number;

  getX(index: number, hart?: number): bigint;
  setX(index: number, value: bigint, hart?: number): void;
  getF(index: number, hart?: number): bigint;
  setF(index: number, value: bigint, hart?: number): void;
  pc: bigint;
  getPc(hart: number): bigint;
  /** Undefined where there is no such CSR. Has no side effects. */
  getCsr(number: number, hart?: number): bigint | undefined;
  /** Writes the raw bits past WARL rules, as a fault does. False where there is no such CSR. */
  setCsr(number: number, value: bigint, hart?: number): boolean;
  /** Undefined where any byte is no RAM. Physical addresses; no side effects. */
  readMemory(address: bigint, bytes: number): Uint8Array | undefined;
  /** False (and nothing written) where any byte is no RAM. Drops stale decoded instructions. */
  writeMemory(address: bigint, data: Uint8Array): boolean;

  /** Outputs produced since the last call, oldest first. */
  takeOutputs(): Output[];
  /**
   * Bytes that the console has room for; none while no driver of the guest listens,
   * which would lose them. The console is the UART where its receive interrupt is on, else a
   * virtio console with room, else the UART where the guest polls it.
   */
  readonly consoleRoom: number;
  /** Bytes typed at the guest's console, handed to its device now. What there is no room for is lost. */
  receive(bytes: Uint8Array): void;
  /** Frames that the network card's driver has buffers for now; none without a card. Nothing changes by asking. */
  readonly frameRoom: number;
  /** Hands an ethernet frame to the network card. False where there is none, or its driver has no buffer for it. */
  receiveFrame(frame: Uint8Array): boolean;
  /**
   * Where the guest is `idle`, lets so many ticks of its clock pass, or fewer, where a timer that it waits for is due before.
   * False if it waits for none.
   */
  nap(ticks: number): boolean;
  /** Flushes of writable disks that wait for their answer. */
  readonly flushes: readonly Flush[];
  /** Answers a flush: all is where it belongs, or there was an I/O error. Nothing happens if the guest does not wait for it any more. */
  answerFlush(flush: Flush, ok: boolean): void;
  traps(): TrapDigest;

  setBreakpoints(addresses: Iterable<bigint>): void;
  /**
   * Stop with `watch` after an instruction that touches the memory range.
   * An empty list removes all. Bytes outside RAM are ignored.
   */
  setWatches(watches: { address: bigint; bytes: number; on: 'read' | 'write' | 'access' }[]): void;
  /**
   * From now on these bits are stuck, and no others; where two want one bit, the later has it. They are the hardware's, like
   * `cycles`, and no part of the state: `restore` leaves them alone, but what it restores has them. Memory outside RAM is ignored.
   * x0 has no bits.
   */
  setStuckBits(faults: readonly StuckBits[]): void;
  /**
   * These upsets wait from now on, and no others. Like stuck bits they are the hardware's and no part of the state. While one waits,
   * instructions are executed one at a time; when one has struck, the run stops with `upset`, if with nothing else.
   */
  setUpsets(upsets: readonly UnitUpset[]): void;
  /**
   * These bits, a mask, of the payload of the next transfer to memory, from a disk or from the network card, will flip, as far as it has them. The hardware's, like upsets; once they
   * have, the run stops with `upset` after the instruction that has asked for a disk's transfer, if with nothing else; what comes with `receiveFrame` has them by then.
   */
  setTransferFlips(bits: bigint): void;
  /** Those that have flipped since the last call; undefined where there was no transfer. */
  takeStruckTransfer(): bigint | undefined;
  /** What upsets have struck since the last call. */
  takeStruck(): StruckUnit[];
  /** These upsets of translations wait from now on, and no others; likewise. */
  setTranslationUpsets(upsets: readonly TranslationUpset[]): void;
  takeStruckTranslations(): StruckTranslation[];
  /**
   * The TLB's entries that are wrong. They are no part of the state: `restore` leaves none, as whoever gives a core another state empties its TLB. Writable,
   * for who goes back in time.
   */
  wrongTranslations: readonly WrongTranslation[];
  /** Stop with `awaited` at each instruction boundary at which one of these registers has its value. What writes one of them is executed alone; where they are not x registers, all instructions are. */
  setAwaited(values: readonly AwaitedValue[]): void;
  /** Which of the watches, by their place in the list, have been touched since the last call. */
  takeTouched(): number[];
  setTimeSource(source: TimeSource): void;
  /** From now on the guest gets these inputs as the core has them; undefined: none. */
  setOwnInputs(inputs: OwnInputs | undefined): void;
  /** What `setOwnInputs` and clocks of the core's own bring about. Like `cycles` not part of the state; but `restore` gives back no buffer of before. */
  own: OwnState;

  /**
   * The prefix digest of the effects of all instructions run with
   * `collectEffects` since `resetEffects`: next pc, written registers, stored
   * addresses and values, traps. Two machines' digests differ from the first
   * instruction on that gave different results.
   */
  effects(): bigint;
  resetEffects(): void;

  /**
   * A state that succeeds the one of the last call, of which nothing may be asked any more unless it was kept ({@link Snapshot.keep}):
   * its memory is used again. So it costs less than a snapshot.
   */
  checkpoint(): Snapshot;
  /** Takes a snapshot; pages equal to `peer`'s page at the same place share its storage. */
  snapshot(peer?: Snapshot): Snapshot;
  restore(snapshot: Snapshot): void;
  /**
   * Whether computers of the same make are in the same state as this one, and how many pages of its RAM and disks have another
   * content than they had in a snapshot. Nothing is stored for it, and what was compared before and not written to since is not
   * looked at again, so it is faster than to compare snapshots.
   */
  compareState(peers: readonly Computer[], since: Snapshot): { equal: boolean; changedPages: number };
  /**
   * To be called where the state is that of the snapshot, a peer's: what is stored is shared with it from now on. Where it is one of `checkpoint`,
   * until the peer's next one, which is to be shared, too.
   */
  share(snapshot: Snapshot): void;
}
