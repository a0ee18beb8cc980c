import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the committed ELFs are what their sources give', ({ skip }) => {
  const said = execFileSync('npx', ['tsx', 'scripts/build-examples.ts', '--check'], { encoding: 'utf8' });
  if (said.includes('left as committed')) skip(said.trim());
  expect(said.match(/: unchanged, /g)).toHaveLength(10);
});
