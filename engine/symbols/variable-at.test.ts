import { describe, expect, test } from 'vitest';
import { readSymbols } from './symbols';
import { examples } from './test/examples';
import { variableAt, variableFrom } from './variable-at';
import type { Symbols, Variable } from './types';

const nothing = { pc: 0n, x: () => 0n, f: () => 0n, read: () => undefined };

function every(variables: readonly Variable[], path = ''): { path: string; variable: Variable }[] {
  return variables.flatMap((variable) => {
    const isGroup = variable.name.includes('..');
    const own = path === '' ? variable.name : isGroup ? path : `${path}${variable.name.startsWith('[') ? '' : '.'}${variable.name}`;
    const inner = variable.children?.() ?? [];
    return [...(inner.length === 0 && variable.address !== undefined ? [{ path: own, variable }] : []), ...every(inner, own)];
  });
}

describe.each(examples)('$name', ({ bytes }) => {
  test('each byte of each element and member has the name that leads to it', () => {
    const symbols = readSymbols(bytes);
    const parts = every(symbols.globals(nothing));
    expect(parts.length).toBeGreaterThan(0);
    // Of long arrays the first ones, the last one, and those around the borders of groups.
    const some = parts.filter(({ path }, i) => i % 97 < 3 || /\[\d*(99|00)\]/.test(path) || parts[i + 1]?.path.split('[')[0] !== path.split('[')[0]);
    for (const { path, variable } of some) {
      const last = (variable.address ?? 0n) + BigInt((variable.size ?? 1) - 1);
      expect([variableAt(symbols, variable.address ?? 0n), variableAt(symbols, last)]).toEqual([path, path]);
    }
    expect(variableAt(symbols, 0x10n)).toBeUndefined();
    for (const { path, variable } of some) {
      // Where several parts begin at one place it is the whole of them.
      const from = variableFrom(symbols, variable.address ?? 0n);
      expect(from !== undefined && path.startsWith(from), `${path} from ${from}`).toBe(true);
      if ((variable.size ?? 1) > 1) expect(variableFrom(symbols, (variable.address ?? 0n) + 1n) ?? '').not.toBe(path);
    }
  });
});

test('without debug information it is the symbol and how far in', () => {
  const symbols: Pick<Symbols, 'globals' | 'at'> = { globals: () => [], at: () => ({ name: 'block', address: 0x8000_1000n, size: 16, kind: 'object' }) };
  expect(['0x80001000', '0x8000100f', '0x80001010'].map((address) => variableAt(symbols as Symbols, BigInt(address)))).toEqual(['block', 'block + 0xf', undefined]);
});
