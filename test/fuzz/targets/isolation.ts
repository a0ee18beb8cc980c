import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { debianFolder } from '../../../server/guest/debian';

let isolated = false;

/** Instead of what this host may have of Debian: small files of the same names, with a kernel that does nothing. */
export function isolate(): void {
  if (isolated) return;
  isolated = true;
  const cache = mkdtempSync(join(tmpdir(), 'covert-fuzz-'));
  process.env.COVERT_CACHE = cache;
  process.on('exit', () => rmSync(cache, { recursive: true, force: true }));
  const kernel = Buffer.alloc(4096);
  kernel.writeBigUInt64LE(0x20_0000n, 8);
  kernel.writeUInt32LE(0x05435352, 56);
  const files = { vmlinux: kernel, 'System.map': 'ffffffff80000000 T _start\n', 'initramfs.cpio': 'disk', 'modules.cpio': 'more', 'programs.ext4': Buffer.alloc(4096), 'fw_dynamic.bin': Buffer.alloc(64) };
  mkdirSync(debianFolder(), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(debianFolder(), name), content);
}
