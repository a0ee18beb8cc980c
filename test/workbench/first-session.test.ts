/** What a newcomer does first, in the order in which they do it: each test goes on where the one before stopped. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { root } from '../../scripts/workbench-server';
import { startHarness, type Harness } from './harness';
import type { LineEnd, WorkbenchPage } from './workbench-page';

const picture = join(root, 'docs', 'images', 'debugger.png');
const scenarioText = readFileSync(join(root, 'examples', 'checksum', 'checksum.covert'), 'utf8');
/** Where the first scenario of the example says that the replicas diverge. */
const divergenceLine = Number(/expect divergence at "checksum\.c":(\d+)/.exec(scenarioText)?.[1]);

let harness: Harness | { missing: string };
let window: WorkbenchPage;

beforeAll(async () => {
  harness = await startHarness();
  if ('window' in harness) window = harness.window;
});
afterAll(async () => {
  if (harness && 'close' in harness) await harness.close();
});
beforeEach(({ skip, onTestFailed, task }) => {
  if ('missing' in harness) skip(harness.missing);
  onTestFailed(async () => void (await window.screenshot(`failed ${task.name}`)));
});

const texts = (ends: LineEnd[]): string => ends.map(({ line, texts }) => `${line}: ${texts.join(' | ')}`).join('\n');
const statusText = async (): Promise<string> => (await window.statusBar.allTextContents()).join('\n');
const lineOf = (pattern: RegExp): number => scenarioText.slice(0, scenarioText.search(pattern)).split('\n').length;

it('opens a scenario file as its own language, highlighted', async () => {
  await window.openFile('checksum/checksum.covert');
  await expect.poll(() => window.statusBar.allTextContents(), { timeout: 20_000 }).toContain('COVERT');
  await expect.poll(() => window.tokenColors(), { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
  await window.screenshot('1 scenario');
});

it('shows a diagnostic for a typo while it is typed, and takes it away', async () => {
  await window.goTo(lineOf(/guest checksum\n\n {2}protect/), '  guest checksum'.length + 1);
  await window.page.keyboard.type('s');
  await window.squiggles('error').first().waitFor();
  await window.screenshot('2 typo');
  await window.page.keyboard.press('Backspace');
  await window.squiggles('error').first().waitFor({ state: 'detached' });
});

it('starts the scenario under the cursor on F5, without a launch.json, and stops at the divergence', async () => {
  await window.page.keyboard.press('F5');
  await window.paused('divergence');
  await window.tab('checksum.c').waitFor();
  expect((await window.callStack.allTextContents()).join('\n')).toMatch(/Replica A · hart 0[\s\S]*Replica B · hart 0/);
});

it('marks the line of both replicas, and what differs there', async () => {
  await expect.poll(async () => texts(await window.lineEnds()), { timeout: 20_000 }).toMatch(/A \| B \| .*A=.* B=/);
  expect((await window.lineEnds()).map(({ line }) => line)).toEqual([divergenceLine]);
  expect(await statusText()).toMatch(/A≠B: \d+ place/);
  const scope = window.page.locator('.debug-variables .monaco-list-row', { hasText: 'A≠B' }).first();
  await scope.click();
  // Where the mouse rests on a row, VS Code draws buttons over it.
  await window.page.mouse.move(1500, 500);
  await expect.poll(() => window.page.locator('.debug-variables .monaco-list-row').allTextContents()).toContainEqual(
    expect.stringMatching(/A.*0x[0-9a-f]+.*B.*0x[0-9a-f]+/),
  );
  const shot = await window.screenshot('3 divergence');
  if (process.env['COVERT_UPDATE_SCREENSHOTS'] === '1') {
    mkdirSync(dirname(picture), { recursive: true });
    copyFileSync(shot, picture);
  }
});

it('steps back, both replicas together, to before the fault, where they agree', async () => {
  await window.debugButton('step-back').click();
  await window.paused('step');
  // The flipped bit is older than the first result that it made wrong: a few lines back at most.
  for (let steps = 0; steps < 6 && !/A=B/.test(await statusText()); steps++) {
    const before = await window.callStack.allTextContents();
    await window.debugButton('step-back').click();
    await expect.poll(() => window.callStack.allTextContents(), { timeout: 20_000 }).not.toEqual(before);
    // The marks follow the call stack.
    await window.page.waitForTimeout(500);
  }
  expect(await statusText()).toMatch(/A=B/);
  expect((await window.lineEnds()).map((end) => end.texts)).toEqual([['A', 'B']]);
  await window.screenshot('4 step back');
});

it('continues to the divergence again, and to the detection', async () => {
  await window.debugButton('continue').click();
  await window.paused('divergence');
  await window.debugButton('continue').click();
  await window.paused('detection');
  await expect.poll(async () => texts(await window.lineEnds()), { timeout: 20_000 }).toMatch(/A[\s\S]*B/);
  await window.screenshot('5 detection');
});

it('continues to the end, from where one can still go back, and then leaves nothing behind', async () => {
  await window.debugButton('continue').click();
  await window.paused('the end');
  await window.debugButton('continue').click();
  await window.debugToolbar.waitFor({ state: 'hidden' });
  await expect.poll(() => window.lineEnds()).toEqual([]);
  expect(await statusText()).not.toMatch(/A[=≠]B/);
  await window.screenshot('6 end');
});

it('runs a scenario in the terminal from the button above the editor', async () => {
  await window.openFile('checksum/checksum.covert');
  await window.page.locator('.editor-actions .action-label.codicon-play').click();
  await expect.poll(() => window.terminalText(), { timeout: 30_000 }).toMatch(/crc32_update/);
  await window.screenshot('7 run');
});

it('says in one line why a launch cannot be carried out', async () => {
  await window.goTo(lineOf(/elf "checksum/), '  elf "checksum'.length + 1);
  await window.page.keyboard.type('X');
  await window.page.keyboard.press('F5');
  const dialog = window.page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  expect(await dialog.textContent()).toMatch(/checksum\.covert:\d+:\d+.*checksumX\.elf/);
  await window.screenshot('8 refused');
  await dialog.locator('.monaco-button', { hasText: 'Cancel' }).click();
  await window.debugToolbar.waitFor({ state: 'hidden' });
});
