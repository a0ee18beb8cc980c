import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the committed ELFs are what their sources give', ({ skip }) => {
  const said = execFileSync('npx', ['tsx', 'scripts/build-examples.ts', '--check'], { encoding: 'utf8' });
  if (said.includes('left as committed')) skip(said.trim());
  const committed = execFileSync('git', ['ls-files', '*.elf'], { encoding: 'utf8' }).trim().split('\n');
  expect(said.match(/: unchanged, /g)).toHaveLength(committed.length);
});
