/**
 * `npm test`: everything. Sets up, installs what the tests need where it can,
 * runs all vitest projects, lists by name what was skipped and why, and ends
 * with `N passed, N failed` alone on a line. Arguments narrow the files.
 */
import path from 'node:path';
import process from 'node:process';
import { runScript, root, setUp } from './setup.mjs';
import { provideTestPackages } from './test-packages.mjs';

await runScript(async () => {
  await setUp();
  const obstacle = await provideTestPackages();

  const { startVitest } = await import('vitest/node');
  const vitest = await startVitest('test', process.argv.slice(2), { root, run: true, watch: false });
  const tally = { passed: 0, failed: 0, skipped: [] };
  for (const module of vitest.state.getTestModules()) count(module, tally, obstacle);
  tally.failed += vitest.state.getUnhandledErrors().length;
  await vitest.close();

  if (tally.skipped.length > 0) process.stdout.write(`\nSkipped:\n${tally.skipped.join('\n')}\n`);
  const skipped = tally.skipped.length > 0 ? `, ${tally.skipped.length} skipped` : '';
  process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed${skipped}\n`);
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0;
});

/** Adds one test file. A file or suite whose set-up fails counts as one failure. */
function count(module, tally, obstacle) {
  const broken = [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
  tally.failed += broken;
  for (const test of module.children.allTests()) {
    const { state, note } = test.result();
    if (state === 'passed') tally.passed += 1;
    else if (state === 'failed') tally.failed += 1;
    else {
      const why = note ?? (broken > 0 ? "its file's set-up failed" : (obstacle ?? 'what it needs is not on this machine'));
      tally.skipped.push(`  ${path.relative(root, module.moduleId)} > ${test.fullName}: ${why}`);
    }
  }
}
