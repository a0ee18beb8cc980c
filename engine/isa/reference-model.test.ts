/** The model that the machine is tested against is itself held against qemu's user-mode emulator. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encode, randomImmediate } from './encode.test-support';
import { formats, instructions, type Instruction } from './instructions';
import { pick, randomF, randomX } from './operands.test-support';
import { Random } from './random.test-support';
import { execute, type Operands, type ReferenceState } from './reference-model.test-support';

const tools = ['riscv64-unknown-elf-as', 'riscv64-unknown-elf-ld', 'qemu-riscv64'];
const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const VECTORS = 150;

/** Rows from registers to registers. qemu 7.2 has no Zicond. */
const rows = instructions.filter(
  (row) => row.control === 'next' && !row.loads && !row.stores && row.extension !== 'Zicond' && formats[row.format].rd && row.mnemonic !== 'auipc',
);

interface Vector {
  row: Instruction;
  operands: Operands;
  state: ReferenceState;
}

function vector(row: Instruction, random: Random): Vector {
  const isSingle = row.mnemonic === 'fcvt.d.s' || (row.mnemonic !== 'fcvt.s.d' && row.extension === 'F');
  const state: ReferenceState = {
    x: Array.from({ length: 32 }, () => 0n),
    f: Array.from({ length: 32 }, () => 0n),
    pc: 0n,
    fflags: random.below(32),
    frm: random.below(5),
    mscratch: 0n,
    memory: new Uint8Array(0),
    memoryBase: 0n,
    reservation: null,
  };
  // a0..a2 and fa0..fa3 take part.
  for (const index of [10, 11, 12]) state.x[index] = randomX(random);
  for (const index of [10, 11, 12, 13]) state.f[index] = randomF(random, isSingle);
  const operands: Operands = { rd: 10, rs1: 11, rs2: 12, rs3: 13, rm: pick(random, [0, 1, 2, 3, 4, 7]), imm: randomImmediate(row, random), length: 4 };
  return { row, operands, state };
}

/** A program that runs each vector and writes a0, fa0 and fcsr of each to its output. */
function assembly(vectors: Vector[]): string {
  const data = vectors.flatMap(({ state: { x, f, frm, fflags } }) => [x[10], x[11], x[12], f[10], f[11], f[12], f[13], BigInt((frm << 5) | fflags)]);
  const body = vectors.map(({ row, operands }) =>
    `load\n.insn 0x${encode(row, operands).toString(16)}\nkeep`,
  );
  return `
.macro load
  ld a0, 0(s0)
  ld a1, 8(s0)
  ld a2, 16(s0)
  fld fa0, 24(s0)
  fld fa1, 32(s0)
  fld fa2, 40(s0)
  fld fa3, 48(s0)
  ld t0, 56(s0)
  csrw fcsr, t0
.endm
.macro keep
  csrr t0, fcsr
  sd a0, 0(s1)
  fsd fa0, 8(s1)
  sd t0, 16(s1)
  addi s0, s0, 64
  addi s1, s1, 24
.endm
.globl _start
_start:
  la s0, inputs
  la s1, outputs
  ${body.join('\n')}
  la s0, outputs
write:
  sub a2, s1, s0
  beqz a2, done
  li a0, 1
  mv a1, s0
  li a7, 64
  ecall
  add s0, s0, a0
  j write
done:
  li a0, 0
  li a7, 93
  ecall
.data
.balign 8
inputs:
${data.map((value) => `.dword 0x${(value ?? 0n).toString(16)}`).join('\n')}
.bss
.balign 8
outputs: .zero ${24 * vectors.length}
`;
}

/** qemu 7.2 goes on counting in the upper half: the manual ("Zbb") has 32 for a low half without a one. */
function qemuCountsTooFar({ mnemonic }: Instruction, source: bigint): boolean {
  return mnemonic === 'ctzw' && BigInt.asUintN(32, source) === 0n;
}

describe('the reference model', () => {
  if (missing.length > 0) {
    it.skip(`agrees with qemu-riscv64 (skipped: no ${missing.join(', ')}; Debian packages binutils-riscv64-unknown-elf and qemu-user)`, () => undefined);
    return;
  }

  it.each([1, 2])('agrees with qemu-riscv64 over every register row, seed %i', (seed) => {
    const random = new Random(seed);
    const vectors = rows.flatMap((row) => Array.from({ length: VECTORS }, () => vector(row, random)));
    const folder = mkdtempSync(join(tmpdir(), 'covert-model-'));
    try {
      writeFileSync(join(folder, 'vectors.s'), assembly(vectors));
      execFileSync('riscv64-unknown-elf-as', ['-march=rv64gc_zba_zbb_zbs', '-mno-arch-attr', 'vectors.s', '-o', 'vectors.o'], { cwd: folder });
      execFileSync('riscv64-unknown-elf-ld', ['--no-relax', 'vectors.o', '-o', 'vectors'], { cwd: folder });
      const output = execFileSync('qemu-riscv64', ['-cpu', 'rv64,zba=true,zbb=true,zbs=true', 'vectors'], { cwd: folder, maxBuffer: 1 << 28 });
      expect(output.length).toBe(24 * vectors.length);
      const wrong = vectors.flatMap(({ row, operands, state }, index) => {
        const [a0, fa0, fcsr] = [0, 8, 16].map((at) => output.readBigUInt64LE(24 * index + at));
        const sources = `x 0x${state.x[11]?.toString(16)} 0x${state.x[12]?.toString(16)} f ${[11, 12, 13].map((at) => `0x${state.f[at]?.toString(16)}`).join(' ')}`;
        execute(state, row.mnemonic, operands);
        const ours = [state.x[10], state.f[10], BigInt((state.frm << 5) | state.fflags)];
        const same = ours.every((value, at) => value === [a0, fa0, fcsr][at]);
        const show = (values: (bigint | undefined)[]): string => values.map((value) => `0x${value?.toString(16)}`).join(' ');
        return same || qemuCountsTooFar(row, state.x[11] ?? 0n) ? [] : [`${row.mnemonic} imm ${operands.imm} rm ${operands.rm}/${state.frm} ${sources}: model ${show(ours)}, qemu ${show([a0, fa0, fcsr])}`];
      });
      expect(wrong).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
