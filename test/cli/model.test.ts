import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { defaults, periods } from '../../server/language/defaults';
import { makeElf } from '../oracles/elf-writer';
import { complaints, covert, interruptAtProgress, root } from './covert';

interface Guest {
  name: string;
  protection: { kind: string; epochInstructions: number; checkpointEpochs: number; compareStateEpochs: number };
  counts: { instructions: number; cycles: number; outputs: number };
  predicted: { overhead: number; terms: { event: string; share: number }[] };
  measured: { overhead: number; difference: number; events: { event: string; measured: { count: number; cycles: number }; difference: number }[] } | null;
  why?: string;
}

interface Model {
  costs: Record<string, { value: number; source: string }>;
  events: { event: string; cycles: number }[];
  guests: Guest[];
  sensitivity: { parameter: string; values: number[]; overheads: { name: string; overheads: number[] }[] }[];
  bressoudSchneider: { epochInstructions: number; published: number; model: number }[];
}

const checksum = 'examples/checksum/checksum.covert';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

const modelOf = async (...args: string[]): Promise<Model> => {
  const { exit, stdout, stderr } = await covert(['model', ...args, '--json']);
  expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 0, complaints: '' });
  return JSON.parse(stdout) as Model;
};

/** Every tag is closed, no bare ampersand, no quote within a quoted attribute: what a reader of XML takes. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const tags = /<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g;
  const rest = svg.replace(tags, (_, close: string | undefined, name: string | undefined, _attributes, alone: string | undefined) => {
    if (name === undefined) return '';
    if (close) expect(open.pop()).toBe(name);
    else if (!alone) open.push(name);
    return '';
  });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|apos;|#\d+;|#x[0-9a-f]+;)/i);
}

describe('without a file', () => {
  test('programs that were measured with what a scenario has that says nothing', async () => {
    const { guests, bressoudSchneider, sensitivity, costs, events } = await modelOf();
    expect(guests.length).toBeGreaterThanOrEqual(6);
    for (const { protection, measured, predicted } of guests) {
      // Otherwise `npm run measure:rates` is due.
      expect(protection).toEqual({ kind: 'dmr', epochInstructions: defaults.epochInstructions, ...periods.linux });
      const sum = predicted.terms.reduce((total, { share }) => total + share, 0);
      expect(sum).toBeCloseTo(predicted.overhead, 9);
      // The run is the same one, so what is apart is how checkpoints fall into it.
      expect(Math.abs(measured?.difference ?? 1)).toBeLessThan(0.01);
      expect(measured?.overhead).toBeCloseTo(predicted.overhead + (measured?.difference ?? NaN), 9);
    }
    for (const { published, model } of bressoudSchneider) expect(Math.abs(model / published - 1)).toBeLessThan(0.01);
    expect(sensitivity.map(({ parameter }) => parameter)).toEqual(['epoch', 'checkpoint', 'validation', 'exit', 'dirty']);
    for (const { values, overheads } of sensitivity) for (const guest of overheads) expect(guest.overheads).toHaveLength(values.length);
    expect(costs['exit']).toMatchObject({ value: 761, source: expect.stringContaining('Westmere') as string });
    expect(events.find(({ event }) => event === 'rendezvous')?.cycles).toBe(1761);
  });

  test('text of 80 columns, with an honest headline', async () => {
    const [{ exit, stdout, stderr }, { guests }] = await Promise.all([covert(['model']), modelOf()]);
    expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 0, complaints: '' });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const above = guests.filter(({ measured }) => (measured?.overhead ?? 1) >= 0.2);
    expect(stdout).toContain(`Below 20 %: ${guests.length - above.length} of ${guests.length} programs.`);
    for (const { name } of above) expect(stdout).toMatch(new RegExp(`^${name} costs \\d`, 'm'));
    expect(stdout).toMatch(/^ +1,000 +22\.24 +22\.31 +\+0\.3 %$/m);
  });
});

describe('of a file', () => {
  test('each scenario: what `covert run` measures beside what its event rates predict', async () => {
    const [{ guests }, { stdout }] = await Promise.all([modelOf(checksum), covert(['run', checksum, '--json'])]);
    const reports = JSON.parse(stdout) as Report[];
    expect(guests.map(({ name }) => name)).toEqual(reports.map(({ scenario }) => scenario));
    for (const [index, { counts, measured, protection }] of guests.entries()) {
      const { cycles, guest } = reports[index] as Report;
      expect(counts.cycles).toBe(cycles.unprotected);
      expect(protection.kind).toBe(reports[index]?.protection.start);
      if (cycles.overhead === null || guest.ended !== 'exit') continue;
      expect(measured?.overhead).toBeCloseTo(cycles.overhead, 12);
      for (const { event, count, cycles: spent } of cycles.events) {
        expect(measured?.events.find((one) => one.event === event)?.measured).toMatchObject({ count, cycles: spent });
      }
    }
  });

  test('text: events of both sides, their differences, and why there is none', async () => {
    const { exit, stdout } = await covert(['model', 'examples/ticker/ticker.covert']);
    expect(exit).toBe(0);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^output +221 × +11\.8 % +221 × +11\.8 % +0\.0$/m);
    expect(stdout).toContain('not measured, since the run was not whole: the VMM\nstopped it.');
  });

  test('--scenario takes one', async () => {
    const { guests } = await modelOf(checksum, '--scenario', 'a bit flip in a pointer');
    expect(guests.map(({ name }) => name)).toEqual(['a bit flip in a pointer']);
  });

  test('Ctrl-C: exit code 130 and no half an object', async () => {
    await writeFile(path.join(folder, 'endless.elf'), makeElf(0x8000_0000n, Uint8Array.of(0x6f, 0, 0, 0)));
    const file = path.join(folder, 'endless.covert');
    await writeFile(file, 'guest g { elf "endless.elf" ram 16 MiB }\nscenario "s" { guest g protect dmr expect clean }\n');
    // Its limit of a thousand million instructions must not come before the first progress is shown.
    const { exit, stdout, stderr } = await covert(['model', file, '--json', '--tier', 'interpreter', '--threads', '1'], { meanwhile: interruptAtProgress });
    expect({ exit, stdout }).toEqual({ exit: 130, stdout: '' });
    expect(stderr).toMatch(/^s: measuring, [\d,]+ instructions, \d+ s\ncovert: interrupted\n$/);
  });
});

describe('--svg', () => {
  test('writes one picture with all charts, and nothing beside it', async () => {
    const file = path.join(folder, 'charts', 'model.svg');
    await mkdir(path.dirname(file));
    const { exit, stderr } = await covert(['model', '--svg', file]);
    expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 0, complaints: '' });
    expect(await readdir(path.dirname(file))).toEqual(['model.svg']);
    const svg = await readFile(file, 'utf8');
    expectWellFormed(svg);
    for (const text of ['Overhead by guest', 'What one event costs', 'By epoch length', 'By checkpoint period', 'By cost of an exit', 'By dirty rate', 'Bressoud and Schneider', 'sqlite3', '22.24']) {
      expect(svg).toContain(text);
    }
  });

  test('takes names of scenarios as they are', async () => {
    const file = path.join(folder, 'names.covert');
    const name = `<script>alert('&amp; "x"')</script> & \u{1f600}`;
    const target = path.relative(folder, path.join(root, 'examples/checksum/checksum.elf'));
    await writeFile(file, `guest g { elf "${target}" ram 16 MiB }\nscenario ${JSON.stringify(name)} { guest g protect dmr expect clean }\n`);
    const svg = path.join(folder, 'names.svg');
    const { exit, stdout, stderr } = await covert(['model', file, '--svg', svg]);
    expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 0, complaints: '' });
    expect(stdout).toContain(name);
    const text = await readFile(svg, 'utf8');
    expectWellFormed(text);
    expect(text).not.toContain('<script');
  });

  test('of unprotected guests alone is still a picture', async () => {
    const svg = path.join(folder, 'alone.svg');
    const { exit } = await covert(['model', checksum, '--scenario', 'the same flip without protection', '--svg', svg]);
    expect(exit).toBe(0);
    expectWellFormed(await readFile(svg, 'utf8'));
  });
});

describe('what is wrong is one line and exit code 2', () => {
  test.each([
    [['missing.covert'], 'missing.covert: no such file'],
    [['README.md'], "README.md: a scenario file's name ends in .covert"],
    [['--scenario', 'x'], '--scenario is of a file, and there is none: name it, too'],
    [[checksum, '--scenario', 'a bit flip in a pinter'], 'did you mean "a bit flip in a pointer"?'],
    [['--svg', 'missing/model.svg'], '--svg missing/model.svg: there is no such folder'],
    [['--svg', 'docs'], '--svg docs: it is there already, and no file'],
    [['--csv'], "unknown option '--csv'"],
  ])('covert model %j', async (args, message) => {
    const { exit, stdout, stderr } = await covert(['model', ...args]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/^covert: [^\n]*\n$/);
    expect(stderr).toContain(message);
    expect(existsSync(path.join(root, 'missing'))).toBe(false);
  });
});
