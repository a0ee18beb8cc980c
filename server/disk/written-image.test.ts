import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DiskImageError, imageOfBytes, patchedImage } from '../../engine/machine/virtio/disk-image';
import { WrittenImage } from './written-image';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'covert-image-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const sectors = 40;
/** Zeros behind, as in an image that has just been made. */
const content = Uint8Array.from({ length: sectors * 512 }, (_, i) => (i < 9000 ? (i * 7) & 0xff : 0));

it('has the file written to, and stays for its readers what it was', () => {
  const path = join(folder, 'image');
  const writes = fc.array(fc.tuple(fc.integer({ min: 0, max: sectors - 1 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
  const reads = fc.array(fc.tuple(fc.nat(content.length - 1), fc.integer({ min: 1, max: 9000 })), { maxLength: 6 });
  fc.assert(
    fc.property(writes, reads, (all, looks) => {
      writeFileSync(path, content);
      const image = new WrittenImage(path);
      const now = content.slice();
      for (const [sector, count, byte] of all) {
        const data = new Uint8Array(Math.min(count, sectors - sector) * 512).fill(byte);
        image.write(sector * 512, data);
        now.set(data, sector * 512);
      }
      image.flush();
      for (const [from, count] of looks) {
        const target = new Uint8Array(count).fill(1);
        image.read(from, target);
        const right = new Uint8Array(count);
        right.set(content.subarray(from, from + count));
        expect(target).toEqual(right);
      }
      expect(image.sha256()).toBe(imageOfBytes(content).sha256());
      expect(new Uint8Array(readFileSync(path))).toEqual(now);
      // Who has what was overwritten can make the beginning of what there is now.
      const blocks = new Map(image.overwritten().map(({ block, content: before }) => [block, before]));
      expect(patchedImage(imageOfBytes(now), blocks).sha256()).toBe(image.sha256());
      image.close();
    }),
  );
});

it('ends where the file becomes shorter', () => {
  const path = join(folder, 'short');
  writeFileSync(path, content);
  const image = new WrittenImage(path);
  truncateSync(path, 512);
  expect(() => image.read(4096, new Uint8Array(512))).toThrow(DiskImageError);
  expect(() => image.write(4096, new Uint8Array(512))).toThrow('has become shorter while a guest used it');
  image.close();
});
