import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('folders', () => {
  let project = '';
  beforeAll(async () => {
    project = path.join(folder, 'project');
    for (const below of ['b', 'b/deep', '.git', 'node_modules/x', 'none']) await mkdir(path.join(project, below), { recursive: true });
    for (const name of ['c.covert', 'b/a.covert', 'b/deep/z.covert', 'b.covert', '.git/x.covert', '.hidden.covert', 'node_modules/x/y.covert', 'b/no.txt']) {
      await writeFile(path.join(project, name), 'gest\n');
    }
    await symlink(project, path.join(project, 'b', 'round'));
  });

  const places = (stdout: string): string[] => [...stdout.matchAll(/^(\S+\.covert):1:/gm)].map(([, file = '']) => file);

  test('every scenario file below, by name, but what is hidden, not the user\'s own or a link', async () => {
    const { exit, stdout, stderr } = await covert(['check', '.'], { cwd: project });
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: '' });
    expect(places(stdout)).toEqual(['.hidden.covert', 'b/a.covert', 'b/deep/z.covert', 'b.covert', 'c.covert']);
  });

  test('what is named is looked at, also where nobody would look for it, and once', async () => {
    const { stdout } = await covert(['check', 'node_modules', 'c.covert', '.git', './c.covert', 'node_modules/x'], { cwd: project });
    expect(places(stdout)).toEqual(['node_modules/x/y.covert', 'c.covert', '.git/x.covert']);
    expect(stdout).toMatch(/3 files, 3 errors, 0 warnings\n$/);
  });

  test('one without any is a line, and exit code 2', async () => {
    const { exit, stdout, stderr } = await covert(['check', 'none', 'c.covert'], { cwd: project });
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: 'covert: none: there is no scenario file (*.covert) in this folder or below\n' });
    expect(stdout).toMatch(/1 file, 1 not read, 1 error, 0 warnings\n$/);
  });
});

test('what is wrong with a file that others import is said once', async () => {
  const names = ['shared', 'one', 'other'].map((name) => path.join(folder, 'imports', `${name}.covert`));
  await mkdir(path.join(folder, 'imports'));
  await writeFile(names[0]!, 'chip c { cores 0 }\n');
  for (const name of names.slice(1)) await writeFile(name, 'import "shared.covert"\n');
  const { stdout } = await covert(['check', path.join(folder, 'imports')]);
  expect(stdout.match(/error COV\d+/g)).toHaveLength(1);
  expect(stdout).toMatch(/3 files, 1 error, /);
});

test('a byte order mark belongs to no line', async () => {
  const file = path.join(folder, 'mark.covert');
  await writeFile(file, '\ufeffgest g { }\n');
  const { stdout } = await covert(['check', file]);
  expect(stdout).toMatch(/mark\.covert:1:1: error COV101: /);
});
