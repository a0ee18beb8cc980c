import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRecording, writeRecording } from '../../engine/covert/recording';
import { debianFiles } from '../../server/guest/debian';
import { otherNode } from '../corpus/other-node';
import { covert, root } from './covert';

let folder = '';
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-replay-'));
  await cp(path.join(root, 'examples'), at('examples'), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const scenario = 'a stuck bit, and whose it is';
const record = (file: string): Promise<{ exit: number | null; stdout: string; stderr: string }> => covert(['run', at('examples/checksum/failover.covert'), '-s', scenario, '--json', '--record', file]);

describe('a recorded run', () => {
  test('replays to the same report and the same states, in any tier and on one thread or two', async () => {
    const { exit, stdout } = await record(at('a.rec'));
    expect(exit).toBe(0);
    const [report] = JSON.parse(stdout) as [{ guest: { state: string } }];
    for (const options of [[], ['--tier', 'interpreter', '--threads', '1']]) {
      const replayed = await covert(['replay', at('a.rec'), '--json', ...options]);
      expect(replayed).toMatchObject({ exit: 0, stderr: expect.stringMatching(/: the same report, and \d+ states? the same\n$/) as unknown });
      expect(JSON.parse(replayed.stdout)).toEqual(report);
    }
  });

  test('has the timing that it was run with', async () => {
    const run = await covert(['run', at('examples/checksum/failover.covert'), '-s', scenario, '--timing', 'detailed', '--record', at('t.rec')]);
    expect(run.exit).toBe(0);
    expect(await covert(['replay', at('t.rec')])).toMatchObject({ exit: 0, stdout: expect.stringContaining('unprotected') as string });
  });

  test('of several guests has all of them', async () => {
    const { exit, stdout } = await covert(['run', at('examples/sort/beside.covert'), '-s', 'a spare for each', '--json', '--record', at('several.rec')]);
    expect(exit).toBe(0);
    const [report] = JSON.parse(stdout) as [{ neighbours: unknown[] }];
    expect(report.neighbours).toHaveLength(1);
    const replayed = await covert(['replay', at('several.rec'), '--json', '--tier', 'interpreter', '--threads', '1']);
    expect(replayed).toMatchObject({ exit: 0, stderr: expect.stringContaining('the same report') as unknown });
    expect(JSON.parse(replayed.stdout)).toEqual(report);
    expect(Object.keys(readRecording(await readFile(at('several.rec'))).subject)).toEqual(expect.arrayContaining(["the guest's ELF", "guest checksum's ELF", 'what concerns guest checksum']));
    const elf = at('examples/checksum/checksum.elf');
    const image = await readFile(elf);
    await writeFile(elf, Buffer.concat([image, Buffer.of(0)]));
    expect(await covert(['replay', at('several.rec')])).toMatchObject({ exit: 2, stderr: expect.stringContaining("guest checksum's ELF is not the one that was recorded") as unknown });
    await writeFile(elf, image);
  });

  test('is found again wherever it and its scenario are moved to together', async () => {
    await record(at('examples/b.rec'));
    await cp(at('examples'), at('moved'), { recursive: true });
    expect(await covert(['replay', at('moved/b.rec')])).toMatchObject({ exit: 0 });
  });

  test('names the file that it misses in whole, and says from where files are looked for', async () => {
    await record(at('examples/f.rec'));
    const missing = (file: string): string => `${file} does not exist: files are looked for where they were, seen from the recording, so bring it there, or the recording back to where it was\n`;
    // Moved by itself: the scenario's own file is in the recording, what it imports is not.
    await mkdir(at('alone'));
    await cp(at('examples/f.rec'), at('alone/f.rec'));
    expect(await covert(['replay', 'alone/f.rec'], { cwd: folder })).toEqual({ exit: 2, stdout: '', stderr: `covert: alone/f.rec: ${missing(path.join('alone', 'boards', 'common.covert'))}` });
    const elf = at('examples/checksum/checksum.elf');
    await rename(elf, at('elsewhere.elf'));
    const refused = await covert(['replay', 'f.rec'], { cwd: at('examples') });
    await rename(at('elsewhere.elf'), elf);
    expect(refused).toEqual({ exit: 2, stdout: '', stderr: `covert: f.rec: ${missing(path.join('checksum', 'checksum.elf'))}` });
  });

  test('that cannot be run for what its files have become says so', async () => {
    await record(at('examples/g.rec'));
    const board = at('examples/boards/common.covert');
    const text = await readFile(board, 'utf8');
    await writeFile(board, text.replace('octo', 'quad'));
    const refused = await covert(['replay', at('examples/g.rec')]);
    await writeFile(board, text);
    expect(refused).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(/g\.rec: its scenario cannot be run with the files as they are now: there is no chip `octo`[^\n]*\n$/) as unknown });
  });

  test('of another guest is refused by its hash, and so is a file that is no whole recording', async () => {
    await record(at('c.rec'));
    const elf = at('examples/checksum/checksum.elf');
    const image = await readFile(elf);
    const other = Buffer.from(image);
    // The last byte of a string of the program: it still can be loaded.
    const text = other.indexOf('crc=');
    other[text] = 'C'.charCodeAt(0);
    await writeFile(elf, other);
    const refused = await covert(['replay', at('c.rec')]);
    await writeFile(elf, image);
    expect(refused).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining("the guest's ELF is not the one that was recorded") as unknown });
    await writeFile(at('cut.rec'), (await readFile(at('c.rec'))).subarray(0, -3));
    expect(await covert(['replay', at('cut.rec')])).toMatchObject({ exit: 2, stderr: expect.stringMatching(/^covert: .*cut\.rec: it is not whole: it was cut off or changed\n$/) as unknown });
    expect(await covert(['replay', elf])).toMatchObject({ exit: 2, stderr: expect.stringMatching(/: it holds no recording of a run\n$/) as unknown });
  });

  test('that is not what happens now is said to be another one, and where', async () => {
    await record(at('d.rec'));
    const recording = readRecording(await readFile(at('d.rec')));
    const { report } = recording;
    await writeFile(at('d.rec'), writeRecording({ ...recording, report: { ...report, guest: { ...report.guest, instructions: 1 } } }));
    expect(await covert(['replay', at('d.rec')])).toMatchObject({ exit: 1, stderr: expect.stringContaining("the replay's report is another one, in `guest`") as unknown });
  });

  test('is one of one scenario, and nothing is written where it cannot be', async () => {
    const file = at('examples/checksum/failover.covert');
    expect(await covert(['run', file, '--record', at('e.rec')])).toMatchObject({ exit: 2, stderr: expect.stringContaining('say which with --scenario') as unknown });
    expect(await covert(['run', file, '-s', scenario, '--record', at('nowhere/e.rec')])).toMatchObject({ exit: 2, stderr: expect.stringContaining('there is no such folder') as unknown });
  });
});

const other = otherNode();
const files = debianFiles();
const missing = 'obstacle' in other ? other.obstacle : 'missing' in files ? `no ${files.missing} of npm run guest:debian` : undefined;

test.skipIf(missing !== undefined)(`a recorded boot of Debian in two replicas replays bit for bit under another Node${missing === undefined ? '' : ` (skipped: ${missing})`}`, { timeout: 1_200_000 }, async () => {
  const file = path.join(root, 'examples/debian/boot.covert');
  const recorded = await covert(['run', file, '-s', 'Debian in two replicas', '--record', at('boot.rec')]);
  expect(recorded.exit).toBe(0);
  const { states } = readRecording(await readFile(at('boot.rec')));
  expect(states.length).toBeGreaterThan(50);
  const replayed = await covert(['replay', at('boot.rec')], { node: 'binary' in other ? other.binary : '' });
  expect(replayed).toMatchObject({ exit: 0, stderr: expect.stringContaining(`the same report, and ${states.length + 1} states the same`) as unknown });
});
