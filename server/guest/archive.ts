/** The "newc" archives that Linux unpacks at boot: Documentation/driver-api/early-userspace/buffer-format.rst. */
export interface ArchiveEntry {
  path: string;
  /** File type and permissions, as stat has them. */
  mode: number;
  data?: Uint8Array;
  /** Major and minor number of a device. */
  device?: readonly [number, number];
}

/** All owners are root and all times 0, so equal contents give equal bytes. */
export function archive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const { path, mode, data = new Uint8Array(), device = [0, 0] } of [...entries, { path: 'TRAILER!!!', mode: 0 }]) {
    const name = Buffer.from(`${path}\0`);
    const fields = [inode++, mode, 0, 0, 1, 0, data.length, 0, 0, device[0], device[1], name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
    parts.push(padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(data)));
  }
  return Buffer.concat(parts);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
