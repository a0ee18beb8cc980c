import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** Where what guests and tests consist of is kept, outside of the tree. */
export function guestCache(): string {
  return process.env.COVERT_CACHE ?? join(homedir(), '.cache/covert');
}

/** Where `npm run guest:debian` keeps what it has fetched and made. */
export function debianFolder(): string {
  return join(guestCache(), 'debian');
}

/** The parts of a stock Debian guest, as paths. */
export interface DebianFiles {
  kernel: string;
  /** The kernel's symbols. */
  systemMap: string;
  /** Busybox and the script that starts everything. */
  initialDisk: string;
  /** The kernel's modules for virtio devices. */
  modules: string;
  /** A root file system with real programs. */
  programs: string;
  /** OpenSBI, fw_dynamic. */
  firmware: string;
}

/** All parts, or the names of those that are not in the folder, in words. */
export function debianFiles(folder = debianFolder()): DebianFiles | { missing: string } {
  const files: DebianFiles = {
    kernel: join(folder, 'vmlinux'),
    systemMap: join(folder, 'System.map'),
    initialDisk: join(folder, 'initramfs.cpio'),
    modules: join(folder, 'modules.cpio'),
    programs: join(folder, 'programs.ext4'),
    firmware: join(folder, 'fw_dynamic.bin'),
  };
  const missing = Object.values(files).filter((file: string) => !existsSync(file)).map((file: string) => basename(file));
  return missing.length === 0 ? files : { missing: new Intl.ListFormat('en').format(missing) };
}
