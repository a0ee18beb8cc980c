/**
 * Installs a browser-based VS Code (code-server, from npm) into a cache folder
 * outside the tree, so that the extension runs in a real workbench where no
 * desktop is at hand: `npm run workbench` and the tests in test/workbench.
 *
 * Every step leaves a stamp when it is done, so a run that was cut off resumes
 * where it stopped, and a run on a finished installation returns at once.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const codeServerVersion = '4.100.3';
/** This code-server, and its native parts, run on Node 20 only: fetched from npm where another one runs us. */
const nodeVersion = '20.20.2';

/** What the native parts of VS Code need to be compiled, and what it searches and renders with. */
const debianPackages = [
  'chromium',
  'ripgrep',
  'libkrb5-dev',
  'libx11-dev',
  'libxkbfile-dev',
  'libsecret-1-dev',
  'pkg-config',
  'build-essential',
  'python3',
];

export interface Workbench {
  /** The Node that runs code-server. */
  node: string;
  /** code-server's entry script. */
  entry: string;
}

export type SetUp = { workbench: Workbench } | { missing: string };

export type Report = (line: string) => void;

/** The folder that holds everything that is fetched, `COVERT_CACHE` or ~/.cache/covert. */
export function cacheFolder(): string {
  return process.env['COVERT_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'covert');
}

/** The first of `names` that is on the PATH, as an absolute path. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const name of names)
    for (const folder of folders) {
      const file = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
      if (folder !== '' && existsSync(file)) return file;
    }
  return undefined;
}

/** The browser that drives the workbench in tests: `COVERT_CHROMIUM`, or one on the PATH. */
export function findChromium(): string | undefined {
  return process.env['COVERT_CHROMIUM'] ?? findProgram('chromium', 'chromium-browser', 'google-chrome');
}

function isDebianPackageInstalled(name: string): boolean {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout.includes('install ok installed');
}

function missingDebianPackages(): string[] {
  return findProgram('dpkg-query') === undefined ? [] : debianPackages.filter((name) => !isDebianPackageInstalled(name));
}

/** Runs a command to its end; rejects with the last lines of its output. */
function execute(command: string, args: string[], folder: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    const keep = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`\`${command} ${args.join(' ')}\` failed with ${code} in ${folder}:\n${tail.trim()}`));
    });
  });
}

/** Replaces whatever stands at `path` by a symbolic link. */
function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) || lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path, { recursive: true });
  symlinkSync(target, path);
}

/** A Node that code-server runs on, and how npm runs with it. */
interface Toolchain {
  node: string;
  /** What must be fetched before it is there: an npm package and the folder of its npm project. */
  fetch?: { package: string; folder: string };
  env: NodeJS.ProcessEnv;
}

