import type { Comparison } from '../../engine/model/comparison';
import type { Variation } from '../../engine/model/sensitivity';
import { promise, type Row, type Survey } from '../../engine/model/survey';
import { count } from './numbers';
import { printable } from './terminal';

/** One chart of several in a picture, in the terms of the charts' library. */
export interface Panel {
  title: string;
  subtitle: string;
  /** Names of series, with their colours. */
  legend?: { name: string; itemStyle: { color: string; opacity: number } }[];
  /** Lines that the legend takes. */
  legendLines?: number;
  /** The legend is for the panels beside it, too. */
  wideLegend?: boolean;
  /** Pixels for the labels of the vertical axis, and to the right of the chart. */
  left?: number;
  right?: number;
  x: object;
  y: object;
  series: object[];
}

/** Told apart with any colour vision (Okabe and Ito), and one more. */
const palette = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#56b4e9', '#cc79a7', '#8a6d1b', '#4b5563', '#7f3fbf', '#b0b7bf'];
const colorOf = (index: number): string => palette[index % palette.length] ?? ink;
const legendOf = (names: readonly string[]): Required<Panel>['legend'] => names.map((name, index) => ({ name, itemStyle: { color: colorOf(index), opacity: 1 } }));
const ink = '#323f4b';
const faint = '#e4e7eb';

const axis = {
  nameLocation: 'middle' as const,
  nameTextStyle: { fontSize: 12.5, color: ink },
  axisLabel: { fontSize: 12, color: ink },
  axisLine: { show: true, lineStyle: { color: '#9aa5b1' } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: faint } },
  minorSplitLine: { show: false },
};

const asPercent = (value: number): string => `${Number((value * 100).toPrecision(3))} %`;

/** The line that overhead should stay below. */
const promised = {
  silent: true,
  symbol: 'none',
  lineStyle: { color: '#b91c1c', type: 'dashed', width: 1.2 },
  label: { formatter: asPercent(promise), position: 'insideEndTop', color: '#b91c1c', fontSize: 12 },
  data: [{ yAxis: promise }],
};

/** Overhead of each guest, predicted and measured side by side, each stacked of its events. */
export function overheadPanel({ rows }: Survey): Panel {
  const shown = rows.filter(({ kind }) => kind !== 'none');
  const shareOf = (row: Row, event: string, side: 'predicted' | 'measured'): number => {
    if (side === 'predicted') return row.prediction.terms.reduce((sum, term) => sum + (term.event === event ? term.share : 0), 0);
    return row.comparison?.events.find((one) => one.event === event)?.measured.share ?? 0;
  };
  const all = [...new Set(shown.flatMap((row) => [...row.prediction.terms.map(({ event }) => event as string), ...(row.comparison?.events ?? []).map(({ event }) => event)]))];
  const weight = (event: string): number => shown.reduce((sum, row) => sum + shareOf(row, event, 'predicted') + shareOf(row, event, 'measured'), 0);
  const events = all.filter((event) => weight(event) > 0).sort((a, b) => weight(b) - weight(a));
  const sides = ['predicted', 'measured'] as const;
  const bars = sides.flatMap((side) =>
    events.map((event, index) => ({
      name: event,
      type: 'bar',
      stack: side,
      barMaxWidth: 34,
      barGap: '12%',
      itemStyle: { color: colorOf(index), opacity: side === 'predicted' ? 0.5 : 1 },
      data: shown.map((row) => shareOf(row, event, side)),
    })),
  );
  const totals = sides.map((side) => ({
    name: `${side} in all`,
    type: 'bar',
    stack: side,
    data: shown.map((row) => ({ value: 0, label: { formatter: asPercent(totalOf(row, side) ?? 0) } })),
    label: { show: true, position: 'top', fontSize: 11, color: ink, rotate: 45, align: 'left', verticalAlign: 'middle', distance: 6 },
    ...(side === 'measured' ? { markLine: promised } : {}),
  }));
  return {
    title: 'Overhead by guest',
    subtitle: 'Share of the guest’s own cycles. Left and pale: predicted from its event rates. Right: measured on the emulated chip.',
    legend: legendOf(events),
    legendLines: 1,
    x: { type: 'category', data: shown.map(({ name }) => printable(name)), ...axis, axisLabel: { ...axis.axisLabel, interval: 0, width: Math.floor(1000 / Math.max(1, shown.length)), overflow: 'break' } },
    y: { type: 'value', ...axis, name: 'overhead', nameGap: 62, axisLabel: { ...axis.axisLabel, formatter: asPercent } },
    series: [...bars, ...totals],
  };
}

