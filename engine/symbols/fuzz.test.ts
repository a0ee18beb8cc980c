import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readElfFile } from './elf';
import { readSymbols } from './symbols';
import { examples } from './test/examples';
import { ElfError, type FrameReader, type Variable } from './types';

const { bytes: sound } = examples.find(({ name }) => name === 'sort')!;
const interesting = readElfFile(sound).sections.filter(({ name }) => /^\.(debug|symtab|strtab)/.test(name));

/** Asks for everything that an image can be asked for. Only reading it may fail, and only so. */
function exercise(bytes: Uint8Array): void {
  let symbols;
  try {
    symbols = readSymbols(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(ElfError);
    expect((error as Error).message).toMatch(/^[^\n]+$/);
    return;
  }
  const main = symbols.find('main');
  for (const symbol of symbols.symbols.slice(0, 50)) {
    symbols.at(symbol.address);
    symbols.afterPrologue(symbol);
    const reader = anything(symbol.address + 8n);
    const frames = symbols.unwind(reader, 10);
    expect(frames.length).toBeGreaterThan(0);
    for (const index of frames.keys()) symbols.variables(reader, index).forEach((variable) => visit(variable, 2));
  }
  symbols.globals(anything(main?.address ?? 0n)).forEach((variable) => visit(variable, 2));
  for (const file of symbols.files.slice(0, 5)) {
    for (let line = 1; line < 60; line += 7) {
      symbols.breakpointAddresses(file, line);
      symbols.rangesOf(file, line);
      symbols.nextLineWithCode(file, line);
    }
  }
  symbols.nearest('mian');
}

/** A machine whose registers point into its stack and whose memory holds code addresses. */
function anything(pc: bigint): FrameReader {
  return {
    pc,
    x: (index) => 0x80010000n + BigInt(8 * index),
    f: () => 0n,
    read: (address, size) => Uint8Array.from({ length: size }, (_, index) => Number(((pc + 4n) >> (8n * ((address + BigInt(index)) % 8n))) & 0xffn)),
  };
}

function visit(variable: Variable, depth: number): void {
  expect(typeof variable.value).toBe('string');
  if (depth > 0) variable.children?.().slice(0, 20).forEach((child) => visit(child, depth - 1));
}

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
