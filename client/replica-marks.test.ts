import { describe, expect, it } from 'vitest';
import type { ReplicaStateAnswer } from '../server/debug/replica-state';
import { lineMarks } from './replica-marks';

function stateWith(parts: Partial<ReplicaStateAnswer>, lines: (number | undefined)[]): ReplicaStateAnswer {
  return {
    moment: 0,
    replicas: lines.map((line, i) => ({
      name: 'AB'.charAt(i),
      threadId: i + 1,
      core: i,
      pc: '0x80000000',
      instruction: 0,
      ...(line === undefined ? {} : { source: { name: 'a.c', path: '/g/a.c' }, line }),
    })),
    differences: [],
    compared: ['A', 'B'],
    lineDifferences: [],
    events: { faults: 0, divergences: 0, detections: 0, recoveries: 0 },
    ...parts,
  };
}

const register = (place: string) => ({ place, A: '0x1', B: '0x3', bits: [1] });

const letters = (replicas: { letter: string }[]) => replicas.map(({ letter }) => letter);

describe('line marks', () => {
  it('put replicas on one line together', () => {
    const [mark, ...others] = lineMarks(stateWith({}, [7, 7]));
    expect(mark).toMatchObject({ path: '/g/a.c', line: 7, replicas: [{ letter: 'A' }, { letter: 'B' }], values: '' });
    expect(others).toEqual([]);
  });

  it('keep replicas on two lines apart', () => {
    expect(lineMarks(stateWith({}, [7, 9])).map(({ line, replicas }) => [line, letters(replicas)])).toEqual([
      [7, ['A']],
      [9, ['B']],
    ]);
  });

  it('leave out a replica without a source line', () => {
    expect(lineMarks(stateWith({}, [undefined, 9])).map(({ replicas }) => letters(replicas))).toEqual([['B']]);
  });

  it('name variables rather than registers', () => {
    const state = stateWith({ differences: [register('a0')], lineDifferences: [{ expression: 'sum', A: '3', B: '7' }] }, [7, 7]);
    expect(lineMarks(state)[0]?.values).toBe('sum A=3 B=7');
  });

  it('fall back to registers, and count what does not fit', () => {
    const state = stateWith({ differences: ['a0', 'a1', 'a2', 'a3', 'a4'].map(register) }, [7, 7]);
    expect(lineMarks(state)[0]?.values).toBe('a0 A=0x1 B=0x3   a1 A=0x1 B=0x3   a2 A=0x1 B=0x3   and 2 more');
  });

  it('say at length which bits differ, and where each replica is', () => {
    const [mark] = lineMarks(stateWith({ differences: [register('a0')] }, [7, 7]));
    expect(mark?.valuesHover).toBe('- `a0`: A `0x1`, B `0x3` (bit 1)');
    expect(mark?.replicas[1]?.hover).toBe('**Replica B** on core 1: 0 instructions retired, at `0x80000000`');
  });
});
