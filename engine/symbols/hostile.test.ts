import { expect, test } from 'vitest';
import { AT, FORM, TAG } from './dwarf';
import { inCode, readElfFile } from './elf';
import { readLineProgram } from './line-program';
import { Reader, stringAt } from './reader';
import { readSymbols } from './symbols';
import { makeElf, type Section } from './test/make-elf';
import type { FrameReader, Variable } from './types';

// Files that nobody's compiler writes: small, and asking for far more than they are.

const reader: FrameReader = { pc: 0x8000_0000n, x: () => 0n, f: () => 0n, read: (_, bytes) => new Uint8Array(bytes) };

function elfWith(sections: Section[]): Uint8Array {
  return makeElf({ segments: [{ address: 0x8000_0000n, data: new Uint8Array(16), flags: 5 }], sections });
}

const debug = (name: string, bytes: Iterable<number>): Section => ({ name, type: 1, flags: 0, data: Uint8Array.from(bytes) });
const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const wide = (value: bigint): number[] => [...new Uint8Array(BigUint64Array.of(value).buffer)];

/** A unit of DWARF 4 with what stands in it, and the abbreviations that the numbers in front of its entries mean. */
function unit(entries: readonly number[], abbreviations: readonly { tag: number; children: boolean; attributes: readonly [number, number][] }[]): Section[] {
  const table = abbreviations.flatMap(({ tag, children, attributes }, i) => [i + 1, tag, children ? 1 : 0, ...attributes.flat(), 0, 0]);
  return [debug('.debug_abbrev', [...table, 0]), debug('.debug_info', [...word(7 + entries.length), 4, 0, ...word(0), 8, ...entries])];
}

const compileUnit = { tag: TAG.compileUnit, children: true, attributes: [] };

test('an array of any number of dimensions, each of any size', () => {
  const [arrayAt, charAt] = [12, 12 + 1 + 4 + 40 * 9 + 1];
  const entries = [
    1,
    ...[2, ...word(charAt)], ...Array.from({ length: 40 }, () => [3, ...wide(1n << 40n)]).flat(), 0,
    ...[4, 1, 8, 99, 104, 97, 114, 0],
    ...[5, 97, 0, ...word(arrayAt), 9, 3, ...wide(0x8000_0000n)],
    0,
  ];
  const symbols = readSymbols(
    elfWith(
      unit(entries, [
        compileUnit,
        { tag: TAG.arrayType, children: true, attributes: [[AT.type, FORM.ref4]] },
        { tag: TAG.subrangeType, children: false, attributes: [[AT.count, FORM.data8]] },
        { tag: TAG.baseType, children: false, attributes: [[AT.byteSize, FORM.data1], [AT.encoding, FORM.data1], [AT.name, FORM.string]] },
        { tag: TAG.variable, children: false, attributes: [[AT.name, FORM.string], [AT.type, FORM.ref4], [AT.location, FORM.exprloc]] },
      ]),
    ),
  );
  const [variable] = symbols.globals(reader);
  expect(variable).toMatchObject({ name: 'a', value: '{…}' });
  expect(variable?.type).toMatch(/^char (\[1099511627776\]){40}$/);
  const visit = (one: Variable, depth: number): void => {
    if (depth > 0) one.children?.().slice(0, 2).forEach((child) => visit(child, depth - 1));
  };
  if (variable) visit(variable, 10);
});

test('every offset of a long string is the name of a variable', () => {
  const count = 20_000;
  const entries = [1, ...Array.from({ length: count }, (_, i) => [2, ...word(i), 9, 3, ...wide(0x8000_0000n)]).flat(), 0];
  const abbreviations = [compileUnit, { tag: TAG.variable, children: false, attributes: [[AT.name, FORM.strp], [AT.location, FORM.exprloc]] as [number, number][] }];
  const symbols = readSymbols(elfWith([...unit(entries, abbreviations), debug('.debug_str', new Uint8Array(count).fill(0x61))]));
  const letters = symbols.globals(reader).reduce((sum, { name }) => sum + name.length, 0);
  expect(letters).toBeLessThan(20 * count);
});

test('every offset of a long string is the name of a symbol', () => {
  const count = 20_000;
  const table = Array.from({ length: count }, (_, i) => [...word(i), 0x12, 0, 1, 0, ...wide(0x8000_0000n), ...wide(4n)]).flat();
  const symbols = readSymbols(
    elfWith([
      { name: '.text', type: 1, flags: 6, address: 0x8000_0000n, data: new Uint8Array(16) },
      { name: '.symtab', type: 2, flags: 0, data: Uint8Array.from(table), link: 3 },
      debug('.strtab', new Uint8Array(count).fill(0x61)),
    ]),
  );
  expect(symbols.symbols.length).toBeGreaterThan(0);
  expect(symbols.symbols.reduce((sum, { name }) => sum + name.length, 0)).toBeLessThan(20 * count);
});

test('names that end in one another are whole, asked for in any order and again', () => {
  const section = new TextEncoder().encode('\0main_loop\0');
  for (const offset of [6, 1, 6, 1]) expect(stringAt(section, offset)).toBe('main_loop'.slice(offset - 1));
});

test('any number of files in one long directory', () => {
  const files = 20_000;
  // Version 4: lengths, then its only directory, then files of two letters with directory 1.
  const tables = [...new Uint8Array(4000).fill(0x64), 0, 0, ...Array.from({ length: files }, (_, i) => [97 + (i % 26), 98, 0, 1, 0, 0]).flat(), 0];
  const head = [1, 1, 1, 0xfb, 14, 1];
  const body = [4, 0, ...word(head.length + tables.length), ...head, ...tables];
  const elf = readElfFile(elfWith([]));
  const { files: paths } = readLineProgram(new Reader(Uint8Array.from([...word(body.length), ...body]), '.debug_line'), elf, '/build');
  expect(paths).toHaveLength(files + 1);
  expect(paths[1]).toBe(`/build/${'d'.repeat(4000)}/ab`);
  expect(paths.reduce((sum, path) => sum + path.length, 0)).toBeLessThan(70 * body.length);
});

test('sections of instructions may overlap, and be many', () => {
  const code = (address: bigint, bytes: number): Section => ({ name: '.text', type: 1, flags: 6, address, data: new Uint8Array(bytes) });
  const elf = readElfFile(elfWith([code(0x3000n, 16), code(0x1000n, 64), code(0x1010n, 8), code(0x2000n, 4), code(0x1040n, 4), code(0x5000n, 0)]));
  const inside = [0xfffn, 0x1000n, 0x103fn, 0x1043n, 0x1044n, 0x2003n, 0x2004n, 0x300fn, 0x3010n, 0x5000n].filter((address) => inCode(elf, address));
  expect(inside).toEqual([0x1000n, 0x103fn, 0x1043n, 0x2003n, 0x300fn]);
});
