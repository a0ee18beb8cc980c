import { spawnSync } from 'node:child_process';
import { existsSync, truncateSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asm, kernelImage } from '../../engine/machine/guest.test-support';
import { makeElf } from '../oracles/elf-writer';
import { complaints, covert, interruptAtProgress, root } from './covert';

const checksum = 'examples/checksum/checksum.elf';
const ramBase = 0x8000_0000n;
/** `j .`: a guest that never ends. */
const endless = makeElf(ramBase, Uint8Array.of(0x6f, 0, 0, 0));

interface Execution {
  exit: number | null;
  ended: string;
  output: string;
  instructions: number;
  hashes: { instruction: number; sha256: string | null }[];
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-exec-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

describe('a good image', () => {
  test('stdout is the console and the exit code is the guest’s', async () => {
    const { exit, stdout, stderr } = await covert(['exec', checksum]);
    expect({ exit, complaints: complaints(stderr) }).toEqual({ exit: 0, complaints: '' });
    expect(stdout).toContain('crc=54baaee3');
  });

  test('the exit code of a guest that fails is passed on', async () => {
    // li t0, 0x100000; li t1, 0x73333; sw t1, 0(t0): syscon, exit code 7
    const words = [0x0010_02b7, 0x0007_3337, 0x3333_0313, 0x0062_a023];
    const code = new Uint8Array(Uint32Array.from(words).buffer);
    const { exit, stdout } = await covert(['exec', await fileOf('seven.elf', makeElf(ramBase, code)), '--json']);
    expect(exit).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ exit: 7, ended: 'exit', output: '' });
  });

