import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { tiers } from '../../engine/machine/tier';
import { makeElf } from '../oracles/elf-writer';
import { complaints, covert, interruptAtProgress, root } from './covert';

const checksum = 'examples/checksum/checksum.covert';
const examples = ['checksum/checksum', 'checksum/comparer', 'checksum/stuck', 'checksum/intermittent', 'checksum/caches', 'sort/sort', 'ticker/ticker'].map((name) => `examples/${name}.covert`);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-run-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A scenario file on the checksum guest or another; `body` is what stands in its only scenario. */
async function scenario(name: string, body: string, elf = 'examples/checksum/checksum.elf'): Promise<string> {
  const file = path.join(folder, name);
  const quoted = (target: string): string => `"${path.relative(folder, path.resolve(root, target)).replaceAll('\\', '/')}"`;
  await writeFile(
    file,
    `import ${quoted('examples/boards/common.covert')}
guest checksum { elf ${quoted(elf)} ram 16 MiB }
scenario "s" {
  chip octo
  guest checksum
  ${body}
}
`,
  );
  return file;
}

test.each(examples)('%s: the same report in every tier', async (file) => {
  const [interpreted, ...translated] = await Promise.all(tiers.map((tier) => covert(['run', file, '--json', '--tier', tier])));
  // What stands on stderr is progress, where the machine is slow.
  for (const { exit, stdout } of translated) expect({ exit, stdout }).toEqual({ exit: interpreted?.exit, stdout: interpreted?.stdout });
  expect((JSON.parse(interpreted?.stdout ?? '[]') as Report[]).flatMap(({ divergences }) => divergences).length).toBeGreaterThan(0);
});

test('--timing detailed: the same outputs and states, other cycles, and what the caches did; --timing fast has none for faults of caches', async () => {
  const file = 'examples/sort/sort.covert';
  const [fast, detailed] = await Promise.all([covert(['run', file, '--json']), covert(['run', file, '--json', '--timing', 'detailed'])]);
  const [quick, slow] = [fast, detailed].map(({ stdout }) => JSON.parse(stdout) as Report[]);
  expect(slow?.map(({ guest }) => guest)).toEqual(quick?.map(({ guest }) => guest));
  for (const [i, report] of slow?.entries() ?? []) {
    expect(report.cycles.protected).toBeGreaterThan(quick?.[i]?.cycles.protected ?? Infinity);
    expect(quick?.[i]?.memory).toBeUndefined();
    expect(report.memory?.replicas.map(({ l1d }) => l1d.misses > 0 && l1d.accesses > 10 * l1d.misses)).toEqual(report.memory?.replicas.map(() => true));
    expect(report.memory?.unprotected?.cycles).toBeGreaterThan(0);
  }
  const { stdout } = await covert(['run', file, '--timing', 'detailed']);
  expect(stdout).toMatch(/memory +misses +L1I +L1D +L2 +waited\n +replica A on core 0/);
  const refused = await covert(['run', 'examples/checksum/caches.covert', '--timing', 'fast']);
  expect(refused).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(/--timing fast: "a bit flip in a first-level cache" has faults of caches or messages \(flip l1d line /) as string });
});

describe('the examples', () => {
  test.each(examples)('%s: every expectation holds, in text and in JSON', async (file) => {
    const [text, json] = await Promise.all([covert(['run', file]), covert(['run', file, '--json'])]);
    for (const { exit, stderr } of [text, json]) expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 0, complaints: '' });
    const reports = JSON.parse(json.stdout) as Report[];
    for (const { scenario: name, expectations } of reports) {
      expect(text.stdout).toContain(name);
      for (const { held, text: what } of expectations) {
        expect(held).toBe(true);
        expect(text.stdout).toContain(`✓ ${what}  line`);
      }
    }
    expect(text.stdout).toMatch(new RegExp(`\\n${reports.length} scenarios?: ${reports.length} passed, 0 failed\\n$`));
  });

  test('the last screen names function, file and line of the divergence', async () => {
    const { stdout } = await covert(['run', checksum]);
    const [, last] = stdout.split('═'.repeat(88));
    expect(last).toMatch(/✓ a bit flip in the checksum loop\n {4}diverged in crc32_update, \S*checksum\.c:\d+\n {4}noticed by output/);
    expect(last).toMatch(/✓ the same flip without protection\n.*\n {4}wrong output released, as expected\n/);
  });
});

