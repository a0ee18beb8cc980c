import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { covert, root } from './covert';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-costs-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function scenario(costs: string): Promise<string> {
  const file = path.join(folder, 'costs.covert');
  await writeFile(file, `chip c { cores 4 memory 2 controllers ring ${costs} }\nguest g { elf "${path.join(root, 'examples/sort/sort.elf')}" ram 16 MiB }\nscenario "s" { chip c guest g protect dmr expect exit 0 }\n`);
  return file;
}

async function cyclesOf(args: string[]): Promise<Report['cycles']> {
  const { exit, stdout } = await covert(['run', ...args, '--json']);
  expect(exit).toBe(0);
  return (JSON.parse(stdout) as [Report])[0].cycles;
}

describe("the chip's cost table", () => {
  test('is charged, whether the scenario says it or the command', async () => {
    const usual = await cyclesOf([await scenario('')]);
    const said = await cyclesOf([await scenario('costs prescott { rendezvous 500 cycles }')]);
    const [{ cycles: before = 0, count = 0 } = {}, { cycles: after = 0 } = {}] = [usual, said].map(({ events }) => events.find(({ event }) => event === 'rendezvous'));
    expect(before).toBe(count * (761 + 1000));
    expect(after).toBe(count * (3963 + 500));
    expect([usual.costs, said.costs]).toEqual([undefined, { exit: 3963, rendezvous: 500, sync: 1981, inject: 1981 }]);
    expect(await cyclesOf([await scenario(''), '--cost', 'prescott', '--cost', 'rendezvous=500'])).toEqual(said);
    // The command goes before the file.
    expect(await cyclesOf([await scenario('costs merom'), '--cost', 'prescott', '--cost', 'rendezvous=500'])).toEqual(said);
    const { stdout } = await covert(['run', await scenario('costs { exit 1_000.5 cycles }')]);
    expect(stdout).toContain('by another cost table than the default: exit 1000.5');
  });

  test('is part of a recording', async () => {
    const record = path.join(folder, 'costs.rec');
    expect(await covert(['run', await scenario('costs merom'), '--cost', 'exit=9', '--record', record])).toMatchObject({ exit: 0 });
    expect(await covert(['replay', record])).toMatchObject({ exit: 0, stdout: expect.stringContaining('exit 9, sync 789, inject 789') as unknown });
  });

  test('is what the model predicts with, and what measured programs are charged with', async () => {
    interface Model {
      costs: Record<string, { value: number }>;
      guests: { name: string; predicted: { overhead: number }; measured: { overhead: number; difference: number } }[];
    }
    const model = async (...args: string[]): Promise<Model> => JSON.parse((await covert(['model', ...args, '--json'])).stdout) as Model;
    const [usual, dear] = await Promise.all([model(), model('--cost', 'exit=3963')]);
    expect([usual.costs.exit?.value, dear.costs.exit?.value]).toEqual([761, 3963]);
    for (const [i, guest] of dear.guests.entries()) {
      const before = usual.guests[i];
      expect(guest.predicted.overhead).toBeGreaterThan(before?.predicted.overhead ?? Infinity);
      expect(guest.measured.overhead).toBeGreaterThan(before?.measured.overhead ?? Infinity);
      // As near as before: the events are the same.
      expect(Math.abs(guest.measured.difference)).toBeLessThan(3 * Math.abs(before?.measured.difference ?? 0) + 0.02);
    }
    const file = await model(await scenario('costs merom'), '--cost', 'exit=9');
    expect(file.costs).toMatchObject({ exit: { value: 9 }, sync: { value: 789 } });
    expect(Math.abs(file.guests[0]?.measured.difference ?? 1)).toBeLessThan(0.03);
    expect((await covert(['model', '--cost', 'prescott'])).stdout).toContain('By another cost table than the default: exit 3963, sync 1981, inject 1981.');
  });

  test.each([
    ['exits=5', 'The cost table has no exits, but exit, rendezvous, sync, inject, compare, copy, protect, page, suspend, fingerprint; did you mean exit?'],
    ['exit=-5', 'A cost is a number of cycles from 0 to 1000000000.'],
    ['exit=', 'A cost is a number of cycles from 0 to 1000000000.'],
    ['pentium', 'An entry of the cost table is a name, `=` and cycles, as exit=3963; or one of prescott, merom, penryn, nehalem, westmere.'],
  ])('--cost %s is refused', async (cost, why) => {
    for (const command of ['run', 'model']) {
      const { exit, stderr } = await covert([command, await scenario(''), '--cost', cost]);
      expect({ exit, stderr }).toEqual({ exit: 2, stderr: `covert: option '--cost <entry>' argument '${cost}' is invalid. ${why}\n` });
    }
  });
});