/** This process's own Node if it will do, else one from npm. */
function chooseToolchain(): Toolchain {
  if (process.versions.node.startsWith('20.')) return { node: process.execPath, env: process.env };
  const folder = join(cacheFolder(), `node-${nodeVersion}`);
  const name = `node-linux-${process.arch}`;
  const home = join(folder, 'node_modules', name);
  const env = {
    ...process.env,
    PATH: `${join(home, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    // Its headers come with it; node-gyp would fetch them from elsewhere.
    npm_config_nodedir: home,
  };
  return { node: join(home, 'bin', 'node'), fetch: { package: `${name}@${nodeVersion}`, folder }, env };
}

/** The script of the npm that runs us, or of the one on the PATH. */
function npmScript(): string {
  const running = process.env['npm_execpath'];
  if (running !== undefined && /npm-cli\.[cm]?js$/.test(running)) return running;
  const npm = findProgram('npm');
  if (npm === undefined) throw new Error('npm is not on the PATH');
  return realpathSync(npm);
}

/** An empty npm project, so that npm does not look for one further up. */
function makeProject(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "workbench", "private": true }\n');
}

interface Step {
  name: string;
  run(): Promise<void> | void;
}

/** The steps in order; `folder` is code-server's own npm project. */
function installation(folder: string, { node, fetch, env }: Toolchain): Step[] {
  const codeServer = join(folder, 'node_modules', 'code-server');
  const vscode = join(codeServer, 'lib', 'vscode');
  const npm = (where: string, ...args: string[]): Promise<void> =>
    execute(node, [npmScript(), ...args, '--no-audit', '--no-fund', '--loglevel=error'], where, env);
  // Where npm runs us, it passes this project's `ignore-scripts` on, and a rebuild would build nothing and say that all is well.
  const build = async (where: string, built: string, ...names: string[]): Promise<void> => {
    await npm(where, 'rebuild', ...names, '--ignore-scripts=false', '--yes');
    if (!existsSync(join(where, 'node_modules', built))) throw new Error(`npm rebuild ${names.join(' ')} in ${where} has not made ${built}`);
  };
  return [
    ...(fetch
      ? [
          {
            name: `Node ${nodeVersion}`,
            run: () => {
              makeProject(fetch.folder);
              const args = ['install', fetch.package, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
              return execute(process.execPath, [npmScript(), ...args], fetch.folder);
            },
          },
        ]
      : []),
    {
      name: `code-server ${codeServerVersion}`,
      run: () => {
        makeProject(folder);
        return npm(folder, 'install', `code-server@${codeServerVersion}`, '--ignore-scripts');
      },
    },
    { name: 'argon2, built', run: () => build(folder, 'argon2/lib/binding/napi-v3/argon2.node', 'argon2') },
    { name: 'what VS Code depends on', run: () => npm(vscode, 'install', '--omit=dev', '--ignore-scripts') },
    {
      name: 'its native parts, built',
      run: () => build(vscode, 'node-pty/build/Release/pty.node', 'node-pty', '@vscode/spdlog', 'native-watchdog', '@parcel/watcher'),
    },
    {
      name: 'links',
      run: () => {
        const ripgrep = findProgram('rg');
        if (ripgrep === undefined) throw new Error('ripgrep (rg) is not on the PATH: install it and run this again');
        link(ripgrep, join(vscode, 'node_modules', '@vscode', 'ripgrep', 'bin', 'rg'));
        link('node_modules', join(vscode, 'node_modules.asar'));
      },
    },
  ];
}

function readStamps(file: string): string[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as string[];
  } catch {
    return [];
  }
}

/**
 * Makes sure that the browser VS Code is there.
 * @returns where it is, or in one line what this machine lacks; it throws only
 * when a step of the installation itself fails.
 */
export async function setUpWorkbench(report: Report): Promise<SetUp> {
  const folder = join(cacheFolder(), `code-server-${codeServerVersion}`);
  const toolchain = chooseToolchain();
  const workbench = { node: toolchain.node, entry: join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js') };
  const stampFile = join(folder, 'steps.json');
  const done = readStamps(stampFile);
  const steps = installation(folder, toolchain);
  if (steps.every((step) => done.includes(step.name))) return { workbench };
  if (process.platform !== 'linux') return { missing: 'Linux, to install code-server on (here: install VS Code itself)' };

  const packages = missingDebianPackages();
  if (packages.length > 0) {
    if (process.getuid?.() !== 0) return { missing: `the Debian packages ${packages.join(' ')} (apt-get install them, or run this as root)` };
    report(`installing the Debian packages ${packages.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await execute('apt-get', ['update', '-qq'], '/', env);
    await execute('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], '/', env);
  }
  for (const [index, step] of steps.entries()) {
    if (done.includes(step.name)) continue;
    const started = Date.now();
    await step.run();
    done.push(step.name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(stampFile, JSON.stringify(done));
    report(`${index + 1}/${steps.length} ${step.name} (${Math.round((Date.now() - started) / 1000)} s)`);
  }
  return { workbench };
}

async function main(): Promise<void> {
  const result = await setUpWorkbench((line) => process.stderr.write(`workbench: ${line}\n`));
  if ('missing' in result) {
    process.stderr.write(`workbench: not installed; missing: ${result.missing}\n`);
    process.exitCode = 3;
  } else process.stdout.write(`${result.workbench.entry}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error: unknown) => {
    process.stderr.write(`workbench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 3;
  });
