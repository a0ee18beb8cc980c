import { mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../engine/covert/run';
import type { Plan } from '../../engine/covert/plan';
import { compileFile } from '../language/compile';
import { fulfilledBy } from './fulfilled';
import { keepResult, lastResult, resultsFolder } from './last-results';
import { planMark } from './plan-mark';

const example = path.resolve(import.meta.dirname, '../../examples/checksum/checksum.covert');
let folder = '';
const before = process.env.COVERT_CACHE;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-results-'));
  process.env.COVERT_CACHE = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env.COVERT_CACHE;
  else process.env.COVERT_CACHE = before;
  await rm(folder, { recursive: true });
});

async function planOf(name: string, text?: string): Promise<Plan> {
  const { plans } = await compileFile(example, text === undefined ? {} : { text });
  const plan = plans.find((each) => each.name === name);
  if (!plan) throw new Error(`no scenario ${name}`);
  return plan;
}

test('every scenario of an example fulfils what it fulfils: all that is offered compiles beside it and holds', async () => {
  const { plans } = await compileFile(example);
  for (const plan of plans) {
    const { scenario, ...report } = await run(plan, {});
    const offered = fulfilledBy(report);
    expect(offered.map(({ kind }) => kind)).toContain('exit');
    const fault = plan.faults.length > 0 ? 'fault flip a0 bit 1 in replica A at main' : '';
    const text = `guest checksum { elf "checksum.elf" }\nscenario "${scenario}" {\nguest checksum\nprotect ${plan.protection.kind}\n${fault}\n${offered.map((each) => `expect ${each.text}\n`).join('')}}\n`;
    const { plans: [again], diagnostics } = await compileFile(example, { text });
    expect(diagnostics).toEqual([]);
    const judged = await run({ ...plan, expectations: again?.expectations ?? [] }, {});
    expect(judged.expectations.filter(({ held }) => !held)).toEqual([]);
    expect(judged.expectations).toHaveLength(offered.length);
  }
});

test('a result is found by any path of the file, and by no other scenario', async () => {
  const plan = await planOf('a bit flip in the data');
  await keepResult(example, plan, await run(plan, {}));
  const link = path.join(folder, 'link.covert');
  await symlink(example, link);
  const found = await lastResult(link, plan.name);
  expect(found).toMatchObject({ scenario: plan.name, passed: true, mark: planMark(plan), exit: 0 });
  expect(await lastResult(example, 'another one')).toBeUndefined();
  expect((await readdir(resultsFolder())).filter((name) => !name.endsWith('.json'))).toEqual([]);
});

test('the oldest results go where there are too many', async () => {
  const plan = await planOf('a bit flip in the data');
  const report = await run(plan, {});
  await keepResult(example, plan, report);
  for (let i = 0; i < 1000; i++) await writeFile(path.join(resultsFolder(), `${i}.json`), '{}');
  const old = new Date(0);
  for (let i = 0; i < 50; i++) await utimes(path.join(resultsFolder(), `${i}.json`), old, old);
  await keepResult(example, plan, report);
  const names = await readdir(resultsFolder());
  expect(names).toHaveLength(900);
  expect(names).not.toContain('0.json');
  expect(names).not.toContain('49.json');
  expect(await lastResult(example, plan.name)).toBeDefined();
});

test('a plan has the same mark wherever it stands and whatever is expected of it, and another one where anything else differs', async () => {
  const text = 'guest sum { elf "checksum.elf" }\nscenario "s" { guest sum protect dmr fault flip a0 bit 3 in replica B at main expect exit 0 }';
  const mark = async (changed: string): Promise<string> => planMark(await planOf('s', changed));
  const own = await mark(text);
  for (const same of [`// moved\n\n${text}`, text.replace('exit 0', 'exit 1'), text.replace('protect dmr', 'protect dmr on core 0, core 1')]) expect(await mark(same)).toBe(own);
  for (const [from, to] of [['bit 3', 'bit 4'], ['protect dmr', 'protect dmr { retry 1 }'], ['guest sum protect', 'guest sum seed 2 protect'], ['"checksum.elf"', '"checksum.elf" ram 16 MiB'], ['"checksum.elf"', '"../sort/sort.elf"']] as const) {
    expect(await mark(text.replace(from, to))).not.toBe(own);
  }
});