function totalOf({ prediction, comparison }: Row, side: keyof Pick<Comparison, 'predicted' | 'measured'>): number | undefined {
  return side === 'predicted' ? prediction.overhead : comparison?.measured;
}

/** What one event costs. */
export function eventPanel({ events }: Survey): Panel {
  const bars = events.toReversed();
  return {
    title: 'What one event costs',
    subtitle: 'Core cycles, logarithmic; by the default cost table.',
    left: 190,
    right: 40,
    x: { type: 'log', min: 0.1, ...axis, axisLabel: { ...axis.axisLabel, formatter: (value: number) => (value < 1 ? String(value) : count(value)) } },
    y: { type: 'category', data: bars.map(({ event, per }) => (per === 'event' ? event : `${event}, a ${per}`)), ...axis, splitLine: { show: false } },
    series: [{
      type: 'bar',
      barWidth: '62%',
      itemStyle: { color: palette[0] },
      label: { show: true, position: 'right', fontSize: 11.5, color: ink, formatter: ({ value }: { value: number }) => (value < 1 ? String(value) : count(value)) },
      data: bars.map(({ cycles }) => cycles),
    }],
  };
}

/** The older system's curve, and its published points. */
export function checkPanel({ bressoudSchneider }: Survey): Panel {
  const label = (value: number): string => (value >= 1000 ? `${value / 1000}K` : String(value));
  return {
    title: 'Check: Bressoud and Schneider, 1995',
    subtitle: 'Run time through that of the bare machine, by epoch length. The same code as above, with their rates and costs.',
    x: { type: 'log', min: 1000, max: 1_000_000, ...axis, name: 'epoch, instructions', nameGap: 30, axisLabel: { ...axis.axisLabel, formatter: label } },
    y: { type: 'log', min: 1, max: 100, ...axis, axisLabel: { ...axis.axisLabel, formatter: String } },
    series: [
      { name: 'model', type: 'line', symbol: 'none', lineStyle: { color: palette[0], width: 2 }, data: bressoudSchneider.map((point) => [point.epochInstructions, point.model]) },
      {
        name: 'published',
        type: 'scatter',
        symbolSize: 9,
        itemStyle: { color: palette[3] },
        label: { show: true, position: 'right', fontSize: 11.5, color: ink, formatter: ({ value }: { value: [number, number] }) => value[1].toFixed(2) },
        data: bressoudSchneider.map((point) => [point.epochInstructions, point.published]),
      },
    ],
  };
}

/** Overhead of each guest as one parameter is varied. */
export function variationPanel({ what, unit, usual, values, overheads }: Variation): Panel {
  const label = (value: number): string => (value < 1 ? String(value) : count(value));
  return {
    title: `By ${what}`,
    subtitle: `Predicted overhead, ${unit}; the vertical line is where all other charts are.`,
    x: { type: 'log', min: values[0], max: values.at(-1), ...axis, name: unit, nameGap: 30, splitLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: label } },
    y: { type: 'log', ...axis, axisLabel: { ...axis.axisLabel, formatter: asPercent } },
    series: overheads.map(({ name, overheads: all }, index) => ({
      name: printable(name),
      type: 'line',
      symbol: 'circle',
      symbolSize: 4,
      itemStyle: { color: colorOf(index) },
      lineStyle: { color: colorOf(index), width: 1.8 },
      data: all.map((overhead, i) => [values[i], overhead]),
      ...(index === 0
        ? { markLine: { ...promised, data: [...promised.data, { xAxis: usual, label: { show: false }, lineStyle: { color: '#9aa5b1', type: 'solid' } }] } }
        : {}),
    })),
  };
}