describe('--json', () => {
  test('has the promised fields, and --scenario narrows it', async () => {
    const { stdout } = await covert(['run', checksum, '--json', '--scenario', 'a bit flip in the checksum loop']);
    const reports = JSON.parse(stdout) as Report[];
    const located = {
      instruction: expect.any(Number) as number,
      pc: expect.stringMatching(/^0x[0-9a-f]+$/) as string,
      function: 'crc32_update',
      file: expect.stringContaining('checksum.c') as string,
      line: expect.any(Number) as number,
    };
    expect(reports).toEqual([
      expect.objectContaining({
        scenario: 'a bit flip in the checksum loop',
        passed: true,
        guest: expect.objectContaining({ exit: 0, output: expect.stringContaining('crc=54baaee3') as string }) as Report['guest'],
        faults: [expect.objectContaining({ ...located, fired: true, replica: 'B', core: 1 })],
        divergences: [expect.objectContaining({ ...located, replica: 'B' })],
        detections: [expect.objectContaining({ by: 'output' })],
        recoveries: [expect.objectContaining({ by: 'rollback' })],
        released: expect.objectContaining({ corrupt: false, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }) as Report['released'],
        protection: { start: 'dmr', end: 'dmr' },
      }),
    ]);
    const [report] = reports;
    expect(report?.divergences[0]?.differs[0]).toMatchObject({ A: expect.any(String) as string, B: expect.any(String) as string });
    expect(report?.released.bytes).toBe(report?.guest.output.length);
    const { unprotected, protected: guarded = 0, overhead } = report?.cycles ?? {};
    expect(overhead).toBeCloseTo(guarded / (unprotected ?? 0) - 1, 10);
  });

  test('two runs give the same report', async () => {
    const [first, second] = await Promise.all([covert(['run', checksum, '--json']), covert(['run', checksum, '--json'])]);
    expect(second).toEqual(first);
  });
});

describe('what did not hold', () => {
  test('an expectation: exit code 1 and the reason', async () => {
    const file = await scenario('broken.covert', 'protect dmr on core 0, core 1\n  expect exit 3\n  expect clean');
    const { exit, stdout } = await covert(['run', file]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/✗ exit 3 {2}line 7\n +\S/);
    expect(stdout).toMatch(/✓ clean/);
    expect(stdout).toContain('1 scenario: 0 passed, 1 failed');
  });

  test('a fault that waits for more hits than there are is told how many there were', async () => {
    const faults = ['at main hit 2', 'at crc32_update hit 1_000_000', 'when write &sums[3] hit 30', 'at instruction 9_000_000'].map((trigger) => `fault flip a0 bit 1 in replica B ${trigger}`);
    const file = await scenario('hits.covert', `protect dmr on core 0, core 1\n  ${faults.join('\n  ')}\n  expect exit 0`);
    const [text, json] = await Promise.all([covert(['run', file]), covert(['run', file, '--json'])]);
    expect(text.stdout).toContain('never struck, so nothing was tested: what it waits for came 1 time\n');
    const [report] = JSON.parse(json.stdout) as [Report];
    // A sum of a known text, of 16 rounds, and of their sums. The byte is cleared by the start file and written by its round.
    expect(report.faults.map(({ hits }) => hits)).toEqual([1, 18, 2, undefined]);
  });

  test('a fault that never struck fails the scenario', async () => {
    const body = 'protect dmr on core 0, core 1\n  fault flip a0 bit 1 in replica B at instruction 9_000_000_000\n  expect exit 0';
    const { exit, stdout } = await covert(['run', await scenario('late.covert', body)]);
    expect(exit).toBe(1);
    expect(stdout).toContain('never struck, so nothing was tested');
  });
});

test('a report has the names that the user gave, and what the program calls the first byte that differs', async () => {
  const body = 'protect dmr on core 0, core 1\n  fault one: flip memory[&sums[3]].w bit 15 in replica A when write &sums[3]\n  fault flip a0 bit 60 in replica B at instruction 90_000_000 optional\n  expect detected by state';
  const file = await scenario('named.covert', body);
  const { exit, stdout } = await covert(['run', file]);
  expect(exit).toBe(0);
  expect(stdout).toMatch(/ {2}fault {6}one: flip memory\[&sums\[3\]\]\.w bit 15 [^]*\n {13}flip a0 bit 60 in replica B/);
  expect(stdout).toContain('diverged   in no result of an instruction: none has used what differs\n');
  expect(stdout).toContain('state of A and B differs in memory[0x8000240d] (sums[3])\n');
});

