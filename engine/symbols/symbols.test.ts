import { describe, expect, test } from 'vitest';
import { readElf } from './elf';
import { readSymbols } from './symbols';
import { examples, loaded, sourceLines } from './test/examples';
import type { Variable } from './types';

describe.each(examples)('$name', ({ name, bytes }) => {
  const symbols = readSymbols(bytes);

  test('is read at once, and its debug information when asked for', () => {
    const start = performance.now();
    const fresh = readSymbols(bytes);
    const read = performance.now() - start;
    expect(fresh.lineAt(fresh.find('main')!.address)).toBeDefined();
    const asked = performance.now() - start;
    // A few milliseconds on a free machine; the bounds leave room for a busy one.
    expect(read).toBeLessThan(50);
    expect(asked).toBeLessThan(200);
  });

  test('begins where the image does', () => {
    const { entry } = readElf(bytes);
    expect(symbols.at(entry)).toMatchObject({ name: '_start', address: entry, kind: 'function' });
    expect(symbols.at(0n)).toBeUndefined();
    expect(symbols.find('no such name')).toBeUndefined();
  });

  test('every symbol is found by its name and every function by its addresses', () => {
    for (const symbol of symbols.symbols) {
      expect(symbols.find(symbol.name)?.name).toBe(symbol.name);
      if (symbol.kind !== 'function') continue;
      expect(symbols.at(symbol.address)).toEqual(symbol);
      expect(symbols.at(symbol.address + BigInt(symbol.size) - 1n)?.address).toBe(symbol.address);
    }
  });

  test('a breakpoint on a line stands on that line, and lines without code lead to the next', () => {
    const lines = sourceLines(name);
    let stops = 0;
    for (let line = 1; line < lines.length; line++) {
      const next = symbols.nextLineWithCode(`${name}.c`, line);
      const addresses = symbols.breakpointAddresses(`${name}.c`, line);
      expect(addresses.length > 0).toBe(next === line);
      if (next !== undefined) expect(next).toBeGreaterThanOrEqual(line);
      for (const address of addresses) expect(symbols.lineAt(address)?.location.file).toMatch(/\.[ch]$/);
      stops += addresses.length;
    }
    expect(stops).toBeGreaterThan(10);
    expect(symbols.nextLineWithCode(`${name}.c`, lines.length + 1)).toBeUndefined();
    expect(symbols.breakpointAddresses('no such file.c', 1)).toEqual([]);
  });

  test('files are found by any trailing part of their path, and by a path that leads to them', () => {
    const main = symbols.lineAt(symbols.afterPrologue(symbols.find('main')!))!;
    const { file, line } = main.location;
    expect(symbols.files).toContain(file);
    const ranges = symbols.rangesOf(file, line);
    expect(ranges).toContainEqual(main);
    expect(symbols.rangesOf(`${name}.c`, line)).toEqual(ranges);
    expect(symbols.rangesOf(`./${name}.c`, line)).toEqual(ranges);
    if (!file.startsWith('/')) expect(symbols.rangesOf(`/home/user/examples/${name}/${name}.c`, line)).toEqual(ranges);
    expect(symbols.rangesOf(`x${name}.c`, line)).toEqual([]);
  });

  test('a function breakpoint stands after the prologue, in the function', () => {
    for (const symbol of symbols.symbols.filter(({ kind, size }) => kind === 'function' && size > 0)) {
      const after = symbols.afterPrologue(symbol);
      expect(after >= symbol.address && after < symbol.address + BigInt(symbol.size)).toBe(true);
    }
  });

  test('globals are as the file initialises them', () => {
    const reader = loaded(bytes, symbols.find('_start')!.address);
    const globals = symbols.globals(reader);
    expect(globals.length).toBeGreaterThan(0);
    for (const variable of globals) {
      const symbol = symbols.at(variable.address!);
      expect(symbol).toMatchObject({ address: variable.address, size: variable.size });
      visit(variable, 2);
    }
  });

  test('offers what a misspelt name may have meant', () => {
    expect(symbols.nearest('mian')[0]).toBe('main');
    expect(symbols.nearest('main', 1)).toHaveLength(1);
  });

  test('the outermost frame is the only one where nothing was called', () => {
    const frames = symbols.unwind(loaded(bytes, symbols.find('_start')!.address));
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({ function: '_start', inlined: false });
  });
});

/** Every value and every child can be read, to a depth. */
function visit(variable: Variable, depth: number): void {
  expect(variable.value).not.toBe('');
  expect(variable.type).not.toBe('');
  if (depth > 0) variable.children?.().forEach((child) => visit(child, depth - 1));
}
