import { costChanges } from '../../engine/chip/cost-table';
import type { CostEvent } from '../../engine/covert/accounting';
import type { ComparedEvent } from '../../engine/model/comparison';
import type { Variation } from '../../engine/model/sensitivity';
import { promise, type Row, type Survey } from '../../engine/model/survey';
import { shortened, table, wrap } from './layout';
import { count, percent } from './numbers';
import { printable, type Screen } from './terminal';

/** What a survey is of. */
interface About {
  fromFile: boolean;
  /** What makes the file of rates. */
  command: string;
}

const mostWidth = 80;

/** A survey as text for people, ending in a line break. */
export function formatSurvey(survey: Survey, { width: room, colors }: Screen, about: About): string {
  const width = Math.min(room, mostWidth);
  const section = (title: string, lines: string[]): string[] => ['', colors.bold(title), colors.dim('─'.repeat(width)), ...lines];
  const { rows } = survey;
  const several = new Set(rows.map(({ hertz, costs }) => JSON.stringify([hertz, costs]))).size > 1;
  const hertz = rows[0]?.hertz ?? 1;
  const lines = [
    ...section(`What one event costs, on ${several ? 'the first chip' : 'the chip'} (${hertz / 1e9} GHz)`, [...eventLines(survey, hertz), ...changeLines(survey, width)]),
    ...(about.fromFile
      ? rows.flatMap((row) => section(printable(row.name), rowLines(row, width)))
      : section('Programs in Debian, in two replicas', [...protectionLines(rows, about, width), '', ...programLines(rows), '', ...headline(rows, width)])),
    ...(survey.variations.length > 0 ? section('What it depends on: predicted overhead, all else as it is', survey.variations.flatMap((variation) => variationLines(variation, width))) : []),
    ...section('The same code on Bressoud and Schneider, 1995', checkLines(survey, width)),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function eventLines({ events }: Survey, hertz: number): string[] {
  return table(
    events.map(({ event, per, entries, cycles }, i) => [
      per === 'event' ? event : event === events[i - 1]?.event ? `  a ${per}` : `${event}, a ${per}`,
      entries,
      `${cycles < 10 ? cycles : count(cycles)} cycles`,
      `${(cycles / hertz) * 1e6 < 0.01 ? ((cycles / hertz) * 1e6).toFixed(5) : ((cycles / hertz) * 1e6).toFixed(2)} us`,
    ]),
    [false, false, true, true],
  );
}

/** What is not as it is where nobody says anything. */
function changeLines({ costs }: Survey, width: number): string[] {
  const changes = Object.entries(costChanges(costs));
  return changes.length === 0 ? [] : ['', ...wrap(`By another cost table than the default: ${changes.map(([name, value]) => `${name} ${value}`).join(', ')}.`, width)];
}

function protectionLines(rows: Row[], { command }: About, width: number): string[] {
  const setting = rows[0]?.setting;
  if (!setting) return [`nothing was measured yet: ${command}`];
  const { epochInstructions, checkpointEpochs, compareStateEpochs } = setting;
  return wrap(
    `As a scenario protects that says nothing: epochs of ${count(epochInstructions)} instructions, a checkpoint every ${checkpointEpochs}, ` +
      `states compared every ${compareStateEpochs}. Predicted from rates of the unprotected program, measured on the emulated chip (\`${command}\`).`,
    width,
  );
}

function programLines(rows: Row[]): string[] {
  const known = rows.flatMap(({ name, comparison }) => (comparison ? [{ name, ...comparison }] : []));
  const right = [false, ...columns.map(() => true)];
  const byEvent = (cell: (event: ComparedEvent) => number, text: (value: number) => string): string[] => table(
    [
      ['', ...columns.map(({ title }) => title)],
      ...known.map(({ name, events }) => [
        name,
        ...columns.map(({ of }) => text(events.filter(({ event }) => (of ? of === event : !columns.some((column) => column.of === event))).reduce((sum, event) => sum + cell(event), 0))),
      ]),
    ],
    right,
  );
  return [
    ...table(
      [
        ['', 'predicted', 'measured', 'apart'],
        ...known.map(({ name, predicted, measured, difference }) => [name, percent(predicted), percent(measured), points(difference)]),
      ],
      [false, true, true, true],
    ),
    '',
    'What the measured overhead is made of, in percent of the unprotected program:',
    '',
    ...byEvent(({ measured }) => measured.share, (share) => (share * 100).toFixed(1)),
    '',
    'Measured less predicted, in points:',
    '',
    ...byEvent(({ difference }) => difference, points),
  ];
}

/** Events that have a column of their own; the last has all others. */
const columns: readonly { title: string; of?: CostEvent }[] = [
  { title: 'rendezvous', of: 'rendezvous' },
  { title: 'clock read', of: 'clock read' },
  { title: 'output', of: 'output' },
  { title: 'checkpoint', of: 'checkpoint' },
  { title: 'compare', of: 'state comparison' },
  { title: 'rest' },
];

/** `checkpoint 12.1 %, output 3.0 %`: the dearest events, as measured. */
function madeOf(events: readonly ComparedEvent[], most: number): string {
  return events.slice(0, most).map(({ event, measured }) => `${event} ${percent(measured.share)}`).join(', ');
}

/** Broken so that no number is parted from its sign. */
function paragraph(text: string, width: number): string[] {
  return wrap(text.replaceAll(' %', '\u00a0%'), width).map((line) => line.replaceAll('\u00a0', ' '));
}

/** A difference of two percentages, `+0.3`. */
function points(difference: number): string {
  const text = (difference * 100).toFixed(1);
  return /^-?0\.0$/.test(text) ? '0.0' : `${difference > 0 ? '+' : ''}${text}`;
}

function headline(rows: Row[], width: number): string[] {
  const known = rows.flatMap(({ name, comparison }) => (comparison ? [{ name, comparison }] : []));
  const above = known.filter(({ comparison }) => comparison.measured >= promise);
  const first = `Below ${promise * 100} %: ${known.length - above.length} of ${known.length} programs.`;
  if (above.length === 0) return [first];
  return [first, ...above.flatMap(({ name, comparison }) => paragraph(`${name} costs ${percent(comparison.measured)}: ${madeOf(comparison.events, 3)}.`, width))];
}

function rowLines(row: Row, width: number): string[] {
  const { kind, setting, comparison, prediction, why, profile, latencies, hertz } = row;
  const us = (cycles: number): string => `${count((cycles / hertz) * 1e6)} us`;
  const { epochInstructions, checkpointEpochs, compareStateEpochs } = setting;
  const protection = kind === 'none'
    ? 'none'
    : `${kind}, epochs of ${count(epochInstructions)} instructions, a checkpoint every ${checkpointEpochs}, ${compareStateEpochs > 0 ? `states compared every ${compareStateEpochs}` : 'states not compared'}`;
  const latency = kind === 'none' ? [] : [
    ...wrap(`An interrupt waits for ${us(latencies.interrupt)} on average; to recover takes ${Number.isFinite(latencies.recovery) ? us(latencies.recovery) : 'as long as nobody notices'}.`, width),
  ];
  const guest = `Alone: ${count(profile.instructions)} instructions, ${count(profile.cycles)} cycles.`;
  const overhead = comparison
    ? `Overhead: predicted ${percent(prediction.overhead)}, measured ${percent(comparison.measured)}, apart ${points(comparison.difference)}.`
    : `Overhead: predicted ${percent(prediction.overhead)}; not measured, since ${why ?? 'nothing was run'}.`;
  const head = [...wrap(`${guest} Protection: ${protection}.`, width), ...latency, ...paragraph(overhead, width)];
  return [...head, ...(comparison && comparison.events.length > 0 ? ['', ...comparedLines(comparison.events)] : [])];
}

function comparedLines(events: readonly ComparedEvent[]): string[] {
  return table(
    [
      ['', 'predicted', '', 'measured', '', 'apart'],
      ...events.map(({ event, predicted, measured, difference }) => [
        event, `${number(predicted.count)} ×`, percent(predicted.share), `${number(measured.count)} ×`, percent(measured.share), points(difference),
      ]),
    ],
    [false, true, true, true, true, true],
  );
}

/** A count, which the model has in fractions, too. */
const number = (value: number): string => (Number.isInteger(value) || value >= 100 ? count(value) : value.toFixed(2));

const columnWidth = 11;
const mostName = 30;

/** Each guest at as many of the values as there is room for; the charts have them all. */
function variationLines({ what, unit, usual, values, overheads }: Variation, width: number): string[] {
  const nameWidth = Math.min(mostName, Math.max(0, ...overheads.map(({ name }) => name.length)));
  const shown = thinned(values, usual, Math.floor((width - nameWidth) / columnWidth));
  const rows = overheads.map(({ name, overheads: all }) => [
    shortened(printable(name), nameWidth),
    ...shown.map((value) => percent(all[values.indexOf(value)] ?? NaN)),
  ]);
  return ['', `${what}, ${unit} (above: ${valueText(usual)})`, ...table([['', ...shown.map(valueText)], ...rows], [false, ...shown.map(() => true)])];
}

const valueText = (value: number): string => (value < 1 ? String(value) : count(value));

/** At most so many of the values: `usual`, and others at even distances around it. */
export function thinned(values: readonly number[], usual: number, most: number): number[] {
  const stride = Math.ceil(values.length / most);
  const at = values.indexOf(usual);
  return values.filter((_, index) => (index - at) % stride === 0);
}

function checkLines({ bressoudSchneider }: Survey, width: number): string[] {
  return [
    ...wrap('Run time through that of the bare machine by epoch length, from their event rates and costs in place of ours.', width),
    '',
    ...table(
      [
        ['epoch', 'published', 'model', 'apart'],
        ...bressoudSchneider.map(({ epochInstructions, published, model }) => [
          `${count(epochInstructions)}`, published.toFixed(2), model.toFixed(2), `${points(model / published - 1)} %`,
        ]),
      ],
      [true, true, true, true],
    ),
  ];
}
