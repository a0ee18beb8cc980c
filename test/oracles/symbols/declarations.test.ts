import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSymbols } from '../../../engine/symbols/symbols';
import { compileFile } from '../../../server/language/compile';
import { compileGuests, guestNames, has, named, noCompiler } from './guests';

const lacking = noCompiler ?? (has('gdb-multiarch') ? undefined : 'gdb-multiarch is missing');

/** Where gdb says that things are declared, by name: of `27:  enum color shade;` the line. */
function gdbLines(elf: string, kind: 'functions' | 'types' | 'variables'): Map<string, number> {
  const text = execFileSync('gdb-multiarch', ['-nx', '-batch', '-ex', `info ${kind}`, elf], { encoding: 'utf8' });
  const found = new Map<string, number>();
  for (const [, line, declaration = ''] of text.matchAll(/^(\d+):\s+(.*);$/gm)) {
    const name = kind === 'types' ? declaration : /(?:\(\*)?(\w+)\)?\s*(?:\(.*\)|(?:\[\d*\])*)$/.exec(declaration)?.[1];
    if (name !== undefined) found.set(name, Number(line));
  }
  return found;
}

describe.skipIf(lacking)(named('declarations of the compiled guests', lacking), () => {
  let compiled: ReturnType<typeof compileGuests>;
  beforeAll(() => {
    compiled = compileGuests();
  }, 120_000);
  afterAll(() => compiled.remove());
  const guest = (name: string): (typeof compiled.guests)[number] => compiled.guests.find((each) => each.name === name)!;

  test.each(guestNames)('%s: functions and variables are where gdb has them', (name) => {
    const { path: elf, bytes } = guest(name);
    const symbols = readSymbols(bytes);
    const lines = new Map([...gdbLines(elf, 'variables'), ...gdbLines(elf, 'functions')]);
    const places = new Map([...lines.keys()].map((each) => [each, symbols.declarationOf(each)?.line]));
    // gdb also knows statics of functions, which scenarios cannot name.
    places.forEach((line, each) => line === undefined && !symbols.find(each) && places.delete(each));
    expect(places.size).toBeGreaterThan(12);
    expect(Object.fromEntries(places)).toEqual(Object.fromEntries([...lines].filter(([each]) => places.has(each))));
  });

  test.each(guestNames)('%s: types are where gdb has them, and members in their line', (name) => {
    const { path: elf, bytes } = guest(name);
    const symbols = readSymbols(bytes);
    const types = gdbLines(elf, 'types');
    expect(symbols.typeDeclarationOf('nodes')?.line).toBe(types.get('struct node'));
    expect(symbols.typeDeclarationOf('nodes', ['next'])?.line).toBe(types.get('struct node'));
    expect(symbols.typeDeclarationOf('shade')?.line).toBe(types.get('enum color'));
    expect(symbols.typeDeclarationOf('greeting')).toBeUndefined();
    const lines = readFileSync(path.join(import.meta.dirname, 'guest.c'), 'utf8').split('\n');
    for (const [member, text] of [['flag', '  unsigned flag : 3;'], ['name', '  char name[8];'], ['raw', '    uint32_t raw;']] as const) {
      expect(lines[symbols.declarationOf('nodes', ['next', member])!.line - 1]).toBe(text);
    }
  });

  test.each(guestNames)('%s: what functions have of their own', (name) => {
    const symbols = readSymbols(guest(name).bytes);
    for (const each of ['n', 'pair', 'total']) expect(symbols.isLocal(each), each).toBe(true);
    for (const each of ['nodes', 'factorial', 'key', 'node', 'main', 'missing']) expect(symbols.isLocal(each), each).toBe(false);
  });

  test('a bit-field is a member that has no address', async () => {
    const { path: elf } = guest(guestNames[0]!);
    const scenario = (member: string): string => `guest g { elf "${elf}" ram 16 MiB }\nscenario "s" { guest g fault flip memory[&nodes[1].${member}] bit 1 in replica A at main expect exit 0 }\n`;
    const said = async (member: string): Promise<string[]> => (await compileFile(path.join(compiled.folder, 'here.covert'), { text: scenario(member) })).diagnostics.map(({ code, message }) => `${code} ${message}`);
    expect(await said('key')).toEqual([]);
    expect(await said('flag')).toEqual(['COV211 `flag` is a bit-field, which has no address: name a member of whole bytes, or an address and its bits']);
    expect(await said('flg')).toEqual(['COV211 `node_t` has no member `flg`; did you mean `flag`?']);
  });
});
