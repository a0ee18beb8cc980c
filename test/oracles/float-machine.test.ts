import { describe, expect, test } from 'vitest';
import { describeResult, seed, vectors } from '../../engine/core/softfloat.test-support';
import { formats } from '../../engine/isa/instructions';
import { Random } from '../../engine/isa/random.test-support';
import { tiers } from '../../engine/isa/tiers.test-support';
import { execute, type ReferenceState } from '../../engine/isa/reference-model.test-support';
import {
  dynamic, floatGuest, floatInstructions, initialFcsr, makeCase, makeVectors, readsSingles, resultAt, resultBytes, sourcesOf,
  type FloatCase, type FloatResult, type FloatVector,
} from './float-guest';
import { runMachine } from './run-machine';

/** Fewer than the soft-float's own: each instruction is here with each rounding mode. */
const count = Math.ceil(vectors / 50);

/** The model's answer to a case that starts from a vector. */
function expected(float: FloatCase, vector: FloatVector): FloatResult {
  const { row, rd, rm, rs1, rs2, rs3 } = float;
  const fcsr = initialFcsr(float, vector);
  const state: ReferenceState = {
    x: Array<bigint>(32).fill(vector.integer),
    f: Array<bigint>(32).fill(0n),
    pc: 0n,
    fflags: fcsr & 31,
    frm: fcsr >> 5,
    mscratch: 0n,
    memory: new Uint8Array(),
    memoryBase: 0n,
    reservation: null,
  };
  const operands = readsSingles(row) ? vector.singles : vector.doubles;
  sourcesOf(float).forEach((register, index) => (state.f[register] = operands[index] ?? 0n));
  execute(state, row.mnemonic, { rd, rs1, rs2, rs3, rm, imm: 0, length: 4 });
  const value = (row.writes === 'x' ? state.x : state.f)[rd] ?? 0n;
  return { value, fcsr: (state.frm << 5) | state.fflags };
}

describe.each(tiers)(`every instruction of F and D on the machine, $name, against the reference model, seed ${seed}, ${count} vectors each`, ({ name: tier }) => {
  test.each(floatInstructions)('$mnemonic', (row) => {
    const random = new Random([...row.mnemonic].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), seed));
    const modes = formats[row.format].rm ? [0, 1, 2, 3, 4, dynamic] : [0];
    // Each mode twice, so that registers both coincide and differ.
    const cases = [...modes, ...modes].map((rm) => makeCase(row, rm, random));
    const vectorsHere = makeVectors(random.word(), count, true);
    const guest = floatGuest(cases, vectorsHere, 'board');
    const { machine, exit } = runMachine(guest.image, 1e9, 1, 16 << 20, tier);
    expect(exit).toBe(0);
    const bytes = machine.readMemory(guest.results, cases.length * count * resultBytes);
    if (bytes === undefined) throw new Error('the results are not in RAM');
    const results = Buffer.from(bytes);
    cases.forEach((float, caseIndex) => {
      vectorsHere.forEach((vector, index) => {
        const is = resultAt(results, count, caseIndex, index);
        const ought = expected(float, vector);
        if (is.value === ought.value && is.fcsr === ought.fcsr) return;
        const registers = `rd ${float.rd} rs1 ${float.rs1} rs2 ${float.rs2} rs3 ${float.rs3} rm ${float.rm}`;
        const operands = (readsSingles(row) ? vector.singles : vector.doubles).map((value) => value.toString(16)).join(' ');
        const from = `floats ${operands} integer ${vector.integer.toString(16)} fcsr ${initialFcsr(float, vector)}`;
        const text = `${row.mnemonic}, ${registers}, ${from}, COVERT_FP_SEED=${seed} COVERT_FP_VECTORS=${vectors}`;
        const describeAll = ({ value, fcsr }: FloatResult): string => `${describeResult(value, fcsr & 31)} frm ${fcsr >> 5}`;
        expect(describeAll(is), text).toBe(describeAll(ought));
      });
    });
  });
});
