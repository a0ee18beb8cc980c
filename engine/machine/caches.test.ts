import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CacheOracle, Hung, tinyHierarchy, tinyRoom } from './caches.test-support';
import type { CacheName, Hierarchy, LineUpset, MessageUpset } from './cache-types';
import { asm, ramBase } from './guest.test-support';
import { Machine } from './machine';

const sd = (rs2: number, rs1: number, offset: number): number =>
  (((offset >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((offset & 31) << 7) | 0x23) >>> 0;

/** A machine with tiny caches and these words at the start of its RAM. */
function cachedMachine(words: readonly number[], hierarchy: Hierarchy = tinyHierarchy, ramBytes = 64 * 1024): Machine {
  const machine = Machine.create({ ramBytes, caches: tinyRoom });
  const data = new Uint8Array(Uint32Array.from(words).buffer);
  machine.load({ entry: ramBase, segments: [{ address: ramBase, data, memoryBytes: data.length }] });
  machine.caches?.set(hierarchy);
  return machine;
}

const addressOf = (line: number): bigint => ramBase + 64n * BigInt(line);

// Lines 64 and up are of another page, which has another memory controller.
const line = fc.oneof(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 64, max: 74 }));
const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const upset = fc.record({ cache: fc.constantFrom<CacheName>('l1d', 'l2'), line, byte: fc.nat(9), keep: fc.constantFrom(0xff, 0), flip: fc.nat(255) });
const message = fc
  .record({ how: fc.constantFrom<MessageUpset['how']>('drop', 'duplicate', 'corrupt', 'corrupt'), hop: fc.constantFrom([0, 1], [1, 0], [1, 2], [2, 1]), bit: fc.nat(70) })
  .map(({ how, hop: [from = 0, to = 0], bit }) => ({ how, from, to, bit }));
const deed = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('load' as const), line }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('store' as const), line, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('device' as const), line, value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('line' as const), upset }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('message' as const), message }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('travel' as const), line, value }) },
);

it('loads, stores, devices, struck lines and lost or wrong messages do what they do to caches with a copy of each line in each', () => {
  const seen = { hung: 0, struck: 0, waited: 0, messages: 0 };
  fc.assert(
    fc.property(fc.array(deed, { minLength: 20, maxLength: 150 }), fc.constantFrom({ sets: 1, ways: 4 }, { sets: 2, ways: 2 }), (deeds, l1d) => {
      const hierarchy = { ...tinyHierarchy, l1d };
      // A load, and a store, in one line of code.
      const machine = cachedMachine([asm.ld(5, 10, 0), sd(6, 10, 0)], hierarchy);
      const { caches } = machine;
      if (!caches) throw new Error('no caches');
      const oracle = new CacheOracle(hierarchy);
      const setLines = (): void => caches.setLines(oracle.lines.map((one) => ({ ...one, line: addressOf(Number(one.line)) })));
      let fetched = false;
      const access = (at: number, stored?: bigint): void => {
        machine.setX(10, addressOf(at));
        if (stored !== undefined) machine.setX(6, stored);
        machine.pc = ramBase + (stored === undefined ? 0n : 4n);
        // Where a fault has met something before the instruction, it is still to come.
        for (const goal = machine.retired + 1; machine.retired < goal; ) if (machine.run(goal) === 'stalled') throw new Hung();
      };
      for (const one of deeds) {
        switch (one.kind) {
          case 'load':
          case 'store': {
            let expected: bigint | undefined;
            let failed = false;
            const before = oracle.lines.length;
            const sent = oracle.messages.length;
            try {
              if (!fetched) oracle.fetch(0);
              fetched = true;
              expected = oracle.access(one.line, one.kind === 'store' ? one.value : undefined);
            } catch (error) {
              if (!(error instanceof Hung)) throw error;
              failed = true;
            }
            const doing = (): void => access(one.line, one.kind === 'store' ? one.value : undefined);
            if (failed) {
              const { retired } = machine;
              expect(doing).toThrow(Hung);
              expect(machine.retired).toBe(retired);
              // And whatever comes.
              expect(machine.run(retired + 10)).toBe('stalled');
              seen.hung++;
              return;
            }
            doing();
            if (one.kind === 'load') expect(machine.getX(5)).toBe(expected);
            const events = caches.take();
            expect(events.filter(({ kind }) => kind === 'line')).toHaveLength(before - oracle.lines.length);
            expect(events.filter(({ kind }) => kind === 'message')).toHaveLength(sent - oracle.messages.length);
            seen.waited += before - oracle.lines.length;
            seen.messages += sent - oracle.messages.length;
            if (events.length > 0) {
              setLines();
              caches.setMessages(oracle.messages);
            }
            break;
          }
          case 'device':
            oracle.write(one.line, one.value);
            machine.writeMemory(addressOf(one.line), new Uint8Array(BigUint64Array.of(one.value).buffer));
            break;
          case 'line': {
            const fault: LineUpset = { ...one.upset, line: BigInt(one.upset.line) };
            const isThere = oracle.strikeNow(fault);
            expect(caches.strikeNow({ ...fault, line: addressOf(one.upset.line) }) !== undefined).toBe(isThere);
            if (isThere) seen.struck++;
            else oracle.lines.push(fault);
            setLines();
            break;
          }
          case 'message':
            oracle.messages.push(one.message);
            caches.setMessages(oracle.messages);
            break;
          case 'travel': {
            // There and back: nothing of it is left.
            const [state, hardware, cycles] = [machine.snapshot(), caches.save(), machine.cycles] as const;
            caches.setMessages([]);
            caches.setLines([]);
            for (let i = 0; i < 5; i++) access(one.line + i, i % 2 === 0 ? one.value : undefined);
            machine.restore(state);
            caches.load(hardware);
            machine.cycles = cycles;
            caches.setMessages(oracle.messages);
            setLines();
            break;
          }
        }
        for (const at of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 64, 65, 66, 67, 68, 69, 70]) {
          const now = new DataView(machine.readMemory(addressOf(at), 8)?.buffer ?? new ArrayBuffer(8)).getBigUint64(0, true);
          if (now !== oracle.seen(at)) throw new Error(`line ${at} after ${JSON.stringify(one, (_, x: unknown) => (typeof x === 'bigint' ? String(x) : x))}: 0x${now.toString(16)} is not 0x${oracle.seen(at).toString(16)}`);
        }
        const { l1d, l2, cycles } = caches.account();
        expect({ l1d, l2, cycles }).toEqual({ ...oracle.counts, cycles: oracle.cycles });
      }
    }),
    { numRuns: 400 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});
