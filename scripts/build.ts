/**
 * `npm run build`: the generators, then four bundles.
 *
 *   dist/covert.cjs     the `covert` command: engine, language server, debug adapter
 *   dist/model-charts.cjs  what draws charts for it: a large library, loaded where there is something to draw
 *   dist/replica-thread.cjs  what threads start with that execute replicas
 *   dist/extension.cjs  the VS Code extension; `vscode` is given by its host
 */
import { chmod, mkdir } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const root = path.resolve(__dirname, '..');

const generators: { what: string; run: string[] }[] = [
  { what: 'resident core', run: ['tsx', 'scripts/build-core.ts'] },
  { what: 'scenario language', run: ['langium', 'generate', '-f', 'server/language/langium-config.json'] },
];

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: 'linked',
  sourcesContent: false,
  // Several libraries' `module` entries have no CommonJS twin of their side files.
  mainFields: ['module', 'main'],
  logLevel: 'warning',
};

/** Leaves `import('./model-charts')` to the bundle of that name: Node would read it at each start of the command, drawn or not. */
const chartsApart: Plugin = {
  name: 'charts apart',
  setup: (bundling) => bundling.onResolve({ filter: /^\.\/model-charts$/ }, () => ({ path: './model-charts.cjs', external: true })),
};

const bundles: BuildOptions[] = [
  {
    ...common,
    entryPoints: ['server/cli/main.ts'],
    outfile: 'dist/covert.cjs',
    banner: { js: '#!/usr/bin/env node' },
    plugins: [chartsApart],
  },
  {
    ...common,
    entryPoints: ['server/cli/model-charts.ts'],
    outfile: 'dist/model-charts.cjs',
  },
  {
    ...common,
    entryPoints: ['engine/machine/threads/entry.ts'],
    outfile: 'dist/replica-thread.cjs',
  },
  {
    ...common,
    entryPoints: ['client/extension.ts'],
    outfile: 'dist/extension.cjs',
    external: ['vscode'],
  },
];

async function main(): Promise<void> {
  await mkdir(path.join(root, 'dist'), { recursive: true });
  for (const { what, run } of generators) generate(what, run);
  for (const bundle of bundles) await build(bundle);
  await chmod(path.join(root, 'dist/covert.cjs'), 0o755);
}

/** Runs a generator from node_modules/.bin; its output is shown only if it fails. */
function generate(what: string, [command, ...args]: string[]): void {
  const bin = path.join(root, 'node_modules', '.bin', String(command));
  const result = spawnSync(bin, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    const output = result.error?.message ?? `${result.stdout}${result.stderr}`;
    throw new Error(`the ${what} did not build:\n${output.trim()}`);
  }
}

main().catch((error: unknown) => {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
