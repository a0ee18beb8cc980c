import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Output } from '../machine/types';
import { ReleaseLog } from './release-log';

const outputs = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('console' as const), value: fc.nat(255) }),
      fc.record({ kind: fc.constantFrom('disk' as const, 'net' as const), value: fc.nat(1000), data: fc.uint8Array({ maxLength: 8 }) }),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) => list.map((output, sequence) => ({ ...output, sequence }) satisfies Pick<Output, 'sequence' | 'kind' | 'value' | 'data'>));

it('a log that has forgotten its beginning says of the rest what a whole one says', () => {
  fc.assert(
    fc.property(outputs, fc.array(fc.nat(), { maxLength: 6 }), (list, cuts) => {
      const whole = new ReleaseLog();
      const short = new ReleaseLog();
      for (const output of list) {
        whole.write(output);
        short.write(output);
        const cut = (cuts[output.sequence % Math.max(1, cuts.length)] ?? 0) % (output.sequence + 2);
        if (output.sequence % 5 === 4) short.forget(cut);
      }
      for (const kind of ['disk', 'net'] as const) expect(short.data(kind, list.length)).toEqual(whole.data(kind, list.length));
      expect(short.console(list.length)).toEqual(whole.console(list.length, short.first));
      for (const { sequence } of list.slice(short.first)) expect(short.at(sequence)).toEqual(whole.at(sequence));
      for (const { sequence } of list.slice(0, short.first)) expect(short.at(sequence)).toBeUndefined();
    }),
  );
});

it('what has been forgotten is not kept', () => {
  const log = new ReleaseLog();
  const data = Uint8Array.of(1, 2, 3);
  for (let sequence = 0; sequence < 5000; sequence++) {
    log.write({ sequence, kind: 'disk', value: sequence, data });
    log.forget(sequence - 10);
  }
  expect(log.first).toBe(4989);
  expect(log.at(4988)).toBeUndefined();
  expect(log.at(4989)).toMatchObject({ kind: 'disk', value: 4989, bytes: 3 });
  expect(log.data('disk', 5000)).toMatchObject({ outputs: 5000, bytes: 15_000 });
});
