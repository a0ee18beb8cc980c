import { stat } from 'node:fs/promises';
import type { LangiumDocument } from 'langium';
import type * as ast from '../generated/ast';
import { reasonOf, type GuestFile } from '../guest-files';
import { resolvedUri } from '../imports';
import { globalOf, partOf } from '../variables';
import { grouped } from './amount-words';
import { describeAddress, hex, sourceOf } from './guest-lookup';
import { numberTypeOf, typeText } from './variable-help';

/** A place in the guest: what is there, of which type, and from which line of the source. */
export function describePlace(address: bigint, file: GuestFile, name: string | undefined): string {
  const symbol = name === undefined ? undefined : file.symbols.find(name);
  const source = sourceOf(address, file) ?? (symbol && file.symbols.declarationOf(symbol.name));
  const kind = symbol ? { function: 'function', object: 'variable', other: 'symbol' }[symbol.kind] : 'code';
  const variable = symbol && globalOf(file.symbols, symbol.name);
  // The type of a variable tells its size.
  const size = symbol && symbol.size > 0 && !variable ? `, ${symbol.size} bytes` : '';
  return [
    `**${symbol?.name ?? describeAddress(address, file)}** — ${kind}${size}`,
    ...(variable ? [typeText(variable)] : []),
    `\`${hex(address)}\`${source ? ` · ${source.file}:${source.line}` : ''}`,
  ].join('\n\n');
}

/** What a step into a variable leads to: a member or an element, how wide it is and where. */
export function describeStep(step: ast.PathStep, { $container: whole }: { $container: ast.SymbolAddress }, address: bigint, file: GuestFile): string | undefined {
  const steps = whole.path.slice(0, whole.path.indexOf(step) + 1);
  const part = partOf(globalOf(file.symbols, whole.symbol), steps.map((one) => (one.member === undefined ? 'element' : { member: one.member })));
  if (!part) return undefined;
  const written = `${whole.symbol}${steps.map(({ member, index }) => (member === undefined ? `[${index}]` : `.${member}`)).join('')}`;
  const isWhole = steps.length === whole.path.length && whole.offset === undefined;
  return `**${written}** — \`${part.type}\`, ${numberTypeOf(part)}${isWhole ? `\n\n\`${hex(address)}\`` : ''}`;
}

export function describeGuest(guest: ast.Guest, file: GuestFile | undefined): string {
  if (!file) return `**guest ${guest.name}**`;
  if (!file.elf) return `**guest ${guest.name}** — stock Linux\n\n${file.path}`;
  const bytes = file.elf.segments.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return `**guest ${guest.name}** — ${file.path}\n\n${bytes} bytes in memory, entry \`${describeAddress(file.elf.entry, file)}\``;
}

/** The file that a string names: where it is and how large, or why it cannot be read. */
export async function describeFile(document: LangiumDocument, written: string, what: string): Promise<string | undefined> {
  const path = resolvedUri(document, written)?.fsPath;
  if (path === undefined) return undefined;
  try {
    const found = await stat(path);
    return found.isFile() ? `**${what}** — ${grouped(found.size)} bytes\n\n${path}` : `**${what}** — is no file\n\n${path}`;
  } catch (error) {
    return `**${what}** — ${reasonOf(error)}\n\n${path}`;
  }
}
