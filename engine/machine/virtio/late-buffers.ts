import { at } from '../../core/layout';
import type { LateBuffer } from '../types';

const never = 0xffff_ffff_ffff_ffffn;

/** Buffers that devices are done with and have not given back: what they are late with. The core knows when the first of them is due. */
export class LateBuffers {
  /** In the order in which they are due. */
  #buffers: readonly LateBuffer[] = [];

  constructor(private readonly view: DataView) {}

  get all(): readonly LateBuffer[] {
    return this.#buffers;
  }
  set all(buffers: readonly LateBuffer[]) {
    this.#buffers = buffers;
    const [first] = buffers;
    this.view.setBigUint64(at.lateAt, first ? BigInt(first.due) : never, true);
  }

  add(buffer: LateBuffer): void {
    this.all = [...this.#buffers, buffer].sort((a, b) => a.due - b.due);
  }

  /** The first one, which is late no more. */
  take(): LateBuffer | undefined {
    const [first, ...others] = this.#buffers;
    if (first) this.all = others;
    return first;
  }

  /** A device has been reset: nothing of it comes back. */
  forget(slot: number): void {
    if (this.#buffers.length > 0) this.all = this.#buffers.filter((buffer) => buffer.slot !== slot);
  }
}
