import { expect, it } from 'vitest';
import { asm as base } from '../machine/guest.test-support';
import { Machine } from '../machine/machine';
import { tiers } from '../machine/tier';
import { decodedPageBytes, mostDecodedPages } from './layout';

const i = (imm: number, rs1: number, funct: number, rd: number, op = 0x13): number => (((imm & 0xfff) << 20) | (rs1 << 15) | (funct << 12) | (rd << 7) | op) >>> 0;
const asm = {
  ...base,
  andi: (rd: number, rs1: number, imm: number) => i(imm, rs1, 7, rd),
  slli: (rd: number, rs1: number, by: number) => i(by, rs1, 1, rd),
  srli: (rd: number, rs1: number, by: number) => i(by, rs1, 5, rd),
  add: (rd: number, rs1: number, rs2: number) => i(rs2, rs1, 0, rd, 0x33),
  jalr: (rd: number, rs1: number, imm: number) => i(imm, rs1, 0, rd, 0x67),
  /** Up to 30 bytes ahead or back. */
  bne: (rs1: number, rs2: number, offset: number) => (((offset < 0 ? 0xfe : 0) << 24) | (rs2 << 20) | (rs1 << 15) | (1 << 12) | ((offset & 0x1e) << 7) | ((offset < 0 ? 1 : 0) << 7) | 0x63) >>> 0,
};

const ramBase = 0x8000_0000n;
/** More pages of code than are decoded at once. */
const pages = 1300;
const hotTurns = 400;
const rounds = 3;

/**
 * Goes through all pages, round after round. Each adds one to a0; every tenth first runs a loop, so that there is translated code; and
 * every seventh overwrites an instruction of the page before the last one, decoded or not any more, which adds to a1 what was put there.
 */
function image(): Uint8Array {
  const code = new Uint8Array(pages * 4096);
  const view = new DataView(code.buffer);
  const [x0, a0, a1, t0, t1, t2] = [0, 10, 11, 5, 6, 7];
  for (let page = 0; page < pages; page++) {
    const words = [asm.addi(a0, a0, 1)];
    if (page % 10 === 0) words.push(asm.addi(t0, x0, hotTurns), asm.addi(t0, t0, -1), asm.addi(a1, a1, 1), asm.bne(t0, x0, -8));
    // Its place is the same in every page, and where nothing was put it stays what it was.
    while (words.length < 8) words.push(asm.addi(x0, x0, 0));
    words.push(asm.addi(a1, a1, 0));
    if (page % 7 === 0 && page > 1) {
      // The instruction becomes addi a1, a1, (a0 & 0x3f): other code in each round.
      words.push(asm.auipc(t1, -2 & 0xfffff), asm.andi(t2, a0, 0x3f), asm.slli(t2, t2, 20), asm.lw(t0, t1, 8 * 4 - 9 * 4));
      words.push(asm.lui(t0, 0x00058), asm.addi(t0, t0, 0x593), asm.add(t2, t2, t0), asm.sw(t2, t1, 8 * 4 - 9 * 4), asm.fenceI);
    }
    words.push(...(page === pages - 1 ? [] : [asm.jal(x0, 4096 - 4 * words.length)]));
    words.forEach((word, at) => view.setUint32(page * 4096 + 4 * at, word, true));
    if (page < pages - 1) continue;
    // Back to the first page, until all rounds are done: then it jumps to itself.
    const back = [asm.addi(8, 8, 1), asm.addi(t0, x0, rounds), asm.bne(8, t0, 8), asm.jal(x0, 0), asm.lui(t1, 0x80000), asm.slli(t1, t1, 32), asm.srli(t1, t1, 32), asm.jalr(x0, t1, 0)];
    back.forEach((word, at) => view.setUint32(page * 4096 + 4 * (words.length + at), word, true));
  }
  return code;
}

it('makes room for other code where it is full, and every store to code is seen all the same', () => {
  const states = tiers.map((tier) => {
    const machine = Machine.create({ ramBytes: 16 << 20, tier });
    const data = image();
    machine.load({ entry: ramBase, segments: [{ address: ramBase, data, memoryBytes: data.length }] });
    const hashes: string[] = [];
    for (let limit = 100_003; limit < 900_000; limit += 100_003) {
      machine.run(limit);
      hashes.push(machine.snapshot().hash());
    }
    expect(machine.getX(10), tier).toBe(BigInt(pages * rounds));
    expect(machine.decodedBytes, tier).toBeLessThanOrEqual(mostDecodedPages * decodedPageBytes);
    expect(machine.decodedBytes, tier).toBeGreaterThan((mostDecodedPages - 24) * decodedPageBytes);
    if (tier !== 'interpreter') expect(machine.translated.retired).toBeGreaterThan(20_000);
    return hashes;
  });
  // Another machine, that steps and so decodes nothing.
  const stepped = Machine.create({ ramBytes: 16 << 20 });
  const data = image();
  stepped.load({ entry: ramBase, segments: [{ address: ramBase, data, memoryBytes: data.length }] });
  const expected: string[] = [];
  for (let limit = 100_003; limit < 900_000; limit += 100_003) {
    while (stepped.retired < limit) stepped.run(stepped.retired + 1);
    expected.push(stepped.snapshot().hash());
  }
  for (const hashes of states) expect(hashes).toEqual(expected);
});
