import { describe, expect, test } from 'vitest';
import { tiers } from '../../engine/isa/tiers.test-support';
import { needsQemu, qemuVersion, runQemuImage } from './qemu';
import { caseBytes, RandomStream } from './random-stream';
import { runMachine } from './run-machine';

const cases = 150;

describe('random instructions, all registers and memory compared with qemu after each case', () => {
  for (let seed = 20; seed < 32; seed++) {
    test.skipIf(!qemuVersion)(`seed ${seed}, ${cases} cases${needsQemu}`, async () => {
      const image = new RandomStream(seed).image(cases, 40);
      const theirs = await runQemuImage(image);
      expect(theirs.exit).toBe(0);
      expect(theirs.output.length).toBe(cases * caseBytes);
      for (const { name: tier } of tiers) {
        const ours = runMachine(image, 1e9, 1, 16 << 20, tier);
        for (let number = 0; number < cases; number++) {
          const of = (output: Buffer): string[] => words(output.subarray(number * caseBytes, (number + 1) * caseBytes));
          expect(of(ours.output), `${tier}, seed ${seed}, case ${number}`).toEqual(of(theirs.output));
        }
        expect(ours.output.length).toBe(theirs.output.length);
        expect(ours.exit).toBe(0);
      }
    });
  }
});

/** One line a double word, so that a difference shows as the places that differ. */
function words(dump: Buffer): string[] {
  return Array.from({ length: Math.floor(dump.length / 8) }, (_, index) => {
    const at = index * 8;
    const name = at < 512 ? `memory+${at}` : at < 768 ? `x${(at - 512) / 8}` : at < 1024 ? `f${(at - 768) / 8}` : at < 1032 ? 'fcsr' : 'traps';
    return `${name} ${dump.readBigUInt64LE(at).toString(16)}`;
  });
}
