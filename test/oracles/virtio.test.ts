import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine, type MachineOptions } from '../../engine/machine/machine';
import type { Output } from '../../engine/machine/types';
import { blockBytes, diskBlock } from '../../engine/machine/virtio/disk';
import { imageOfBytes } from '../../engine/machine/virtio/disk-image';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { initialDisk, qemuArguments, said } from './debian';
import { qemuVersion } from './qemu';

// Administrators' programs are not on everybody's path.
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
const missing = [
  ...(qemuVersion ? [] : ['qemu-system-riscv64']),
  ...(spawnSync('mke2fs', ['-V'], { env }).status === 0 ? [] : ['mke2fs']),
];
const reason = missing.length > 0 ? ` (skipped: ${missing.join(' and ')} not installed)` : '';

const found = debianFiles();
const files = found as DebianFiles;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'covert-virtio-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  machine: Machine;
  text: string;
  exit: number | null;
}

/** Boots Debian's kernel with a script. `attend` is called with each output that is no console byte, and may answer. */
function boot(
  script: string,
  options: Omit<MachineOptions, 'ramBytes'>,
  attend: (machine: Machine, output: Output) => void = () => undefined,
  bootArguments = 'console=ttyS0 quiet',
): Ran {
  const machine = Machine.create({ ramBytes: 256 * 2 ** 20, ...options });
  machine.loadKernel(readFileSync(files.kernel), { initrd: initialDisk(files, script), bootArguments });
  let text = '';
  while (machine.exitCode === null && machine.retired < 2e10) {
    const stop = machine.run(machine.retired + 5_000_000, { stopOnOutput: true });
    for (const output of machine.takeOutputs()) {
      if (output.kind === 'console') text += String.fromCharCode(output.value);
      attend(machine, output);
    }
    if (stop === 'idle' || stop === 'stalled') break;
  }
  return { machine, text, exit: machine.exitCode };
}

/** What a script has said, but for empty lines. */
const linesOf = (text: string): string[] => said(text).filter((line) => line !== '');

/** A disk of 8 MiB: a file system in the first half, and nothing in particular in the second. */
function makeDisk(): Uint8Array {
  const image = path.join(folder, 'half.ext4');
  const content = path.join(folder, 'hello');
  const word = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 17 + (i >> 9)) & 0xff);
  writeFileSync(content, word);
  writeFileSync(image, new Uint8Array(4 * 2 ** 20));
  const made = spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-E', 'root_owner=0:0', image], { encoding: 'utf8', env });
  expect(made.stderr).toBe('');
  spawnSync('debugfs', ['-w', '-R', `write ${content} hello`, image], { env });
  const rest = Uint8Array.from({ length: 4 * 2 ** 20 }, (_, i) => (i * 7 + (i >> 11)) & 0xff);
  return Buffer.concat([readFileSync(image), rest]);
}

const diskScript = `
echo BEGIN
cat /sys/block/vda/size /sys/block/vda/ro /sys/block/vda/queue/logical_block_size
sha256sum < /dev/vda
mkdir /m
mount -t ext4 /dev/vda /m
sha256sum < /m/hello
cp /m/hello /m/copy
seq 1 20000 > /m/numbers
umount /m
mount -t ext4 /dev/vda /m
cd /m; ls; sha256sum copy numbers; cd /
umount /m
dd if=/dev/vda bs=512 skip=9000 count=333 2>/dev/null | sha256sum
seq 1 60000 | dd of=/dev/vda bs=4096 seek=1100 count=50 iflag=fullblock conv=notrunc 2>/dev/null
dd if=/dev/vda of=/dev/vda bs=512 skip=8200 seek=12001 count=99 conv=notrunc 2>/dev/null
sync
echo 3 > /proc/sys/vm/drop_caches
dd if=/dev/vda bs=1048576 skip=4 2>/dev/null | sha256sum
exit 5
`;

const noDebian = 'missing' in found ? ` (skipped: no ${found.missing} of npm run guest:debian)` : '';

