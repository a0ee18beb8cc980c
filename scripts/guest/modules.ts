import { readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import type { ArchiveEntry } from '../../server/guest/archive';
import { GuestError } from './apt';

/** What drives each kind of virtio device, by the device's number in sysfs. */
const wanted: readonly (readonly [kind: string, modules: readonly string[]])[] = [
  ['0x0001', ['virtio_net']],
  ['0x0002', ['virtio_blk', 'crc32c_generic', 'libcrc32c', 'ext4']],
  ['0x0004', ['virtio_rng']],
];

/**
 * The kernel's own modules for virtio devices, unpacked, as /modules/NAME.ko, and
 * /modules/order: a line a kind of device, with what has to be loaded for it, in order.
 */
export function moduleEntries(kernelPackage: string): ArchiveEntry[] {
  const files = new Map(
    readdirSync(join(kernelPackage, 'usr/lib/modules'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ko.xz'))
      .map((file) => [nameOf(file), join(kernelPackage, 'usr/lib/modules', file)]),
  );
  const unpacked = new Map<string, Buffer>();
  const load = (name: string): string[] => {
    if (unpacked.has(name)) return [];
    const path = files.get(name);
    if (path === undefined) throw new GuestError(`the kernel package has no module ${name}`);
    const { stdout, status, error } = spawnSync('xz', ['--decompress', '--stdout', path], { maxBuffer: 2 ** 27 });
    if (error || status !== 0) throw new GuestError('xz cannot be run: install the package xz-utils');
    unpacked.set(name, stdout);
    return [...needs(stdout).flatMap(load), name];
  };
  const always = load('virtio_mmio');
  const order = wanted.map(([kind, names]) => `${kind} ${names.flatMap(load).join(' ')}\n`);
  if (always.length !== 1) throw new GuestError('virtio_mmio needs other modules now, and init loads it alone');
  return [
    { path: 'modules', mode: 0o40755 },
    ...[...unpacked].map(([name, data]): ArchiveEntry => ({ path: `modules/${name}.ko`, mode: 0o100644, data })),
    { path: 'modules/order', mode: 0o100644, data: Buffer.from(order.join('')) },
  ];
}

/** Modules are named with either of - and _; one of them is as good. */
const nameOf = (file: string): string => basename(file, '.ko.xz').replaceAll('-', '_');

/** The modules that a module says it depends on: the `depends` entry of its .modinfo section. */
function needs(module: Buffer): string[] {
  const list = /\0depends=([^\0]*)\0/.exec(module.toString('latin1'))?.[1] ?? '';
  return list.split(',').filter((name) => name !== '').map((name) => name.replaceAll('-', '_'));
}
