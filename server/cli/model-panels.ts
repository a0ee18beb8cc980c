import type { Variation } from '../../engine/model/sensitivity';
import { promise, type Row, type Survey } from '../../engine/model/survey';
import { count, percent } from './numbers';
import { printable } from './terminal';

/** One chart of several in a picture, in the terms of the charts' library. */
export interface Panel {
  title: string;
  subtitle: string;
  /** Names of series, with their colours. */
  legend?: { name: string; itemStyle: { color: string; opacity: number } }[];
  /** Pixels above the chart for the legend, and to its left for the labels of the vertical axis. */
  headroom?: number;
  left?: number;
  x: object;
  y: object;
  series: object[];
}

/** Told apart with any colour vision (Okabe and Ito), and some more. */
const palette = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#56b4e9', '#cc79a7', '#8a6d1b', '#4b5563', '#7f3fbf', '#b0b7bf'];
/** Guests that have a line of their own: more could not be told apart. */
export const mostGuests = palette.length;
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
  // Behind the bars and their labels.
  z: 1,
  symbol: 'none',
  lineStyle: { color: '#b91c1c', type: 'dashed', width: 1.2 },
  label: { formatter: asPercent(promise), position: 'end', distance: 4, color: '#b91c1c', fontSize: 12 },
  data: [{ yAxis: promise }],
};

/** Guests whose names all stand below their bars; of more of them some do. */
const mostNames = 20;

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
      barMaxWidth: 42,
      barGap: '30%',
      itemStyle: { color: colorOf(index), opacity: side === 'predicted' ? 0.5 : 1 },
      data: shown.map((row) => shareOf(row, event, side)),
    })),
  );
  const totals = sides.map((side) => ({
    name: `${side} in all`,
    type: 'bar',
    stack: side,
    data: shown.map((row) => ({ value: 0, label: { formatter: totalText(row, side) } })),
    label: { show: true, position: 'top', fontSize: 11, color: ink, textBorderColor: '#ffffff', textBorderWidth: 3 },
    ...(side === 'measured' ? { markLine: promised } : {}),
  }));
  return {
    title: 'Overhead by guest',
    subtitle: 'Share of the guest’s own cycles. Left and pale: predicted from its event rates. Right: measured on the emulated chip.',
    legend: legendOf(events),
    headroom: 34,
    x: { type: 'category', data: shown.map(({ name }) => printable(name)), ...axis, axisLabel: { ...axis.axisLabel, ...(shown.length <= mostNames ? { interval: 0 } : {}), width: Math.floor(1200 / Math.min(mostNames, Math.max(1, shown.length))), overflow: 'break' } },
    y: { type: 'value', ...axis, name: 'overhead', nameGap: 62, axisLabel: { ...axis.axisLabel, formatter: asPercent } },
    series: [...bars, ...totals],
  };
}

function totalText({ prediction, comparison }: Row, side: 'predicted' | 'measured'): string {
  if (side === 'predicted') return percent(prediction.overhead);
  return comparison ? percent(comparison.measured) : 'no';
}

/** What one event costs: as dots, since a logarithmic axis has no zero that a bar could begin at. */
export function eventPanel({ events }: Survey): Panel {
  const points = events.toReversed();
  return {
    title: 'What one event costs',
    subtitle: 'Core cycles, logarithmic; by the default cost table.',
    left: 190,
    x: { type: 'log', min: 0.1, ...axis, axisLabel: { ...axis.axisLabel, formatter: (value: number) => (value < 1 ? String(value) : count(value)) } },
    y: { type: 'category', data: points.map(({ event, per }) => (per === 'event' ? event : `${event}, a ${per}`)), ...axis, splitLine: { show: true, lineStyle: { color: faint } } },
    series: [{
      type: 'scatter',
      symbolSize: 10,
      itemStyle: { color: palette[0], opacity: 1 },
      label: { show: true, position: 'right', distance: 8, fontSize: 11.5, color: ink, formatter: ({ value: [cycles] }: { value: [number, number] }) => (cycles < 1 ? String(cycles) : count(cycles)) },
      data: points.map(({ cycles }, index) => [cycles, index]),
    }],
  };
}

/** The older system's curve, and its published points. */
export function checkPanel({ bressoudSchneider }: Survey): Panel {
  const label = (value: number): string => (value >= 1e6 ? `${value / 1e6}M` : `${value / 1000}K`);
  return {
    title: 'Check: Bressoud and Schneider, 1995',
    subtitle: 'Run time through the bare machine’s. Line: model; dots: published.',
    x: { type: 'log', min: 1000, max: 1_000_000, ...axis, name: 'epoch, instructions', nameGap: 30, axisLabel: { ...axis.axisLabel, formatter: label } },
    y: { type: 'log', min: 1, max: 100, ...axis, axisLabel: { ...axis.axisLabel, formatter: String } },
    series: [
      { name: 'model', type: 'line', symbol: 'none', lineStyle: { color: palette[0], width: 2 }, data: bressoudSchneider.map((point) => [point.epochInstructions, point.model]) },
      {
        name: 'published',
        type: 'scatter',
        symbolSize: 9,
        itemStyle: { color: palette[3], opacity: 1 },
        label: { show: true, position: 'top', offset: [16, 0], fontSize: 11.5, color: ink, formatter: ({ value }: { value: [number, number] }) => value[1].toFixed(2) },
        data: bressoudSchneider.map((point) => [point.epochInstructions, point.published]),
      },
    ],
  };
}

/** What the colours of the variations' lines mean. */
export function guestLegend({ variations: [first] }: Survey): Required<Panel>['legend'] {
  return legendOf(first?.overheads.slice(0, mostGuests).map(({ name }) => printable(name)) ?? []);
}

/** Overhead of each guest as one parameter is varied. */
export function variationPanel({ what, unit, usual, values, overheads }: Variation): Panel {
  const label = (value: number): string => (value < 1 ? String(value) : count(value));
  return {
    title: `By ${what}`,
    subtitle: 'Predicted overhead, logarithmic. Grey: where the others are.',
    x: { type: 'log', min: values[0], max: values.at(-1), ...axis, name: unit, nameGap: 30, splitLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: label } },
    y: { type: 'log', ...axis, axisLabel: { ...axis.axisLabel, formatter: asPercent } },
    series: overheads.slice(0, mostGuests).map(({ name, overheads: all }, index) => ({
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
