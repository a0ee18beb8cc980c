import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileFile } from './compile';

const here = path.resolve(import.meta.dirname, '../../examples/checksum/here.covert');

async function said(text: string): Promise<{ code: string; message: string; fixes: { title: string; text: string }[] }[]> {
  return (await compileFile(here, { text })).diagnostics;
}

const whole = (chip: string, ram: string, body: string): string => `chip c {\n${chip}\n}\nguest g {\nelf "checksum.elf"\n${ram}\n}\nscenario "s" {\nchip c\nguest g\n${body}\nexpect exit 0\n}\n`;
const chipOf = (line: string): string => whole(line.startsWith('cores') ? line : `cores 8 ring\n${line}`, 'ram 16 MiB', 'protect none');
const bodyOf = (line: string): string => whole('cores 8 ring', 'ram 16 MiB', line);
const struck = 'protect dmr\nfault flip a0 bit 1 in replica B';

describe('a number without its unit', () => {
  test.each<[string, string]>([
    ['cores 8 at 2', '2 GHz'],
    ['l2 4 banks of 512', '16 MiB'],
    ['timing detailed { l1d 16', '16 MiB'],
    ['timing detailed { memory 60', '20 cycles'],
    ['costs { compare 60', '20 cycles'],
  ])('of a chip: %s', async (line, example) => {
    const text = chipOf(line.includes('{') ? `${line} }` : line);
    const [one, ...more] = await said(text);
    expect(more).toEqual([]);
    expect(one).toMatchObject({ code: 'COV101', message: expect.stringContaining(`expected a unit after the number, as in \`${example}\``) as string });
  });

  test.each<[string, string, string | undefined]>([
    ['limit 1_000_000', '10_000 instructions', 'instructions'],
    ['protect dmr { epoch 10_000', '10_000 instructions', 'instructions'],
    ['protect dmr { checkpoint every 2', '2 epochs', 'epochs'],
    ['protect dmr { compare output, state every 2', '2 epochs', 'epochs'],
    ['protect dmr { watchdog 2', '2 epochs', 'epochs'],
    ['protect dmr { retire after 3 errors in 50', '5 ms', undefined],
    [`${struck} at 5 ms every 7`, '5 ms', undefined],
    ['protect dmr\nfault stick a0 bit 1 at 1 in replica B from 7', '5 ms', undefined],
    ['protect dmr\nfault stick a0 bit 1 at 1 in replica B at 5 us duty 10 % of 7', '5 ms', undefined],
    [`${struck} at main\nexpect detected within 9`, '5 ms', undefined],
  ])('of a scenario: %s', async (line, example, unit) => {
    const end = line.includes('{') ? ' }' : '';
    const [one, ...more] = await said(bodyOf(line + end));
    expect(more).toEqual([]);
    expect(one).toMatchObject({ code: 'COV101', message: expect.stringContaining(`expected a unit after the number, as in \`${example}\``) as string });
    expect(one?.fixes.map(({ title, text }) => ({ title, text }))).toEqual(unit === undefined ? [] : [{ title: `Write \`${unit}\``, text: ` ${unit}` }]);
    // What is advised is taken.
    expect((await said(bodyOf(`${line} ${example.split(' ')[1]}${end}`))).filter(({ code }) => code.startsWith('COV1'))).toEqual([]);
  });

  test('of a guest: ram 16', async () => {
    expect(await said(whole('cores 8', 'ram 16', 'protect none'))).toMatchObject([{ code: 'COV101', message: 'expected a unit after the number, as in `16 MiB`, but the line ends' }]);
  });
});

test.each([
  ['fault flip a0 bit 1 in replica A at', 'expected `instruction`, `cycle`, `epoch`, `checkpoint`, `output`, `input`, `console`, `any`, a number, a string in quotation marks, `&` or a name, but the file ends'],
  ['expect output', 'expected `contains`, `is` or `matches`, but the file ends'],
])('a file that ends behind `%s` says so', async (line, message) => {
  const [first] = await said(`guest g { elf "checksum.elf" }\nscenario "s" { guest g ${line}`);
  expect(first).toMatchObject({ code: 'COV101', message });
});

test('an output of which is not said whether it is all of it has two mends', async () => {
  expect(await said(bodyOf('protect none\nexpect output "crc"'))).toMatchObject([{ code: 'COV101', fixes: [{ title: 'Write `contains`', text: 'contains ' }, { title: 'Write `is`', text: 'is ' }] }]);
});
