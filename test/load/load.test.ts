import { describe, expect, test } from 'vitest';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { runLoad } from './run-load';

const found = debianFiles();
const noDebian = 'missing' in found ? ` (skipped: no ${found.missing} of npm run guest:debian)` : '';

describe.skipIf(noDebian !== '')(`Debian as it boots and begins to work${noDebian}`, () => {
  const files = found as DebianFiles;
  const instructions = 900_000_000;
  const over = (load: { instructions: number }): boolean => load.instructions >= instructions;

  test('translations stay within a bound, and what is forgotten to make room is missed by nobody', { timeout: 1_800_000 }, async () => {
    const bound = { functions: 200, instructions: 8000 };
    const [{ load, machine }, { machine: interpreted }] = [await runLoad(files, { seed: 1, tier: 'auto', bound, over }), await runLoad(files, { seed: 1, tier: 'interpreter', over })];
    expect(load.most.functions).toBeLessThanOrEqual(bound.functions);
    expect(load.most.instructions).toBeLessThanOrEqual(bound.instructions);
    expect(load.translated.evictions).toBeGreaterThan(5);
    expect(load.translated.retired).toBeGreaterThan(instructions / 4);
    expect(machine.snapshot().hash()).toBe(interpreted.snapshot().hash());
    expect([machine.cycles, machine.interrupts]).toEqual([interpreted.cycles, interpreted.interrupts]);
  });
});
