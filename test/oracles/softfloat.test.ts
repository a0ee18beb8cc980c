import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeResult, describeVector, operations, seed, Softfloat, vectors as wanted } from '../../engine/core/softfloat.test-support';
import { dynamic, floatGuest, floatInstructions, initialFcsr, makeVectors, readsSingles, resultAt, resultBytes, type FloatCase } from './float-guest';

const command = 'qemu-riscv64';
/** All results are held at once, 16 bytes each. */
const count = Math.min(wanted, 200_000);
const missing = spawnSync(command, ['--version']).status === 0 ? '' : ` (skipped: ${command} is not installed)`;

describe.skipIf(missing !== '')(`soft-float against qemu's user-mode emulator, ${count} vectors each${missing}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'covert-float-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const vectors = makeVectors(seed, count, false);
  const cases = operations.map(({ mnemonic }): FloatCase => {
    const row = floatInstructions.find((candidate) => candidate.mnemonic === mnemonic);
    if (row === undefined) throw new Error(`no instruction "${mnemonic}"`);
    return { row, rm: dynamic, rd: 8, rs1: 7, rs2: 1, rs3: 2 };
  });
  let softfloat: Softfloat;
  let results: Buffer;

  beforeAll(async () => {
    softfloat = await Softfloat.compile();
    const path = join(folder, 'guest.elf');
    writeFileSync(path, floatGuest(cases, vectors, 'linux').image, { mode: 0o755 });
    const maxBuffer = cases.length * count * resultBytes;
    results = (await promisify(execFile)(command, [path], { encoding: 'buffer', maxBuffer })).stdout;
    expect(results.length).toBe(maxBuffer);
  });

  test.each(operations.map((operation, index) => ({ name: operation.name, operation, index })))('$name', ({ operation, index }) => {
    const float = cases[index];
    if (float === undefined) throw new Error('no case');
    vectors.forEach((vector, at) => {
      const values = operation.operands.map((kind, operand) => {
        const raw = float.row.reads.startsWith('x') ? vector.integer : (readsSingles(float.row) ? vector.singles : vector.doubles)[operand];
        return BigInt.asUintN(Number(kind.slice(1)), raw ?? 0n);
      });
      softfloat.takeFlags();
      const bits = softfloat.call(operation, values, vector.fcsr >> 5);
      const flags = softfloat.takeFlags() | (initialFcsr(float, vector) & 31);
      const { value, fcsr } = resultAt(results, count, index, at);
      const expected = BigInt.asUintN(operation.width, value);
      if (bits !== expected || flags !== (fcsr & 31)) {
        const text = describeVector(operation, values, vector.fcsr >> 5);
        expect(describeResult(bits, flags), text).toBe(describeResult(expected, fcsr & 31));
      }
    });
  });
});
