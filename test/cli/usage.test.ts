import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { covert, root } from './covert';

const commands = ['run', 'check', 'format', 'exec', 'model', 'debug', 'lsp'];

describe('help', () => {
  test.each([[[]], ...commands.map((command) => [[command]])])('covert %j --help has an example', async (command) => {
    const { exit, stdout, stderr } = await covert([...command, '--help']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(/Example:\n {2}covert /);
  });

  test('lists all commands and the exit codes', async () => {
    const { stdout } = await covert(['--help']);
    for (const command of commands) expect(stdout).toContain(`\n  ${command} `);
    expect(stdout).toContain('Exit codes:');
  });

  test('the manual has every command in its first table, and all options of those that are used most', async () => {
    const manual = await readFile(path.join(root, 'docs', 'command-line.md'), 'utf8');
    const [table = ''] = manual.split('| exit code |');
    const listed = [...(await covert(['--help'])).stdout.matchAll(/^ {2}([a-z]+) (?=.*\s{2})/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
    expect(listed.toSorted()).toEqual([...commands, 'diff', 'replay'].toSorted());
    for (const command of listed) expect(table).toContain(`\`covert ${command} `);
    for (const command of ['run', 'replay', 'check', 'format', 'model']) {
      const rows = table.split('\n').filter((row) => row.includes(`\`covert ${command} `)).join('\n');
      const [own = ''] = (await covert([command, '--help'])).stdout.split('Global Options');
      const options = [...own.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name = '']) => name).filter((name) => name !== '--help' && name !== '--stdin');
      for (const option of options) expect(`${command}: ${rows}`).toContain(option);
    }
  });

  test('--version', async () => {
    const { exit, stdout } = await covert(['--version']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('what is wrong on the command line is one line and exit code 2', () => {
  test.each([
    [['run', 'x.covert', '--jsn'], "unknown option '--jsn' (Did you mean --json?)"],
    [['check', '--fix', 'x.covert'], "unknown option '--fix'"],
    [['exec', 'x.elf', '--hash'], "unknown option '--hash' (Did you mean --hash-at?)"],
    [['check', '--json', '--sarif', 'x.covert'], "option '--sarif' cannot be used with option '--json'"],
    [['format'], 'Name files or folders, or - for standard input'],
    [['format', '-', 'x.covert'], 'standard input is formatted alone'],
    [['debug', '--prot', '1'], "unknown option '--prot'"],
    [['lsp', '--tcp'], "unknown option '--tcp'"],
    [['rn'], "unknown command 'rn' (Did you mean run?)"],
    [['nonsense'], "unknown command 'nonsense' (`covert --help` says what there is)"],
    [['nonsense', '--help'], "unknown command 'nonsense' (`covert --help` says what there is)"],
    [['run'], "missing required argument 'file' (`covert run --help` says what there is)"],
    [['check'], "missing required argument 'path' (`covert check --help` says what there is)"],
    [['check', '--from'], "option '--from <run>' argument missing (`covert check --help` says what there is)"],
    [['check', '--from', '0', 'x.covert'], 'It is a whole number from 1 on: 1_000.'],
    [['check', '--count', 'abc', 'x.covert'], 'It is a whole number from 1 on: 1_000.'],
    [['run', 'a.covert', 'b.covert'], 'too many arguments'],
    [['run', 'a.covert', '-s', 'A', '--scenario', 'B'], '"A" has been asked for already. Leave it out for all scenarios of the file, or name one of them.'],
    [['exec', 'x.elf', '--harts', '5'], 'A guest has 1 to 4 harts.'],
    [['exec', 'x.elf', '--ram', '64'], 'A size is a number and B, KiB, MiB or GiB: 64MiB.'],
    [['exec', 'x.elf', '--ram', '1000B'], '--ram: a multiple of 4KiB, at most 2GiB'],
    [['exec', 'x.elf', '--max-instructions', '1e9'], 'A count is a whole number'],
    [['debug', '--port', '70000'], 'A port is a number from 0 to 65535.'],
    [['lsp'], 'say --stdio'],
  ])('covert %j', async (args, message) => {
    const { exit, stdout, stderr } = await covert(args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/^covert: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });

  test('no command at all shows the help', async () => {
    const { exit, stderr } = await covert([]);
    expect(exit).toBe(2);
    expect(stderr).toContain('Usage: covert');
  });
});
