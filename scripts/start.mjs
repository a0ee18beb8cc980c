/**
 * `npm start`: sets everything up, then runs the first example. Arguments go to
 * `covert run` (`npm start -- --json`); a `.covert` file among them replaces the
 * example.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { root, runScript, setUp } from './setup.mjs';

await runScript(async () => {
  const args = process.argv.slice(2);
  await setUp();
  const named = args.find((argument) => argument.endsWith('.covert'));
  const example = path.join('examples', 'checksum', 'checksum.covert');
  const { status, signal } = spawnSync(
    process.execPath,
    [path.join(root, 'dist', 'covert.cjs'), 'run', ...(named ? [] : [example]), ...args],
    // A file the user named is relative to where the user stands.
    { stdio: 'inherit', cwd: named ? (process.env.INIT_CWD ?? process.cwd()) : root },
  );
  if (signal) return 130;
  if (!args.includes('--json') && !args.includes('--help')) {
    process.stdout.write(
      [
        '',
        `See it happen in VS Code: npm run workbench`,
        `then open ${named ?? example.replaceAll('\\', '/')} and press F5. Both replicas stop where they first differ.`,
        '',
      ].join('\n'),
    );
  }
  return status ?? 3;
});
