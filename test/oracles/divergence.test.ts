import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { run } from '../../engine/covert/run';
import { isPassing } from '../../engine/covert/place';
import type { Plan } from '../../engine/covert/plan';
import type { Machine } from '../../engine/machine/machine';
import { compileFile } from '../../server/language/compile';
import { flipPlace } from './flip';
import { loadMachine } from './run-machine';

/** The guest's memory up to the end of its stack. */
const guestBytes = 0x24000;

/** Everything an instruction of these guests can change, by name. */
function stateOf(machine: Machine): Map<string, string> {
  const state = new Map<string, string>([['pc', machine.pc.toString(16)]]);
  for (let i = 1; i < 32; i++) state.set(`x${i}`, machine.getX(i).toString(16));
  for (let i = 0; i < 32; i++) state.set(`f${i}`, machine.getF(i).toString(16));
  for (const csr of [0x300, 0x304, 0x341, 0x342, 0x343]) state.set(`csr ${csr}`, String(machine.getCsr(csr)));
  const memory = machine.readMemory(0x80000000n, guestBytes);
  if (!memory) throw new Error('the guest has less memory than that');
  for (let at = 0; at < guestBytes; at += 64) state.set(`memory+${at}`, Buffer.from(memory.buffer, memory.byteOffset + at, 64).toString('latin1'));
  return state;
}

/**
 * Steps a healthy and a struck machine side by side, one instruction at a time,
 * to the first instruction with different results: one that left a difference
 * which was not there before, or another in its place.
 */
function findDivergence(plan: Plan, at: number): { instruction: number; pc: bigint; differs: string[] } {
  const [healthy, struck] = [loadMachine(plan.guest.image), loadMachine(plan.guest.image)];
  healthy.run(at);
  struck.run(at);
  const effect = plan.faults[0]?.effect;
  if (effect?.kind !== 'flip' || isPassing(effect.place)) throw new Error('no flip');
  flipPlace(struck, effect.place, effect.bits);
  let before = [stateOf(healthy), stateOf(struck)] as const;
  for (let count = at + 1; count < at + 20_000; count++) {
    const pc = struck.pc;
    healthy.run(count);
    struck.run(count);
    const after = [stateOf(healthy), stateOf(struck)] as const;
    const differs = [...after[0].keys()].filter((place) => {
      const [a, b] = [after[0].get(place), after[1].get(place)];
      const written = a !== before[0].get(place) || b !== before[1].get(place);
      return a !== b && written;
    });
    if (differs.length > 0) return { instruction: count, pc, differs };
    before = after;
  }
  throw new Error('they did not come apart');
}

/** The function and line that binutils give for an address. */
function addr2line(image: string, pc: bigint): { function: string; line: number } {
  const text = execFileSync('riscv64-unknown-elf-addr2line', ['-f', '-e', image, `0x${pc.toString(16)}`], { encoding: 'utf8' });
  const [name = '', place = ''] = text.split('\n');
  return { function: name, line: Number(/:(\d+)/.exec(place)?.[1]) };
}

const hasBinutils = (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/riscv64-unknown-elf-addr2line`));

describe('where the replicas first differed, against two machines stepped side by side', () => {
  const cases = [
    ['checksum', 'a bit flip in the checksum loop'],
    ['checksum', 'a bit flip in a pointer'],
    ['sort', 'a pointer to the wrong record'],
    ['sort', 'a pointer out of memory'],
  ] as const;
  for (const [guest, name] of cases) {
    const why = hasBinutils ? '' : ' (skipped: riscv64-unknown-elf-addr2line is not installed)';
    test.skipIf(!hasBinutils)(`${guest}: ${name}${why}`, async () => {
      const { plans } = await compileFile(`examples/${guest}/${guest}.covert`);
      const plan = plans.find((candidate) => candidate.name === name);
      if (!plan) throw new Error(`no scenario "${name}"`);
      const report = await run(plan);
      const [fault] = report.faults;
      const [divergence] = report.divergences;
      const expected = findDivergence(plan, fault?.instruction ?? -1);
      expect(divergence?.instruction).toBe(expected.instruction);
      expect(divergence?.pc).toBe(`0x${expected.pc.toString(16)}`);
      const { function: inFunction, line } = addr2line(plan.guest.path, expected.pc);
      expect(divergence?.function).toBe(inFunction);
      expect(divergence?.line).toBe(line);
      expect(divergence?.replica).toBe('B');
    });
  }
});

test('a scenario names the lines of its own source', () => {
  const source = readFileSync('examples/checksum/checksum.c', 'utf8').split('\n');
  const scenario = readFileSync('examples/checksum/checksum.covert', 'utf8');
  const line = Number(/divergence at "checksum\.c":(\d+)/.exec(scenario)?.[1]);
  expect(source[line - 1]).toContain('// #BP2');
});
