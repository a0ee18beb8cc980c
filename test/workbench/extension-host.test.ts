import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { root } from '../../scripts/workbench-server';
import { bundleSuites } from '../desktop/bundle';
import type { SuiteResult } from '../desktop/index';
import { startHarness, type Harness } from './harness';

let harness: Harness | { missing: string };

beforeAll(async () => {
  const suites = await bundleSuites();
  harness = await startHarness({
    // How VS Code's own web tests start a suite: `extensionTestsPath` makes the host run it.
    hostPaths: { extensionDevelopmentPath: root, extensionTestsPath: suites },
    env: (temporary) => ({ COVERT_TEST_RESULTS: join(temporary, 'results.json') }),
  });
});
afterAll(async () => {
  if (harness && 'close' in harness) await harness.close();
});
beforeEach(({ skip }) => {
  if ('missing' in harness) skip(harness.missing);
});

it('passes the suites of test/desktop in its extension host', async () => {
  const { temporary, window } = harness as Harness;
  const file = join(temporary, 'results.json');
  await expect.poll(() => existsSync(file), { timeout: 85_000, interval: 500 }).toBe(true).catch(async (error: unknown) => {
    await window.screenshot('extension-host');
    throw error;
  });
  const results = JSON.parse(readFileSync(file, 'utf8')) as SuiteResult[];
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(4);
});
