import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Machine } from './machine';

const folder = join(process.env.COVERT_CACHE ?? join(homedir(), '.cache/covert'), 'debian');
const [kernel, disk] = ['vmlinux', 'initramfs.cpio'].map((name) => join(folder, name)) as [string, string];

function boot(harts = 1): Machine {
  const machine = Machine.create({ ramBytes: 512 * 2 ** 20, harts });
  machine.loadKernel(readFileSync(kernel), { initrd: readFileSync(disk), bootArguments: 'console=ttyS0 quiet' });
  return machine;
}

/** Runs in slices, typing at the console as its driver has room, until the guest ends or `limit`. */
function drive(machine: Machine, script: string, limit: number): string {
  let text = '';
  let typed = Buffer.from(script);
  while (machine.retired < limit && machine.exitCode === null) {
    const room = machine.consoleRoom;
    machine.receive(typed.subarray(0, room));
    typed = typed.subarray(Math.min(room, typed.length));
    const stop = machine.run(Math.min(limit, machine.retired + 1_000_000));
    text += Buffer.from(machine.takeOutputs().flatMap(({ kind, value }) => (kind === 'console' ? [value] : []))).toString('latin1');
    if (stop !== 'limit') break;
  }
  return text;
}

// The files come from `npm run guest:debian`, which needs the network.
const missing = [kernel, disk].find((file) => !existsSync(file));
const noDebian = missing === undefined ? '' : ` (skipped: no ${basename(missing)} of npm run guest:debian)`;

describe.skipIf(noDebian !== '')(`stock Debian${noDebian}`, () => {
  it('boots to a shell, answers, and powers off', { timeout: 120_000 }, () => {
    const machine = boot();
    const text = drive(machine, 'echo 6 times 7 is $((6 * 7))\nexit\n', 3e9);
    expect(text).toMatch(/^Linux \(none\) \S+-riscv64 .* riscv64 GNU\/Linux/m);
    expect(text).toContain('6 times 7 is 42');
    expect(text).toContain('reboot: Power down');
    expect(machine.exitCode).toBe(0);
  });

  it.each([2, 4])('boots on %i harts, twice to the same state', { timeout: 240_000 }, (harts) => {
    const machine = boot(harts);
    expect(drive(machine, 'echo there are $(nproc)\nexit\n', 3e9)).toContain(`there are ${harts}\r\n`);
    expect(machine.exitCode).toBe(0);
    const again = boot(harts);
    drive(again, 'echo there are $(nproc)\nexit\n', 3e9);
    expect(again.snapshot().hash()).toBe(machine.snapshot().hash());
  });

  it.each([1, 4])('is in the same state after the same count, run whole, cut, or restored: %i harts', { timeout: 240_000 }, (harts) => {
    const whole = boot(harts);
    whole.run(150_000_000);
    const middle = whole.snapshot();
    whole.run(200_000_000);
    const expected = whole.snapshot().hash();
    const other = boot(harts);
    other.restore(middle);
    while (other.retired < 200_000_000) other.run(Math.min(200_000_000, other.retired + 777_777));
    expect(other.snapshot().hash()).toBe(expected);
    whole.restore(middle);
    whole.run(200_000_000);
    expect(whole.snapshot().hash()).toBe(expected);
  });
});
