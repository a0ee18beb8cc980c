/** What VS Code calls inside its extension host: runs the Mocha suites, leaves the results in a file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the results go; `run` also fails if a test did. */
const resultsVariable = 'COVERT_TEST_RESULTS';

export interface SuiteResult {
  title: string;
  /** Why it failed; absent if it passed. */
  error?: string;
}

export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({ ui: 'tdd', timeout: 30_000 });
  mocha.addFile(join(__dirname, 'flow.cjs'));
  const results: SuiteResult[] = [];
  await new Promise<void>((done) => {
    mocha
      .run(() => done())
      .on('pass', (test) => results.push({ title: test.fullTitle() }))
      .on('fail', (test, error: Error) => results.push({ title: test.fullTitle(), error: error.stack ?? error.message }));
  });
  const file = process.env[resultsVariable];
  if (file !== undefined) writeFileSync(file, JSON.stringify(results));
  const failed = results.filter(({ error }) => error !== undefined);
  if (failed.length > 0) throw new Error(failed.map(({ title, error }) => `${title}: ${error}`).join('\n'));
}
