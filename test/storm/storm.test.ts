import { beforeAll, describe, expect, test } from 'vitest';
import type { Isolation, ProtectionKind } from '../../engine/covert/plan';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { checksumGuest, nginxGuest, sqliteGuest, type StormGuest } from './guests';
import { sites, type Site } from './faults';
import { natureOutcome, natures, type Nature } from './nature';
import { Storm, type Fate, type Outcome } from './storm';
import { StormCrew } from './storm-crew';
import { storms } from './storms';

const seed = 1;
/** The first so many sites take no `detailed` timing. */
const timedFast = 20;
const found = debianFiles();
const noDebian = 'missing' in found ? ` (skipped: no ${found.missing} of npm run guest:debian)` : '';

/** So many runs, which strike the sites in turn; of one site alone, if it is given. */
async function outcomes(guest: StormGuest, protection: ProtectionKind, isolation: Isolation, runs: number, site?: Site): Promise<Outcome[]> {
  const storm = new Storm({ guest, protection, isolation, seed });
  const all: Outcome[] = [];
  for (let i = 0; i < runs; i++) all.push(await storm.outcome(site === undefined ? i : i * sites.length + sites.indexOf(site)));
  return all;
}

const with_ = (all: readonly Outcome[], fate: Fate): Outcome[] => all.filter((outcome) => outcome.fate === fate);

/** Nothing wrong has left, nobody hangs, and where a fault was noticed the guest went on. */
function expectSafe(all: readonly Outcome[]): void {
  for (const fate of ['wrong', 'hung', 'stopped'] as const) expect(with_(all, fate), `storm seed ${seed}`).toEqual([]);
  expect(all.filter(({ exact, reportedCorrupt }) => !exact || reportedCorrupt), `storm seed ${seed}`).toEqual([]);
  expect(with_(all, 'recovered').length).toBeGreaterThan(0.4 * all.length);
}

describe('faults of every site, in a bare-metal guest', () => {
  let guest: StormGuest;
  beforeAll(async () => {
    guest = await checksumGuest();
  });

  test.each(['dmr', 'tmr'] as const)('under %s and full isolation: no byte wrong, none lost, none twice', { timeout: 600_000 }, async (kind) => {
    expectSafe(await outcomes(guest, kind, 'full', 4 * sites.length));
  });

  test('with isolation off, what replicas share takes all of them: errors that both have escape, and memory that both have is gone', { timeout: 600_000 }, async () => {
    const stuck = await outcomes(guest, 'dmr', 'none', 90, 'stuck bit in an L2 bank');
    const escaped = with_(stuck, 'wrong');
    expect(escaped.length, `storm seed ${seed}`).toBeGreaterThan(0);
    // The report says so itself.
    expect(escaped.every(({ reportedCorrupt }) => reportedCorrupt)).toBe(true);
    expect(with_(stuck, 'recovered')).toEqual([]);
    const memory = await outcomes(guest, 'dmr', 'none', 5, 'memory controller failed');
    expect(memory.map(({ fate }) => fate)).toEqual(memory.map(() => 'stopped'));
  });

  test('processes side by side come to the same', { timeout: 600_000 }, async () => {
    const storm = storms.findIndex(({ protection }) => protection === 'none');
    const crew = new StormCrew(2, new AbortController().signal);
    try {
      const numbers = Array.from({ length: 8 }, (_, number) => number);
      expect(await Promise.all(numbers.map((number) => crew.outcome({ guest: 0, storm, seed, number })))).toEqual(await outcomes(guest, 'none', 'none', numbers.length));
      await expect(crew.outcome({ guest: 0, storm: storms.length, seed, number: 3 })).rejects.toThrow('run 3: a run that there is not');
    } finally {
      crew.close();
    }
    await expect(crew.outcome({ guest: 0, storm, seed, number: 4 })).rejects.toThrow('died');
  });

  test('without protection some go out', { timeout: 600_000 }, async () => {
    const all = await outcomes(guest, 'none', 'none', 56);
    expect(with_(all, 'wrong').length, `storm seed ${seed}`).toBeGreaterThan(3);
  });
});

test('what escapes by its nature is shown as what it is', { timeout: 600_000 }, async () => {
  const guest = await checksumGuest();
  const all: Outcome<Nature>[] = [];
  for (let number = 0; number < 20 * natures.length; number++) all.push(await natureOutcome(guest, seed, number));
  const of = (nature: Nature): Outcome<Nature>[] => all.filter(({ site }) => site === nature);
  // A false alarm costs a rollback, and nothing else.
  expect(of('the comparer, alone').map(({ fate }) => fate), `storm seed ${seed}`).toEqual(Array.from({ length: 20 }, () => 'recovered'));
  // Whatever is wrong then, the report says by what; one error alone never is let through.
  const hidden = of('the comparer, together with a flip');
  expect(hidden.filter(({ escapes }) => escapes.length > 0).length, `storm seed ${seed}`).toBeGreaterThan(10);
  for (const { fate, escapes, number } of hidden) if (fate === 'wrong') expect(escapes, `run ${number} of storm seed ${seed}`).toEqual(['the comparer itself']);
  // Nobody can know of what was wrong before there were two.
  const cloned = of('a flip before a clone is made');
  expect(cloned.filter(({ fate }) => fate === 'wrong').length, `storm seed ${seed}`).toBeGreaterThan(1);
  expect(cloned.every(({ by }) => by.every((each) => each === 'trap' || each === 'watchdog' || each.startsWith('recovered')))).toBe(true);
});

describe.skipIf(noDebian !== '')(`faults of every site, in Debian${noDebian}`, () => {
  test('that writes to its disk: no byte of the console or of the disk wrong, none lost, none twice', { timeout: 1_800_000 }, async () => {
    expectSafe(await outcomes(await sqliteGuest(found as DebianFiles), 'dmr', 'full', sites.length + timedFast));
  });

  test('that serves files to a client: it gets every byte, each once', { timeout: 1_800_000 }, async () => {
    expectSafe(await outcomes(await nginxGuest(found as DebianFiles), 'dmr', 'full', sites.length + timedFast));
  });
});
