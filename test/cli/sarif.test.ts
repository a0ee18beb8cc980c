import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Log, Region, Run } from 'sarif';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diagnosticCodes } from '../../server/language/diagnostic-codes';
import { covert, root } from './covert';

/** A character before the first mistake in a line is two units of UTF-16. */
const text = 'chip octo { cores 8 }\r\nguest g { elf "none.elf" }\r\nscenario "\u{1f600}" { chip ocot guest g expect clean fault flip x0 bit 3 in replica A at epoch 1 }\r\ngest\r\n';

let folder = '';
beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'covert-sarif-')));
  await mkdir(path.join(folder, 'a b'));
  await writeFile(path.join(folder, 'a b', '{é}#1.covert'), text);
});
afterAll(() => rm(folder, { recursive: true }));

async function sarif(paths: string[], cwd = folder): Promise<{ exit: number | null; run: Run; log: Log; stderr: string }> {
  const { exit, stdout, stderr } = await covert(['check', '--sarif', ...paths], { cwd });
  const log = JSON.parse(stdout) as Log;
  return { exit, run: log.runs[0]!, log, stderr };
}

const region = (run: Run, code: string): Region | undefined =>
  run.results?.find(({ ruleId }) => ruleId === code)?.locations?.[0]?.physicalLocation?.region;

/** The text of a region, as a viewer that counts in UTF-16 cuts it out. */
function cut(lines: string[], { startLine = 0, startColumn = 0, endLine = 0, endColumn = 0 }: Region): [string, string, string] {
  const before = [...lines.slice(0, startLine - 1), lines[startLine - 1]!.slice(0, startColumn - 1)].join('\r\n');
  const after = [lines[endLine - 1]!.slice(endColumn - 1), ...lines.slice(endLine)].join('\r\n');
  const whole = lines.join('\r\n');
  return [before, whole.slice(before.length, whole.length - after.length), after];
}

test('results stand where the mistakes are, in UTF-16, with paths below the folder', async () => {
  const { exit, run, log, stderr } = await sarif(['.']);
  expect({ exit, stderr, version: log.version, kind: run.columnKind }).toEqual({ exit: 2, stderr: '', version: '2.1.0', kind: 'utf16CodeUnits' });
  const uri = 'a%20b/%7B%C3%A9%7D%231.covert';
  expect(decodeURIComponent(uri)).toBe('a b/{é}#1.covert');
  expect(run.artifacts?.map(({ location }) => location)).toEqual([{ uri, uriBaseId: '%SRCROOT%' }]);
  for (const { locations } of run.results ?? []) expect(locations?.[0]?.physicalLocation?.artifactLocation).toEqual({ uri, uriBaseId: '%SRCROOT%' });
  expect(run.originalUriBaseIds).toHaveProperty('%SRCROOT%');
  expect(run.results?.map(({ ruleId, level }) => [ruleId, level])).toEqual([
    ['COV203', 'error'],
    ['COV201', 'error'],
    ['COV601', 'warning'],
    ['COV101', 'error'],
  ]);
  const lines = text.split('\r\n');
  expect(region(run, 'COV201')).toEqual({ startLine: 3, startColumn: 22, endLine: 3, endColumn: 26 });
  expect(cut(lines, region(run, 'COV201')!)[1]).toBe('ocot');
  expect(cut(lines, region(run, 'COV203')!)[1]).toBe('"none.elf"');
  expect(cut(lines, region(run, 'COV101')!)[1]).toBe('gest');
});

test('what a fix says mends the file', async () => {
  const { run } = await sarif(['.']);
  const fixed = run.results?.filter(({ fixes = [] }) => fixes.length > 0) ?? [];
  expect(fixed.map(({ ruleId, fixes = [] }) => [ruleId, fixes[0]?.description?.text])).toEqual([
    ['COV201', 'Change to `octo`'],
    ['COV101', 'Change to `guest`'],
  ]);
  for (const { ruleId, fixes = [], locations } of fixed) {
    const change = fixes[0]!.artifactChanges[0]!;
    expect(change.artifactLocation).toEqual(locations?.[0]?.physicalLocation?.artifactLocation);
    const { deletedRegion, insertedContent } = change.replacements[0]!;
    const [before, , after] = cut(text.split('\r\n'), deletedRegion);
    const mended = path.join(folder, 'mended.covert');
    await writeFile(mended, before + insertedContent!.text! + after);
    const { stdout } = await covert(['check', mended]);
    await rm(mended);
    expect(stdout).toContain('COV203');
    expect(stdout).not.toContain(ruleId === 'COV201' ? 'COV201' : 'found `gest`');
  }
});

test('a brace stands for itself in no message', async () => {
  const { run } = await sarif(['.']);
  const message = run.results?.find(({ ruleId }) => ruleId === 'COV101')?.message.text ?? '';
  expect(message).toMatch(/^expected .*`gest`/);
  const file = path.join(folder, 'brace.covert');
  await writeFile(file, 'guest }');
  const { run: other } = await sarif([file]);
  await rm(file);
  expect(other.results?.[0]?.message.text).toBe('expected a name, but found `}}`');
});

test('each code is a rule with help, which leads to its section of the manual', async () => {
  const { run } = await sarif(['.']);
  const { rules = [], semanticVersion } = run.tool.driver;
  expect(semanticVersion).toMatch(/^\d+\.\d+\.\d+$/);
  expect(rules.map(({ id }) => id)).toEqual(Object.keys(diagnosticCodes));
  for (const { ruleId, ruleIndex = -1 } of run.results ?? []) expect(rules[ruleIndex]?.id).toBe(ruleId);
  const manual = await readFile(path.join(root, 'docs', 'language.md'), 'utf8');
  const sections = [...manual.matchAll(/^#### (COV\d+): (.*)$/gm)].map(([, code = '', title = '']) => `${code} ${title}`.toLowerCase().replace(/[`,]/g, '').replace(/ /g, '-'));
  expect(rules.map(({ helpUri }) => helpUri)).toEqual(sections.map((section) => `${pathToFileURL(path.join(root, 'docs', 'language.md')).href}#${section}`));
  // The manual refers to its own sections by the names that Markdown gives them.
  for (const [, section] of manual.matchAll(/\(#(cov\d+[^)]*)\)/g)) expect(sections).toContain(section);
  for (const { id, shortDescription, help, defaultConfiguration } of rules) {
    expect(shortDescription?.text).toMatch(/^[A-Z].*\.$/);
    expect(help?.text).toContain(`docs/language.md#${id.toLowerCase()}-`);
    expect(defaultConfiguration?.level).toBe(id.startsWith('COV6') ? 'warning' : 'error');
  }
});

test('nothing wrong is a log without results; files from elsewhere have whole paths', async () => {
  const { exit, run } = await sarif([path.join(root, 'examples', 'sort')]);
  expect(exit).toBe(0);
  expect(run.results).toEqual([]);
  expect(run.invocations).toEqual([{ executionSuccessful: true, toolExecutionNotifications: [] }]);
  expect(run.artifacts?.map(({ location }) => location)).toEqual(
    ['beside', 'sort'].map((name) => ({ uri: pathToFileURL(path.join(root, 'examples', 'sort', `${name}.covert`)).href })),
  );
});

test('what could not be read is in the log, too', async () => {
  const { exit, run, stderr } = await sarif(['none.covert']);
  expect({ exit, stderr }).toEqual({ exit: 2, stderr: 'covert: none.covert: no such file\n' });
  expect(run.invocations).toEqual([
    { executionSuccessful: false, toolExecutionNotifications: [{ level: 'error', message: { text: 'none.covert: no such file' } }] },
  ]);
});
