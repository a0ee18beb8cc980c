import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { debianFiles } from '../../server/guest/debian';
import { covert, root } from './covert';

const files = debianFiles();

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-debian-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function scenario(guest: string, body = ''): Promise<string> {
  const file = path.join(folder, 'guest.covert');
  await writeFile(file, `guest debian { linux debian ${guest} }\nscenario "s" { guest debian protect none ${body} expect exit 0 }\n`);
  return file;
}

test('a guest that nobody has fetched is one line that says how', async () => {
  const { exit, stderr } = await covert(['run', await scenario('')], { env: { COVERT_CACHE: path.join(folder, 'empty') } });
  expect(exit).toBe(2);
  expect(stderr).toMatch(/guest\.covert:1:16: error COV203: \S+debian has no vmlinux, System\.map, initramfs\.cpio, modules\.cpio, programs\.ext4, and fw_dynamic\.bin: `npm run guest:debian` makes what is missing\n/);
});

test('what belongs to Linux guests is refused in others, and the other way round', async () => {
  const elf = path.relative(folder, path.join(root, 'examples/checksum/checksum.elf'));
  const file = path.join(folder, 'mixed.covert');
  await writeFile(file, `guest a { elf "${elf}" run "uname" }\nguest b { linux arch }\nguest c { linux debian elf "${elf}" }\n`);
  const { exit, stdout } = await covert(['check', file], { env: { COVERT_CACHE: path.join(folder, 'empty') } });
  expect(exit).toBe(2);
  expect(stdout).toMatch(/:1:\d+: error COV206: `run` is for Linux guests/);
  expect(stdout).toMatch(/:2:\d+: error COV210: `arch` is no distribution/);
  expect(stdout).toMatch(/:3:\d+: error COV206: a guest is either an ELF or a Linux system/);
});

const noDebian = 'missing' in files ? ` (skipped: no ${files.missing} of npm run guest:debian)` : '';

describe.skipIf(noDebian !== '')(`stock Debian in scenarios${noDebian}`, () => {
  test('boots to a shell in two replicas, is struck and recovers; what is typed is answered', { timeout: 900_000 }, async () => {
    const { exit, stdout } = await covert(['run', 'examples/debian/boot.covert', '--threads', '2', '--json']);
    const reports = JSON.parse(stdout) as Report[];
    expect(reports.map(({ scenario: name, passed, expectations }) => ({ name, passed, failed: expectations.filter(({ held }) => !held) }))).toEqual(
      [
        'Debian in two replicas',
        "a bit flip in the kernel's name",
        'Debian alone',
        'Debian with two harts in two replicas',
        'Debian on OpenSBI in two replicas',
      ].map((name) => ({ name, passed: true, failed: [] })),
    );
    expect(exit).toBe(0);
    const [replicated, struck] = reports;
    expect(replicated?.guest.output).toMatch(/# .*uname -a\r\nLinux \(none\) \S+-riscv64/);
    // Rolled back in the middle of what was typed, it was typed again, and not a byte left twice.
    expect(struck?.guest).toEqual(replicated?.guest);
    expect(struck?.divergences[0]?.function).toBe('memcpy');
    // On one thread it is the same run.
    const alone = await covert(['run', 'examples/debian/boot.covert', '--scenario', "a bit flip in the kernel's name", '--threads', '1', '--json']);
    expect(JSON.parse(alone.stdout)).toEqual([struck]);
    const again = await covert(['run', 'examples/debian/boot.covert', '--scenario', 'Debian alone', '--json']);
    expect((JSON.parse(again.stdout) as Report[])[0]?.guest).toEqual(reports[2]?.guest);
  });

  test('files of a guest that are not there are all named at once', async () => {
    const file = await scenario('run "./none" disk "none.img" firmware "none.bin"');
    const { exit, stdout } = await covert(['check', file]);
    expect(exit).toBe(2);
    expect(stdout.match(/COV203: \S+ does not exist/g)).toEqual(['./none', 'none.img', 'none.bin'].map((name) => `COV203: ${name} does not exist`));
  });

  test('RAM that is too small is refused before anything runs', async () => {
    const { exit, stderr } = await covert(['run', await scenario('ram 16 MiB')]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/error COV307: kernel and initial RAM disk need at least \d+ MiB of RAM\n/);
  });

  test('kernel symbols name places in memory by their physical addresses, and code by its virtual ones', async () => {
    const file = await scenario('', 'fault flip memory[&jiffies].d bit 0 in replica A at start_kernel limit 200_000_000 instructions');
    const { stdout } = await covert(['run', file, '--json']);
    const [report] = JSON.parse(stdout) as Report[];
    expect(report?.faults[0]).toMatchObject({ fired: true, function: 'start_kernel' });
    expect(report?.faults[0]).toHaveProperty('pc', expect.stringMatching(/^0xffffffff8/));
    expect(report?.faults[0]?.change).toMatch(/^memory\[0x8[0-9a-f]{7}\]/);
  });
});