  test('--json: the same output, and hashes that two runs agree on', async () => {
    const args = ['exec', checksum, '--json', '--hash-at', '1_000,0,99_999,9_000_000_000'];
    const [first, second, plain] = await Promise.all([covert(args), covert(args), covert(['exec', checksum])]);
    expect(second).toEqual(first);
    const result = JSON.parse(first.stdout) as Execution;
    expect(result).toMatchObject({ exit: 0, ended: 'exit', output: plain.stdout });
    expect(result.hashes.map(({ instruction }) => instruction)).toEqual([0, 1000, 99_999, 9_000_000_000]);
    expect(new Set(result.hashes.map(({ sha256 }) => sha256)).size).toBe(4);
    expect(result.hashes[3]?.sha256).toBeNull();
    expect(result.hashes[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('--tier: another way to execute, the same output and states', async () => {
    const args = ['exec', checksum, '--json', '--hash-at', '1_000,99_999,500_000', '--tier'];
    const [interpreted, ...translated] = await Promise.all(['interpreter', 'auto', 'translator'].map((tier) => covert([...args, tier])));
    for (const other of translated) expect(other).toEqual(interpreted);
    expect(interpreted?.exit).toBe(0);
    const { exit, stderr } = await covert([...args, 'fast']);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^covert: .*--tier.*interpreter, auto, translator.*\n$/);
  });

  test('hashes at many counts equal hashes at one', async () => {
    const many = Array.from({ length: 50 }, (_, index) => 20_000 + index).join(',');
    const [stops, through] = await Promise.all(
      [many, '20_049'].map((counts) => covert(['exec', checksum, '--json', '--hash-at', counts])),
    );
    const last = (text = ''): unknown => (JSON.parse(text) as Execution).hashes.at(-1);
    expect(last(stops?.stdout)).toEqual(last(through?.stdout));
  });

  test('a limit is exact, ends with 3 and says so', async () => {
    const args = ['exec', await fileOf('endless.elf', endless), '--max-instructions', '12_345'];
    const [text, json] = await Promise.all([covert(args), covert([...args, '--json'])]);
    expect(text.exit).toBe(3);
    expect(text.stderr).toContain('after 12,345 instructions');
    expect(JSON.parse(json.stdout)).toMatchObject({ exit: null, ended: 'limit', instructions: 12_345 });
  });

  test.skipIf(!existsSync('/dev/full'))(`a full disk behind stdout is said in one line, and is 3${existsSync('/dev/full') ? '' : ' (skipped: no /dev/full)'}`, () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"$0" "$@" > /dev/full`, process.execPath, path.join(root, 'dist/covert.cjs'), 'exec', checksum], { cwd: root, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 3, stderr: 'covert: stdout cannot be written to: ENOSPC: no space left on device, write\n' });
  });

  test('Ctrl-C ends a guest that does not, with 130 and nothing half-written', async () => {
    const image = await fileOf('interrupted.elf', endless);
    const { exit, stdout, stderr } = await covert(['exec', image, '--json', '--max-instructions', '1_000_000_000_000'], { meanwhile: interruptAtProgress });
    expect({ exit, stdout }).toEqual({ exit: 130, stdout: '' });
    expect(stderr).toMatch(/^\S+interrupted\.elf: [\d,]+ instructions, \d+ s\ncovert: interrupted\n$/);
  });
});

describe('a bad image is one line that names the file, and exit code 2', () => {
  const cases: [string, () => Promise<string>, RegExp][] = [
    ['a file that is not there', async () => path.join(folder, 'none.elf'), /no such file/],
    ['a folder', async () => folder, /folder/],
    ['a device', async () => '/dev/null', /is no file/],
    ['more than can be read', () => hugeFile(), /too large/],
    ['text', () => fileOf('text.elf', Buffer.from('hello\n'.repeat(100))), /ELF/],
    ['nothing', () => fileOf('empty.elf', new Uint8Array()), /ELF/],
    ['an ELF for another machine', async () => fileOf('x86.elf', patched(await readFile(path.join(root, checksum)), 18, 62)), /./],
    ['a 32-bit ELF', async () => fileOf('rv32.elf', patched(await readFile(path.join(root, checksum)), 4, 1)), /./],
    ['half an ELF', async () => fileOf('half.elf', (await readFile(path.join(root, checksum))).subarray(0, 300)), /./],
    ['an ELF outside RAM', () => fileOf('low.elf', makeElf(0x1000n, Uint8Array.of(0x6f, 0, 0, 0))), /RAM is 0x80000000.*; link it elsewhere, or run it in a Linux guest/],
  ];

  test.each(cases)('%s', async (_, make, message) => {
    const file = await make();
    const { exit, stdout, stderr } = await covert(['exec', file]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/^covert: [^\n]*\n$/);
    expect(stderr).toContain(file);
    expect(stderr).toMatch(message);
  });

  test.each(['--disk', '--initrd', '--bios', '--append', '--forward'])('%s without --linux', async (option) => {
    const { exit, stdout, stderr } = await covert(['exec', checksum, option, option === '--forward' ? 'tcp:8080:80' : 'none']);
    expect({ exit, stdout, stderr }).toEqual({ exit: 2, stdout: '', stderr: `covert: ${option}: only a Linux guest has that: say --linux, too\n` });
  });

  test('more disks than the board has places', async () => {
    const kernel = await fileOf('kernel', kernelImage([0x0000006f]));
    const disk = await fileOf('disk', new Uint8Array(512));
    const disks = Array.from({ length: 8 }, () => ['--disk', disk]).flat();
    const { exit, stderr } = await covert(['exec', '--linux', kernel, ...disks, '--max-instructions', '1']);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: 'covert: --disk: there is room for 7 of them, not for 8\n' });
    const { stderr: fits } = await covert(['exec', '--linux', kernel, ...disks.slice(2), '--max-instructions', '1']);
    expect(fits).toContain('was stopped at the limit');
  });

  test('a kernel gets 512 MiB unless --ram says otherwise', async () => {
    const kernel = await fileOf('spinning', kernelImage([0x0000006f]));
    const initrd = await fileOf('initrd', new Uint8Array(80 * 2 ** 20));
    const boots = ['exec', '--linux', kernel, '--initrd', initrd, '--max-instructions', '1'];
    const { stderr: fits } = await covert(boots);
    expect(fits).toContain('was stopped at the limit');
    const { exit, stderr: tooSmall } = await covert([...boots, '--ram', '64MiB']);
    expect(exit).toBe(2);
    expect(tooSmall).toMatch(/^covert: \S+: [^\n]*\n$/);
  });

  test('a disk image that becomes shorter under its guest', async () => {
    const kernel = await fileOf('reader', readerKernel());
    const disk = await fileOf('shrinking', new Uint8Array(4096));
    const outcome = await covert(['exec', '--linux', kernel, '--disk', disk, '--ram', '16MiB'], {
      meanwhile: (child) => child.stderr?.once('data', () => truncateSync(disk, 0)),
    });
    expect(outcome.exit).toBe(2);
    expect(outcome.stderr.trimEnd().split('\n').at(-1)).toBe(`covert: ${disk} has become shorter while a guest used it`);
  });

  test('--verbose adds the stack', async () => {
    const { exit, stderr } = await covert(['exec', path.join(folder, 'none.elf'), '--verbose']);
    expect(exit).toBe(2);
    expect(stderr).toContain('    at ');
  });
});

/** It takes no room: all of it is a hole. */
async function hugeFile(): Promise<string> {
  const file = await fileOf('huge.elf', new Uint8Array());
  truncateSync(file, 2 ** 32);
  return file;
}

/** A kernel that reads the first sector of the first virtio disk over and over. */
function readerKernel(): Uint8Array {
  const base = 0x8020_0000;
  const [descriptors, available, used, header, data] = [0x400, 0x500, 0x600, 0x700, 0x800];
  const to = (register: number, value: number): number[] => [asm.lui(6, 0x80200), asm.addi(6, 6, value), asm.sw(6, 5, register), asm.sw(0, 5, register + 4)];
  const set = (register: number, value: number): number[] => [asm.addi(6, 0, value), asm.sw(6, 5, register)];
  const setUp = [
    asm.lui(5, 0x10001), ...set(0x70, 3), ...set(0x24, 1), ...set(0x20, 1), ...set(0x70, 11), ...set(0x38, 8),
    ...to(0x80, descriptors), ...to(0x90, available), ...to(0xa0, used), ...set(0x44, 1), ...set(0x70, 15),
  ];
  const here = 64 + setUp.length * 4;
  // The index of the available ring is the upper half of its first word.
  const again = [asm.auipc(7, 0), asm.addi(7, 7, available - here), asm.lui(8, 0x10), 0x008484b3 /* add s1, s1, s0 */, asm.sw(9, 7, 0), asm.sw(0, 5, 0x50), asm.jal(0, -12)];
  const image = new Uint8Array(0x1000);
  image.set(kernelImage([...setUp, ...again]));
  const view = new DataView(image.buffer);
  const chain: [number, number, number, number][] = [[header, 16, 1, 1], [data, 512, 3, 2], [data + 512, 1, 2, 0]];
  chain.forEach(([at, bytes, flags, next], i) => {
    view.setBigUint64(descriptors + i * 16, BigInt(base + at), true);
    view.setUint32(descriptors + i * 16 + 8, bytes, true);
    view.setUint16(descriptors + i * 16 + 12, flags, true);
    view.setUint16(descriptors + i * 16 + 14, next, true);
  });
  return image;
}

function patched(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = value;
  return copy;
}
