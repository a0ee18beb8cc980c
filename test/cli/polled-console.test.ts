import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asm, kernelImage } from '../../engine/machine/guest.test-support';
import { root } from './covert';

// It gives a command a terminal. Debian package bsdutils.
const noScript = spawnSync('script', ['--version']).status === 0 ? '' : ' (skipped: no script; Debian package bsdutils)';

/** Prints `>`, and sends back what the firmware's getchar gives it, for ever. */
const echoing = kernelImage([
  asm.addi(10, 0, 0x3e), asm.addi(17, 0, 1), asm.ecall,
  asm.addi(17, 0, 2), asm.ecall, 0xfe054ce3, // bltz a0, -8
  asm.addi(17, 0, 1), asm.ecall, asm.jal(0, -20),
], 1 << 16);
/** Prints `>`, and sleeps for good. */
const sleeping = kernelImage([asm.addi(10, 0, 0x3e), asm.addi(17, 0, 1), asm.ecall, asm.wfi, asm.jal(0, -4)], 1 << 16);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-polled-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Types `keys` at a guest on a terminal once it has printed `>`, then leaves it once they have been shown, or if they never are, a little later. */
async function typedAt(image: Uint8Array, keys: string, areShown: boolean): Promise<{ screen: string; exit: number | null }> {
  const file = path.join(folder, 'guest.bin');
  await writeFile(file, image);
  const words = [process.execPath, path.join(root, 'dist/covert.cjs'), 'exec', '--linux', file, '--ram', '16MiB'];
  const child = spawn('script', ['-qefc', words.map((word) => `'${word}'`).join(' '), '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  let [typed, leaving] = [false, false];
  const leave = (): void => {
    leaving = true;
    child.stdin.write('\x01x');
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (!typed && screen.includes('>')) {
      typed = true;
      child.stdin.write(keys);
      if (!areShown) setTimeout(leave, 1000);
    } else if (areShown && !leaving && screen.includes(keys)) {
      leave();
    }
  });
  const exit = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { screen, exit };
}

test.skipIf(noScript !== '')(`a guest that polls its console can be typed at${noScript}`, async () => {
  const { screen, exit } = await typedAt(echoing, 'more than sixteen bytes.', true);
  expect(screen).toContain('was left at its console');
  expect(exit).toBe(0);
});

test.skipIf(noScript !== '')(`a guest that sleeps and never listens can be left whatever was typed at it${noScript}`, async () => {
  const { screen, exit } = await typedAt(sleeping, 'x', false);
  expect(screen).toContain('was left at its console');
  expect(exit).toBe(0);
});
