import { guestMac } from '../../engine/network/addresses';
import type { GuestPlan } from '../../engine/covert/plan';
import type { Typing } from '../../engine/covert/console-script';
import { eachOnce, type Context } from './context';
import { lowerDisk } from './disks';
import { lowerForwards } from './forwards';
import { defaults, mostHarts, mostRamBytes, pageBytes, ramBase } from './defaults';
import { part, rename } from './diagnostic';
import * as ast from './generated/ast';
import type { GuestFile, GuestFiles } from './guest-files';
import { resolvedUri } from './imports';
import { lowerLinux } from './linux-guests';
import { integer, positive, size } from './measures';
import { encodeString, guesses, nearestFile, remove } from './mends';
import { decodeString } from './values';

export interface LoweredGuest {
  /** Present where the ELF could be read, even if something else is wrong. */
  file?: GuestFile;
  ramBytes: number;
  /** Present where nothing is wrong. */
  plan?: GuestPlan;
}

/** Settings that a guest may have several of. */
const repeatable: ReadonlySet<string> = new Set(['Forward', 'Typing']);

export async function lowerGuest(guest: ast.Guest, context: Context, files: GuestFiles): Promise<LoweredGuest> {
  const { reporter } = context;
  const before = reporter.errors;
  const settings = eachOnce(guest.settings, context, repeatable);
  const elf = settings.find(ast.isElf);
  const linux = settings.find(ast.isLinux);
  const disk = settings.find(ast.isDisk);
  const own = disk && lowerDisk(disk, context);
  const system = linux && (await lowerLinux(linux, { program: settings.find(ast.isProgram), hasDisk: settings.some(ast.isDisk), firmware: settings.find(ast.isFirmware), networked: settings.some(ast.isForward) }, context));
  const file = system ? system.file : elf && (await readElf(elf, context, files));
  const hasEntropy = settings.some(ast.isEntropy);
  const forwards = lowerForwards(settings.filter(ast.isForward), context);
  const typing: Typing[] = [];
  let ramBytes = linux ? defaults.linuxRamBytes : defaults.ramBytes;
  let harts = defaults.harts;
  for (const setting of settings) {
    switch (setting.$type) {
      case 'Elf':
      case 'Disk':
        break;
      case 'Entropy':
        if (linux) reporter.warning('COV606', part(setting, 'word'), '`entropy` has no effect here: a Linux guest always has a source of random numbers', remove(setting.$cstNode, 'Remove it'));
        break;
      case 'Ram':
        ramBytes = ramSize(setting, context) ?? ramBytes;
        break;
      case 'Harts':
        harts = integer(context, setting, 'count', { least: 1, most: mostHarts, what: 'a number of harts' }) ?? harts;
        break;
      case 'Linux':
        if (elf) reporter.error('COV206', part(setting, 'word'), 'a guest is either an ELF or a Linux system: leave one of them out');
        break;
      case 'Program':
      case 'Firmware':
      case 'Forward':
        if (!linux) reporter.error('COV206', part(setting, 'word'), `\`${setting.word}\` is for Linux guests: say \`linux debian\` too`);
        break;
      case 'Typing': {
        const entry = lowerTyping(setting, context);
        if (entry) typing.push(entry);
        break;
      }
    }
  }
  const broken = !context.intact(guest);
  if (!guest.settings.some((setting) => ast.isElf(setting) || ast.isLinux(setting)) && !broken) {
    reporter.error('COV206', part(guest, 'name'), `guest ${guest.name} has no program: say \`elf "…"\` or \`linux debian\``);
  }
  if (file && elf) checkFit(file, ramBytes, elf, settings.find(ast.isRam), context);
  if (system && ramBytes < system.leastRam) {
    const least = Math.ceil(system.leastRam / 2 ** 20);
    reporter.error('COV307', settings.find(ast.isRam)?.size.$cstNode ?? part(guest, 'name'), `kernel and initial RAM disk need at least ${least} MiB of RAM`, guesses(rename(settings.find(ast.isRam)?.size.$cstNode, `${least} MiB`)));
  }
  const disks = [...(system?.disks ?? []), ...(own ? [own] : [])];
  const failed = reporter.errors > before;
  if (failed || broken || !file) return { ramBytes, ...(file ? { file } : {}) };
  return {
    file,
    ramBytes,
    plan: {
      name: guest.name,
      path: file.path,
      image: file.image,
      ramBytes,
      harts,
      ...(typing.length > 0 ? { typing } : {}),
      ...(forwards.length > 0 ? { network: { mac: guestMac, forwards } } : {}),
      ...(disks.length > 0 ? { disks } : {}),
      ...(system ? { linux: system.plan } : {}),
      ...(hasEntropy && !linux && { entropy: true }),
    },
  };
}

function lowerTyping(typing: ast.Typing, context: Context): Typing | undefined {
  const awaited = decodeString(typing.awaited).value;
  const text = decodeString(typing.text).value;
  if (awaited !== '') return awaited === undefined || text === undefined ? undefined : { awaited, text };
  context.reporter.error('COV206', part(typing, 'awaited'), 'this text is empty: say what the guest prints before it waits for input');
  return undefined;
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
  const nearest = missing ? await nearestFile(path, uri.fsPath) : undefined;
  context.reporter.error(missing ? 'COV203' : 'COV207', place, `${path} ${file.unusable}`, guesses(rename(place, nearest && encodeString(nearest))));
  return undefined;
}

function ramSize(ram: ast.Ram, context: Context): number | undefined {
  const bytes = positive(context, ram.size, size(context, ram.size), 'RAM');
  if (bytes === undefined) return undefined;
  if (bytes > mostRamBytes) {
    context.reporter.error('COV307', ram.size.$cstNode, 'a guest has at most 2 GiB of RAM', guesses(rename(ram.size.$cstNode, '2 GiB')));
    return undefined;
  }
  if (bytes % pageBytes !== 0) {
    context.reporter.error('COV307', ram.size.$cstNode, 'RAM comes in pages of 4 KiB', guesses(rename(ram.size.$cstNode, `${Math.ceil(bytes / pageBytes) * 4} KiB`)));
    return undefined;
  }
  return bytes;
}

/** The machine loads into RAM only. */
function checkFit({ elf: image }: GuestFile, ramBytes: number, elf: ast.Elf, ram: ast.Ram | undefined, { reporter }: Context): void {
  const end = ramBase + BigInt(ramBytes);
  for (const { address, memoryBytes } of image?.segments ?? []) {
    if (memoryBytes === 0 || (address >= ramBase && address + BigInt(memoryBytes) <= end)) continue;
    const segment = `0x${address.toString(16)} to 0x${(address + BigInt(memoryBytes)).toString(16)}`;
    const within = `0x${ramBase.toString(16)} to 0x${end.toString(16)}`;
    const least = Math.max(...(image?.segments ?? []).map((each) => Number(each.address - ramBase) + each.memoryBytes));
    const fits = address >= ramBase && least <= mostRamBytes;
    reporter.error('COV307', part(elf, 'path'), `the program occupies ${segment}, but RAM is ${within}`, fits ? guesses(rename(ram?.size.$cstNode, `${Math.ceil(least / 2 ** 20)} MiB`)) : []);
    return;
  }
}

