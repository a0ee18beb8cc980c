import { relative } from 'node:path';
import { AstUtils } from 'langium';
import type { SourceLocation, Symbol, Symbols } from '../../../engine/symbols/types';
import { variableFrom } from '../../../engine/symbols/variable-at';
import * as ast from '../generated/ast';
import type { GuestFile, GuestFiles } from '../guest-files';
import { resolvedUri } from '../imports';
import { isStockKernel, stockKernel } from '../linux-guests';

/** The ELF of a guest, or the kernel of a stock one, if it can be read. */
export async function guestFile(guest: ast.Guest | undefined, files: GuestFiles): Promise<GuestFile | undefined> {
  const elf = guest?.settings.find(ast.isElf);
  if (!elf && guest?.settings.some(ast.isLinux)) return stockKernel();
  const uri = guest && elf && resolvedUri(AstUtils.getDocument(guest), elf.path);
  if (!uri) return undefined;
  return fileOf(uri.fsPath, files);
}

/** The file of a guest by its path. */
export async function fileOf(path: string, files: GuestFiles): Promise<GuestFile | undefined> {
  if (isStockKernel(path)) return stockKernel();
  const file = await files.read(path);
  return 'unusable' in file ? undefined : file;
}

/** A source file by its name, or the end of its path, as a line of it is written. */
export function sourceFileOf(name: string, { files }: Symbols): string | undefined {
  return files.find((path) => path === name || path.endsWith(`/${name}`));
}

/** The source line at which code stands. */
export function sourceOf(address: bigint, { symbols }: GuestFile): SourceLocation | undefined {
  return symbols.lineAt(address)?.location;
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** `crc32_update+0x2a`, `sums[3]`, or the bare address. */
export function describeAddress(address: bigint, { symbols }: GuestFile): string {
  const variable = variableFrom(symbols, address);
  if (variable !== undefined) return variable;
  const symbol = symbols.at(address);
  if (!symbol) return hex(address);
  const offset = address - symbol.address;
  return offset === 0n ? symbol.name : `${symbol.name}+${hex(offset)}`;
}

const named = new WeakMap<Symbols, Symbol[]>();

/** Symbols that a user may want to name: no labels of the compiler, no section marks. */
export function namedSymbols({ symbols }: GuestFile): readonly Symbol[] {
  const known = named.get(symbols);
  if (known) return known;
  const seen = new Set<string>();
  const found = symbols.symbols.filter(({ name, kind }) => {
    if (name === '' || /^[.$]|^L\d/.test(name) || seen.has(name)) return false;
    seen.add(name);
    return kind !== 'other' || /^[a-zA-Z_]\w*$/.test(name);
  });
  named.set(symbols, found);
  return found;
}

/** A path as a person reads it: relative to a folder where it is below. */
export function shownPath(path: string, folder: string): string {
  const near = relative(folder, path);
  return near.startsWith('..') ? path : near;
}
