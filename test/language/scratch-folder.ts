/** What tests of the language server begin with: a folder with a guest in it, a server for it, and a file that is open. */
import { copyFile, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LanguageClient, root } from './language-client';

/** A new folder with the checksum example's program and source. */
export async function scratchFolder(name: string): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), `covert-${name}-`)));
  for (const each of ['checksum.elf', 'checksum.c']) await copyFile(path.join(root, 'examples', 'checksum', each), path.join(folder, each));
  return folder;
}

/** A server for a folder, in which `scratch.covert` is open and empty; of the client there may be more to say. */
export async function openScratch(folder: string, more: Parameters<typeof LanguageClient.start>[1] = {}): Promise<{ client: LanguageClient; scratch: string }> {
  const scratch = path.join(folder, 'scratch.covert');
  const client = await LanguageClient.start(folder, more);
  await client.open(scratch, '');
  return { client, scratch };
}

/** Ends the server, which has to say that all was well, and throws the folder away. */
export async function closeScratch(folder: string, client: LanguageClient): Promise<void> {
  const code = await client.stop();
  await rm(folder, { recursive: true });
  if (code !== 0) throw new Error(`the server ended with ${code}`);
}
