import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compressedInstructions } from './compressed';
import { decodeInstruction, matchesCompressed } from './decode';
import { generateDecoder, opNumbers } from './generate-decoder';
import { costs, endsBlock, formats, instructions } from './instructions';
import { Random } from './random.test-support';

describe('the instruction table', () => {
  it('has no two rows that one encoding matches', () => {
    const overlaps = instructions.flatMap((a, index) =>
      instructions
        .slice(index + 1)
        .filter((b) => ((a.match ^ b.match) & a.mask & b.mask) === 0)
        .map((b) => `${a.mnemonic} and ${b.mnemonic}`),
    );
    expect(overlaps).toEqual([]);
  });

  it('keeps every match inside its mask and in the 32-bit quadrant', () => {
    for (const { mnemonic, match, mask } of instructions) {
      expect((match & ~mask) >>> 0, mnemonic).toBe(0);
      expect(match & 3, mnemonic).toBe(3);
    }
  });

  it('names each mnemonic once', () => {
    expect(new Set(instructions.map(({ mnemonic }) => mnemonic)).size).toBe(instructions.length);
  });

  it('leaves no operand field of a format under the mask, and no other bit free but those a format ignores', () => {
    // fence and fence.i ignore rd and rs1 by the specification.
    for (const row of instructions) {
      const format = formats[row.format];
      let operands = 0;
      if (format.rd) operands |= 0xf80;
      if (format.rs1) operands |= 0xf8000;
      if (format.rs2) operands |= 0x1f00000;
      if (format.rs3) operands |= 0xf8000000;
      if (format.rm) operands |= 0x7000;
      for (const { source, width } of format.immediate?.pieces ?? []) operands |= (2 ** width - 1) * 2 ** source;
      const free = ~row.mask & (row.format === 'fence' ? ~0xf8f80 : ~0);
      expect((operands >>> 0).toString(16), row.mnemonic).toBe((free >>> 0).toString(16));
    }
  });

  it('has one compressed row at most for each 16-bit encoding', () => {
    const twice: string[] = [];
    for (let raw = 0; raw < 0x10000; raw++) {
      const rows = compressedInstructions.filter((row) => matchesCompressed(row, raw));
      if (rows.length > 1) twice.push(`0x${raw.toString(16)}: ${rows.map(({ mnemonic }) => mnemonic).join(', ')}`);
    }
    expect(twice).toEqual([]);
  });

  it('decodes each row from its match with random operands', () => {
    fc.assert(
      fc.property(fc.constantFrom(...instructions), fc.integer({ min: 0, max: 0xffffffff }), (row, noise) => {
        const raw = ((noise & ~row.mask) | row.match) >>> 0;
        const rm = (raw >>> 12) & 7;
        const expected = formats[row.format].rm && (rm === 5 || rm === 6) ? undefined : row.mnemonic;
        expect(decodeInstruction(raw)?.mnemonic).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });
});

interface WasmDecoder {
  memory: { buffer: ArrayBuffer };
  decode(raw: number, record: number): number;
  opEndsBlock(op: number): number;
  opCycles(op: number): number;
  opLoads(op: number): number;
  opStores(op: number): number;
  opWritesX(op: number): number;
  opWritesF(op: number): number;
}

/** Node has it, but neither TypeScript's ES2023 library nor Node's types declare it. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: { instantiate(bytes: Uint8Array): Promise<{ instance: { exports: WasmDecoder } }> };
};

describe('the generated decoder', () => {
  let folder: string;
  let wasm: WasmDecoder;
  let record: DataView;
  const RECORD = 64;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'covert-decoder-'));
    writeFileSync(join(folder, 'decode.ts'), generateDecoder());
    const compiler = resolve('node_modules/assemblyscript/bin/asc.js');
    execFileSync(process.execPath, [compiler, 'decode.ts', '-O2', '--runtime', 'stub', '-o', 'decode.wasm', '--initialMemory', '1'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const { instance } = await webAssembly.instantiate(readFileSync(join(folder, 'decode.wasm')));
    wasm = instance.exports;
    record = new DataView(wasm.memory.buffer);
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Empty when both decoders say the same of `raw`. */
  function disagreement(raw: number): string {
    for (let at = 0; at < 16; at++) record.setUint8(RECORD + at, 0xaa);
    const length = wasm.decode(raw, RECORD);
    const actual = [
      length,
      record.getUint16(RECORD, true),
      record.getUint16(RECORD + 2, true),
      record.getUint16(RECORD + 4, true),
      record.getUint16(RECORD + 6, true),
      record.getInt32(RECORD + 8, true),
      record.getUint32(RECORD + 12, true),
    ].join();
    const decoded = decodeInstruction(raw);
    const short = (raw & 3) !== 3;
    let expected: number[];
    if (decoded === undefined) {
      expected = [short ? 2 : 4, 0, 0, 0, 0, short ? raw & 0xffff : raw | 0, 0xaaaaaaaa];
    } else {
      const format = formats[decoded.flags.format];
      const imm = decoded.rm !== null ? decoded.rm | (decoded.rs3 * 8 * 256) : decoded.imm;
      const rs1 = format.rs1Immediate ? decoded.rs1 : decoded.rs1 * 8;
      expected = [decoded.length, opNumbers.get(decoded.mnemonic) ?? -1, decoded.rd * 8, rs1, decoded.rs2 * 8, imm, 0xaaaaaaaa];
    }
    return actual === expected.join() ? '' : `0x${raw.toString(16)}: core ${actual}, table ${expected.join()}`;
  }

  it('agrees with the table over all 65,536 compressed encodings', () => {
    const wrong: string[] = [];
    for (let low = 0; low < 0x10000; low++) {
      if ((low & 3) === 3) continue;
      // What stands in the high half belongs to the next instruction.
      const message = disagreement(((0xdead0000 | low) >>> 0));
      if (message !== '') wrong.push(message);
    }
    expect(wrong).toEqual([]);
  });

  it.each([1, 2, 3])('agrees with the table over 200,000 random words, seed %i', (seed) => {
    const random = new Random(seed);
    const wrong: string[] = [];
    for (let count = 0; count < 200_000; count++) {
      const word = random.word();
      // Half of them close to an existing row, so that operands and near misses both occur.
      const row = instructions[random.below(instructions.length)];
      if (row === undefined) throw new Error('the instruction table is empty');
      const near = ((word & ~row.mask) | row.match) ^ (random.below(4) === 0 ? 1 << random.below(32) : 0);
      const message = disagreement(((count & 1) === 0 ? word | 3 : near) >>> 0);
      if (message !== '') wrong.push(message);
    }
    expect(wrong).toEqual([]);
  });

  it('gives the table\'s facts for every op', () => {
    for (const row of instructions) {
      const op = opNumbers.get(row.mnemonic) ?? -1;
      const facts = [wasm.opEndsBlock(op), wasm.opCycles(op), wasm.opLoads(op), wasm.opStores(op), wasm.opWritesX(op), wasm.opWritesF(op)];
      const expected = [endsBlock(row), costs[row.cost], row.loads, row.stores, row.writes === 'x', row.writes === 'f'];
      expect(facts, row.mnemonic).toEqual(expected.map(Number));
    }
    expect(wasm.opEndsBlock(0)).toBe(1);
  });
});
