import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../../scripts/workbench-server';

/**
 * Bundles the suites for an extension host, which loads CommonJS only.
 * @returns the path to give as `extensionTestsPath`
 */
export async function bundleSuites(): Promise<string> {
  // Inside the tree, so that `mocha` is found in node_modules.
  const outdir = join(root, 'dist', 'desktop-tests');
  await build({
    entryPoints: ['index', 'flow'].map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  return join(outdir, 'index.cjs');
}
