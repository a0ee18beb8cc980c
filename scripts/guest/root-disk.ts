import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuestError, run } from './apt';

/** Left out: nobody reads them in a guest. */
const unneeded = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info', 'usr/share/lintian', 'usr/share/bug'];
/** Room beyond the packages' files, for what a guest writes. */
const spareBytes = 128 * 2 ** 20;

/**
 * A root file system of unpacked packages as an ext4 image. Packages' own set-up
 * scripts are not run: what programs here need of them is done by hand. Times and
 * identifiers are fixed, but owners and change times are the host's, so images
 * made by two machines hold the same files and are not equal byte for byte.
 */
export function makeRootDisk(image: string, packages: readonly string[], extra: readonly { from: string; to: string }[]): void {
  const tree = `${image}.tree`;
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree);
  for (const folder of packages) run('cp', ['--archive', '--no-target-directory', folder, tree]);
  for (const folder of unneeded) rmSync(join(tree, folder), { recursive: true, force: true });
  for (const folder of ['dev', 'disk', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var/lib/nginx', 'var/log/nginx', 'var/tmp']) {
    mkdirSync(join(tree, folder), { recursive: true });
  }
  for (const link of ['bin', 'sbin', 'lib']) if (!existsSync(join(tree, link))) symlinkSync(`usr/${link}`, join(tree, link));
  for (const name of ['passwd', 'group']) {
    writeFileSync(join(tree, 'etc', name), readFileSync(join(tree, `usr/share/base-passwd/${name}.master`)));
  }
  writeFileSync(join(tree, 'etc/hostname'), 'covert\n');
  writeFileSync(join(tree, 'etc/hosts'), '127.0.0.1 localhost\n10.0.2.2 gateway.covert\n');
  writeFileSync(join(tree, 'etc/resolv.conf'), 'nameserver 10.0.2.3\n');
  for (const { from, to } of extra) {
    mkdirSync(join(tree, to, '..'), { recursive: true });
    cpSync(from, join(tree, to));
  }

  const part = `${image}.part`;
  rmSync(part, { force: true });
  writeFileSync(part, '');
  truncateSync(part, Math.ceil((bytesBelow(tree) * 1.1 + spareBytes) / 2 ** 20) * 2 ** 20);
  const identifier = 'c0de0000-0000-4000-8000-000000000001';
  const options = ['-q', '-t', 'ext4', '-b', '4096', '-m', '0', '-L', 'programs', '-U', identifier, '-E', `hash_seed=${identifier},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0`];
  run('mke2fs', [...options, '-d', tree, part], {
    from: 'the package e2fsprogs',
    environment: { E2FSPROGS_FAKE_TIME: '1', SOURCE_DATE_EPOCH: '1', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  });
  rmSync(tree, { recursive: true });
  renameSync(part, image);
  if (statSync(image).size === 0) throw new GuestError('mke2fs made an empty image');
}

function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // Each takes at least a block and an inode.
    bytes += 4096 + 256;
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
