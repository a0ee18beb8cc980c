import { describe, expect, it } from 'vitest';
import { judge, type Judged } from './expectations';
import type { Expectation } from './plan';
import { planFor } from './plan.test-support';

type Facts = Judged['report'];

const quiet: Facts = {
  scenario: 's',
  guest: { exit: 0, output: 'crc=1\n', instructions: 1000, state: '', ended: 'exit' },
  faults: [],
  divergences: [],
  detections: [],
  recoveries: [],
  released: { bytes: 6, ofBytes: 6, sha256: '', corrupt: false },
  protection: { start: 'dmr', end: 'dmr' },
  cycles: { unprotected: 100, protected: 110, overhead: 0.1, events: [] },
};
const fired = { name: 'f', text: '', fired: true };
const divergence = { replica: 'B' as const, instruction: 5, pc: '0x80000010', function: 'sum', file: 'a.c', line: 3, differs: [] };
const detection = { by: 'output' as const, moment: 9, instruction: 9, latency: 25_000, what: '' };
const rollback = { by: 'rollback' as const, moment: 10, to: 0, replayed: 9 };
const noisy: Facts = { ...quiet, faults: [fired], divergences: [divergence], detections: [detection], recoveries: [rollback] };
const corrupt: Facts = { ...quiet, faults: [fired], released: { ...quiet.released, corrupt: true, firstWrongByte: 4 } };
const unrepeatable: Facts = { ...quiet, faults: [fired], released: { ...quiet.released, ofBytes: null, corrupt: null }, cycles: { ...quiet.cycles, unprotected: null, overhead: null } };

function held(expectation: Expectation, report: Facts, stopped = false): boolean {
  const plan = { ...planFor('checksum'), expectations: [{ expectation, text: 'e' }] };
  const [result] = judge({ report, plan, cyclesPerInstruction: 2, stopped });
  // A broken expectation says why.
  expect(result?.held === true || (result?.reason ?? '') !== '').toBe(true);
  return result?.held ?? false;
}

it.each<[Expectation & { kind: 'detected' }, string]>([
  [{ kind: 'detected', by: [], within: { unit: 'instructions', value: 24_999 } }, 'the detection came 25,000 instructions after the fault, later than 24,999'],
  [{ kind: 'detected', by: [], within: { unit: 'epochs', value: 2 } }, 'the detection came 2.5 epochs after the fault, later than 2 epochs (25,000 instructions instead of 20,000, with 10,000 instructions an epoch)'],
  [
    { kind: 'detected', by: [], within: { unit: 'cycles', value: 1999 } },
    'the detection came 50,000 cycles after the fault, later than 1,999 cycles (25,000 instructions instead of 999, at the 2 cycles an instruction of the unprotected guest)',
  ],
  [
    { kind: 'detected', by: [], within: { unit: 'seconds', value: 1e-6 } },
    'the detection came 25 us after the fault, later than 1 us (25,000 instructions instead of 1,000, at 2 GHz and the 2 cycles an instruction of the unprotected guest)',
  ],
])('a detection that came too late is told of in the unit that was asked for, with how it was worked out: %o', (expectation, reason) => {
  const plan = { ...planFor('checksum'), expectations: [{ expectation, text: 'e' }] };
  expect(judge({ report: noisy, plan, cyclesPerInstruction: 2, stopped: false })[0]?.reason).toBe(reason);
});

it('a detection that no fault came before is not called late', () => {
  const plan = { ...planFor('checksum'), expectations: [{ expectation: { kind: 'detected' as const, by: [], within: { unit: 'epochs' as const, value: 2 } }, text: 'e' }] };
  const report = { ...noisy, detections: [{ ...detection, latency: -1 }] };
  expect(judge({ report, plan, cyclesPerInstruction: 2, stopped: false })[0]?.reason).toBe('no detection came after the fault');
});

const range = { start: 0x80000000n, end: 0x80000020n };
const elsewhere = { start: 0x90000000n, end: 0x90000020n };

