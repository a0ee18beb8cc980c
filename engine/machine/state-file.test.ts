import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readElf } from '../symbols/elf';
import { at, stateAt } from '../core/layout';
import { Machine } from './machine';
import { MachineSnapshot } from './snapshot';
import { noImages, readState, StateFileError, writeState, type StateFile } from './state-file';

const image = readElf(readFileSync(resolve(import.meta.dirname, '../../examples/ticker/ticker.elf')));

function started(retired: number): Machine {
  const machine = Machine.create({ ramBytes: 16 << 20, entropySeed: 5 });
  machine.load(image);
  machine.run(retired);
  return machine;
}

const first = started(0).snapshot();
const fileOf = (snapshot: MachineSnapshot): StateFile => ({ snapshot, start: first, tohost: 0n, readOnly: [], writable: [], entropy: true, console: false, mac: undefined });

describe('a state in a file', () => {
  test('goes on as the machine that wrote it does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 100_000 }), (first, more) => {
        const machine = started(first);
        const copy = Machine.fromState(machine.save());
        expect(copy.snapshot().hash()).toBe(machine.snapshot().hash());
        machine.run(first + more);
        copy.run(first + more);
        expect(copy.snapshot().hash()).toBe(machine.snapshot().hash());
      }),
      { numRuns: 20 },
    );
  });

  test('equal pages are stored once, and empty ones not at all', () => {
    const machine = started(1000);
    const before = machine.save().length;
    const page = Uint8Array.from({ length: 4096 }, (_, i) => (i * i * 7919) >> 3);
    for (let i = 0; i < 1000; i++) machine.writeMemory(0x80400000n + BigInt(i * 4096), page);
    expect(machine.save().length).toBeLessThan(before + 4096 + 1000 * 8);
    expect(Machine.fromState(machine.save()).readMemory(0x80400000n + 999n * 4096n, 4096)).toEqual(page);
  });

  test('every cut and every changed bit is refused', () => {
    const file = started(5000).save();
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(7), (at, bit) => {
        expect(() => readState(file.subarray(0, at), noImages)).toThrow(StateFileError);
        const changed = file.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(() => readState(changed, noImages)).toThrow(StateFileError);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['of more harts', at.harts, 2n],
    ['in the turn of a hart that is not there', at.hart, 1n],
    ['with more in the FIFO than that holds', at.uartCount, 17n],
    ['with more instructions than can be counted', at.retired, 2n ** 60n],
    ['that ended in no known way', at.exited, 2n],
    ['with an odd pc', at.pc, 0x8000_0001n],
    ['with something in x0', at.x, 1n],
    ['with something where nothing stands', stateAt + 0xb00, 1n],
    ['with something in the bank of a hart that is not there', stateAt + 0x1400, 1n],
  ])('no machine is in a state %s', (_, place, value) => {
    const snapshot = started(5000).snapshot();
    const state = snapshot.state.slice();
    new DataView(state.buffer).setBigUint64(place - stateAt, value, true);
    const file = writeState(fileOf(new MachineSnapshot(state, snapshot.pages, snapshot.ramBytes, snapshot.harts)));
    expect(() => readState(file, noImages)).toThrow('its state makes no sense');
  });

  test('a header with a right sum may say anything, and be followed by anything', () => {
    const any = fc.uint8Array({ maxLength: 3000 });
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(20), fc.constant(4096), fc.constant(0x8000_0000), fc.nat(0xffff_ffff)), { minLength: 9, maxLength: 9 }), any, fc.boolean(), (words, body, packs) => {
        const header = Buffer.alloc(88);
        header.write('COVERTST');
        header.writeUInt32LE(2, 8);
        words.forEach((word, i) => header.writeUInt32LE(word, 12 + i * 4));
        const rest = packs ? deflateRawSync(body) : body;
        createHash('sha256').update(header.subarray(0, 56)).update(rest).digest().copy(header, 56);
        expect(() => readState(Buffer.concat([header, rest]), noImages)).toThrow(StateFileError);
      }),
    );
  });

  test('a state block with a right sum may hold anything: it is refused, or the machine runs', () => {
    const { state, pages, ramBytes, harts } = started(5000).snapshot();
    const word = fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constant((1n << 64n) - 1n));
    const place = fc.oneof(fc.nat(0xa0), fc.nat(state.length / 8 - 1), fc.constantFrom(...[at.retired, at.harts, at.hart].map((address) => (address - stateAt) / 8)));
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(place, word), { minLength: 1, maxLength: 3 }), (words) => {
        const block = state.slice();
        for (const [index, value] of words) new DataView(block.buffer).setBigUint64(index * 8, value, true);
        const file = writeState(fileOf(new MachineSnapshot(block, pages, ramBytes, harts)));
        try {
          const machine = Machine.fromState(file);
          machine.run(machine.retired + 1000);
          machine.snapshot().hash();
        } catch (error) {
          expect(error).toBeInstanceOf(StateFileError);
          refused++;
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
