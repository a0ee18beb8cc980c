import { copyFile, cp, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { debianFiles } from '../../server/guest/debian';
import { complaints, covert, root } from '../cli/covert';

/** What the description of the language has in its tables and lists, a file for each. */
const rows = {
  values: ['integer', 'duration', 'size', 'frequency', 'string', 'address', 'register'],
  effects: ['flip', 'random-flip', 'set', 'stick', 'kill-and-hang-core', 'fail-component', 'message'],
  places: ['register', 'memory', 'alu', 'load', 'store', 'store-address', 'branch', 'fetch', 'l1i', 'l1d', 'l2-bank', 'tlb-entry', 'dma', 'input'],
  triggers: [
    ...['at-instruction', 'at-cycle', 'at-duration', 'at-address', 'when-access', 'when-register', 'at-epoch', 'at-checkpoint'],
    ...['at-output', 'at-input', 'at-console', 'from-duration', 'never'],
  ],
  lifetimes: ['once', 'forever', 'for', 'every', 'duty'],
  expectations: [
    ...['clean', 'masked', 'detected', 'recovered', 'unrecoverable', 'corruption', 'divergence', 'output', 'exit', 'overhead'],
    'protection-at-the-end',
  ],
};
const folder = 'test/conformance';
const files = Object.entries(rows).flatMap(([kind, names]) => names.map((name) => `${folder}/${kind}/${name}.covert`));
const pages = ['hello', 'campaigns'].map((name) => `${folder}/page/${name}.covert`);

/** A scenario that has to fail, as it is written: the reason, a pattern, stands above it. */
const failing = /\/\/ because: (.+)\nscenario "(fails: .+)" \{/g;

/** Why a scenario did not pass, a line each. */
function reasons({ expectations, faults }: Report): string[] {
  const broken = expectations.flatMap(({ held, reason }) => (held ? [] : [reason ?? '']));
  const idle = faults.filter(({ fired, optional }) => !fired && optional !== true);
  return [...broken, ...idle.map(({ text }) => `${text} never struck`)];
}

test.each(Object.entries(rows))('%s: one file a row', async (kind, names) => {
  expect((await readdir(path.join(root, folder, kind))).sort()).toEqual(names.map((name) => `${name}.covert`).sort());
});

test('no diagnostic, a warning neither', async () => {
  const { exit, stdout, stderr } = await covert(['check', '--json', ...files, ...pages]);
  expect({ exit, found: JSON.parse(stdout) as unknown, stderr }).toEqual({ exit: 0, found: [], stderr: '' });
});

test('all files are formatted', async () => {
  expect(await covert(['format', '--check', folder])).toMatchObject({ exit: 0, stdout: expect.stringMatching(/, 0 not formatted\n$/) as string });
});

describe('each scenario comes out as it says', () => {
  test.each(files)('%s', async (file) => {
    const text = await readFile(path.join(root, file), 'utf8');
    expect(text).toMatch(/^\/\/ .+\.\n\n/);
    const because = new Map([...text.matchAll(failing)].map(([, why = '', name = '']) => [name, why]));
    const { exit, stdout, stderr } = await covert(['run', file, '--json', '--threads', '1']);
    expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 1, complaints: '' });
    const reports = JSON.parse(stdout) as Report[];
    for (const report of reports) {
      const { scenario, passed } = report;
      const why = because.get(scenario);
      if (why === undefined) expect({ scenario, passed, reasons: reasons(report) }).toEqual({ scenario, passed: true, reasons: [] });
      else {
        expect({ scenario, passed }).toEqual({ scenario, passed: false });
        expect(reasons(report).map((reason) => ({ scenario, reason }))).toEqual([{ scenario, reason: expect.stringMatching(new RegExp(`^${why}$`)) as string }]);
      }
    }
    const names = reports.map(({ scenario }) => scenario);
    expect(names.filter((name) => name.startsWith('fails: '))).toEqual([...because.keys()]);
    expect(names.length).toBeGreaterThan(because.size);
  });
});

describe("the description's own file", () => {
  test('its scenario holds, and each of its three faults has done something', async () => {
    const { exit, stdout } = await covert(['run', `${folder}/page/hello.covert`, '--scenario', 'a bit flip in the checksum loop', '--json', '--threads', '1']);
    const [report] = JSON.parse(stdout) as Report[];
    expect({ exit, reasons: report && reasons(report) }).toEqual({ exit: 0, reasons: [] });
    const struck = report?.faults.map(({ instruction = 0 }) => instruction) ?? [];
    expect(struck[0]).toBe(1_234_567);
    expect(struck).toHaveLength(3);
    // A table's wrong entry is read when it is next needed, the others' results at once.
    for (const [i, within] of [20, 10_000, 100].entries()) {
      const from = struck[i] ?? 0;
      expect(report?.divergences.some(({ instruction }) => instruction >= from && instruction < from + within)).toBe(true);
    }
  });

  test.each([
    ['hello', 'campaign "register file of replica B": 2,000 runs, seed 42'],
    ['campaigns', 'campaign "a weight for each alternative": 30 runs, seed 7'],
    ['campaigns', 'campaign "every bit between two places": every fault, 1,280 runs'],
    ['campaigns', 'campaign "every moment of the checksum": every fault, 15,530 runs'],
  ])('%s: its campaign expands: %s', async (name, line) => {
    const { exit, stdout } = await covert(['check', `${folder}/page/${name}.covert`, '--expand', '--count', '1']);
    expect(exit).toBe(0);
    expect(stdout.split('\n')).toContain(line);
  });

  test('all runs of a campaign have a fault in one of its registers', async () => {
    const { stdout } = await covert(['check', `${folder}/page/hello.covert`, '--expand']);
    const faults = stdout.trimEnd().split('\n').slice(1);
    expect(faults).toHaveLength(2_000);
    for (const fault of faults) expect(fault).toMatch(/^ +\d+ {2}fault flip [a-z]+\d* bit \d+ in replica B at instruction [\d_]+$/);
  });
});

const debian = debianFiles();
const noDebian = 'missing' in debian ? ` (skipped: no ${debian.missing} of npm run guest:debian)` : '';

describe.skipIf(noDebian !== '')(`its Linux guest${noDebian}`, () => {
  let scratch = '';
  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'covert-web-'));
  });
  afterAll(() => rm(scratch, { recursive: true }));

  test('has no diagnostic where its disk is there', async () => {
    const page = path.join(root, folder, 'page');
    const file = path.join(scratch, 'web.covert');
    await copyFile(path.join(page, 'web.covert'), file);
    await cp(path.join(page, 'boards'), path.join(scratch, 'boards'), { recursive: true });
    await writeFile(path.join(scratch, 'web.ext4'), '');
    await truncate(path.join(scratch, 'web.ext4'), 1_048_576);
    expect(await covert(['check', file])).toEqual({ exit: 0, stdout: '1 file, 0 errors, 0 warnings\n', stderr: '' });
  });
});
