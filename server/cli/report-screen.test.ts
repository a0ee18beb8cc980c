import { describe, expect, test } from 'vitest';
import picocolors from 'picocolors';
import type { Report } from '../../engine/covert/report';
import { formatReport } from './report-screen';
import { formatSummary } from './report-summary';

const screen = { width: 88, colors: picocolors.createColors(false) };

const report: Report = {
  scenario: 'a bit flip in the checksum loop',
  passed: false,
  guest: { exit: 0, output: 'block 1\ncrc=54baaee3\n', instructions: 1_234_567, state: '', ended: 'exit' },
  faults: [
    {
      name: 'fault 1',
      text: 'flip a0 bit 17 in replica B at instruction 40_000',
      fired: true,
      replica: 'B',
      core: 1,
      change: 'a0: 0x5 -> 0x20005 (bit 17)',
      instruction: 40_000,
      pc: '0x8000002a',
      function: 'crc32_update',
      file: 'checksum.c',
      line: 35,
    },
    { name: 'late', text: 'flip pc bit 1 in replica A at instruction 9_000_000', fired: false, optional: true },
  ],
  divergences: [
    {
      replica: 'B',
      instruction: 40_001,
      pc: '0x8000002e',
      function: 'crc32_update',
      file: 'checksum.c',
      line: 36,
      differs: [
        { place: 'a0', A: '0x5', B: '0x20005' },
        { place: 'memory[0x80001000]', A: '0x0', B: '0xffff' },
      ],
      differing: 12,
    },
  ],
  detections: [{ by: 'output', moment: 52_345, instruction: 52_345, latency: 12_345, what: 'output 17: A wrote 0x35, B wrote 0x34' }],
  recoveries: [{ by: 'rollback', moment: 52_346, to: 0, replayed: 52_345 }],
  released: { bytes: 21, ofBytes: 21, sha256: 'ab'.repeat(32), corrupt: false },
  expectations: [
    { text: 'detected by output within 2 epochs', line: 12, held: true },
    { text: 'exit 3', line: 13, held: false, reason: 'the guest ended with 0' },
  ],
  protection: { start: 'dmr', end: 'dmr' },
  cycles: {
    unprotected: 1_000_000,
    protected: 1_123_000,
    overhead: 0.123,
    events: [
      { event: 'rendezvous', count: 100, cycles: 100_000 },
      { event: 'run again', count: 1, cycles: 22_979 },
      { event: 'copy', count: 0, cycles: 0 },
      { event: 'compare', count: 21, cycles: 21 },
    ],
  },
};

