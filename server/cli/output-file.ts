import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { putWhole } from '../put-whole';
import { BadInput } from './failure';

const systemErrors: Record<string, string> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'a part of the path is no folder',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'nothing can be written there',
  ENOSPC: 'there is no room left',
  EDQUOT: 'there is no room left',
};

function asUnwritable(option: string, file: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? error : new BadInput(`${option} ${file}: ${systemErrors[code] ?? message}`, { cause: error });
}

/** Before a run whose end is to be written to the file of an option (`--save`). Throws {@link BadInput} where that could not be done. */
export async function checkWritable(option: string, file: string): Promise<void> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw asUnwritable(option, file, error);
  });
  // What is put in the place of a device or a pipe would take it away from everybody.
  if (found && !found.isFile()) throw new BadInput(`${option} ${file}: it is there already, and no file`);
  await access(path.dirname(file), constants.W_OK).catch((error: unknown) => {
    throw asUnwritable(option, file, error);
  });
}

/** Writes a file whole or not at all. Throws {@link BadInput}. */
export async function writeWhole(option: string, file: string, bytes: Uint8Array | string): Promise<void> {
  await putWhole(file, bytes).catch((error: unknown) => {
    throw asUnwritable(option, file, error);
  });
}