describe('bad input is exit code 2', () => {
  test('a file that is not there', async () => {
    const { exit, stdout, stderr } = await covert(['run', 'none.covert']);
    expect({ exit, stdout, stderr }).toEqual({ exit: 2, stdout: '', stderr: 'covert: none.covert: no such file\n' });
  });

  test('a scenario that the file does not have', async () => {
    const { exit, stderr } = await covert(['run', checksum, '--scenario', 'nope']);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^covert: [^\n]*no scenario "nope", but "a bit flip in the checksum loop", [^\n]*\n$/);
  });

  test('errors in the file stand one a line, and nothing runs', async () => {
    const file = await scenario('bits.covert', 'protect dmr on core 0, core 1\n  fault flip a0 bit 64 in replica C at instruction 1');
    const { exit, stdout, stderr } = await covert(['run', file, '--json']);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^covert: .*bits\.covert: \d+ errors?, so nothing was run$/);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/bits\.covert:\d+:\d+: (error|warning) COV\d+: ./);
  });
});

describe('streams', () => {
  test.each([{ CI: 'true' }, { FORCE_COLOR: '1' }, {}])('no colours where stdout is no terminal, with %o', async (env) => {
    const { stdout } = await covert(['run', checksum], { env });
    expect(stdout).not.toContain('\x1b');
  });

  test('a reader that goes away early is no failure of the tool', async () => {
    const { stderr } = await covert(['run', checksum], { meanwhile: (child) => child.stdout?.destroy() });
    expect(stderr).toBe('');
  });

  test('Ctrl-C: exit code 130 and no half an array', async () => {
    const image = path.join(folder, 'endless.elf');
    await writeFile(image, makeElf(0x8000_0000n, Uint8Array.of(0x6f, 0, 0, 0)));
    const file = await scenario('endless.covert', 'protect dmr on core 0, core 1\n  expect clean', image);
    // Its limit of a thousand million instructions must not come before the first progress is shown.
    const { exit, stdout, stderr } = await covert(['run', file, '--json', '--tier', 'interpreter', '--threads', '1'], { meanwhile: interruptAtProgress });
    expect({ exit, stdout }).toEqual({ exit: 130, stdout: '' });
    expect(stderr).toMatch(/^s: [\d,]+ instructions, \d+ s\ncovert: interrupted\n$/);
  });
});

describe('several guests on one chip', () => {
  test('have a section each, and all of them decide whether the scenario passes', async () => {
    const file = await scenario('beside.covert', 'protect dmr on core 0, core 1\nfault kill core 4 at 100 us\nexpect clean\nbeside guest checksum { protect none on core 4\n expect exit 0 }');
    const { exit, stdout } = await covert(['run', file]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/guest checksum +passed[^]*where the guest did not run[^]*guest checksum 2 +failed[^]*hung[^]*✗ exit 0/);
    expect(stdout).toContain('1 scenario: 0 passed, 1 failed');
    const [report] = JSON.parse((await covert(['run', file, '--json'])).stdout) as [Report];
    expect([report.passed, report.guest, report.neighbours?.[0]?.passed]).toMatchObject([false, { name: 'checksum', exit: 0 }, false]);
  });

  test('are refused before anything runs where the chip cannot give them their domains, with what is missing', async () => {
    const file = await scenario('crowded.covert', 'protect tmr on core 0, core 1, core 2\nexpect exit 0\nbeside guest checksum { protect dmr on core 3, core 4 }');
    expect(await covert(['run', file])).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining('COV305: octo cannot give isolation to checksum 2 beside checksum on these cores: only 4 memory controllers that work for 5 replicas') as unknown });
  });

  test('are cut off by a limit of their own', async () => {
    const file = await scenario('limits.covert', 'protect none on core 0\nexpect exit 0\nbeside guest checksum { protect none on core 4\n limit 100_000 instructions\n expect exit 0 }');
    expect((await covert(['run', file, '--json'])).exit).toBe(3);
  });
});
