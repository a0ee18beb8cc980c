import { describe, expect, it } from 'vitest';
import { ramBase } from '../guest.test-support';
import { Driver, half, reg, status } from './driver.test-support';

const terminal = (): Driver => Driver.of({ console: true }).start(2);
const text = (driver: Driver): string =>
  String.fromCharCode(...driver.outputs().flatMap(({ kind, value }) => (kind === 'console' ? [value] : [])));

describe('a virtio console', () => {
  it('sends what is written as the UART does: a byte an output, in order', () => {
    const driver = terminal();
    driver.post(1, [Buffer.from('hello '), Buffer.from('world')]);
    driver.post(1, [Buffer.from('!')]);
    driver.notify(1);
    const outputs = driver.outputs();
    expect(outputs.map(({ sequence }) => sequence)).toEqual(outputs.map((_, i) => i));
    expect(outputs.every(({ instruction }) => instruction === driver.machine.retired)).toBe(true);
    expect(String.fromCharCode(...outputs.map(({ value }) => value))).toBe('hello world!');
  });

  it('sends more than the core’s ring holds', () => {
    const driver = terminal();
    const many = Uint8Array.from({ length: 40_000 }, (_, i) => 97 + (i % 26));
    driver.post(1, [many]);
    driver.notify(1);
    expect(text(driver)).toBe(String.fromCharCode(...many));
    expect(driver.read(reg.status) & status.needsReset).toBe(0);
  });

  it('refuses more at once than is an instruction’s due', () => {
    const driver = terminal();
    driver.post(1, [new Uint8Array(65_537)]);
    driver.notify(1);
    expect(driver.read(reg.status) & status.needsReset).toBe(status.needsReset);
    expect(text(driver)).toBe('');
  });

  it('receives what is typed, as far as its driver has room', () => {
    const driver = terminal();
    expect(driver.machine.consoleRoom).toBe(0);
    const [at = 0] = driver.post(0, [16]);
    driver.post(0, [8]);
    expect(driver.machine.consoleRoom).toBe(16);
    driver.machine.receive(Buffer.from('ls\n'));
    expect(driver.used(0)).toEqual([{ head: 0, bytes: 3 }]);
    expect(Buffer.from(driver.peek(at, 3)).toString()).toBe('ls\n');
    expect(driver.interrupts).toBe(true);
    expect(driver.machine.consoleRoom).toBe(8);
    driver.machine.receive(Buffer.from('0123456789'));
    expect(driver.used(0)).toEqual([{ head: 1, bytes: 8 }]);
    expect(driver.machine.consoleRoom).toBe(0);
  });

  it('leaves typing to the UART while the guest listens there', () => {
    const driver = terminal();
    driver.post(0, [32]);
    const { machine } = driver;
    expect(machine.consoleRoom).toBe(32);
    // The UART's interrupt of received data, by sb a1, 1(a0).
    machine.writeMemory(ramBase, Uint8Array.of(0xa3, 0x00, 0xb5, 0x00));
    driver.store(0x1000_0000n, 1);
    expect(machine.consoleRoom).toBe(16);
    machine.receive(Buffer.from('x'));
    expect(machine.consoleRoom).toBe(15);
    expect(driver.used(0)).toEqual([]);
  });

  it('asking for room changes nothing, however broken the queue is', () => {
    const driver = terminal();
    driver.poke(driver.at(0, 'available') + 2, half(100));
    const before = driver.machine.snapshot();
    expect(driver.machine.consoleRoom).toBe(0);
    expect(driver.machine.snapshot().equals(before)).toBe(true);
  });
});
