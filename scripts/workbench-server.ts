/** Runs the browser VS Code that workbench-setup installs, with our extension in it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { Workbench } from './workbench-setup';

export const root = resolve(import.meta.dirname, '..');

function run(what: string, command: string, args: string[]): string {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) {
    const output = result.error?.message ?? `${result.stdout}${result.stderr}`;
    throw new Error(`${what} failed:\n${output.trim()}`);
  }
  return result.stdout;
}

export interface ServerOptions {
  /** Holds the user's settings and the installed extensions; made if it is not there. */
  profile: string;
  vsix: string;
  /** The folder to open. */
  folder: string;
  /** Written to the user's settings before the start; left out: they stay as they are. */
  settings?: Record<string, unknown>;
  /** Added to the server's environment. */
  env?: Record<string, string>;
}

export interface WorkbenchServer {
  url: string;
  /** Everything the server has printed so far. */
  log(): string;
  stop(): Promise<void>;
  /** Resolves when the server has ended. */
  ended: Promise<void>;
}

/** How long a start may take before it is called a failure. */
const startMilliseconds = 60_000;

/** Installs the .vsix and starts code-server on a free loopback port; resolves once it answers. */
export async function startServer({ node, entry }: Workbench, options: ServerOptions): Promise<WorkbenchServer> {
  const { profile, vsix, folder, settings, env } = options;
  const userData = join(profile, 'user-data');
  const flags = [
    '--config',
    join(profile, 'config.yaml'),
    '--user-data-dir',
    userData,
    '--extensions-dir',
    join(profile, 'extensions'),
  ];
  mkdirSync(join(userData, 'User'), { recursive: true });
  if (settings) writeFileSync(join(userData, 'User', 'settings.json'), JSON.stringify(settings, null, 2));
  run('installing the extension', node, [entry, ...flags, '--install-extension', vsix, '--force']);

  const port = await freePort();
  const child = spawn(
    node,
    [
      entry,
      ...flags,
      '--auth',
      'none',
      '--bind-addr',
      `127.0.0.1:${port}`,
      '--disable-telemetry',
      '--disable-update-check',
      '--disable-workspace-trust',
      '--disable-getting-started-override',
    ],
    // A process group of its own: extension hosts and what they start go down with it.
    { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-100_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let running = true;
  const ended = new Promise<void>((done) => {
    child.on('close', () => {
      running = false;
      done();
    });
  });
  const stop = async (): Promise<void> => {
    if (running && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };

  const address = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + startMilliseconds;
  while (!(await answers(`${address}/healthz`))) {
    if (!running || Date.now() > deadline) {
      await stop();
      throw new Error(`code-server did not start:\n${output.trim()}`);
    }
    await new Promise((wake) => setTimeout(wake, 200));
  }
  return { url: `${address}/?folder=${encodeURIComponent(folder)}`, log: () => output, stop, ended };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address) done(address.port);
        else fail(new Error('no free port'));
      });
    });
  });
}