describe.skipIf(noDebian !== '')(`devices as Debian’s own drivers see them${noDebian}`, () => {
  test.skipIf(missing.length > 0)(`a disk holds what it holds under qemu${reason}`, () => {
    const image = makeDisk();
    const disk = path.join(folder, 'disk.img');
    writeFileSync(disk, image);
    const initrd = path.join(folder, 'initrd.cpio');
    writeFileSync(initrd, initialDisk(files, diskScript));
    const qemu = spawnSync(
      'qemu-system-riscv64',
      qemuArguments(files, initrd, '256M', `file=${disk}`),
      { encoding: 'latin1', input: '', timeout: 240_000 },
    );
    const written = Buffer.from(image);
    const kept = image.slice();
    const { machine, text, exit } = boot(diskScript, { disks: [{ image: imageOfBytes(image) }] }, (_, { kind, value, data }) => {
      if (kind === 'disk' && data) written.set(data, value * 512);
    });
    expect(linesOf(qemu.stdout)).toHaveLength(11);
    expect(linesOf(text)).toEqual(linesOf(qemu.stdout));
    expect(exit).toBe(5);
    // The half without a file system, which has no times in it, is the same to the byte.
    expect(Buffer.compare(written.subarray(4 * 2 ** 20), readFileSync(disk).subarray(4 * 2 ** 20))).toBe(0);
    // What has left as output is what the guest has: the overlay over an image that nobody has written to.
    expect(Buffer.compare(image, kept)).toBe(0);
    const { image: base, tree } = machine.snapshot().disks[0] ?? {};
    const blocks = Array.from({ length: image.length / blockBytes }, (_, block) => base && tree && diskBlock(base, block, tree));
    const differing = blocks.flatMap((own, i) => (own && Buffer.compare(own, written.subarray(i * blockBytes, (i + 1) * blockBytes)) === 0 ? [] : [i]));
    expect(differing).toEqual([]);
  });

  test('random numbers are the same in two runs, a frame leaves, and an answer arrives', () => {
    const script = `
      head -c 16 /dev/hwrng > /tmp/random
      echo BEGIN
      hexdump -v -e '16/1 "%02x" "\\n"' /tmp/random
      cat /sys/class/net/eth0/address
      arping -c 1 -w 2 -I eth0 10.0.2.77
      cat /sys/class/net/eth0/statistics/rx_packets
      echo written to hvc0 > /dev/hvc0
      exit 4`;
    const own = [2, 0, 0, 0, 0, 0x77];
    const run = (): Ran & { frames: number } => {
      let frames = 0;
      const attend = (machine: Machine, { kind, data }: Output): void => {
        if (kind !== 'net' || !data) return;
        frames++;
        // A question after 10.0.2.77 by ARP (RFC 826) is answered.
        const asked = Buffer.from(data);
        if (asked.readUInt16BE(12) !== 0x0806 || asked.readUInt16BE(20) !== 1 || asked[41] !== 77) return;
        const sender = asked.subarray(22, 32);
        const answer = Buffer.from([...asked.subarray(6, 12), ...own, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, ...own, 10, 0, 2, 77, ...sender]);
        expect(machine.receiveFrame(Buffer.concat([answer, Buffer.alloc(18)]))).toBe(true);
      };
      const options = { network: { mac: Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56) }, entropySeed: 42, console: true };
      return { ...boot(script, options, attend), frames };
    };
    const [first, second] = [run(), run()];
    const lines = linesOf(first.text);
    expect(lines[1]).toMatch(/^[0-9a-f]{32}$/);
    expect(lines[2]).toBe('52:54:00:12:34:56');
    expect(lines.join('\n')).toMatch(/Unicast reply from 10\.0\.2\.77 \[02:00:00:00:00:77\]/i);
    expect(lines).toContain('written to hvc0');
    expect(first.exit).toBe(4);
    expect(first.frames).toBeGreaterThan(0);
    expect({ text: second.text, frames: second.frames, retired: second.machine.retired }).toEqual({
      text: first.text, frames: first.frames, retired: first.machine.retired,
    });
    expect(second.machine.snapshot().hash()).toBe(first.machine.snapshot().hash());
  });

  test('a shell on the virtio console is typed at', () => {
    const script = 'exec < /dev/hvc0 > /dev/hvc0 2>&1; echo BEGIN; read line; echo "got $line"; exit 9';
    let text = '';
    let typed = false;
    const { exit } = boot(script, { console: true }, (machine, { kind, value }) => {
      if (kind !== 'console') return;
      text += String.fromCharCode(value);
      if (typed || !text.endsWith('BEGIN\r\n')) return;
      typed = true;
      expect(machine.consoleRoom).toBeGreaterThan(20);
      machine.receive(Buffer.from('forty two\n'));
    }, 'quiet console=hvc0');
    expect(text).toContain('got forty two');
    expect(exit).toBe(9);
  });
});
