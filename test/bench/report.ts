/** The tables that the benchmark prints. */
import { count } from '../../server/cli/numbers';
import type { Column, DebianResults, ProgramRow } from './debian-rounds';
import { verdictOf, type Goal } from './goals';
import type { KernelRow } from './kernels';
import type { StateTimes } from './states';
import type { Summary } from './statistics';

/** Three digits that say something. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const cell = (value: Summary | null | undefined): string => (value ? `${short(value.median)} ±${short(value.spread)}` : '-');
const ratio = (value: number | null): string => value?.toFixed(2) ?? '-';

/** Columns side by side, the first to the left and the others to the right. */
function table(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ').trimEnd());
}

export function kernelTable(rows: readonly KernelRow[]): string[] {
  const heads = ['bare-metal kernel, M instructions/s', 'instructions', 'interpreter', 'auto', 'qemu', 'auto/qemu'];
  return table([heads, ...rows.map((row) => [row.kernel, count(row.instructions), cell(row.interpreter), cell(row.auto), cell(row.qemu), ratio(row.ratio)])]);
}

export function bootTable({ boot }: DebianResults): string[] {
  const sides = Object.entries(boot);
  if (sides.length === 0) return [];
  const { auto, qemu } = boot;
  const quotient = auto && qemu ? auto.median / qemu.median : null;
  return table([['Debian, boot to power-off, seconds', ...sides.map(([side]) => side), 'auto/qemu'], ['boot', ...sides.map(([, times]) => cell(times)), ratio(quotient)]]);
}

export function programTable(rows: readonly ProgramRow[]): string[] {
  const columns: Column[] = (['interpreter', 'translator', 'auto', 'qemu', 'none', 'dmr'] as const).filter((column) => rows.some(({ rates }) => rates[column]));
  const heads = ['program in Debian, work a second', 'M instructions', ...columns, 'auto/qemu', 'dmr/none'];
  return table([
    heads,
    ...rows.map((row) => [
      row.name,
      row.instructions === null ? '-' : count(row.instructions / 1e6),
      ...columns.map((column) => cell(row.rates[column])),
      ratio(row.ratio),
      ratio(row.replicated),
    ]),
  ]);
}

export function stateLines({ ramBytes, dirtyPages, snapshot, restore, fromFile }: StateTimes): string[] {
  const times = ({ median: middle, spread: half }: Summary): string => `${middle.toFixed(1)} ±${half.toFixed(1)} ms`;
  const of = `${ramBytes / 2 ** 20} MiB, ${dirtyPages} pages written`;
  return [
    `snapshot (${of})  ${times(snapshot)}`,
    `restore (${of})   ${times(restore)}`,
    fromFile
      ? `booted Debian from a file of ${(fromFile.fileBytes / 2 ** 20).toFixed(0)} MiB, the command's whole time  ${times(fromFile)}`
      : 'the start of a booted Debian from a file is not measured in this form',
  ];
}

export function goalTable(goals: readonly Goal[]): string[] {
  if (goals.length === 0) return [];
  const value = (number: number | null, unit: Goal['unit']): string => (number === null ? '-' : unit === 'x' ? `${number.toFixed(2)}x` : `${short(number)} ${unit}`);
  return table([
    ['', 'goal', 'least', 'measured', ''],
    ...goals.map((goal) => [goal.what, value(goal.goal, goal.unit), value(goal.least, goal.unit), value(goal.measured, goal.unit), `${verdictOf(goal)}${goal.note === undefined ? '' : ` (${goal.note})`}`]),
  ]);
}
