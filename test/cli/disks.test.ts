import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, closeSync, ftruncateSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diskContent, Sink, diskPlan } from '../../engine/covert/disks.test-support';
import type { Report } from '../../engine/covert/report';
import { System } from '../../engine/covert/system';
import { lockImage } from '../../server/disk/image-lock';
import { covert, root, type Outcome } from './covert';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-disks-'));
});
afterAll(() => rm(folder, { recursive: true }));

const elf = path.join(root, 'test/oracles/disk/disk.elf');
const at = (name: string): string => path.join(folder, name);
const faults = `fault flip s0 bit 5 in replica B at instruction 400_000
  fault kill core 1 at instruction 700_000`;

/** A scenario file for the guest that writes to its disk, and the disk. */
function scenario(name: string, { rounds = 60, image = `${name}.img`, body = 'expect exit 0  expect no corruption', writable = 'writable' } = {}): string {
  const file = at(`${name}.covert`);
  const one = (title: string): string => `scenario "${title}" { chip six  guest writer  protect dmr on core 0, core 1 { epoch 10_000 instructions }  ${body} }`;
  writeFileSync(
    file,
    `chip six { cores 6 at 2 GHz  l2 6 banks of 512 KiB  memory 6 controllers  ring  spare core 5 }
guest writer { elf "${elf}"  ram 1 MiB  disk "${image}" ${writable} }
${one('one')}
${one('two')}
`,
  );
  if (!existsSync(path.resolve(folder, image))) writeFileSync(path.resolve(folder, image), diskContent({ rounds }));
  return file;
}

/** What a disk holds after each of the guest's writes, the beginning first. */
function states(rounds: number): Buffer[] {
  const found = [Buffer.from(diskContent({ rounds }))];
  const sink = new Sink({ rounds });
  const write = sink.write.bind(sink);
  sink.write = (...request) => {
    const why = write(...request);
    found.push(Buffer.from(sink.content));
    return why;
  };
  const plan = diskPlan({ guest: { rounds }, protection: { kind: 'none', epochInstructions: 10_000 } });
  new System({ ...plan, maxInstructions: 1e9 }, { disks: sink }).advance(Infinity);
  return found;
}

const right = states(60).at(-1) ?? Buffer.alloc(0);
const imageNow = (name: string): Buffer => readFileSync(at(`${name}.img`));

describe('a disk that is written back', () => {
  test('holds in the end what a run without faults writes, after a rollback and a dead core', async () => {
    const file = scenario('faults', { body: `${faults}  expect recovered by rollback, failover  expect exit 0  expect no corruption` });
    const { exit, stdout } = await covert(['run', file, '-s', 'one', '--json']);
    expect(exit).toBe(0);
    expect((JSON.parse(stdout) as Report[])[0]?.released.disk).toMatchObject({ writes: 60, corrupt: false });
    expect(imageNow('faults').equals(right)).toBe(true);
    expect(existsSync(at('faults.img.lock'))).toBe(false);
  });

  test('is what the scenario before has left for the next one, which is judged by that', async () => {
    const { exit, stdout } = await covert(['run', scenario('both', { body: `${faults}  expect exit 0  expect no corruption` }), '--json']);
    const [one, two] = JSON.parse(stdout) as Report[];
    expect(exit).toBe(0);
    // What it reads has a say in what it prints.
    expect(one?.guest.output).not.toBe(two?.guest.output);
    expect([one?.passed, two?.passed]).toEqual([true, true]);
  });

  test('is left alone by all that only looks, and without `writable`', async () => {
    const file = scenario('looked-at');
    const before = imageNow('looked-at');
    expect(await covert(['check', file])).toMatchObject({ exit: 0 });
    expect(await covert(['model', file, '-s', 'one'])).toMatchObject({ exit: 0 });
    expect(await covert(['run', scenario('overlay', { image: 'looked-at.img', writable: '' }), '-s', 'one'])).toMatchObject({ exit: 0 });
    expect(imageNow('looked-at').equals(before)).toBe(true);
  });

  test('has nobody else on the chip who reads it, and what it holds now is what others are judged by', async () => {
    const guests = scenario('shared');
    const file = at('readers.covert');
    const one = (title: string, body: string): string => `scenario "${title}" { chip six  ${body}  expect exit 0  expect no corruption }\n`;
    const reader = `import "${path.basename(guests)}"\nguest reader { elf "${elf}"  ram 1 MiB  disk "shared.img" }\n`;
    writeFileSync(file, `${reader}${one('beside', 'guest writer  beside guest reader { expect exit 0 }')}`);
    expect(await covert(['check', file])).toMatchObject({ exit: 2, stdout: expect.stringContaining('error COV203: shared.img is the disk that writer writes to: give reader a copy of it') as unknown });
    writeFileSync(file, `${reader}${one('before', 'guest reader')}${one('writes', 'guest writer')}${one('after', 'guest reader')}`);
    expect(await covert(['run', file])).toMatchObject({ exit: 0, stdout: expect.stringContaining('3 scenarios: 3 passed') as unknown });
  });

  test('is one run at a time', async () => {
    const file = scenario('taken');
    const unlock = lockImage(at('taken.img'));
    const { exit, stderr } = await covert(['run', file, '-s', 'one']);
    unlock();
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: `covert: one: the disk ${at('taken.img')} is written to by another run (process ${process.pid}): let that end, or delete ${at('taken.img')}.lock if there is none\n` });
    expect(imageNow('taken').equals(Buffer.from(diskContent({ rounds: 60 })))).toBe(true);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('holds the guest\'s first writes after %s, as after a power failure, and can be used again', async (signal) => {
    const name = signal.toLowerCase();
    const file = scenario(name, { rounds: 255 });
    const before = imageNow(name);
    const outcome = await covert(['run', file, '-s', 'one'], {
      meanwhile: (child) => {
        const looks = setInterval(() => {
          if (imageNow(name).equals(before)) return;
          clearInterval(looks);
          child.kill(signal);
        }, 5);
        child.on('close', () => clearInterval(looks));
      },
    });
    expect(outcome.exit).toBe(signal === 'SIGINT' ? 130 : null);
    if (signal === 'SIGINT') expect(outcome.stderr.split('\n').slice(-2)).toEqual(['covert: interrupted', '']);
    expect(existsSync(at(`${name}.img.lock`))).toBe(signal === 'SIGKILL');
    const left = imageNow(name);
    const written = states(255).findLastIndex((state) => state.equals(left));
    expect(written).toBeGreaterThan(0);
    writeFileSync(at(`${name}.img`), diskContent({ rounds: 60 }));
    expect(await covert(['run', file, '-s', 'one'])).toMatchObject({ exit: 0 });
    expect(imageNow(name).equals(right)).toBe(true);
  });
});

