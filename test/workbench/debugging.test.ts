/** What the debugger does in a workbench beyond the first session; each test starts its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { root } from '../../scripts/workbench-server';
import { startHarness, type Harness } from './harness';
import type { WorkbenchPage } from './workbench-page';

let harness: Harness | { missing: string };
let window: WorkbenchPage;

beforeAll(async () => {
  harness = await startHarness();
  if ('window' in harness) window = harness.window;
});
afterAll(async () => {
  if (harness && 'close' in harness) await harness.close();
});
beforeEach(async ({ skip, onTestFailed, task }) => {
  if ('missing' in harness) skip(harness.missing);
  onTestFailed(async () => void (await window.screenshot(`failed ${task.name}`)));
  await window.page.keyboard.press('Escape');
  if (await window.debugToolbar.isVisible()) await window.stopDebugging();
  await window.command('View: Close All Editors');
  // The palette lists the command only if there are some.
  if ((await window.page.locator('.debug-breakpoints .codicon-debug-breakpoint').count()) > 0)
    await window.command('Remove All Breakpoints');
});

const textOf = (...path: string[]): string => readFileSync(join(root, 'examples', ...path), 'utf8');
const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;
const scenarios = textOf('checksum', 'checksum.covert');

async function debug(scenario: string): Promise<void> {
  await window.openFile('checksum/checksum.covert');
  await window.goTo(lineOf(scenarios, `scenario "${scenario}"`) + 1, 1);
  await window.page.keyboard.press('F5');
}

/** Sets or removes one on the line of an example with that text; returns the line. */
async function toggleBreakpoint(folder: string, file: string, text: string): Promise<number> {
  const line = lineOf(textOf(folder, file), text);
  await window.openFile(`${folder}/${file}`);
  await window.goTo(line, 1);
  await window.page.keyboard.press('F9');
  return line;
}

const badges = async (): Promise<string[][]> => (await window.lineEnds()).map(({ texts }) => texts.slice(0, 1));

it('marks the line of each replica where their paths part', async () => {
  // The wrong pointer makes replica B trap; replica A goes on in the loop.
  await toggleBreakpoint('runtime', 'crt0.S', 'addi\tsp, sp, -128');
  await debug('a bit flip in a pointer');
  await window.paused('divergence');
  await window.debugButton('continue').click();
  await window.paused('breakpoint');
  await window.tab('crt0.S').waitFor();
  await expect.poll(badges, { timeout: 20_000 }).toEqual([['B']]);
  await window.command('View: Move Editor into Right Group');
  await window.command('View: Focus First Editor Group');
  await window.openFile('checksum/checksum.c');
  await expect.poll(badges, { timeout: 20_000 }).toEqual([['A']]);
  await window.screenshot('9 apart');
});

it('stops at a breakpoint of the source, forwards and in reverse', async () => {
  const inLoop = await toggleBreakpoint('checksum', 'checksum.c', '// #BP3');
  const atEnd = await toggleBreakpoint('checksum', 'checksum.c', '// #BP4');
  const focused = window.page.locator('.debug-call-stack .monaco-list-row.selected');
  await debug('a bit flip that nobody reads');
  await window.paused('breakpoint');
  await expect.poll(() => focused.textContent()).toContain(`${inLoop}:`);
  await toggleBreakpoint('checksum', 'checksum.c', '// #BP3');
  await window.debugButton('continue').click();
  await expect.poll(() => focused.textContent()).toContain(`${atEnd}:`);
  await toggleBreakpoint('checksum', 'checksum.c', '// #BP3');
  await window.debugButton('reverse-continue').click();
  await expect.poll(() => focused.textContent()).toContain(`${inLoop}:`);
  await window.screenshot('10 breakpoint in reverse');
});

it('shows the instructions, and steps one at a time there', async () => {
  await debug('a bit flip in the checksum loop');
  await window.paused('divergence');
  await window.command('Open Disassembly View');
  const rows = window.page.locator('.disassembly-view .monaco-table-tr');
  await expect.poll(async () => (await rows.allTextContents()).join('\n'), { timeout: 20_000 }).toMatch(/0x[0-9a-f]+.*\b(xor|srliw|lw|lbu)\b/);
  const here = window.page.locator('.disassembly-view .codicon-debug-stackframe').first();
  await here.waitFor();
  const before = await here.boundingBox();
  await window.screenshot('11 disassembly');
  await rows.nth(3).click();
  await window.debugButton('step-over').click();
  await expect.poll(async () => (await here.boundingBox())?.y, { timeout: 20_000 }).not.toBe(before?.y);
});

it('asks which scenario, on F5 in a source file of a guest', async () => {
  await window.openFile('sort/sort.c');
  await window.page.keyboard.press('F5');
  const rows = window.page.locator('.quick-input-list .monaco-list-row');
  await rows.first().waitFor();
  const names = (await rows.allTextContents()).join('\n');
  expect(names).toMatch(/^[^\n]*sort\/sort\.covert/);
  for (const file of ['checksum', 'sort']) expect(names).toContain(`${file}/${file}.covert`);
  await window.screenshot('12 which scenario');
  await window.page.keyboard.press('Escape');
});
