import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeElf } from '../oracles/elf-writer';
import { complaints, covert, interruptAtProgress, root } from './covert';

const registers = 'examples/checksum/registers.covert';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-expand-'));
});
afterAll(() => rm(folder, { recursive: true }));

const guest = `guest g { elf "${path.join(root, 'examples/checksum/checksum.elf').replaceAll('\\', '/')}" ram 16 MiB }\n`;
async function file(name: string, text: string): Promise<string> {
  const whole = path.join(folder, name);
  await writeFile(whole, guest + text);
  return whole;
}

const endless = 'campaign "all" { guest g limit 1_000_000_000_000 instructions inject every { flip 1 random bit of x1..x31 in replica A at any instruction between instruction 0 and instruction 900_000_000_000 } }';
interface Line {
  file: string;
  campaign: string;
  number: number;
  fault: string;
  instruction: number | null;
  seed: number;
}

test('each run has its number and its fault as a line', async () => {
  const { exit, stdout, stderr } = await covert(['check', registers, '--expand', '--count', '100']);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('campaign "the registers of replica B": 2,000 runs, seed 42');
  expect(lines.slice(1, 101).every((line, i) => new RegExp(`^ +${i + 1}  fault flip (\\w+) bit \\d+ in replica B at instruction [\\d_]+$`).test(line))).toBe(true);
  expect(lines[101]).toBe(`campaign "the checksum's own register": every fault, 5,614,016 runs`);
  expect(lines).toHaveLength(202);
});

test('--json: the same as objects, one a line; a part is the same as in the whole', async () => {
  const [text, whole, some] = await Promise.all([
    covert(['check', registers, '--expand', '--count', '300']),
    covert(['check', registers, '--expand', '--count', '300', '--json']),
    covert(['check', registers, '--from', '281', '--count', '20', '--json']),
  ]);
  const all = JSON.parse(whole.stdout) as Line[];
  expect(all).toHaveLength(600);
  expect(whole.stdout.split('\n')).toHaveLength(603);
  for (const { number, fault, instruction, seed, campaign, file: from } of all) {
    expect(text.stdout).toContain(`  ${number}  ${fault}\n`);
    expect(fault).toMatch(new RegExp(`^fault flip .* at instruction ${String(instruction).replace(/\B(?=(\d{3})+$)/g, '_')}$`));
    expect([seed, from]).toEqual([1, registers]);
    expect(campaign).toMatch(/^the /);
  }
  expect(JSON.parse(some.stdout)).toEqual(all.filter(({ number }) => number > 280));
});

test('a list that nobody could write down can be looked into', async () => {
  const every = await file('endless.covert', endless);
  const { exit, stdout } = await covert(['check', every, '--from', '1_785_600_000_000_000', '--count', '2']);
  expect(exit).toBe(0);
  expect(stdout).toBe(
    'campaign "all": every fault, 1,785,600,000,001,984 runs\n' +
      '  1785600000000000  fault flip t6 bit 63 in replica A at instruction 899_999_999_999\n' +
      '  1785600000000001  fault flip ra bit 0 in replica A at instruction 900_000_000_000\n',
  );
});

/** Ctrl-C as soon as runs are listed. */
function interruptAtRuns(child: ChildProcess): void {
  let seen = '';
  const look = (text: string): void => {
    seen += text;
    if (!seen.includes('fault flip')) return;
    child.stdout?.off('data', look);
    child.kill('SIGINT');
  };
  child.stdout?.on('data', look);
}

test.each([[[]], [['--json']]])('Ctrl-C ends it cleanly: %s', async (more) => {
  const every = await file('interrupted.covert', endless);
  const { exit, stdout, stderr } = await covert(['check', every, '--expand', ...more], { meanwhile: interruptAtRuns });
  expect({ exit, stderr }).toEqual({ exit: 130, stderr: 'covert: interrupted\n' });
  if (more.length > 0) expect((JSON.parse(stdout) as Line[]).length).toBeGreaterThan(0);
  else expect(stdout).toMatch(/\n +\d+ {2}fault [^\n]* instruction [\d_]+\n$/);
});

test.each(['at any instruction', 'at any instruction between main and 10 s'])('the run without faults shows its progress, and ends at Ctrl-C: %s', async (trigger) => {
  const elf = path.join(folder, 'spin.elf');
  await writeFile(elf, makeElf(0x8000_0000n, Uint8Array.of(0x6f, 0, 0, 0)));
  const slow = path.join(folder, 'slow.covert');
  await writeFile(slow, `guest spin { elf "spin.elf" }\ncampaign "slow" { guest spin limit 1_000_000_000_000 instructions inject 5 faults { flip a0 bit 3 in replica A ${trigger.replace('main', '0x80000000')} } }`);
  const { exit, stdout, stderr } = await covert(['check', slow, '--expand'], { meanwhile: interruptAtProgress });
  expect({ exit, stdout }).toEqual({ exit: 130, stdout: '' });
  expect(stderr).toMatch(/^slow: the run without faults: [\d,]+ instructions, \d+ s\n(slow: [^\n]*\n)*covert: interrupted\n$/);
});

