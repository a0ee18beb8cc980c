import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { describeResult, seed, vectors } from '../../engine/core/softfloat.test-support';
import { formats } from '../../engine/isa/instructions';
import { Random } from '../../engine/isa/random.test-support';
import { tiers } from '../../engine/isa/tiers.test-support';
import {
  dynamic, floatGuest, floatInstructions, initialFcsr, makeCase, makeVectors, readsSingles, resultAt, resultBytes, type FloatCase, type FloatVector,
} from './float-guest';
import { runMachine } from './run-machine';

const command = 'qemu-riscv64';
const missing = spawnSync(command, ['--version']).status === 0 ? '' : ` (skipped: ${command} is not installed)`;
/** Vectors of each case; all results of an instruction are in the guest's RAM at once. */
const count = Math.min(vectors, 200_000);
const modes = [0, 1, 2, 3, 4, dynamic];
const ramBytes = 64 << 20;

/** What to know about a case that came out differently, and how to have it again. */
function describeCase({ row, rd, rm, rs1, rs2, rs3 }: FloatCase, vector: FloatVector): string {
  const floats = (readsSingles(row) ? vector.singles : vector.doubles).map((value) => value.toString(16)).join(' ');
  const from = `floats ${floats} integer ${vector.integer.toString(16)} fcsr ${initialFcsr({ row, rd, rm, rs1, rs2, rs3 }, vector)}`;
  return `${row.mnemonic}, rd ${rd} rs1 ${rs1} rs2 ${rs2} rs3 ${rs3} rm ${rm}, ${from}, COVERT_FP_SEED=${seed} COVERT_FP_VECTORS=${vectors}`;
}

// Six cases an instruction: one for each rounding mode where it has one, and
// where it has none six choices of registers.
describe.skipIf(missing !== '')(
  `every instruction of F and D on the machine and on ${command}, seed ${seed}, ${modes.length * count} vectors each${missing}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'covert-float-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const table = makeVectors(seed, count, true);

    test.each(floatInstructions)('$mnemonic', async (row) => {
      const random = new Random([...row.mnemonic].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), seed));
      const cases = modes.map((rm) => makeCase(row, formats[row.format].rm ? rm : 0, random));
      const path = join(folder, `${row.mnemonic}.elf`);
      writeFileSync(path, floatGuest(cases, table, 'linux').image, { mode: 0o755 });
      const maxBuffer = cases.length * count * resultBytes;
      const theirs = (await promisify(execFile)(command, [path], { encoding: 'buffer', maxBuffer })).stdout;
      expect(theirs.length).toBe(maxBuffer);

      const guest = floatGuest(cases, table, 'board');
      for (const { name: tier } of tiers) {
        const { machine, exit } = runMachine(guest.image, 1e9, 1, ramBytes, tier);
        expect(exit).toBe(0);
        const bytes = machine.readMemory(guest.results, maxBuffer);
        if (bytes === undefined) throw new Error('the results are not in RAM');
        const ours = Buffer.from(bytes);
        if (ours.equals(theirs)) continue;
        cases.forEach((float, caseIndex) => {
          table.forEach((vector, index) => {
            const [is, ought] = [ours, theirs].map((results) => {
              const { value, fcsr } = resultAt(results, count, caseIndex, index);
              return `${describeResult(value, fcsr & 31)} frm ${fcsr >> 5}`;
            });
            expect(is, `${tier}: ${describeCase(float, vector)}`).toBe(ought);
          });
        });
      }
    });
  },
);
