/**
 * `npm run workbench`: VS Code with the extension and the examples open. The
 * desktop one if `code` is on the PATH, else one in the browser, on loopback,
 * until Ctrl+C.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageExtension } from './package';
import { root, startServer } from './workbench-server';
import { cacheFolder, findProgram, setUpWorkbench } from './workbench-setup';

const say = (line: string): boolean => process.stderr.write(`workbench: ${line}\n`);
const examples = join(root, 'examples');

async function openDesktop(code: string): Promise<void> {
  say('opening VS Code with the extension and the examples');
  const child = spawn(code, ['--new-window', `--extensionDevelopmentPath=${root}`, examples], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exitCode = await new Promise<number>((done, fail) => {
    child.on('error', fail);
    child.on('close', (status) => done(status ?? 3));
  });
}

async function openInBrowser(): Promise<void> {
  const result = await setUpWorkbench(say);
  if ('missing' in result) {
    say(`there is no desktop VS Code (\`code\`) here, and the one in the browser needs: ${result.missing}`);
    process.exitCode = 3;
    return;
  }
  const profile = join(cacheFolder(), 'workbench');
  const vsix = packageExtension(join(root, 'dist', 'covert.vsix'));
  const server = await startServer(result.workbench, { profile, vsix, folder: examples });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
  process.stdout.write(`\nVS Code is open at ${server.url}\nOpen checksum/checksum.covert and press F5. Ctrl+C ends it.\n`);
  await server.ended;
}

const desktop = process.env['COVERT_BROWSER'] === '1' ? undefined : findProgram('code', 'code-insiders', 'codium');
(desktop === undefined ? openInBrowser() : openDesktop(desktop)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 3;
});
