/**
 * What every one-command script does first: dependencies, then the build, each
 * only if it is out of date. Plain Node, because it runs before `npm ci` has.
 * All it says goes to stderr, one line a step, so stdout belongs to the caller.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const oldestNode = [20, 18];

/** A step that failed for a reason the user can mend: shown without a stack. */
export class SetupError extends Error {}

/** Brings node_modules and dist up to date. */
export async function setUp() {
  checkNode();
  if (!dependenciesAreCurrent()) {
    await step('dependencies (npm ci)', npmCommand(['ci', '--ignore-scripts', '--no-audit', '--no-fund']));
  }
  const inputs = hashOfInputs();
  if (!buildIsCurrent(inputs)) {
    await step('build', [process.execPath, [inModules('tsx/dist/cli.mjs'), 'scripts/build.ts']]);
    mkdirSync(path.dirname(stamp), { recursive: true });
    writeFileSync(stamp, inputs);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new SetupError(
    `this needs Node ${oldestNode.join('.')} or newer, and this is Node ${process.versions.node}: get one from https://nodejs.org`,
  );
}

export const inModules = (file) => path.join(root, 'node_modules', file);

/**
 * npm leaves a copy of the lock file in node_modules when, and only when, an
 * installation is complete. It names what is really there, so comparing the two
 * also sees a branch switch or an `npm install` by hand.
 */
function dependenciesAreCurrent() {
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  const installedLock = inModules('.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const installed = packagesOf(installedLock);
  return Object.entries(packagesOf(path.join(root, 'package-lock.json'))).every(
    ([name, { version, optional }]) =>
      name === '' || (name in installed ? installed[name].version === version : optional === true),
  );
}

const stamp = path.join(root, 'dist', '.inputs');

/** What the build must leave behind. */
const outputs = ['dist/covert.cjs', 'dist/model-charts.cjs', 'dist/replica-thread.cjs', 'dist/extension.cjs', 'engine/core/core.generated.ts', 'server/language/generated'];

function buildIsCurrent(inputs) {
  return (
    outputs.every((file) => existsSync(path.join(root, file))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === inputs
  );
}

/** A hash over the content of everything the build reads. */
function hashOfInputs() {
  const hash = createHash('sha256');
  const add = (file) => {
    hash.update(`${path.relative(root, file)}\0`);
    hash.update(readFileSync(file));
  };
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json']) add(path.join(root, file));
  for (const folder of ['engine', 'server', 'client', 'scripts']) filesUnder(path.join(root, folder)).forEach(add);
  return hash.digest('hex');
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.generated\.ts$|\.test\.ts$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${path.sep}generated${path.sep}`))
    .sort();
}

/** npm as it was started, else the one on the PATH. */
function npmCommand(args) {
  const running = process.env.npm_execpath;
  if (running && /npm-cli\.[cm]?js$/.test(running)) return [process.execPath, [running, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}

/** Runs one step; on failure its last words become the error. */
export async function step(what, [command, args], options = {}) {
  const started = Date.now();
  process.stderr.write(`covert: ${what} … `);
  let output = '';
  const status = await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command.endsWith('.cmd'),
      ...options,
    });
    const keep = (chunk) => {
      output = (output + String(chunk)).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      keep(error.message);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
  if (status !== 0) {
    process.stderr.write('failed\n');
    throw new SetupError(`${what} failed:\n${output.trim().split('\n').slice(-30).join('\n')}`);
  }
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

/** Runs a script's main function; its exit code becomes the process's. */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const known = error instanceof SetupError;
    process.stderr.write(`covert: ${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 3;
  }
}

/** True for the script that Node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(url);
}

if (isMain(import.meta.url)) await runScript(setUp);
