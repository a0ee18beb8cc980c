import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Plan } from '../../engine/covert/plan';
import type { Report } from '../../engine/covert/report';
import { guestCache } from '../guest/debian';
import { putWhole } from '../put-whole';
import { fulfilledBy, type Fulfilled } from './fulfilled';
import { expectedTexts, planMark } from './plan-mark';

/** How a scenario ran last, as the editor shows it. */
export interface LastResult {
  version: 1;
  /** Absolute path of the scenario file. */
  file: string;
  scenario: string;
  /** When the run ended, as ISO 8601 has it. */
  at: string;
  /** Of what was run: the result is of another scenario where {@link planMark} is another one now. */
  mark: string;
  /** What was expected ({@link expectedTexts}): the verdict is of other expectations where these are others now. */
  expected: string[];
  passed: boolean;
  /** What was wrong first; `text` is that of the expectation, if it was one. */
  failure?: { why: string; line?: number; text?: string };
  detections: string[];
  recoveries: string[];
  exit: number | null;
  /** Released console output, its last part. */
  output: string;
  overhead: number | null;
  fulfilled: Fulfilled[];
}

const version = 1;
const mostOutput = 2000;
/** Beyond so many results the oldest are thrown away, in lots. */
const mostResults = 1000;
const lot = 100;

/** Where `covert run` leaves the last result of each scenario. */
export function resultsFolder(): string {
  return join(guestCache(), 'results');
}

/**
 * Keeps the result of a run, whole or not at all. A cache that cannot be written
 * to is no reason for a run to fail: then nothing is kept.
 */
export async function keepResult(file: string, plan: Plan, report: Report): Promise<void> {
  try {
    const folder = resultsFolder();
    await mkdir(folder, { recursive: true });
    const real = await realPath(file);
    await putWhole(join(folder, keyOf(real, plan.name)), `${JSON.stringify(resultOf(real, plan, report), null, 1)}\n`);
    await prune(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** The last result of a scenario; undefined where there is none that can be read. */
export async function lastResult(file: string, scenario: string): Promise<LastResult | undefined> {
  try {
    const read = JSON.parse(await readFile(join(resultsFolder(), keyOf(await realPath(file), scenario)), 'utf8')) as Partial<LastResult> | null;
    return read?.version === version && typeof read.mark === 'string' && Array.isArray(read.expected) && Array.isArray(read.fulfilled) ? (read as LastResult) : undefined;
  } catch {
    return undefined;
  }
}

function resultOf(file: string, plan: Plan, report: Report): LastResult {
  const { scenario, passed, detections, recoveries, guest, cycles } = report;
  const failure = passed ? undefined : failureOf(report);
  return {
    version,
    file,
    scenario,
    at: new Date().toISOString(),
    mark: planMark(plan),
    expected: expectedTexts(plan),
    passed,
    ...(failure && { failure }),
    detections: [...new Set(detections.map(({ by }) => by))],
    recoveries: [...new Set(recoveries.map(({ by }) => by))],
    exit: guest.exit,
    output: guest.output.slice(-mostOutput),
    overhead: cycles.overhead,
    fulfilled: fulfilledBy(report),
  };
}

function failureOf(report: Report): LastResult['failure'] {
  for (const { expectations, faults, missedSwitches = [] } of [report, ...(report.neighbours ?? [])]) {
    const broken = expectations.find(({ held }) => !held);
    if (broken) return { why: broken.reason ?? 'it did not hold', line: broken.line, text: broken.text };
    const idle = faults.find(({ fired, optional }) => !fired && optional !== true);
    if (idle) return { why: `${idle.name} never struck` };
    const [missed] = missedSwitches;
    if (missed) return { why: `the switch to ${missed.to} was never made` };
  }
  return undefined;
}

function keyOf(file: string, scenario: string): string {
  return `${createHash('sha256').update(JSON.stringify([file, scenario])).digest('hex').slice(0, 32)}.json`;
}

/** One file may be named by several paths. */
async function realPath(file: string): Promise<string> {
  return realpath(file).catch(() => resolve(file));
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= mostResults) return;
  const aged = await Promise.all(names.map(async (name) => ({ name, age: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })));
  aged.sort((a, b) => a.age - b.age);
  for (const { name } of aged.slice(0, names.length - mostResults + lot)) await rm(join(folder, name), { force: true });
}
