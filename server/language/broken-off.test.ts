import path from 'node:path';
import { expect, it } from 'vitest';
import { compileFile } from './compile';

const here = path.resolve(import.meta.dirname, '../../examples/checksum/here.covert');
const whole = (line: string): string => `guest checksum { elf "checksum.elf" }\nscenario "s" {\nguest checksum\n${line}\nexpect exit 0\n}\n`;

/** What lacks at the end of a line is reported there, and not at what follows it. */
it.each([
  ['expect overhead < 20', 'expected `%`, but the line ends'],
  ['fault flip a0 bit 3 in replica', 'expected a name, but the line ends'],
  ['fault flip a0 bit 3 in replica B at main\nprotect dmr on core', 'expected a whole number, but the line ends'],
])('%s', async (line, message) => {
  const { diagnostics } = await compileFile(here, { text: whole(line) });
  const last = line.split('\n').length + 3;
  expect(diagnostics.map(({ code, message: text, range }) => [code, text, range.line])).toEqual([['COV101', message, last]]);
});

it('a statement over several lines is whole', async () => {
  expect((await compileFile(here, { text: whole('fault flip a0\n  bit 3\n  in replica A\n  at main') })).diagnostics).toEqual([]);
});

it('a word that is wrong is reported where it stands, also in a line of its own', async () => {
  const { diagnostics } = await compileFile(here, { text: whole('fault flip a0\n  bitt 3 in replica B at main') });
  expect(diagnostics.map(({ code, range }) => [code, range.line, range.column])).toEqual([['COV101', 5, 3]]);
});
