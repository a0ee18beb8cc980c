import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSymbols } from '../../../engine/symbols/symbols';
import { noGdb, readerOf, record, type GdbFrame, type Leaves, type Stop } from './gdb';
import { binutils, compileGuests, guestNames, named, noCompiler } from './guests';
import type { Frame, FrameReader, Symbols, Variable } from '../../../engine/symbols/types';

const reason = noCompiler ?? noGdb;
const enumerators: Record<string, bigint> = { RED: 0n, GREEN: 5n, BLUE: 6n, NEGATIVE: -2n };

/** Enough for the guest to come by every function; breakpoints on every third instruction meet prologues and epilogues too. */
const STOPS = 120;
const EVERY = 3;

describe.skipIf(reason)(named('frames and variables against gdb', reason), () => {
  const recorded = new Map<string, { symbols: Symbols; stripped: Symbols; stops: Stop[] }>();
  let remove = (): void => undefined;

  beforeAll(async () => {
    const compiled = compileGuests();
    remove = compiled.remove;
    for (const { name, path, bytes } of compiled.guests) {
      const without = `${path}.stripped`;
      binutils('objcopy', ['--strip-debug', '--remove-section=.debug_frame', '--remove-section=.eh_frame', path, without]);
      const stripped = readSymbols(readFileSync(without));
      recorded.set(name, { symbols: readSymbols(bytes), stripped, stops: await record(path, STOPS, instructions(path)) });
    }
  }, 300_000);

  afterAll(() => remove());

  test.each(guestNames)('%s: frames', (name) => {
    const { symbols, stops } = recorded.get(name)!;
    let deepest = 0;
    stops.forEach((stop, index) => {
      const reader = readerOf(stop);
      const mine = shown(symbols.unwind(reader), stop.frames);
      expect(mine.map(describeFrame), `stop ${index} at 0x${reader.pc.toString(16)}`).toEqual(stop.frames.map(describeGdbFrame));
      deepest = Math.max(deepest, mine.length);
    });
    expect(deepest).toBeGreaterThanOrEqual(4);
  });

  test.each(guestNames)('%s: callers without debug information, by prologues', (name) => {
    const { stripped, stops } = recorded.get(name)!;
    for (const stop of stops) {
      const mine = stripped.unwind(readerOf(stop)).map(({ pc }) => `0x${pc.toString(16)}`);
      expect(mine).toEqual(stop.frames.filter(({ inlined }) => !inlined).map(({ pc }) => pc));
    }
  });

  test.each(guestNames)('%s: variables', (name) => {
    const { symbols, stops } = recorded.get(name)!;
    let compared = 0;
    for (const stop of stops) {
      const reader = readerOf(stop);
      const skipped = symbols.unwind(reader).length - stop.frames.length;
      stop.frames.forEach((frame, index) => {
        compared += compareVariables(symbols, reader, skipped + index, frame, index > 0);
      });
    }
    expect(compared).toBeGreaterThan(500);
  });
});

/** Addresses of some of the guest's instructions. */
function instructions(path: string): bigint[] {
  const all = [...binutils('objdump', ['-d', path]).matchAll(/^\s*([0-9a-f]+):\t/gm)].map(([, address]) => BigInt(`0x${address}`));
  return all.filter((_, index) => index % EVERY === 0);
}

/** At the first instruction of an inlined copy gdb shows only its caller, until it is stepped in. */
function shown(mine: Frame[], theirs: readonly GdbFrame[]): Frame[] {
  const extra = mine.length - theirs.length;
  return extra > 0 && mine.slice(0, extra).every(({ inlined }) => inlined) ? mine.slice(extra) : mine;
}

function describeFrame(frame: Frame, index: number): string {
  return spell(frame.function, frame.inlined, `0x${frame.pc.toString(16)}`, frame.location?.file, frame.location?.line, index);
}

function describeGdbFrame(frame: GdbFrame, index: number): string {
  return spell(frame.function, frame.inlined, frame.pc, frame.file, frame.line, index);
}

/** Of several rows at the innermost frame's address gdb takes another than binutils do, who are the oracle for lines; see lines.test.ts. */
function spell(name: string | null | undefined, inlined: boolean, pc: string, file: string | null | undefined, line: number | undefined, index: number): string {
  return `${name}${inlined ? ' inlined' : ''} ${pc} ${file?.replace(/^.*\//, '')}${index > 0 ? `:${line}` : ''}`;
}

function compareVariables(symbols: Symbols, reader: FrameReader, index: number, frame: GdbFrame, outer: boolean): number {
  const variables = symbols.variables(reader, index);
  const where = `frame ${index} (${frame.function}) at 0x${reader.pc.toString(16)}`;
  expect(variables.map(({ name }) => name).sort(), where).toEqual(Object.keys(frame.variables).sort());
  let compared = 0;
  for (const variable of variables) {
    const { type, value } = frame.variables[variable.name]!;
    expect(plainType(variable.type), `${where}: type of ${variable.name}`).toBe(plainType(type));
    compared += compareValue(variable, value, `${where}: ${variable.name}`, outer);
  }
  return compared;
}

/** gdb shortens the names of integer types, and puts words for a length that only the run decides. */
function plainType(name: string): string {
  return name.replace(/\b(long|short) unsigned int\b/, 'unsigned $1').replace(/\b(long|short) int\b/, '$1').replace('variable length', '').replaceAll(' ', '');
}

/** Compares every number that gdb has. */
function compareValue(variable: Variable, theirs: Leaves, where: string, outer: boolean): number {
  if (theirs === null) {
    expect(variable.value, where).toMatch(/optimized out|not readable/);
    return 1;
  }
  // gdb takes it that callees keep every register that they do not save; here those that they may change are lost.
  if (outer && variable.value === '<optimized out>') return 0;
  if ('int' in theirs && typeof theirs.int === 'string') {
    expect(numberOf(variable.value), where).toBe(BigInt(theirs.int));
    return 1;
  }
  if ('float' in theirs && typeof theirs.float === 'string') {
    expect(Math.fround(Number(variable.value)), where).toBe(Math.fround(Number(theirs.float)));
    return 1;
  }
  if (!variable.children) {
    expect(anyNumber(theirs), where).toBe(false);
    return 1;
  }
  const children = new Map(variable.children().map((child) => [child.name === '<anonymous>' ? 'None' : child.name, child]));
  return Object.entries(theirs as Record<string, Leaves>).reduce((sum, [name, leaves]) => {
    const child = children.get(name === 'null' ? 'None' : name);
    expect(child, `${where}.${name}`).toBeDefined();
    return sum + compareValue(child!, leaves, `${where}.${name}`, outer);
  }, 0);
}

function anyNumber(leaves: Leaves): boolean {
  return leaves !== null && (typeof leaves !== 'object' || Object.values(leaves as Record<string, Leaves>).some(anyNumber));
}

function numberOf(value: string): bigint | string {
  if (value in enumerators) return enumerators[value]!;
  const character = /^'.*' (-?\d+)$/.exec(value);
  if (character) return BigInt(character[1]!);
  const number = /^(-?\d+|0x[0-9a-f]+)( .*)?$/.exec(value);
  return number ? BigInt(number[1]!) : value;
}