describe('expectations', () => {
  it.each<[string, Expectation, Facts, boolean, boolean?]>([
    ['clean', { kind: 'clean' }, quiet, true],
    ['clean, with a divergence', { kind: 'clean' }, { ...quiet, divergences: [divergence] }, false],
    ['clean, with a detection', { kind: 'clean' }, { ...quiet, detections: [detection] }, false],
    ['masked', { kind: 'masked' }, { ...quiet, faults: [fired] }, true],
    ['masked, without a fault', { kind: 'masked' }, quiet, false],
    ['masked, but detected', { kind: 'masked' }, noisy, false],
    ['masked, but corrupt', { kind: 'masked' }, corrupt, false],
    ['detected', { kind: 'detected', by: [] }, noisy, true],
    ['detected, but nothing was', { kind: 'detected', by: [] }, quiet, false],
    ['detected by one of', { kind: 'detected', by: ['state', 'output'] }, noisy, true],
    ['detected by another', { kind: 'detected', by: ['trap'] }, noisy, false],
    ['within instructions', { kind: 'detected', by: [], within: { unit: 'instructions', value: 25_000 } }, noisy, true],
    ['later than instructions', { kind: 'detected', by: [], within: { unit: 'instructions', value: 24_999 } }, noisy, false],
    ['within epochs of 10,000', { kind: 'detected', by: [], within: { unit: 'epochs', value: 3 } }, noisy, true],
    ['later than epochs', { kind: 'detected', by: [], within: { unit: 'epochs', value: 2 } }, noisy, false],
    ['within cycles, two an instruction', { kind: 'detected', by: [], within: { unit: 'cycles', value: 50_000 } }, noisy, true],
    ['later than time at 2 GHz', { kind: 'detected', by: [], within: { unit: 'seconds', value: 24e-6 } }, noisy, false],
    ['within time at 2 GHz', { kind: 'detected', by: [], within: { unit: 'seconds', value: 25e-6 } }, noisy, true],
    ['recovered', { kind: 'recovered', by: ['rollback'] }, noisy, true],
    ['recovered, but stopped', { kind: 'recovered', by: [] }, noisy, false, true],
    ['recovered by another', { kind: 'recovered', by: ['vote'] }, noisy, false],
    ['recovered, but nothing was', { kind: 'recovered', by: [] }, quiet, false],
    ['unrecoverable', { kind: 'unrecoverable' }, noisy, true, true],
    ['unrecoverable, but it went on', { kind: 'unrecoverable' }, noisy, false],
    ['corruption', { kind: 'corruption' }, corrupt, true],
    ['corruption, but there is none', { kind: 'corruption' }, quiet, false],
    ['no corruption', { kind: 'no-corruption' }, quiet, true],
    ['no corruption, but there is', { kind: 'no-corruption' }, corrupt, false],
    ['no corruption, but nobody knows', { kind: 'no-corruption' }, unrepeatable, false],
    ['corruption, but nobody knows', { kind: 'corruption' }, unrepeatable, false],
    ['masked, but nobody knows', { kind: 'masked' }, unrepeatable, false],
    ['overhead, but nobody knows', { kind: 'overhead-below', fraction: 0.2 }, unrepeatable, false],
    ['exit, which one knows all the same', { kind: 'exit', code: 0 }, unrepeatable, true],
    ['divergence in', { kind: 'divergence-in', symbol: 'sum', ...range }, noisy, true],
    ['divergence elsewhere', { kind: 'divergence-in', symbol: 'other', ...elsewhere }, noisy, false],
    ['divergence in, but none', { kind: 'divergence-in', symbol: 'sum', ...range }, quiet, false],
    ['divergence at', { kind: 'divergence-at', file: 'a.c', line: 3, ranges: [elsewhere, range] }, noisy, true],
    ['divergence at another line', { kind: 'divergence-at', file: 'a.c', line: 4, ranges: [elsewhere] }, noisy, false],
    ['output contains', { kind: 'output-contains', text: 'crc=' }, quiet, true],
    ['output does not contain', { kind: 'output-contains', text: 'sum' }, quiet, false],
    ['output is', { kind: 'output-is', text: 'crc=1\n' }, quiet, true],
    ['output is not', { kind: 'output-is', text: 'crc=1' }, quiet, false],
    ['output matches', { kind: 'output-matches', pattern: '^crc=\\d' }, quiet, true],
    ['output does not match', { kind: 'output-matches', pattern: '^\\d' }, quiet, false],
    ['exit', { kind: 'exit', code: 0 }, quiet, true],
    ['another exit', { kind: 'exit', code: 1 }, quiet, false],
    ['no exit', { kind: 'exit', code: 0 }, { ...quiet, guest: { ...quiet.guest, exit: null } }, false],
    ['overhead', { kind: 'overhead-below', fraction: 0.2 }, quiet, true],
    ['too much overhead', { kind: 'overhead-below', fraction: 0.1 }, quiet, false],
    ['degraded', { kind: 'degraded-to', protection: 'none' }, { ...quiet, protection: { start: 'dmr', end: 'none' } }, true],
    ['not degraded', { kind: 'degraded-to', protection: 'none' }, quiet, false],
    ['redundancy that was never lost', { kind: 'redundancy-restored' }, quiet, false],
  ])('%s', (_, expectation, report, result, stopped) => {
    expect(held(expectation, report, stopped)).toBe(result);
  });
});
