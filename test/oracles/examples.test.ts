import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { covert } from '../cli/covert';
import { needsQemu, qemuVersion, runQemu } from './qemu';
import { loadMachine, runMachine } from './run-machine';

const pathOf = (name: string): string => `examples/${name}/${name}.elf`;

/**
 * The ticker prints times and how far it came by then, and no two computers
 * agree on those: its numbers are replaced, all other bytes count.
 */
const withoutTimes = (output: Buffer): string =>
  output.toString('latin1').replace(/\b(time|steps)([= ])\d+|\b(cycles)=\d+/g, '$1$3$2#');

describe('the examples on our engine and on qemu', () => {
  for (const name of ['checksum', 'sort']) {
    test.skipIf(!qemuVersion)(`${name}: the same bytes, the same exit code${needsQemu}`, async () => {
      const theirs = await runQemu(pathOf(name));
      const ours = runMachine(readFileSync(pathOf(name)));
      expect(theirs.output.length).toBeGreaterThan(100);
      expect(ours.output.toString('latin1')).toBe(theirs.output.toString('latin1'));
      expect(ours.exit).toBe(theirs.exit);
      expect(ours.exit).toBe(0);
    });
  }

  test.skipIf(!qemuVersion)(`ticker: the same bytes but for times, the same exit code${needsQemu}`, async () => {
    const theirs = await runQemu(pathOf('ticker'), { icount: true });
    const ours = runMachine(readFileSync(pathOf('ticker')));
    expect(theirs.output.toString('latin1')).toContain('\ntick 6 time=');
    expect(withoutTimes(ours.output)).toBe(withoutTimes(theirs.output));
    expect(ours.exit).toBe(theirs.exit);
    expect(ours.exit).toBe(0);
  });
});

describe('`covert exec` and qemu', () => {
  for (const name of ['checksum', 'sort', 'ticker']) {
    test.skipIf(!qemuVersion)(`${name}: the same console, the same exit code${needsQemu}`, async () => {
      const theirs = await runQemu(pathOf(name), { icount: true });
      const ours = await covert(['exec', pathOf(name)]);
      expect(withoutTimes(Buffer.from(ours.stdout))).toBe(withoutTimes(theirs.output));
      expect(ours.exit).toBe(theirs.exit);
    });

    test(`${name}: two runs of \`covert exec\` give equal hashes`, async () => {
      const counts = '0,1,999,100_000,777_777';
      const [a, b] = await Promise.all([1, 2].map(() => covert(['exec', pathOf(name), '--hash-at', counts])));
      expect(a?.stderr.match(/: [0-9a-f]{64}$/gm)).toHaveLength(5);
      expect(b).toEqual(a);
    });
  }
});

describe('the state after every instruction', () => {
  for (const name of ['checksum', 'sort', 'ticker']) {
    test(`${name}: two runs give equal hashes at every asked count`, () => {
      const image = readFileSync(pathOf(name));
      const [a, b] = [loadMachine(image), loadMachine(image)];
      const hashes = new Set<string>();
      for (const count of [0, 1, 2, 1000, 123_456, 500_000, 500_001, 900_000]) {
        a.run(count);
        b.run(count);
        expect(a.retired).toBe(count);
        const hash = a.snapshot().hash();
        expect(b.snapshot().hash()).toBe(hash);
        hashes.add(hash);
      }
      expect(hashes.size).toBe(8);
    });
  }

  test('checksum: stopping at every instruction is the same as running through', () => {
    const image = readFileSync(pathOf('checksum'));
    for (const [from, to] of [[0, 3_000], [99_000, 102_000]] as const) {
      const stepped = loadMachine(image);
      stepped.run(from);
      for (let count = from + 1; count <= to; count++) {
        stepped.run(count);
        expect(stepped.retired).toBe(count);
      }
      const through = loadMachine(image);
      through.run(to);
      expect(stepped.snapshot().hash()).toBe(through.snapshot().hash());
      expect(stepped.takeOutputs()).toEqual(through.takeOutputs());
    }
  });

  test('ticker: stopping in front of every interrupt is the same as running through', () => {
    const image = readFileSync(pathOf('ticker'));
    const stepped = loadMachine(image);
    const through = loadMachine(image);
    let count = 0;
    while (stepped.exitCode === null) stepped.run((count += 997));
    while (through.exitCode === null) through.run(1e9);
    expect(stepped.retired).toBe(through.retired);
    expect(stepped.snapshot().hash()).toBe(through.snapshot().hash());
    expect(stepped.takeOutputs()).toEqual(through.takeOutputs());
  });
});
