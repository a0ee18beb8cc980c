import { describe, expect, it } from 'vitest';
import { Driver, reg } from './driver.test-support';

const source = (entropySeed: number): Driver => Driver.of({ entropySeed }).start();

function draw(driver: Driver, bytes: number): Uint8Array {
  const [at = 0] = driver.post(0, [bytes]);
  driver.notify();
  expect(driver.used()[0]?.bytes).toBe(Math.min(bytes, 4096));
  return driver.peek(at, Math.min(bytes, 4096));
}

describe('the source of random numbers', () => {
  // The generator's published test vector for this seed.
  it('is SplitMix64', () => {
    const driver = source(1234567);
    expect(driver.read(reg.deviceId)).toBe(4);
    const words = new BigUint64Array(draw(driver, 40).slice().buffer);
    expect([...words]).toEqual([
      6457827717110365317n, 3203168211198807973n, 9817491932198370423n, 4593380528125082431n, 16408922859458223821n,
    ]);
  });

  it('gives the same to the same seed, another to another, and goes on where a state left off', () => {
    const driver = source(5);
    const first = draw(driver, 24);
    const snapshot = driver.machine.snapshot();
    const second = draw(driver, 24);
    expect(draw(source(5), 24)).toEqual(first);
    expect(draw(source(6), 24)).not.toEqual(first);
    expect(second).not.toEqual(first);
    driver.machine.restore(snapshot);
    const again = driver.post(0, [24]);
    driver.notify();
    expect(driver.peek(again[0] ?? 0, 24)).toEqual(second);
  });

  it('goes on after a reset of the device, which is no reset of the guest', () => {
    const driver = source(5);
    const first = draw(driver, 8);
    driver.start();
    const fresh = new Driver(driver.machine).start();
    expect(draw(fresh, 8)).not.toEqual(first);
  });

  it('gives less than was asked for rather than work without end', () => {
    expect(draw(source(1), 8192)).toHaveLength(4096);
  });
});
