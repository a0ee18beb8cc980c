/**
 * `npm run test:desktop`: the Mocha suites inside a desktop VS Code, the one at
 * `COVERT_VSCODE`, the `code` on the PATH, or one that is downloaded. Skipped,
 * with the reason, where none can be had or nothing can be shown.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { download, runTests } from '@vscode/test-electron';
import { root } from '../../scripts/workbench-server';
import { cacheFolder, findProgram } from '../../scripts/workbench-setup';
import { bundleSuites } from './bundle';
import type { SuiteResult } from './index';

/** `code` is a script; the program it starts stands beside its folder. */
function desktopOf(script: string): string | undefined {
  const folder = dirname(dirname(realpathSync(script)));
  return [join(folder, 'code'), join(folder, 'Code.exe'), join(folder, '..', '..', 'MacOS', 'Electron')].find(existsSync);
}

async function findDesktop(): Promise<{ executable: string } | { missing: string }> {
  if (process.platform === 'linux' && process.env['DISPLAY'] === undefined && process.env['WAYLAND_DISPLAY'] === undefined)
    return { missing: 'no display (run it under xvfb-run)' };
  const named = process.env['COVERT_VSCODE'];
  if (named !== undefined) return existsSync(named) ? { executable: named } : { missing: `COVERT_VSCODE=${named} is not there` };
  const script = findProgram('code');
  const executable = script === undefined ? undefined : desktopOf(script);
  if (executable !== undefined) return { executable };
  try {
    return { executable: await download({ version: 'stable', cachePath: join(cacheFolder(), 'vscode') }) };
  } catch (error) {
    return { missing: `no desktop VS Code, and none could be downloaded: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function main(): Promise<void> {
  const desktop = await findDesktop();
  if ('missing' in desktop) {
    process.stdout.write(`Skipped:\n  test/desktop: ${desktop.missing}\n\n0 passed, 0 failed, 1 skipped\n`);
    return;
  }
  if (!existsSync(join(root, 'dist', 'extension.cjs')))
    throw new Error('the extension is not built: run `npm run build` first');
  const temporary = mkdtempSync(join(tmpdir(), 'covert-desktop-'));
  const results = join(temporary, 'results.json');
  try {
    const folder = join(temporary, 'examples');
    cpSync(join(root, 'examples'), folder, { recursive: true });
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox', '--user-data-dir', join(temporary, 'user-data')] : [];
    await runTests({
      vscodeExecutablePath: desktop.executable,
      extensionDevelopmentPath: root,
      extensionTestsPath: await bundleSuites(),
      extensionTestsEnv: { COVERT_TEST_RESULTS: results },
      launchArgs: [folder, '--disable-extensions', '--disable-workspace-trust', '--skip-welcome', '--disable-gpu', ...asRoot],
    }).catch((error: unknown) => {
      // A failed test fails the run too, and is told below with its name.
      if (!existsSync(results)) throw error;
    });
    process.exitCode = report(JSON.parse(readFileSync(results, 'utf8')) as SuiteResult[]);
  } finally {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

function report(results: SuiteResult[]): number {
  const failed = results.filter(({ error }) => error !== undefined).length;
  for (const { title, error } of results) process.stdout.write(error === undefined ? `✓ ${title}\n` : `✗ ${title}\n${error}\n`);
  process.stdout.write(`\n${results.length - failed} passed, ${failed} failed\n`);
  return failed > 0 || results.length === 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  process.stderr.write(`test:desktop: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 3;
});
