import { expect, test } from 'vitest';
import { Storm, type Outcome } from './checksum-storm';

const path = 'examples/checksum/checksum.elf';
const seed = 1;

async function outcomes(protection: 'none' | 'dmr', runs: number): Promise<Outcome[]> {
  const storm = new Storm({ path, seed, protection });
  const all: Outcome[] = [];
  for (let number = 0; number < runs; number++) all.push(await storm.outcome(number));
  return all;
}

test('1,000 random flips under dmr: no byte wrong, none lost, none twice', { timeout: 300_000 }, async () => {
  const all = await outcomes('dmr', 1000);
  const wrong = all.filter(({ exact, exit, reportedCorrupt }) => !exact || exit !== 0 || reportedCorrupt);
  expect(wrong, `storm seed ${seed}`).toEqual([]);
  const recovered = all.filter(({ recoveries }) => recoveries > 0);
  expect(recovered.length).toBeGreaterThan(100);
});

test('random flips without protection: some wrong bytes get out, and the report says so', { timeout: 120_000 }, async () => {
  const all = await outcomes('none', 200);
  const corrupt = all.filter(({ exact }) => !exact);
  expect(corrupt.length, `storm seed ${seed}`).toBeGreaterThan(0);
  for (const { ended, exact, exit, reportedCorrupt, number } of all) {
    if (ended === 'exit') expect(reportedCorrupt, `storm seed ${seed}, run ${number}`).toBe(!exact || exit !== 0);
  }
});
