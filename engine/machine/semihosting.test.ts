import { describe, expect, it } from 'vitest';
import { machineWith, ramBase } from './guest.test-support';
import type { Machine } from './machine';

// slli x0, x0, 0x1f; ebreak; srai x0, x0, 7
const call = [0x01f01013, 0x00100073, 0x40705013];
const block = ramBase + 0x200n;
const applicationExit = 0x20026n;

/** Makes one call with a0 and a1, and a block of 64-bit fields at a1 where it is given. */
function calling(operation: bigint, argument: bigint, fields: readonly bigint[] = []): Machine {
  const machine = machineWith(call);
  machine.setX(10, operation);
  machine.setX(11, argument);
  const bytes = Buffer.alloc(fields.length * 8);
  fields.forEach((field, i) => bytes.writeBigUInt64LE(field, i * 8));
  machine.writeMemory(block, bytes);
  return machine;
}

function printed(machine: Machine): string {
  const bytes = machine.takeOutputs().flatMap(({ kind, value }) => (kind === 'console' ? [value] : []));
  return Buffer.from(bytes).toString('latin1');
}

describe('ending', () => {
  it.each([
    ['SYS_EXIT', 0x18n],
    ['SYS_EXIT_EXTENDED', 0x20n],
  ])('%s takes the reason and the exit code from a block', (_, operation) => {
    for (const [reason, code, expected] of [[applicationExit, 0n, 0], [applicationExit, 7n, 7], [0x20023n, 0n, 1]] as const) {
      const machine = calling(operation, block, [reason, code]);
      expect([machine.run(10), machine.exitCode]).toEqual(['exit', expected]);
    }
  });

  it('SYS_EXIT takes the reason itself too, as 32-bit guests pass it', () => {
    const machine = calling(0x18n, applicationExit);
    expect([machine.run(10), machine.exitCode]).toEqual(['exit', 0]);
  });
});

describe('writing', () => {
  it('SYS_WRITEC writes the byte at its argument', () => {
    const machine = calling(3n, block, [0x41n]);
    machine.run(3);
    expect(printed(machine)).toBe('A');
  });

  it('SYS_WRITE0 writes a long string whole, and goes on', () => {
    const text = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(32 + (i % 90))).join('');
    const machine = calling(4n, block);
    machine.writeMemory(block, Buffer.from(`${text}\0`));
    expect(machine.run(3)).toBe('limit');
    const outputs = machine.takeOutputs();
    expect(Buffer.from(outputs.map(({ value }) => value)).toString()).toBe(text);
    expect(outputs.map(({ sequence }) => sequence)).toEqual(text.split('').map((_, i) => i));
    expect(new Set(outputs.map(({ instruction }) => instruction))).toEqual(new Set([2]));
  });

  it('SYS_WRITE answers how much it did not write', () => {
    const machine = calling(5n, block, [1n, block + 64n, 3n]);
    machine.writeMemory(block + 64n, Buffer.from('xyz'));
    machine.run(3);
    expect([printed(machine), machine.getX(10)]).toEqual(['xyz', 0n]);

    const elsewhere = calling(5n, block, [7n, block, 3n]);
    elsewhere.run(3);
    expect([printed(elsewhere), elsewhere.getX(10)]).toEqual(['', 3n]);
  });

  it('bounds a length that is far too large', () => {
    const machine = calling(5n, block, [1n, ramBase, 2n ** 63n]);
    machine.run(3);
    const written = printed(machine).length;
    expect(written).toBeGreaterThan(1000);
    expect(machine.getX(10)).toBe(2n ** 63n - BigInt(written));
  });
});

it('an ebreak alone is no call', () => {
  const machine = machineWith([0x00100073, 0x40705013]);
  machine.setCsr(0x305, ramBase + 0x100n);
  machine.writeMemory(ramBase + 0x100n, Uint8Array.of(0x6f, 0, 0, 0));
  machine.run(2);
  expect(machine.getCsr(0x342)).toBe(3n);
});
