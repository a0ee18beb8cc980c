import type { GuestPlan } from '../../engine/covert/plan';
import { eachOnce, type Context } from './context';
import { defaults, mostHarts, mostRamBytes, pageBytes, ramBase } from './defaults';
import { part } from './diagnostic';
import * as ast from './generated/ast';
import type { GuestFile, GuestFiles } from './guest-files';
import { resolvedUri } from './imports';
import { integer, notAvailable, positive, size } from './measures';
import { decodeString } from './values';

export interface LoweredGuest {
  /** Present where the ELF could be read, even if something else is wrong. */
  file?: GuestFile;
  ramBytes: number;
  /** Present where nothing is wrong. */
  plan?: GuestPlan;
}

export async function lowerGuest(guest: ast.Guest, context: Context, files: GuestFiles): Promise<LoweredGuest> {
  const { reporter } = context;
  const before = reporter.diagnostics.length;
  const settings = eachOnce(guest.settings, context);
  const elf = settings.find(ast.isElf);
  const file = elf && (await readElf(elf, context, files));
  let ramBytes = defaults.ramBytes;
  let harts = defaults.harts;
  for (const setting of settings) {
    switch (setting.$type) {
      case 'Elf':
        break;
      case 'Ram':
        ramBytes = ramSize(setting, context) ?? ramBytes;
        break;
      case 'Harts':
        harts = integer(context, setting, 'count', { least: 1, most: mostHarts, what: 'a number of harts' }) ?? harts;
        break;
      case 'Linux':
        notAvailable(context, setting.$cstNode, 'Linux guests (a bare-metal guest has `elf "…"`)');
        break;
      case 'Program':
      case 'Disk':
      case 'Forward':
        notAvailable(context, part(setting, 'word'), `\`${setting.word}\` belongs to Linux guests`);
        break;
      case 'Typing':
        notAvailable(context, part(setting, 'word'), 'scripted console input');
        break;
    }
  }
  const broken = !context.intact(guest);
  if (!guest.settings.some((setting) => ast.isElf(setting) || ast.isLinux(setting)) && !broken) {
    reporter.error('COV206', part(guest, 'name'), `guest ${guest.name} has no program: say \`elf "…"\``);
  }
  if (file && elf) checkFit(file, ramBytes, elf, context);
  const failed = reporter.diagnostics.slice(before).some(({ severity }) => severity === 'error');
  if (failed || broken || !file) return { ramBytes, ...(file ? { file } : {}) };
  return { file, ramBytes, plan: { name: guest.name, path: file.path, image: file.image, ramBytes, harts } };
}

async function readElf(elf: ast.Elf, context: Context, files: GuestFiles): Promise<GuestFile | undefined> {
  const place = part(elf, 'path');
  const path = decodeString(elf.path).value;
  const uri = resolvedUri(context.document, elf.path);
  if (path === undefined) return undefined;
  if (!uri) {
    context.reporter.error('COV203', place, 'the path of an ELF is missing');
    return undefined;
  }
  const file = await files.read(uri.fsPath);
  if (!('unusable' in file)) return file;
  const missing = !file.unusable.startsWith('cannot be used');
  context.reporter.error(missing ? 'COV203' : 'COV207', place, `${path} ${file.unusable}`);
  return undefined;
}

function ramSize(ram: ast.Ram, context: Context): number | undefined {
  const bytes = positive(context, ram.size, size(context, ram.size), 'RAM');
  if (bytes === undefined) return undefined;
  if (bytes > mostRamBytes) {
    context.reporter.error('COV307', ram.size.$cstNode, 'a guest has at most 2 GiB of RAM');
    return undefined;
  }
  if (bytes % pageBytes !== 0) {
    context.reporter.error('COV307', ram.size.$cstNode, 'RAM comes in pages of 4 KiB');
    return undefined;
  }
  return bytes;
}

/** The machine loads into RAM only. */
function checkFit({ elf: image }: GuestFile, ramBytes: number, elf: ast.Elf, { reporter }: Context): void {
  const end = ramBase + BigInt(ramBytes);
  for (const { address, memoryBytes } of image.segments) {
    if (memoryBytes === 0 || (address >= ramBase && address + BigInt(memoryBytes) <= end)) continue;
    const segment = `0x${address.toString(16)} to 0x${(address + BigInt(memoryBytes)).toString(16)}`;
    const ram = `0x${ramBase.toString(16)} to 0x${end.toString(16)}`;
    reporter.error('COV307', part(elf, 'path'), `the program occupies ${segment}, but RAM is ${ram}`);
    return;
  }
}

