import { expect, test } from 'vitest';
import { asm } from '../../engine/machine/guest.test-support';
import { makeElf } from './elf-writer';
import { needsQemu, runQemuImage } from './qemu';
import { runMachine } from './run-machine';

const satp = 0x180;
const [value, uart, syscon, data] = [5, 6, 7, 20];
const shiftByte = ((8 << 20) | (value << 15) | (5 << 12) | (value << 7) | 0x13) >>> 0;

/** All ones in ASID and page number with each mode, and with one that is not there; then an ASID alone. */
const values = [8n, 9n, 0n, 5n].map((mode) => (mode << 60n) | ((1n << 60n) - 1n)).concat((8n << 60n) | (0xa5a5n << 44n));

/** Writes each value to satp, and prints what then stands there. */
function guest(): Uint8Array {
  const each = 3 + 16;
  const tableAt = 8 * Math.ceil((4 * (3 + values.length * each + 3)) / 8);
  const code = [asm.auipc(data, 0), asm.lui(uart, 0x10000), asm.lui(syscon, 0x100)];
  values.forEach((_, i) => {
    code.push(asm.ld(value, data, tableAt + i * 8), asm.csrrw(0, satp, value), asm.csrrs(value, satp, 0));
    for (let byte = 0; byte < 8; byte++) code.push(asm.sb(value, uart, 0), shiftByte);
  });
  code.push(asm.lui(value, 5), asm.addi(value, value, 0x555), asm.sw(value, syscon, 0));
  const bytes = new Uint8Array(tableAt + values.length * 8);
  bytes.set(new Uint8Array(Uint32Array.from(code).buffer));
  bytes.set(new Uint8Array(BigUint64Array.from(values).buffer), tableAt);
  return makeElf(0x8000_0000n, bytes);
}

test.skipIf(needsQemu !== '')(`satp keeps modes, ASIDs and page numbers as on qemu's board${needsQemu}`, async () => {
  const [ours, theirs] = [runMachine(guest()), await runQemuImage(guest())];
  expect([ours.exit, theirs.exit]).toEqual([0, 0]);
  expect(ours.output.toString('hex')).toBe(theirs.output.toString('hex'));
  expect(ours.output).toHaveLength(values.length * 8);
  expect(ours.output.readBigUInt64LE(32)).toBe(values.at(-1));
});