const asRoot = process.getuid?.() === 0;
/** A file system of its own, where that can be had. */
function mounted(options: string, name: string): string | undefined {
  const place = at(name);
  mkdirSync(place, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', place], { stdio: 'ignore' });
    return place;
  } catch {
    return undefined;
  }
}
const unmount = (place: string): void => void execFileSync('umount', [place], { stdio: 'ignore' });

describe('an image that cannot be written to', () => {
  test('is refused before the guest starts, in one line', async ({ skip }) => {
    const place = asRoot ? mounted('size=1m', 'fixed') : at('fixed');
    if (place === undefined) skip('root that cannot mount anything may write everywhere');
    mkdirSync(at('fixed'), { recursive: true });
    const file = scenario('fixed', { image: 'fixed/disk.img' });
    try {
      if (asRoot) execFileSync('mount', ['-o', 'remount,ro', at('fixed')]);
      else chmodSync(at('fixed/disk.img'), 0o444);
      const { exit, stdout, stderr } = await covert(['run', file, '-s', 'one']);
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
      expect(stderr).toMatch(/^covert: one: the disk \S+disk\.img cannot be written to.*: give permission, or leave `writable` out\n$/);
    } finally {
      if (asRoot) unmount(at('fixed'));
    }
  });

  /** The run of a sparse image on what has room for less. */
  async function onFull(image: string, run: (file: string) => Promise<Outcome>): Promise<void> {
    const content = diskContent({ rounds: 60 });
    const handle = openSync(image, 'w');
    // The first sector is there; what the guest has not written yet takes no room.
    writeSync(handle, content.subarray(0, 512));
    ftruncateSync(handle, content.length);
    closeSync(handle);
    const { exit, stdout, stderr } = await run(scenario('full', { image, body: faults }));
    expect({ exit, stderr: stderr.split('\n').filter((line) => line.startsWith('covert:')) }).toEqual({ exit: 0, stderr: [] });
    const [report] = JSON.parse(stdout) as [Report];
    const said = report.guest.output.split('\n')[0] ?? '';
    expect(said).toMatch(/^\.+[.E]*E[.E]*$/);
    expect(report.released).toMatchObject({ corrupt: false, disk: { writes: 60, corrupt: false, refused: { flushes: said.split('E').length - 1 } } });
    expect(report.recoveries.map(({ by }) => by)).toEqual(['rollback', 'failover']);
    // What is there was written whole.
    const now = readFileSync(image);
    expect(now.length).toBe(content.length);
  }

  test('since its file system is full: the guest sees I/O errors, all replicas the same, and the run goes on', async ({ skip }) => {
    const place = asRoot ? mounted('size=20k', 'small') : undefined;
    if (place === undefined) skip('it takes root that may mount a small file system');
    try {
      await onFull(path.join(place ?? '', 'disk.img'), (file) => covert(['run', file, '-s', 'one', '--json']));
    } finally {
      unmount(place ?? '');
    }
  });

  test.skipIf(process.platform === 'win32')('since files may not be so large: likewise', () =>
    onFull(at('large.img'), (file) => {
      // Half a kibibyte each; not a whole number of its writes.
      const command = `ulimit -f 41; exec "${process.execPath}" "${path.join(root, 'dist/covert.cjs')}" run "${file}" -s one --json`;
      return new Promise((resolve) => {
        const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
        let [stdout, stderr] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
        child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
        child.on('close', (exit) => resolve({ exit, stdout, stderr }));
      });
    }),
  );
});

describe('a recorded run with a disk', () => {
  test('replays though the run has changed the image, touches nothing, and refuses another image by its hash', async () => {
    const file = scenario('recorded', { body: faults });
    const [record, image] = [at('recorded.rec'), at('recorded.img')];
    copyFileSync(image, at('before.img'));
    expect(await covert(['run', file, '-s', 'one', '--record', record])).toMatchObject({ exit: 0 });
    expect(imageNow('recorded').equals(right)).toBe(true);
    const same = { exit: 0, stderr: expect.stringMatching(/: the same report, and \d+ states? the same\n$/) as unknown };
    expect(await covert(['replay', record])).toMatchObject(same);
    expect(imageNow('recorded').equals(right)).toBe(true);
    copyFileSync(at('before.img'), image);
    expect(await covert(['replay', record])).toMatchObject(same);
    expect(imageNow('recorded').equals(readFileSync(at('before.img')))).toBe(true);
    const other = imageNow('recorded');
    // In a block that the run has not written to.
    other[40_000] = 1 ^ (other[40_000] ?? 0);
    writeFileSync(image, other);
    const { exit, stdout, stderr } = await covert(['replay', record]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/: the guest's disk 0 is not the one that was recorded/);
    expect(existsSync(`${image}.lock`)).toBe(false);
  });
});