describe('the screen of a scenario', () => {
  test('says everything the report has, in order', () => {
    expect(formatReport(report, screen)).toBe(`
a bit flip in the checksum loop                                                   failed
${'─'.repeat(88)}
  guest said │ block 1
             │ crc=54baaee3
             exit 0 after 1,234,567 instructions
  fault      flip a0 bit 17 in replica B at instruction 40_000
               struck replica B on core 1 at instruction 40,000
               in crc32_update, checksum.c:35 (pc 0x8000002a)
               a0: 0x5 -> 0x20005 (bit 17)
             late: flip pc bit 1 in replica A at instruction 9_000_000
               never struck (it may)
  diverged   first different result: instruction 40,001 of replica B
               in crc32_update, checksum.c:36 (pc 0x8000002e)
                                    replica A   replica B
               a0                   0x5         0x20005     bit 17
               memory[0x80001000]   0x0         0xffff      16 bits
               … and 10 places more
  noticed    by output at instruction 52,345, 12,345 instructions after the fault
               output 17: A wrote 0x35, B wrote 0x34
  recovered  by rollback to instruction 0; 52,345 instructions run again
  released   21 bytes, each once, none wrong
             sha256 ${'ab'.repeat(32)}
  cost       12.3 % more cycles than unprotected: 1,123,000 for 1,000,000
               rendezvous   100 ×   100,000 cycles    10.0 %
               run again      1 ×    22,979 cycles     2.3 %
               compare       21 ×        21 cycles   0.002 %
  expected   ✓ detected by output within 2 epochs  line 12
             ✗ exit 3  line 13
                 the guest ended with 0
`);
  });

  test('what was done to go on comes in the order in which it was done, and what was not done last', () => {
    const rollbackAt = (moment: number) => ({ by: 'rollback' as const, moment, to: moment - 7, replayed: 7 });
    const busy: Report = {
      ...report,
      recoveries: [10, 30, 50, 60, 70, 80, 90].map(rollbackAt),
      switches: [{ moment: 5, instruction: 5, to: 'dmr', cores: [0, 1] }],
      retirements: [{ component: 'core 1', moment: 40, instruction: 38, why: 'it is dead' }],
      degradations: [{ replica: 'B', moment: 45, instruction: 43, to: 'none', why: 'no spare' }],
      missedSwitches: [{ to: 'tmr', cores: [0, 2, 3] }],
    };
    const text = formatReport(busy, screen);
    const order = ['switched to dmr at instruction 5, on core 0, core 1', 'by rollback to instruction 3;', 'by rollback to instruction 23', 'core 1 is retired: it is dead', 'replica B was given up at instruction 43: no spare', 'by rollback to instruction 43', '… and 1 more (--json', 'protection was never switched to tmr on core 0, core 2, core 3'];
    const places = order.map((line) => text.indexOf(line));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(formatSummary([busy], screen)).toContain('never switched to tmr');
  });

  test('what a device has read is not called equal', () => {
    const text = formatReport({ ...report, divergences: [] }, screen);
    expect(text).toContain('diverged   in no result of an instruction: what differs has not gone through a core');
    expect(formatSummary([{ ...report, divergences: [] }], screen)).toContain('diverged in no result of an instruction');
    const [detection] = report.detections;
    const noticedBy = (by: 'state' | 'machine check'): string => formatReport({ ...report, divergences: [], detections: detection ? [{ ...detection, by }] : [] }, screen);
    expect(noticedBy('state')).toContain('diverged   in no result of an instruction: none has used what differs\n');
    expect(noticedBy('state')).not.toContain('a device has read it');
    expect(noticedBy('machine check')).toContain('diverged   in no result of an instruction: a component has died\n');
    expect(formatReport({ ...report, divergences: [], detections: [], recoveries: [] }, screen)).toContain('never: every instruction gave the same results');
  });

  test('a guest that was cut off is not called whole', () => {
    const cut: Report = {
      ...report,
      guest: { ...report.guest, exit: null, output: '', ended: 'limit' },
      detections: [],
      recoveries: [],
      released: { ...report.released, bytes: 0 },
      cycles: { ...report.cycles, overhead: null, events: [] },
    };
    const text = formatReport(cut, screen);
    expect(text).toContain('was cut off at its instruction limit after 1,234,567 instructions');
    expect(text).toContain('recovered  no: the guest did not come to its end\n');
    expect(text).toContain('released   0 of 21 bytes, none wrong\n');
    expect(text).toContain('cost       1,123,000 cycles; the run was not whole, so there is no overhead to give\n');
    expect(formatSummary([cut], screen)).toContain('was cut off at its instruction limit after 1,234,567 instructions · no wrong output');
  });

  test('a silent corruption without protection shows the fault-free value', () => {
    const [divergence] = report.divergences;
    const text = formatReport(
      {
        ...report,
        divergences: divergence ? [{ ...divergence, replica: 'A', differs: [{ place: 'a0', A: '0x4', reference: '0x5' }] }] : [],
        detections: [],
        recoveries: [],
        protection: { start: 'none', end: 'none' },
        released: { bytes: 21, ofBytes: 21, sha256: '', corrupt: true, firstWrongByte: 12 },
      },
      screen,
    );
    expect(text).toMatch(/replica A {3}fault-free\n\s+a0 {3}0x4 {9}0x5 {10}bit 0\n/);
    expect(text).toContain('no: without protection nobody compares');
    expect(text).toContain('│ crc=54baaee3   ← first wrong byte');
    expect(text).toContain('21 bytes, each once, CORRUPT: wrong from byte 12 on');
  });

  test('long output is cut in the middle and escape sequences are not obeyed', () => {
    const output = Array.from({ length: 100 }, (_, line) => `\x1b[31mline ${line}\n`).join('');
    const text = formatReport({ ...report, guest: { ...report.guest, output } }, screen);
    expect(text).toContain('line 3\n             … 92 lines …\n             │ \\x1b[31mline 96');
    expect(text).toContain('│ \\x1b[31mline 99');
    expect(text).not.toContain('\x1b');
  });

  test('the line with the first wrong byte is never cut out', () => {
    const output = Array.from({ length: 100 }, (_, line) => `zeile ${line} ä\n`).join('');
    const firstWrongByte = Buffer.byteLength(output.slice(0, output.indexOf('zeile 50')));
    const text = formatReport(
      { ...report, guest: { ...report.guest, output }, released: { ...report.released, corrupt: true, firstWrongByte } },
      screen,
    );
    expect(text).toMatch(/… 46 lines …\n +│ zeile 50 ä {3}← first wrong byte\n +… 45 lines …\n/);
  });

  test('a fault that never struck is said aloud', () => {
    const text = formatReport({ ...report, faults: [{ name: 'f', text: 'flip a0 bit 1', fired: false }] }, screen);
    expect(text).toContain('never struck, so nothing was tested');
  });
});

