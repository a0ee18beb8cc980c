import path from 'node:path';
import { expect, test } from 'vitest';
import { declaredName } from './addresses';
import { compileFile } from './compile';
import { words } from './words';

const here = path.resolve(import.meta.dirname, '../../examples/checksum/here.covert');

test.each(Object.keys(words).filter((word) => /^\w+$/.test(word)))('a chip may be called `%s`, and stands between backticks only where it has to', async (word) => {
  const name = declaredName(word);
  const said = async (written: string): Promise<string[]> => {
    const text = `chip ${written} { cores 4 }\nguest g { elf "checksum.elf" }\nscenario "s" { chip ${written} guest g expect exit 0 }\n`;
    return (await compileFile(here, { text })).diagnostics.map(({ code }) => code);
  };
  expect(await said(name)).toEqual([]);
  if (name !== word) expect(await said(word)).not.toEqual([]);
});
