import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { covert } from './covert';

const examples = ['checksum/checksum', 'checksum/stuck', 'checksum/intermittent', 'sort/sort', 'sort/beside', 'ticker/ticker'].map((name) => `examples/${name}.covert`);

let folder = '';
let broken = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-check-'));
  broken = path.join(folder, 'broken.covert');
  await writeFile(broken, 'guest g {\n  elf "none.elf"\n  ram 16 MiB\n}\n');
});
afterAll(() => rm(folder, { recursive: true }));

test('the examples have no errors', async () => {
  const { exit, stdout, stderr } = await covert(['check', ...examples]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`${examples.length} files, 0 errors, \\d+ warnings?\\n$`));
});

test('an error is a line that editors can follow, and exit code 2', async () => {
  const { exit, stdout } = await covert(['check', broken, ...examples]);
  expect(exit).toBe(2);
  expect(stdout).toMatch(/^\S*broken\.covert:2:\d+: error COV\d+: [^\n]*none\.elf/m);
  expect(stdout).toContain(`${examples.length + 1} files, 1 error, `);
});

test('--json: the same as objects', async () => {
  const { exit, stdout } = await covert(['check', broken, '--json']);
  expect(exit).toBe(2);
  expect(JSON.parse(stdout)).toContainEqual({
    file: broken,
    line: 2,
    column: expect.any(Number) as number,
    endLine: 2,
    endColumn: expect.any(Number) as number,
    severity: 'error',
    code: expect.stringMatching(/^COV\d+$/) as string,
    message: expect.stringContaining('none.elf') as string,
  });
});

test('a file that is not there', async () => {
  const { exit, stdout, stderr } = await covert(['check', 'none.covert']);
  expect({ exit, stderr }).toEqual({ exit: 2, stderr: 'covert: none.covert: no such file\n' });
  expect(stdout).toBe('0 files, 1 not read, 0 errors, 0 warnings\n');
});

test('one file that cannot be read does not keep the others from being looked at', async () => {
  const { exit, stdout, stderr } = await covert(['check', 'README.md', 'examples/sort/sort.covert', 'no\x1b[31mne.covert']);
  expect(exit).toBe(2);
  expect(stderr).toBe("covert: README.md: a scenario file's name ends in .covert\ncovert: no\\x1b[31mne.covert: no such file\n");
  expect(stdout).toBe('1 file, 2 not read, 0 errors, 0 warnings\n');
});
