/**
 * `npm run bench:language`: how long an editor waits for the language server, on a
 * file of 10,000 lines. Measured from outside, over the protocol, against the built
 * command.
 */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import type { Position, TextDocumentContentChangeEvent } from 'vscode-languageserver-protocol';
import { Random } from '../../engine/isa/random.test-support';
import { LanguageClient } from '../language/language-client';
import { countFrom, runTool } from '../tool';
import type { Goal } from './goals';
import { longFile, longScenarios } from './long-scenarios';
import { goalTable } from './report';
import { median, percentile } from './statistics';

interface Flags {
  lines: number;
  samples: number;
  opens: number;
}

/** A server in a folder with nothing but the guest. */
async function withServer<T>(use: (client: LanguageClient, file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'covert-bench-'));
  for (const name of ['checksum.elf', 'checksum.c']) await cp(join(dirname(longFile), name), join(folder, name));
  const client = await LanguageClient.start(folder);
  try {
    return await use(client, join(folder, 'long.covert'));
  } finally {
    await client.stop();
    await rm(folder, { recursive: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Of a process, in bytes; NaN where the system does not say. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return NaN;
  }
}

/** Processor time that a process has taken, of all its threads, in milliseconds; NaN where the system does not say. */
function processorTime(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * millisecondsATick;
  } catch {
    return NaN;
  }
}

/** Of Linux' clock for such times, on all its platforms. */
const millisecondsATick = 10;

/** What is typed somewhere in the text, and taken back. */
function* keys(text: string, count: number, random: Random): Generator<TextDocumentContentChangeEvent> {
  const lines = text.split('\n');
  for (let i = 0; i < count; i += 2) {
    const line = random.below(lines.length);
    const at = random.below((lines[line]?.length ?? 0) + 1);
    const put = ['x', '1', ' ', '"', '}', '\n'][random.below(6)] ?? 'x';
    const start: Position = { line, character: at };
    yield { range: { start, end: start }, text: put };
    yield { range: { start, end: put === '\n' ? { line: line + 1, character: 0 } : { line, character: at + 1 } }, text: '' };
  }
}

interface Measured {
  goals: Goal[];
  /** How much of it the server worked, on the average: what is left of it on a busy machine. */
  work: { opening: number; key: number; completion: number; hover: number };
}

async function measure({ lines, samples, opens }: Flags): Promise<Measured> {
  const work: Measured['work'] = { opening: 0, key: 0, completion: 0, hover: 0 };
  const counted = async (client: LanguageClient, what: keyof Measured['work'], count: number, run: () => Promise<void>): Promise<void> => {
    const before = processorTime(client.process.pid);
    await run();
    work[what] += (processorTime(client.process.pid) - before) / count;
  };
  const text = longScenarios(lines);
  const opening: number[] = [];
  const idle: number[] = [];
  for (let i = 0; i < opens; i++) {
    await withServer(async (client, file) => {
      await client.open(`${file}.covert`, 'guest g { elf "checksum.elf" }\n');
      idle.push(residentBytes(client.process.pid));
      await counted(client, 'opening', opens, async () => void opening.push(await timed(() => client.open(file, text))));
    });
  }
  const typing: number[] = [];
  const completing: number[] = [];
  const hovering: number[] = [];
  await withServer(async (client, file) => {
    await client.open(file, text);
    const random = new Random(1);
    const changes = [...keys(text, samples, random)];
    await counted(client, 'key', changes.length, async () => {
      for (const change of changes) typing.push(await timed(() => client.edit(file, [change])));
    });
    const places = text.split('\n').flatMap((line, number) => (line.startsWith('  fault') ? [{ line: number, character: line.indexOf(' at ') + 4 }] : []));
    const chosen = Array.from({ length: samples }, () => places[random.below(places.length)] ?? { line: 0, character: 0 });
    await counted(client, 'completion', samples, async () => {
      for (const place of chosen) completing.push(await timed(() => client.at('textDocument/completion', file, place)));
    });
    await counted(client, 'hover', samples, async () => {
      for (const place of chosen) hovering.push(await timed(() => client.at('textDocument/hover', file, { ...place, character: 10 })));
    });
  });
  const ms = (what: string, measured: number, goal: number): Goal => ({ what, unit: 'ms', better: 'less', goal, least: 2 * goal, measured });
  const goals: Goal[] = [
    ms('first diagnostics after opening, median', median(opening), 1000),
    ms('diagnostics after a key, median', median(typing), 100),
    ms('diagnostics after a key, 95 %', percentile(typing, 95), 100),
    ms('completion, median', median(completing), 50),
    ms('completion, 95 %', percentile(completing, 95), 50),
    ms('hover, median', median(hovering), 50),
    ms('hover, 95 %', percentile(hovering, 95), 50),
    { what: 'memory of an idle server', unit: 'MB', better: 'less', goal: 150, least: 200, measured: Number.isNaN(median(idle)) ? null : median(idle) / 1e6 },
  ];
  return { goals, work };
}

const command = new Command('npm run bench:language --')
  .description('Measures how long an editor waits for the language server, over the protocol.')
  .option('--lines <count>', 'lines of the file', countFrom(100), 10_000)
  .option('--samples <count>', 'keys, completions and hovers', countFrom(2), 400)
  .option('--opens <count>', 'servers that are started to open the file', countFrom(1), 7)
  .addHelpText('after', `
Example:
  npm run bench:language -- --samples 100`);

void runTool('bench:language', command, async (flags: Flags) => {
  const { goals, work } = await measure(flags);
  process.stdout.write(`a file of ${flags.lines} lines, ${flags.opens} times opened, ${flags.samples} keys\n${goalTable(goals).join('\n')}\n`);
  const [opening, key, completion, hover] = [work.opening, work.key, work.completion, work.hover].map((time) => `${time.toFixed(time < 10 ? 1 : 0)} ms`);
  process.stdout.write(`processor time of the server: ${opening} an opening, ${key} a key, ${completion} a completion, ${hover} a hover\n`);
  return 0;
});