test.each([
  ['no campaign', ['examples/checksum/checksum.covert', '--expand'], 'covert: examples/checksum/checksum.covert: it has no campaign to expand\n'],
  ['none in several files', ['examples/checksum/checksum.covert', 'examples/sort/sort.covert', '--expand'], 'covert: none of the 2 files has a campaign to expand\n'],
  ['no such run', [registers, '--from', '6_000_000'], 'covert: --from: there is no run 6,000,000, as the longest campaign has 5,614,016 runs\n'],
])('%s: one line, and exit code 2', async (_, args, wanted) => {
  const { exit, stderr } = await covert(['check', ...args]);
  expect({ exit, stderr }).toEqual({ exit: 2, stderr: wanted });
});

test.each([
  ['console "no such text" and instruction 9', /without faults the guest never comes to the bound `console "no such text"`\n$/],
  ['epoch 3 and main', /the bounds are in the wrong order: without faults the guest comes to `main` at instruction [\d_]+, before `epoch 3` at instruction 300_000\n$/],
])('bounds that only the run tells wrong: %s', async (bounds, wanted) => {
  const wrong = await file('bounds.covert', `campaign "c" { guest g inject 5 faults { flip a0 bit 3 in replica A at any instruction between ${bounds} } }`);
  const { exit, stdout, stderr } = await covert(['check', wrong, '--expand']);
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
  expect(stderr).toMatch(wanted);
});

test('what is wrong with one file is said, and the others are expanded', async () => {
  const wrong = await file('wrong.covert', 'campaign "c" { guest g inject 0 faults { flip a0 bit 3 in replica A at main } }');
  const { exit, stdout, stderr } = await covert(['check', wrong, registers, '--expand', '--count', '1']);
  expect(exit).toBe(2);
  expect(stderr).toMatch(/wrong\.covert:2:\d+: error COV106: [^\n]*\ncovert: \S*wrong\.covert: 1 error, so nothing of it was expanded\n$/);
  expect(stdout).toContain('  1  fault flip a0 bit 0 in replica B');
});

describe('covert run: campaigns are not run, and that never looks as if they had held', () => {
  const text = 'campaign "c" { guest g inject 5 faults { flip 1 random bit of a0 in replica A at main } expect coverage >= 100 % }\nscenario "s" { guest g expect exit 0 }';

  test('scenarios are run; the last screen, --json and the exit code tell of the campaign', async () => {
    const both = await file('both.covert', text);
    const [shown, json] = await Promise.all([covert(['run', both]), covert(['run', both, '--json'])]);
    expect([shown.exit, json.exit]).toEqual([3, 3]);
    const [, last = ''] = shown.stdout.split('═'.repeat(88));
    expect(last).toMatch(/\n– campaign c\n {4}not run: campaigns are not run yet;\s[^]*\n1 scenario: 1 passed, 0 failed; 1 campaign not run\n$/);
    const notRun = `campaigns are not run yet; \`covert check --expand ${both}\` lists their runs`;
    expect(JSON.parse(json.stdout)).toEqual([expect.objectContaining({ scenario: 's', passed: true }), { campaign: 'c', passed: null, notRun }]);
    expect(complaints(json.stderr)).toBe(`covert: ${both}: ${notRun}\n`);
  });

  test('who asks for the scenario alone gets its verdict, and one that fails is the worse news', async () => {
    const both = await file('both-ways.covert', `${text}\nscenario "wrong" { guest g expect exit 9 }`);
    const [alone, all] = await Promise.all([covert(['run', both, '--scenario', 's']), covert(['run', both])]);
    expect([alone.exit, all.exit]).toEqual([0, 1]);
    expect(alone.stdout).not.toContain('campaign');
  });

  test('a campaign asked for by its name, and a file of campaigns alone, are bad input that says what can be done', async () => {
    const both = await file('by-name.covert', text);
    const why = (of: string): string => `campaigns are not run yet; \`covert check --expand ${of}\` lists their runs\n`;
    expect(await covert(['run', both, '--scenario', 'c'])).toEqual({ exit: 2, stdout: '', stderr: `covert: ${both}: "c" is a campaign: ${why(both)}` });
    expect(await covert(['run', registers])).toEqual({ exit: 2, stdout: '', stderr: `covert: ${registers}: it has no scenario to run but 2 campaigns: ${why(registers)}` });
  });
});
