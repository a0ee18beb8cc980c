import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asm, kernelImage } from '../../engine/machine/guest.test-support';
import { covert } from './covert';

const image = 'examples/checksum/checksum.elf';

let folder = '';
const file = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-states-'));
  await covert(['exec', image, '--max-instructions', '1_000_000', '--save', file('one')]);
  await covert(['exec', image, '--max-instructions', '1_000_100', '--save', file('two')]);
});
afterAll(() => rm(folder, { recursive: true }));

test('a saved run goes on as if it had not been stopped', async () => {
  expect((await readdir(folder)).sort()).toEqual(['one', 'two']);
  const counts = '2_000_000,2_700_000';
  const [whole, rest] = await Promise.all([covert(['exec', image, '--hash-at', counts]), covert(['exec', '--from', file('one'), '--hash-at', counts])]);
  expect(rest.exit).toBe(0);
  expect(rest.stderr).toBe(whole.stderr);
  expect(rest.stderr).toMatch(/^hash at 2,000,000: [0-9a-f]{64}\nhash at 2,700,000: [0-9a-f]{64}\n$/);
  expect(whole.stdout.endsWith(rest.stdout)).toBe(true);
  expect(rest.stdout).toContain('crc=');
});

test('two states are compared place by place', async () => {
  const { exit, stdout } = await covert(['diff', file('one'), file('two')]);
  expect(exit).toBe(1);
  expect(stdout).toMatch(/^instret +0xf4240 +0xf42a4$/m);
  const json = await covert(['diff', file('one'), file('two'), '--json']);
  expect(JSON.parse(json.stdout)).toContainEqual({ place: 'instret', a: '0xf4240', b: '0xf42a4' });
  expect(await covert(['diff', file('one'), file('one')])).toEqual({ exit: 0, stdout: 'the states are equal\n', stderr: '' });
});

test('what is no state is refused in one line', async () => {
  const foreign = await covert(['exec', '--from', image]);
  expect(foreign).toEqual({ exit: 2, stdout: '', stderr: `covert: ${image}: it holds no state of a guest, or only the start of one\n` });
  await truncate(file('two'), 3000);
  const cut = await covert(['diff', file('one'), file('two')]);
  expect(cut).toEqual({ exit: 2, stdout: '', stderr: `covert: ${file('two')}: its checksum is wrong: it was cut off or changed\n` });
  expect(await covert(['exec'])).toMatchObject({ exit: 2, stderr: 'covert: give either an image or --from with a state\n' });
});

test('a state goes where it can be written, or nothing is run', async () => {
  const refused = await covert(['exec', image, '--max-instructions', '1', '--save', folder]);
  expect(refused).toEqual({ exit: 2, stdout: '', stderr: `covert: --save ${folder}: it is there already, and no file\n` });
  const nowhere = await covert(['exec', image, '--max-instructions', '1', '--save', file('none/state')]);
  expect(nowhere).toEqual({ exit: 2, stdout: '', stderr: `covert: --save ${file('none/state')}: there is no such folder\n` });
  // The place of a pipe or a device is not to be taken.
  const pipe = file('pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const taken = await covert(['exec', image, '--max-instructions', '1', '--save', pipe]);
  expect(taken).toEqual({ exit: 2, stdout: '', stderr: `covert: --save ${pipe}: it is there already, and no file\n` });
  expect((await readdir(folder)).sort()).toEqual(['one', 'pipe', 'two']);
});

test('a guest with a disk goes on with what it has written, on its own image only', async () => {
  const [kernel, disk, state] = [file('kernel'), file('disk.img'), file('with-disk')];
  await writeFile(kernel, kernelImage([asm.addi(5, 5, 1), asm.jal(0, -4)]));
  await writeFile(disk, new Uint8Array(4096).fill(7));
  await covert(['exec', '--linux', kernel, '--disk', disk, '--forward', 'tcp:0:80', '--max-instructions', '1000', '--save', state]);
  const from = ['exec', '--from', state, '--max-instructions', '2000', '--hash-at', '2000'];
  const there = await covert(from);
  expect(there).toMatchObject({ exit: 3, stdout: '' });
  expect(there.stderr).toMatch(/^hash at 2,000: [0-9a-f]{64}\n/);

  await rename(disk, file('moved.img'));
  expect(await covert(from)).toEqual({
    exit: 2, stdout: '', stderr: `covert: ${state}: disk 0: ${disk}: no such file; if the image is elsewhere now, name it with --disk\n`,
  });
  expect((await covert([...from, '--disk', file('moved.img')])).stderr).toBe(there.stderr);
  expect(await covert(['diff', state, state, '--disk', file('moved.img')])).toMatchObject({ exit: 0 });

  await writeFile(disk, new Uint8Array(4096).fill(8));
  const other = await covert(from);
  expect(other).toEqual({ exit: 2, stdout: '', stderr: `covert: ${state}: ${disk} is another image than the state's, or has been changed\n` });
  await writeFile(disk, new Uint8Array(512));
  const shorter = await covert(from);
  expect(shorter.stderr).toBe(`covert: ${state}: ${disk} has 512 bytes, and its disk 4096: it is another image\n`);

  const moved = ['--disk', file('moved.img')];
  expect((await covert([...from, ...moved, ...moved])).stderr).toBe(`covert: --disk: ${state} is of a guest with 1 disk, not with 2\n`);
  expect((await covert([...from, '--disk', `${file('moved.img')},readonly`])).stderr).toContain('whether it can be written is in the state');
  expect((await covert(['exec', '--from', file('one'), '--forward', 'tcp:0:80'])).stderr).toBe(`covert: --forward: ${file('one')} is of a guest without a network card\n`);
});

test('what makes no sense with a state is refused', async () => {
  const from = ['exec', '--from', file('one')];
  const late = await covert([...from, '--hash-at', '5,2_000_000']);
  expect(late).toEqual({ exit: 2, stdout: '', stderr: 'covert: --hash-at 5: the state is at 1,000,000 instructions already\n' });
  for (const option of [['--ram', '1GiB'], ['--harts', '2'], ['--linux'], ['--append', 'quiet']]) {
    const beside = await covert([...from, ...option]);
    expect(beside).toEqual({ exit: 2, stdout: '', stderr: `covert: ${option[0]}: a state that is gone on from has its own: leave it out\n` });
  }
});
