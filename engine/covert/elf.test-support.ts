import { ramBase } from '../machine/guest.test-support';

/** A program of these words, at the start of RAM. */
export function elfOf(words: readonly number[]): Uint8Array {
  const image = new Uint8Array(120 + 4 * words.length);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // Executable, RISC-V; entry; one program header of 56 bytes behind this one of 64.
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, ramBase, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  [120n, ramBase, ramBase, BigInt(4 * words.length), BigInt(4 * words.length), 4n].forEach((value, i) => view.setBigUint64(72 + 8 * i, value, true));
  words.forEach((word, i) => view.setUint32(120 + 4 * i, word, true));
  return image;
}
