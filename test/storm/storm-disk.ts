import { createHash } from 'node:crypto';
import type { DiskOutside } from '../../engine/covert/disk-outside';
import { sectorBytes } from '../../engine/machine/virtio/disk-image';

/** What a guest of a storm has written to its disk's image, beginning with nothing. */
export class StormDisk implements DiskOutside {
  readonly #sectors = new Map<number, Uint8Array>();

  write(disk: number, offset: number, data: Uint8Array): undefined {
    for (let at = 0; at < data.length; at += sectorBytes) this.#sectors.set(disk * 2 ** 40 + (offset + at) / sectorBytes, data.slice(at, at + sectorBytes));
  }

  flush(): undefined {
    return undefined;
  }

  /** SHA-256 of the image, as far as it was written to. */
  get sha256(): string {
    const hash = createHash('sha256');
    for (const [sector, content] of [...this.#sectors].sort(([a], [b]) => a - b)) hash.update(`${sector}\n`).update(content);
    return hash.digest('hex');
  }
}
