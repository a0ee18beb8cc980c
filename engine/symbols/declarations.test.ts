import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSymbols } from './symbols';
import { examples, sourceLines } from './test/examples';

const folder = path.resolve(import.meta.dirname, '../../examples');

const sources = new Map(readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => [path.basename(name), path.join(folder, name)]));

/** The line of an example's own source, or of the common runtime, that a place names. */
function textAt({ file, line }: { file: string; line: number }): string {
  return readFileSync(sources.get(path.basename(file)) ?? file, 'utf8').split('\n')[line - 1] ?? '';
}

describe.each(examples)('$name', ({ bytes }) => {
  const symbols = readSymbols(bytes);

  test('each function and variable of a C file is declared in a line that has its name', () => {
    let found = 0;
    for (const { name, kind, address } of symbols.symbols) {
      // What the linker script and the assembly file name is declared nowhere.
      const isOfC = kind === 'function' ? symbols.lineAt(address)?.location.file.endsWith('.c') : symbols.globals({ pc: 0n, x: () => 0n, f: () => 0n, read: () => undefined }).some((each) => each.address === address);
      if (kind === 'other' || !isOfC) continue;
      const place = symbols.declarationOf(name);
      expect(place && textAt(place), name).toMatch(new RegExp(`\\b${name}\\b`));
      found++;
    }
    expect(found).toBeGreaterThan(5);
  });

  test('what is not there, or has no type, is declared nowhere', () => {
    expect(symbols.declarationOf('no such name')).toBeUndefined();
    expect(symbols.declarationOf('main', ['member'])).toBeUndefined();
    expect(symbols.typeDeclarationOf('no such name')).toBeUndefined();
  });
});

describe('structures', () => {
  const { bytes } = examples.find(({ name }) => name === 'sort')!;
  const symbols = readSymbols(bytes);
  const lines = sourceLines('sort');

  test('members lead on through arrays and pointers', () => {
    expect(lines[symbols.declarationOf('by_name', ['key'])!.line]).toBe('  uint32_t key;');
    expect(lines[symbols.declarationOf('by_name', ['next', 'next', 'name'])!.line]).toBe('  char name[NAME_BYTES];');
    expect(symbols.declarationOf('by_name', ['key', 'key'])).toBeUndefined();
    expect(symbols.declarationOf('by_name', ['missing'])).toBeUndefined();
  });

  test('a type is the structure behind arrays and pointers', () => {
    expect(lines[symbols.typeDeclarationOf('by_name')!.line]).toBe('struct record {');
    expect(lines[symbols.typeDeclarationOf('by_name', ['next'])!.line]).toBe('struct record {');
  });

  test('of a number it is the last typedef, if there is one', () => {
    expect(symbols.typeDeclarationOf('by_name', ['key'])?.file).toMatch(/stdint/);
    expect(symbols.typeDeclarationOf('by_name', ['name'])).toBeUndefined();
  });
});
