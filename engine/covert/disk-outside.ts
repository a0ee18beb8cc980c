import { sectorBytes } from '../machine/virtio/disk-image';
import { diskStride, flushOf } from '../machine/virtio/block';
import type { Flush, Output } from '../machine/types';

/**
 * Where what a guest writes to its writable disks goes. It is told of each write once, when that is released, in their order; so whatever
 * is rolled back and run again beneath, it sees what a guest without faults does.
 */
export interface DiskOutside {
  /** Writes to a disk from a byte offset on. Gives why that could not be done, in words; the guest hears of it at the next flush. */
  write(disk: number, offset: number, data: Uint8Array): string | undefined;
  /** Makes what was written last, whatever becomes of the host. Gives why that cannot be said. */
  flush(disk: number): string | undefined;
}

/** What became of a flush: `refused` says why not everything is where it belongs. */
export interface FlushAnswer extends Flush {
  readonly refused?: string;
}

/** What became of released flushes, and of writes that are still to be flushed. Not of a replica's state: like the outside it only goes on. */
export class DiskLedger {
  /** Of each disk that has refused a write since its last flush, why. */
  readonly #failed = new Map<number, string>();
  /** What became of the newest flush of each disk and head. */
  readonly #answers = new Map<string, FlushAnswer>();

  /** An output is released for the first time. */
  tell({ kind, value, data }: Pick<Output, 'kind' | 'value' | 'data'>, outside: DiskOutside): void {
    if (kind === 'disk' && data) {
      const disk = Math.floor(value / diskStride);
      const refused = outside.write(disk, (value % diskStride) * sectorBytes, data);
      if (refused !== undefined && !this.#failed.has(disk)) this.#failed.set(disk, refused);
    } else if (kind === 'flush') {
      const flush = flushOf(value);
      const unsafe = outside.flush(flush.disk);
      const refused = this.#failed.get(flush.disk) ?? unsafe;
      this.#failed.delete(flush.disk);
      this.#answers.set(keyOf(flush), { ...flush, ...(refused !== undefined && { refused }) });
    }
  }

  /** Of a flush that has been released: without anybody outside everything is well. */
  answerTo(flush: Flush): FlushAnswer {
    return this.#answers.get(keyOf(flush)) ?? flush;
  }
}

function keyOf({ disk, head }: Flush): string {
  return `${disk} ${head}`;
}

/** For a run without faults beside one that was refused something: says the same to the same flushes, and writes nowhere. */
export function answeringAs(answers: () => readonly FlushAnswer[]): DiskOutside {
  const next = new Map<number, number>();
  return {
    write: () => undefined,
    flush(disk) {
      const own = answers().filter((answer) => answer.disk === disk);
      const number = next.get(disk) ?? 0;
      next.set(disk, number + 1);
      return own[number]?.refused;
    },
  };
}
