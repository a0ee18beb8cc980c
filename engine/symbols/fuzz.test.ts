import fc from 'fast-check';
import { test } from 'vitest';
import { readElfFile } from './elf';
import { examples } from './test/examples';
import { exercise } from './test/exercise';

// Only reading an image may fail, and only so: `exercise` throws for all else.
const { bytes: sound } = examples.find(({ name }) => name === 'sort')!;
const interesting = readElfFile(sound).sections.filter(({ name }) => /^\.(debug|symtab|strtab)/.test(name));

test('bytes that were changed anywhere', () => {
  const change = fc.record({ at: fc.nat(sound.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
      const bytes = Uint8Array.from(sound);
      for (const { at, value } of changes) bytes[at] = value;
      exercise(bytes);
    }),
    { numRuns: 25 },
  );
}, 120_000);

test.each(interesting)('bytes that were changed in $name', (section) => {
  const start = section.raw.byteOffset - sound.byteOffset;
  const change = fc.record({ at: fc.nat(Math.max(section.size - 1, 0)), value: fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff, 0x10) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
      const bytes = Uint8Array.from(sound);
      for (const { at, value } of changes) bytes[start + at] = value;
      exercise(bytes);
    }),
    { numRuns: 8 },
  );
}, 120_000);

test.each(interesting)('$name full of noise', (section) => {
  const start = section.raw.byteOffset - sound.byteOffset;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: section.size, maxLength: section.size }), (noise) => {
      const bytes = Uint8Array.from(sound);
      bytes.set(noise, start);
      exercise(bytes);
    }),
    { numRuns: 2 },
  );
}, 120_000);

test('any bytes behind a sound header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 400 }), (rest) => {
      const bytes = new Uint8Array(64 + rest.length);
      bytes.set(sound.subarray(0, 64));
      bytes.set(rest, 64);
      exercise(bytes);
    }),
    { numRuns: 200 },
  );
});
