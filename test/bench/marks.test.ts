import { describe, expect, test } from 'vitest';
import { goalsOf, verdictOf, type Goal } from './goals';
import { Marks } from './marks';
import { begins, ends, programs, scriptOf, type Program } from './programs';

const program = (name: string, more: Partial<Program> = {}): Program => ({ name, group: 'compute', what: '', run: () => '', same: true, ...more });
const at = (seconds: number, instructions = 0): { seconds: number; instructions: number } => ({ seconds, instructions });

describe('marks on a console', () => {
  test('time what stands between them, however it is cut', () => {
    const marks = new Marks([program('one'), program('two')]);
    marks.read(`boot\r\n${begins('one').slice(0, 5)}`, at(1, 10));
    marks.read(`${begins('one').slice(5)}\r\n`, at(2, 20));
    expect(marks.current).toBe('one');
    marks.read('result\r\n', at(3, 30));
    marks.read(`${ends('one')}\r\n`, at(5, 70));
    expect(marks.current).toBeUndefined();
    expect([...marks.seen]).toEqual([['one', { seconds: 3, work: 1, instructions: 50, from: 20, output: 'result' }]]);
  });

  test('a program that says how much it does is timed between its own lines', () => {
    const speed = programs.find(({ name }) => name === 'openssl rsa');
    const marks = new Marks(speed ? [speed] : []);
    marks.read(`${begins('openssl rsa')}\n`, at(0));
    marks.read('+DTP:1024:private:rsa sign:1\n', at(1));
    marks.read('+R1:258:1024:0.99\n', at(3));
    marks.read(`${ends('openssl rsa')}\n`, at(9));
    expect(marks.seen.get('openssl rsa')).toMatchObject({ seconds: 2, work: 258 });
  });

  test('a program without the lines it is timed by has not been seen', () => {
    const marks = new Marks([program('one', { between: { from: /^from/, to: /^to/ } })]);
    marks.read(`${begins('one')}\nfrom\n${ends('one')}\n`, at(1));
    expect(marks.seen.size).toBe(0);
  });
});

test('a script runs each program once, between its marks', () => {
  const script = scriptOf(programs, true);
  for (const { name } of programs) {
    expect(script.split(`echo '${begins(name)}'`)).toHaveLength(2);
    expect(script.indexOf(ends(name))).toBeGreaterThan(script.indexOf(begins(name)));
  }
});

test.each([
  ['more', 1.5, 'goal reached'], ['more', 1, 'least reached'], ['more', 0.99, 'NOT REACHED'],
  ['less', 1, 'goal reached'], ['less', 1.5, 'least reached'], ['less', 1.51, 'NOT REACHED'],
  ['more', null, 'not measured'],
] as const)('where %s is better, %s is "%s"', (better, measured, verdict) => {
  const bounds = better === 'more' ? { goal: 1.5, least: 1 } : { goal: 1, least: 1.5 };
  expect(verdictOf({ what: '', unit: 'x', better, measured, ...bounds } satisfies Goal)).toBe(verdict);
});

test('the worst program and the mean are those of the programs that compute', () => {
  const row = (name: string, group: Program['group'], ratio: number): object => ({ name, group, what: '', instructions: null, rates: {}, ratio, replicated: ratio });
  const rows = [row('a', 'compute', 0.5), row('b', 'compute', 2), row('c', 'loads', 0.1)] as never;
  const goals = goalsOf({ debian: { boot: {}, programs: rows, beyond: null }, kernels: [], states: null });
  const of = (what: RegExp): number | null | undefined => goals.find((goal) => what.test(goal.what))?.measured;
  expect(of(/geometric mean/)).toBeCloseTo(1);
  expect(of(/worst single/)).toBe(0.5);
  expect(of(/nginx and redis/)).toBe(0.1);
  expect(of(/boot/)).toBeNull();
});
