import { describe, expect, it } from 'vitest';
import { kernelImage as image, ramBase } from './guest.test-support';
import { readLinuxImage } from './linux-image';
import { LoadError, Machine } from './machine';

const ecall = 0x73;
const loop = 0x6f;

/** A machine about to make one call of the firmware. */
function caller(extension: number, number: number, ...values: bigint[]): Machine {
  const machine = Machine.create({ ramBytes: 4 * 2 ** 20 });
  machine.loadKernel(image([ecall, loop]));
  machine.run(1);
  machine.setX(17, BigInt(extension));
  machine.setX(16, BigInt(number));
  values.forEach((value, i) => machine.setX(10 + i, value));
  return machine;
}

function call(extension: number, number: number, ...values: bigint[]): bigint[] {
  const machine = caller(extension, number, ...values);
  machine.run(2);
  return [BigInt.asIntN(64, machine.getX(10)), machine.getX(11)];
}

const [base, time, ipi, hsm, reset, console] = [0x10, 0x54494d45, 0x735049, 0x48534d, 0x53525354, 0x4442434e];

describe('the built-in firmware', () => {
  it('starts a kernel in supervisor mode with hart and device tree', () => {
    const machine = caller(base, 0);
    const fresh = Machine.create({ ramBytes: 4 * 2 ** 20 });
    fresh.loadKernel(image([loop]), { bootArguments: 'x' });
    expect([fresh.pc, fresh.getX(10)]).toEqual([ramBase + 0x200000n, 0n]);
    expect(fresh.readMemory(fresh.getX(11), 4)).toEqual(Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed));
    expect(machine.getCsr(0x303)).toBe(0x222n);
  });

  it.each<[string, bigint[], bigint[]]>([
    ['says its version', call(base, 0), [0n, 0x02000000n]],
    ['has the timer', call(base, 3, BigInt(time)), [0n, 1n]],
    ['has no extension 0x123456', call(base, 3, 0x123456n), [0n, 0n]],
    ['refuses an unknown extension', call(0x123456, 0, 5n, 6n), [-2n, 6n]],
    ['knows that hart 0 runs', call(hsm, 2, 0n, 9n), [0n, 0n]],
    ['knows no hart 1', call(hsm, 2, 1n, 9n), [-3n, 9n]],
    ['refuses harts that are not there', call(ipi, 0, 6n, 0n), [-3n, 0n]],
    ['refuses to print from outside of RAM', call(console, 0, 4n, 0x1000n, 0n), [-3n, 0x1000n]],
  ])('%s', (_, answer, expected) => expect(answer).toEqual(expected));

  it('sets the timer and raises the software interrupt', () => {
    const timer = caller(time, 0, 77n);
    timer.run(2);
    expect(timer.getCsr(0x14d)).toBe(77n);
    const software = caller(ipi, 0, 1n, 0n);
    software.run(2);
    expect((software.getCsr(0x144) ?? 0n) & 2n).toBe(2n);
  });

  it('prints from memory, and ends the guest', () => {
    const printer = caller(console, 0, 3n, ramBase, 0n);
    printer.writeMemory(ramBase, Uint8Array.from(Buffer.from('abc')));
    printer.run(2);
    expect(printer.takeOutputs().map(({ value }) => String.fromCharCode(value)).join('')).toBe('abc');
    expect(printer.getX(11)).toBe(3n);
    const ending = caller(reset, 0, 0n, 1n);
    expect([ending.run(100), ending.exitCode]).toEqual(['exit', 1]);
  });

  it.each([1n, 2n])('starts the guest anew that asks for a reboot of type %d', (kind) => {
    const machine = caller(reset, 0, kind, 0n);
    expect([machine.run(100), machine.exitCode, machine.reboots, machine.pc]).toEqual(['reboot', null, 1, ramBase + 0x200000n]);
  });
});

describe('a kernel that is none', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['too short', new Uint8Array(10), /not a flat RISC-V Linux image/],
    ['of something else', new Uint8Array(100), /not a flat RISC-V Linux image/],
    ['too big', image([], 2 ** 24), /at least \d+ MiB/],
  ])('is refused in one line: %s', (_, bytes, message) => {
    const machine = Machine.create({ ramBytes: 4 * 2 ** 20 });
    expect(() => machine.loadKernel(bytes)).toThrow(LoadError);
    expect(() => machine.loadKernel(bytes)).toThrow(message);
  });

  it('has a header with sizes that make no sense', () => {
    const bytes = image([]);
    new DataView(bytes.buffer).setBigUint64(8, 2n ** 60n, true);
    expect(() => readLinuxImage(bytes)).toThrow(/damaged/);
  });
});
