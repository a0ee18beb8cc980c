import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asm, machineWith, ramBase } from './guest.test-support';
import { Machine } from './machine';
import { imageOfBytes } from './virtio/disk-image';
import { Driver, reg, request } from './virtio/driver.test-support';

const syscon = 0x100;
const minstret = 0xb02;
const srli = (rd: number, rs1: number, by: number): number => ((by << 20) | (rs1 << 15) | (5 << 12) | (rd << 7) | 0x13) >>> 0;
/** bne s1, zero, 16 */
const unlessZero = 0x00049863;
const boot = 14;

/** Prints `a`, spoils registers, memory and devices, and reboots, until 2^10 instructions have retired; then it powers off. */
const rebooting = [
  asm.lui(5, 0x10000), asm.addi(6, 0, 0x61), asm.sb(6, 5, 0), asm.sb(6, 5, 7), asm.auipc(10, 0), asm.sw(6, 10, 100),
  asm.csrrw(0, 0x305, 10), asm.lui(7, syscon), asm.csrrs(9, minstret, 0), srli(9, 9, 10), unlessZero,
  asm.lui(8, 7), asm.addi(8, 8, 0x777), asm.sw(8, 7, 0),
  asm.lui(8, 5), asm.addi(8, 8, 0x555), asm.sw(8, 7, 0),
];

/** Runs to a count through all reboots before it, in pieces of the given sizes. */
function runTo(machine: Machine, limit: number, sizes: readonly number[] = [Infinity]): Machine {
  for (let turn = 0; machine.retired < limit && machine.exitCode === null; turn++) {
    machine.run(Math.min(limit, machine.retired + (sizes[turn % sizes.length] ?? 1)));
  }
  return machine;
}

const hashOf = (machine: Machine): string => machine.snapshot().hash();

describe('a guest that reboots', () => {
  it('starts anew with the instruction that asks for it; what counts goes on', () => {
    const machine = machineWith(rebooting);
    const loaded = machine.readMemory(ramBase, 4096);
    expect([machine.run(1000), machine.retired, machine.reboots, machine.exitCode]).toEqual(['reboot', boot, 1, null]);
    expect(machine.pc).toBe(ramBase);
    expect(Array.from({ length: 32 }, (_, i) => machine.getX(i)).every((value) => value === 0n)).toBe(true);
    expect([machine.getCsr(0x305), machine.getCsr(minstret), machine.getCsr(0xb00)]).toEqual([0n, BigInt(boot), BigInt(boot)]);
    expect(machine.readMemory(ramBase, 4096)).toEqual(loaded);
    expect(machine.run(1000)).toBe('reboot');
    expect(machine.takeOutputs()).toMatchObject([{ sequence: 0, instruction: 3 }, { sequence: 1, instruction: boot + 3 }]);
  });

  it('differs in nothing but what counts from one that was just loaded', () => {
    const fresh = machineWith(rebooting).snapshot();
    const machine = machineWith(rebooting);
    machine.run(1000);
    const places = machine.snapshot().difference(fresh).map(({ place }) => place);
    expect(places).toEqual(['instret', 'outputs sent', 'reboots']);
  });

  it('comes to its end, however the run is cut', () => {
    const whole = runTo(machineWith(rebooting), 5000);
    expect([whole.exitCode, whole.reboots]).toEqual([0, 73]);
    expect(whole.takeOutputs().filter(({ kind }) => kind === 'console')).toHaveLength(74);
    fc.assert(
      fc.property(fc.nat(1100), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), fc.constantFrom(1, 2, 4), (limit, sizes, harts) => {
        const [one, cut] = [machineWith(rebooting, 65_536, harts), machineWith(rebooting, 65_536, harts)];
        expect(hashOf(runTo(cut, limit, sizes))).toBe(hashOf(runTo(one, limit)));
      }),
      { numRuns: 50 },
    );
  });

  it('does so again from a snapshot, in a clone, and from a file, on either side of a reboot', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.constantFrom(1, 2), (first, more, harts) => {
        const machine = runTo(machineWith(rebooting, 65_536, harts), first);
        const saved = machine.snapshot();
        const copies = [machine.clone(), Machine.fromState(machine.save())];
        const end = hashOf(runTo(machine, first + more));
        expect(copies.map((copy) => hashOf(runTo(copy, first + more)))).toEqual([end, end]);
        machine.restore(saved);
        expect(hashOf(runTo(machine, first + more))).toBe(end);
      }),
      { numRuns: 50 },
    );
  });

  it('is asked for by any hart, and all begin anew', () => {
    // Hart 0 spins; the others reboot.
    const spin = asm.jal(0, 0);
    const machine = machineWith([asm.csrrs(9, 0xf14, 0), unlessZero, spin, spin, spin, asm.lui(7, syscon), ...rebooting.slice(-6)], 65_536, 2);
    expect(machine.run(100_000)).toBe('reboot');
    expect([machine.retired, machine.hart, machine.getPc(0), machine.getPc(1)]).toEqual([5006, 0, ramBase, ramBase]);
    expect(machine.run(100_000)).toBe('reboot');
    expect(machine.retired).toBe(2 * 5006);
  });

  it('finds its disk as it left it', () => {
    const driver = Driver.of({ disks: [{ image: imageOfBytes(new Uint8Array(8192)) }] }).start();
    const data = new Uint8Array(512).fill(7);
    driver.post(0, [request(1, 3), data, 1]);
    driver.notify();
    driver.store(0x100000n, 0x7777);
    const { machine } = driver;
    // The device has been reset, and nothing is left in memory of the driver.
    expect([machine.reboots, machine.readMemory(ramBase, 4)]).toEqual([1, new Uint8Array(4)]);
    const next = new Driver(machine);
    expect(next.read(reg.status)).toBe(0);
    const places = next.start().post(0, [request(0, 3), 512, 1]);
    next.notify();
    expect(next.peek(places[1] ?? 0, 512)).toEqual(data);
  });
});
