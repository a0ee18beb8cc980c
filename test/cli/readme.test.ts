import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { covert, root } from './covert';

/**
 * The README shows a scenario of an example and the screen it gives. Both are
 * held against the real ones; COVERT_UPDATE_GOLDENS=1 writes them into the README.
 */
test('the README shows the example as it is and as it runs', async () => {
  const readme = path.join(root, 'README.md');
  const text = await readFile(readme, 'utf8');
  const example = 'examples/checksum/checksum.covert';
  const scenario = /^scenario "(.*?)" \{\n[\s\S]*?\n\}\n/m.exec(await readFile(path.join(root, example), 'utf8'));
  const name = scenario?.[1] ?? '';
  const { exit, stdout } = await covert(['run', example, '--scenario', name]);
  expect(exit).toBe(0);
  const [screen = ''] = stdout.split('═');
  const current = withBlock(withBlock(text, 'covert', scenario?.[0] ?? ''), 'text', `${screen.trim()}\n`);
  if (process.env['COVERT_UPDATE_GOLDENS']) await writeFile(readme, current);
  else expect(text).toBe(current);
});

/** The page with the content of its only fenced block of that kind replaced. */
function withBlock(page: string, kind: string, content: string): string {
  const parts = page.split(new RegExp(`(?<=^\`\`\`${kind}\\n)(?:(?!\`\`\`)[\\s\\S])*(?=^\`\`\`$)`, 'm'));
  expect(parts).toHaveLength(2);
  return parts.join(content);
}
