import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { root } from '../cli/covert';
import { soakPlan } from './guest';
import { LoadLog } from './load-log';
import { growth, leastSamples, type Sample } from './memory';
import { runSoak } from './run-soak';
import { judge } from './verdict';

const found = debianFiles();
const files = found as DebianFiles;
const noDebian = 'missing' in found ? ` (skipped: no ${found.missing} of npm run guest:debian)` : '';

/** Enough to boot, to do each kind of work once, and a few as the seed has them. */
const instructions = 6_600_000_000;
const samples = 40;

describe.skipIf(noDebian !== '')(`a short soak of Debian${noDebian}`, () => {
  test('under load two replicas stay the same, and no memory of the host is lost', { timeout: 3_600_000 }, async () => {
    const seed = 1;
    let due = 0;
    const soak = await runSoak(soakPlan(files, seed), {
      over: ({ count }) => count >= instructions,
      measure: ({ count }) => {
        if (count < due) return false;
        due += instructions / samples;
        return true;
      },
    });
    expect(soak.load.missing, 'npm run guest:debian makes the root file system anew').toBeUndefined();
    const checks = judge(soak);
    expect(checks.filter(({ passed }) => passed !== true), `seed ${seed}; the guest's last lines:\n${soak.load.newest.join('\n')}`).toEqual([]);
    expect(soak.load.done.size).toBe(14);
    expect(soak.disk.outputs).toBeGreaterThan(100);
    expect(soak.events.find(({ event }) => event === 'state comparison')?.count).toBe(Math.floor(soak.epochs / 16));
  });

  test('a replica that is struck is found', { timeout: 3_600_000 }, async () => {
    const plan = soakPlan(files, 1);
    plan.faults.push({
      name: 'fault 1',
      text: 'flip memory[0x80300000] bit 0 in replica B at instruction 70_000_000',
      effect: { kind: 'flip', place: { kind: 'memory', address: 0x8030_0000n, bytes: 1 }, bits: [0] },
      target: { kind: 'replica', replica: 'B' },
      trigger: { kind: 'instruction', count: 70_000_000 },
      optional: false,
    });
    const soak = await runSoak(plan, { over: ({ count }) => count > 500_000_000, measure: () => false });
    expect(soak.divergence).toMatch(/^instruction \d+, by (state|trap|output|watchdog): /);
    expect(judge(soak)[0]).toMatchObject({ name: 'no divergence of the replicas', passed: false });
    expect(soak.instructions).toBeLessThan(200_000_000);
  });
});

const command = (args: string[]): string[] => ['--import', 'tsx', path.join(root, 'test/soak/soak.ts'), ...args];

function script(args: string[], environment: Record<string, string> = {}): Promise<{ exit: number | string | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, command(args), { env: { ...process.env, ...environment } }, (error, stdout, stderr) => {
      resolve({ exit: error ? (error.code ?? null) : 0, stdout, stderr });
    });
  });
}

test.skipIf(noDebian !== '')(`Ctrl-C ends the script with what there is until then${noDebian}`, async () => {
  const child = spawn(process.execPath, command([]), { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    // The first sample: it runs.
    if (stdout === '') child.kill('SIGINT');
    stdout += text;
  });
  const exit = await new Promise((resolve) => child.on('close', resolve));
  expect(stdout).toMatch(/^0\.\d min, 64 million instructions: heap/);
  expect(stdout).toMatch(/\nseed 1: .* instructions in each of two replicas, [^]*\npassed {2}no divergence of the replicas: none\n[^]*\n2 passed, 0 failed\n$/);
  expect(exit).toBe(130);
});

const mebibyte = 2 ** 20;

/** What a healthy process looks like whose guest touches ever more memory; `leak` is lost at each sample. */
function series(length: number, noise: readonly number[], leak: number): Sample[] {
  return Array.from({ length }, (_, n) => {
    const states = Math.min(n, 30) * 8 * mebibyte;
    const own = 700 * mebibyte + (noise[n % Math.max(1, noise.length)] ?? 0) + n * leak;
    return { instructions: n * 1e9, heap: 20 * mebibyte, external: own - 20 * mebibyte + states, rss: own + 2 * states, states, touched: states, decoded: 0 };
  });
}

test('growth is what the guest does not account for, whatever single samples say', () => {
  const noise = fc.array(fc.integer({ min: -mebibyte, max: mebibyte }), { maxLength: 50 });
  fc.assert(
    fc.property(fc.integer({ min: leastSamples, max: 200 }), noise, (length, each) => {
      const healthy = growth(series(length, each, 0));
      expect(Math.abs(healthy?.own ?? NaN)).toBeLessThanOrEqual(2 * mebibyte);
      expect(Math.abs(healthy?.rss ?? NaN)).toBeLessThanOrEqual(2 * mebibyte);
      const leaking = growth(series(length, each, mebibyte));
      expect(leaking?.own ?? NaN).toBeGreaterThanOrEqual(length / 4 * mebibyte - 2 * mebibyte);
    }),
  );
});

test('a few samples are not judged', () => {
  expect(growth(series(leastSamples - 1, [], 1e9))).toBeUndefined();
  expect(growth(series(leastSamples, [], 1e9))?.own).toBeGreaterThan(1e9);
});

test('what the guest says is counted by kind of work, wherever its lines are cut', () => {
  const said = '[    1.0] a kernel line\r\n1 disk: abc\r\n2 disk:\r\n3 signals: FAILED: 4 143 124\r\n4 pipes: 21\r\n5 pi';
  fc.assert(
    fc.property(fc.array(fc.nat(said.length)), (cuts) => {
      const log = new LoadLog();
      const places = [0, ...cuts.toSorted((a, b) => a - b), said.length];
      for (const [n, to] of places.slice(1).entries()) log.read([...Buffer.from(said.slice(places[n], to))]);
      expect([...log.done]).toEqual([['disk', 2], ['pipes', 1]]);
      expect(log.failures).toEqual(['3 signals: FAILED: 4 143 124']);
      expect(log.missing).toBeUndefined();
      expect(log.newest.at(-1)).toBe('4 pipes: 21');
    }),
  );
});

test('the script says what is wrong in one line', async () => {
  expect(await script(['--help'])).toMatchObject({ exit: 0, stdout: expect.stringContaining('--minutes <number>') as string });
  const wrong = await script(['--minutes', 'soon']);
  expect(wrong.exit).toBe(2);
  expect(wrong.stderr).toBe("error: option '--minutes <number>' argument 'soon' is invalid. A time is a number of minutes above 0: 60.\n");
  const empty = await script([], { COVERT_CACHE: path.join(root, 'no-such-folder') });
  expect(empty.exit).toBe(2);
  expect(empty.stderr).toMatch(/^soak: \S+debian has no vmlinux, .*fw_dynamic\.bin: `npm run guest:debian` makes what is missing\n$/);
});
