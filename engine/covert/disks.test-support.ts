import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { imageOfBytes } from '../machine/virtio/disk-image';
import { symbolsOf } from './guest';
import type { DiskOutside } from './disk-outside';
import type { FaultPlan, Plan, ProtectionPlan, SwitchPlan } from './plan';
import { planFor } from './plan.test-support';

const path = resolve(import.meta.dirname, '../../test/oracles/disk/disk.elf');
const image = new Uint8Array(readFileSync(path));

/** Sectors of the guest's disk: more than it writes to. */
const sectors = 80;

export interface DiskGuest {
  rounds?: number;
  /** It does not take up flushes: each write that is done is a safe one. */
  writesThrough?: boolean;
  /** It polls for the end of a request, and wants no interrupt. */
  polls?: boolean;
}

/** What the disk holds at the beginning: what the guest is to do, and behind that a pattern. */
export function diskContent({ rounds = 30, writesThrough = false, polls = false }: DiskGuest = {}): Uint8Array {
  const content = Uint8Array.from({ length: sectors * 512 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  content.set([rounds, writesThrough ? 1 : 0, polls ? 1 : 0]);
  return content;
}

export interface DiskChanges {
  protection?: Partial<ProtectionPlan>;
  faults?: FaultPlan[];
  switches?: SwitchPlan[];
  spares?: number[];
  guest?: DiskGuest;
}

/** A plan for the guest that writes to its disk, test/oracles/disk/disk.c. */
export function diskPlan({ protection = {}, faults = [], switches, spares = [], guest }: DiskChanges = {}): Plan {
  const plan = planFor('checksum', { protection: { epochInstructions: 2_000, ...protection }, faults });
  return {
    ...plan,
    chip: { ...plan.chip, spares },
    ...(switches && { switches }),
    guest: { name: 'disk', path, image, ramBytes: 2 ** 20, harts: 1, disks: [{ image: imageOfBytes(diskContent(guest)), writable: true }] },
  };
}

export function diskAddress(symbol: string): bigint {
  const found = symbolsOf({ image }).find(symbol);
  if (!found) throw new Error(`disk has no symbol ${symbol}`);
  return found.address;
}

/** A disk's file in memory, and all that was done to it. */
export class Sink implements DiskOutside {
  readonly content: Uint8Array;
  readonly done: string[] = [];

  constructor(
    guest: DiskGuest = {},
    /** Why it refuses what it is told to do, by its number. */
    private readonly refuses: (number: number) => string | undefined = () => undefined,
  ) {
    this.content = diskContent(guest);
  }

  /** To be compared with another one's. */
  get all(): { done: readonly string[]; content: string } {
    return { done: this.done, content: Buffer.from(this.content).toString('hex') };
  }

  write(disk: number, offset: number, data: Uint8Array): string | undefined {
    const why = this.refuses(this.done.length);
    this.done.push(`${disk}: ${offset}+${data.length}${why === undefined ? '' : ' refused'}`);
    if (why === undefined) this.content.set(data, offset);
    return why;
  }

  flush(disk: number): string | undefined {
    const why = this.refuses(this.done.length);
    this.done.push(`${disk}: flush${why === undefined ? '' : ' refused'}`);
    return why;
  }
}
