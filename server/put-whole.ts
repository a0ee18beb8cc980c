import { rename, rm, writeFile } from 'node:fs/promises';

/** Writes a file whole or not at all: what was there before stays until all is written. Throws the file system's error. */
export async function putWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await writeFile(part, bytes);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
