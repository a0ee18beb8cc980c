import { describe, expect, test } from 'vitest';
import { readSymbols } from './symbols';
import { examples, loaded } from './test/examples';

/** Stacks that only a real run has are held against gdb in test/oracles/symbols. */

describe('a trap', () => {
  const { bytes } = examples.find(({ name }) => name === 'ticker')!;
  const symbols = readSymbols(bytes);

  test('the stack goes on from its handler to the interrupted function', () => {
    const entry = symbols.find('trap_entry')!;
    const interrupted = symbols.find('main')!.address;
    const reader = { ...loaded(bytes, entry.address), x: () => 0x80004000n, csr: (number: number) => (number === 0x341 ? interrupted : undefined) };
    const frames = symbols.unwind(reader);
    expect(frames.slice(0, 2).map(({ function: name, pc }) => ({ name, pc }))).toEqual([
      { name: 'trap_entry', pc: entry.address },
      { name: 'main', pc: interrupted },
    ]);
    // The interrupted instruction, not the one before it, says where main is.
    expect(frames[1]!.location).toEqual(symbols.lineAt(interrupted)!.location);
  });
});

describe('a jump to nowhere', () => {
  const { bytes } = examples.find(({ name }) => name === 'sort')!;
  const symbols = readSymbols(bytes);

  test('the stack goes on with the function that jumped', () => {
    const main = symbols.find('main')!;
    const caller = symbols.afterPrologue(main) + 4n;
    const reader = { ...loaded(bytes, 0n), x: (index: number) => (index === 1 ? caller : index === 2 ? 0x80004000n : 0n) };
    const frames = symbols.unwind(reader);
    expect(frames[0]).toEqual({ pc: 0n, cfa: 0x80004000n, inlined: false });
    expect(frames.map(({ function: name }) => name)).toContain('main');
  });
});

test('no more frames than asked for', () => {
  const { bytes } = examples.find(({ name }) => name === 'sort')!;
  const symbols = readSymbols(bytes);
  // A stack full of one return address, into a function that calls itself.
  const recursive = symbols.find('merge_sort')!;
  const inside = recursive.address + BigInt(recursive.size) / 2n;
  const code = loaded(bytes, inside);
  const reader = {
    ...code,
    x: () => 0x80008000n,
    read: (address: bigint, size: number) => (address >= 0x80008000n ? Uint8Array.from({ length: size }, (_, index) => Number((inside >> (8n * BigInt(index % 8))) & 0xffn)) : code.read(address, size)),
  };
  expect(symbols.unwind(reader, 5)).toHaveLength(5);
  expect(symbols.unwind(reader)).toHaveLength(256);
});
