import type { Random } from '../../engine/isa/random.test-support';

/** No input is longer. */
export const mostBytes = 4096;
/** Values at which programs err: signs, powers of two, lengths off by one. */
const interesting = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 254, 255, 256, 511, 512, 4095, 4096, 0x7fff, 0x8000, 0xffff];

/** Another input, made of one of a pool: some changes of bits, bytes, words and pieces. */
export function mutate(pool: readonly Uint8Array[], random: Random): Uint8Array {
  const pick = (): Uint8Array => pool[random.below(Math.max(1, pool.length))] ?? new Uint8Array();
  let bytes = Array.from(pick());
  for (let changes = 1 + random.below(8); changes > 0; changes--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(8)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2: {
        const value = interesting[random.below(interesting.length)] ?? 0;
        const width = [1, 2, 4][random.below(3)] ?? 1;
        for (let i = 0; i < width; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
        break;
      }
      case 3:
        bytes[at] = ((bytes[at] ?? 0) + random.below(9) - 4) & 0xff;
        break;
      case 4:
        bytes.splice(at, 0, ...Array.from({ length: 1 + random.below(16) }, () => random.below(256)));
        break;
      case 5:
        bytes.splice(at, 1 + random.below(16));
        break;
      case 6: {
        // A piece of another input, or of this one again.
        const other = pick();
        const from = random.below(other.length + 1);
        bytes.splice(at, random.below(2) * 32, ...other.subarray(from, from + 1 + random.below(64)));
        break;
      }
      default:
        bytes = bytes.slice(0, random.below(bytes.length + 1)).concat(Array.from(pick()));
    }
  }
  return Uint8Array.from(bytes, (byte: number | undefined) => byte ?? 0).subarray(0, mostBytes);
}
