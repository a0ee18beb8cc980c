import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSymbols } from '../../../engine/symbols/symbols';
import { loaded } from '../../../engine/symbols/test/examples';
import { compileGuests, guestNames, named, noCompiler } from './guests';
import type { Variable } from '../../../engine/symbols/types';

describe.skipIf(noCompiler)(named('globals of the compiled guests', noCompiler), () => {
  let compiled: ReturnType<typeof compileGuests>;
  const globals = new Map<string, Map<string, Variable>>();

  beforeAll(() => {
    compiled = compileGuests();
    for (const { name, path } of compiled.guests) {
      const bytes = readFileSync(path);
      const symbols = readSymbols(bytes);
      globals.set(name, new Map(symbols.globals(loaded(bytes, symbols.find('main')!.address)).map((variable) => [variable.name, variable])));
    }
  }, 120_000);
  afterAll(() => compiled.remove());

  test.each(guestNames)('%s: types and values', (name) => {
    const found = globals.get(name)!;
    const shown = Object.fromEntries([...found].map(([key, { type, size, value }]) => [key, `${type} (${size}) = ${value}`]));
    expect(shown).toMatchObject({
      nodes: 'node_t [4] (160) = {…}',
      shade: 'enum color (4) = GREEN',
      table: 'uint32_t [16] (64) = {…}',
      grid: 'short int [3][4] (24) = {…}',
      callback: 'int (*)(int) (8) = 0x0',
      byte: 'uint8_t (1) = 200',
      truth: '_Bool (1) = true',
      big: 'int [1000] (4000) = {…}',
      samples: 'volatile struct pair [3] (48) = {…}',
      sink: 'volatile uint32_t (4) = 0',
    });
    expect(shown['greeting']).toMatch(/^const char \* \(8\) = 0x[0-9a-f]+ "hello"$/);
  });

  test.each(guestNames)('%s: members, bit-fields, unions and what a pointer leads to', (name) => {
    const nodes = globals.get(name)!.get('nodes')!.children!();
    expect(nodes.map(({ name: element }) => element)).toEqual(['[0]', '[1]', '[2]', '[3]']);
    const [key, flag, sign, next, text, weight, union] = nodes[0]!.children!();
    expect(nodes[1]!.address).toBe(nodes[0]!.address! + 40n);
    expect(key).toMatchObject({ name: 'key', type: 'int', size: 4, value: '1', address: nodes[0]!.address });
    expect(flag).toEqual({ name: 'flag', type: 'unsigned int : 3', value: '2' });
    expect(sign).toEqual({ name: 'sign', type: 'int : 5', value: '-3' });
    expect(next).toMatchObject({ name: 'next', type: 'node_t *', value: `0x${nodes[1]!.address!.toString(16)} <nodes+40>` });
    expect(text).toMatchObject({ name: 'name', type: 'char [8]', value: '"one"' });
    expect(weight).toMatchObject({ name: 'weight', type: 'double', value: '1.5' });
    expect(union!.children!().map(({ name: member, value }) => `${member} ${value}`)).toEqual(['real 2.5', `raw ${0x40200000}`]);
    const [target] = next!.children!();
    expect(target!.children!().map(({ value }) => value).slice(0, 3)).toEqual(['5', '7', '15']);
    expect(nodes[2]!.children!()[4]!.value).toBe('"three\\n"');
    expect(nodes[2]!.children!()[6]!.children!()[0]!.value).toBe('0.1');
    expect(nodes[3]!.children!()[3]).not.toHaveProperty('children'); // the null pointer
  });

  test.each(guestNames)('%s: arrays of arrays, and long ones in groups', (name) => {
    const rows = globals.get(name)!.get('grid')!.children!();
    expect(rows.map(({ type, value }) => `${type} ${value}`)).toEqual(new Array(3).fill('short int [4] {…}'));
    expect(rows[2]!.children!().map(({ value }) => value)).toEqual(['10', '20', '30', '40']);
    const groups = globals.get(name)!.get('big')!.children!();
    expect(groups.map((group) => group.name)).toEqual(Array.from({ length: 10 }, (_, index) => `[${100 * index}..${100 * index + 99}]`));
    const elements = groups[9]!.children!();
    expect(elements.at(-1)).toMatchObject({ name: '[999]', type: 'int', value: '0' });
  });
});
