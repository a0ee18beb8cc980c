import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planFor } from './plan.test-support';
import { differenceOf, readRecording, RecordingError, subjectOf, writeRecording, type Recording } from './recording';

const recording = (inputs: Recording['inputs']): Recording => ({
  scenario: { file: 'a/b.covert', text: 'scenario "x" { }', name: 'x' },
  subject: subjectOf(planFor('sort')),
  inputs,
  states: [{ moment: 5, sha256: 'ab' }],
  report: { scenario: 'x' } as Recording['report'],
});

const bytes = fc.uint8Array({ maxLength: 40 });
const inputs = fc.array(fc.record({ moment: fc.nat(), count: fc.nat(), time: fc.nat(), console: bytes, frames: fc.array(bytes, { maxLength: 3 }) }), { maxLength: 5 });

it('reads what it has written', () => {
  fc.assert(fc.property(inputs, (some) => void expect(readRecording(writeRecording(recording(some)))).toEqual(recording(some))));
});

it('refuses what was cut off or changed anywhere, and what is none', () => {
  const file = writeRecording(recording([]));
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const other = Buffer.from(file);
      other[at] = (other[at] ?? 0) ^ change;
      expect(() => readRecording(other)).toThrow(RecordingError);
      expect(() => readRecording(file.subarray(0, at))).toThrow(RecordingError);
    }),
  );
  expect(() => readRecording(Buffer.from('COVERT recording 2 ' + '0'.repeat(64) + '\n'))).toThrow('it is a recording of version 2, and this tool reads version 1');
});

it('knows a plan by all that it is made of, and by nothing else', () => {
  const plan = planFor('sort');
  const same = { ...plan, range: { file: 'elsewhere', line: 1, column: 1, endLine: 1, endColumn: 1 }, guest: { ...plan.guest, path: '/elsewhere' } };
  expect(differenceOf(subjectOf(plan), subjectOf(same))).toBeUndefined();
  expect(differenceOf(subjectOf(plan), subjectOf({ ...plan, seed: 2 }))).toBe('the scenario');
  const image = new Uint8Array(plan.guest.image);
  image[image.length - 1] = 1 ^ (image[image.length - 1] ?? 0);
  expect(differenceOf(subjectOf(plan), subjectOf({ ...plan, guest: { ...plan.guest, image } }))).toBe("the guest's ELF");
});
