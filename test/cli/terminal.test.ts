import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { root } from './covert';

const files = debianFiles();
const reasons = [
  ...('missing' in files ? [`no ${files.missing} of npm run guest:debian`] : []),
  // It gives a command a terminal. Debian package bsdutils.
  ...(spawnSync('script', ['--version']).status === 0 ? [] : ['no script; Debian package bsdutils']),
];
const skipped = reasons.length > 0 ? ` (skipped: ${reasons.join(', ')})` : '';

const quoted = (word: string): string => `'${word}'`;
const waited = 3000;

test.skipIf(skipped !== '')(`on a terminal keys are the guest's, its time-outs leave time to type, and Ctrl-A X leaves${skipped}`, async () => {
  const { kernel, initialDisk } = files as DebianFiles;
  const words = [process.execPath, path.join(root, 'dist/covert.cjs'), 'exec', '--linux', kernel, '--initrd', initialDisk, '--ram', '128MiB', '--append', 'console=ttyS0 quiet'];
  const child = spawn('script', ['-qefc', words.map(quoted).join(' '), '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const shown = async (text: string): Promise<void> => {
    while (!screen.includes(text) && child.exitCode === null) await setTimeout(20);
    expect(screen).toContain(text);
    screen = screen.slice(screen.indexOf(text) + text.length);
  };
  await shown('~ # ');
  child.stdin.write('sleep 1000\r');
  await shown('sleep 1000');
  // It may not have begun to sleep yet, and the key be lost.
  while (!screen.includes('~ # ') && child.exitCode === null) {
    child.stdin.write('\x03');
    await setTimeout(500);
  }
  await shown('~ # ');
  child.stdin.write('read -t 60 word; echo got-$word\r');
  await shown('echo got-$word');
  // A guest that sleeps lets the host's time pass too: sixty seconds are not over yet.
  await setTimeout(waited);
  child.stdin.write('hello\r');
  await shown('got-hello');
  child.stdin.write('\x01x');
  await shown('was left at its console');
  expect(await ended).toBe(0);
});