test('the summary names where each scenario diverged and what did not hold', () => {
  const text = formatSummary([report, { ...report, passed: true, expectations: [], divergences: [] }], screen);
  expect(text).toContain(
    '✗ a bit flip in the checksum loop\n' +
      '    diverged in crc32_update, checksum.c:36\n' +
      '    noticed by output · recovered by rollback · no wrong output\n' +
      '    did not hold, line 13: exit 3\n',
  );
  expect(text).toContain('✓ a bit flip in the checksum loop\n    diverged in no result of an instruction\n    noticed by output');
  expect(text).toMatch(/\n2 scenarios: 1 passed, 1 failed\n$/);
});

test('the summary tells a corruption that was foreseen from one that was not', () => {
  const corrupt = { ...report, released: { ...report.released, corrupt: true } };
  const expectations = [{ text: 'corruption', line: 1, held: true }];
  expect(formatSummary([corrupt], screen)).toContain('WRONG OUTPUT RELEASED');
  expect(formatSummary([{ ...corrupt, expectations }], screen)).toContain('wrong output released, as expected');
});

test('an ablation is called one, so that nobody takes what comes of it for an error', () => {
  const ablation: Report = { ...report, faults: [], protection: { ...report.protection, uncoordinated: ['time', 'disk'] }, released: { ...report.released, corrupt: true, firstWrongByte: 3 } };
  const text = formatReport(ablation, screen);
  expect(text).toMatch(/ {2}ablation {3}time, disk left uncoordinated: each core has its own; the replicas differ\s+by that, and by no fault\n/);
  expect(text).toContain('CORRUPT: wrong from byte 3 on, beside a run with coordinated inputs');
  expect(formatReport({ ...ablation, divergences: [] }, screen)).toContain('left uncoordinated: each core has its own\n');
  expect(formatReport({ ...ablation, faults: report.faults }, screen)).toMatch(/where replicas differ\s+without a fault, they differ by that/);
  const summary = formatSummary([ablation], screen);
  expect(summary).toContain('left uncoordinated: time, disk\n');
  expect(summary).toContain('other output than with coordinated inputs');
  expect(formatReport(report, screen)).not.toContain('ablation');
});

test('of a run over real sockets there is nothing to compare with, and that is said', () => {
  const released = { ...report.released, ofBytes: null, corrupt: null, network: { frames: 3, bytes: 180, sha256: '', corrupt: null } };
  const text = formatReport({ ...report, released, cycles: { ...report.cycles, unprotected: null, overhead: null } }, screen);
  expect(text).toContain('21 bytes, each once, nothing to compare with: real sockets');
  expect(text).toMatch(/3 frames of 180 bytes to the network\n/);
  expect(text).toContain('1,123,000 cycles; a run over real sockets cannot be repeated, so there is no overhead to give');
  expect(text).not.toContain('NaN');
  const alone: Report = { ...report, released, divergences: [], detections: [], recoveries: [], protection: { start: 'none', end: 'none' } };
  expect(formatReport(alone, screen)).toContain('diverged   unknown: over real sockets there is no run without faults to compare with\n');
  expect(formatSummary([alone], screen)).toContain('    unknown whether it diverged\n');
});
