import type { LangiumDocument } from 'langium';
import type { HoverProvider } from 'langium/lsp';
import type { Hover, HoverParams } from 'vscode-languageserver';
import { lowerAddress } from '../addresses';
import { lowerChip } from '../chips';
import { Context, documentOf } from '../context';
import { describeCost } from '../costs';
import * as ast from '../generated/ast';
import type { GuestFile } from '../guest-files';
import { inputWords } from '../inputs';
import { registerOf } from '../places';
import { words } from '../words';
import { cursorAt, guestOf, isPart, ownerOf, runAt, type Cursor } from './cursor';
import { describeFault } from './fault-words';
import { describeAddress, guestFile, hex, sourceOf } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';
import { describeRegister } from './register-help';

/** What stands under the pointer, in words. */
export class CovertHover implements HoverProvider {
  constructor(private readonly services: CovertLspServices) {}

  async getHoverContent(document: LangiumDocument, params: HoverParams): Promise<Hover | undefined> {
    const cursor = cursorAt(document, params.position);
    if (!cursor) return undefined;
    const run = runAt(document, cursor.leaf.offset);
    const file = await guestFile(guestOf(run), this.services.GuestFiles);
    const value = await this.#describe(document, cursor, file);
    if (value === undefined) return undefined;
    return { contents: { kind: 'markdown', value }, range: cursor.leaf.range };
  }

  async #describe(document: LangiumDocument, { leaf, node }: Cursor, file: GuestFile | undefined): Promise<string | undefined> {
    if (ast.isRegisterPlace(node)) {
      const place = registerOf(node.register);
      return place && describeRegister(place);
    }
    if (ast.isValueTrigger(node) && isPart(leaf, node, 'register')) {
      const place = registerOf(node.register);
      return place && describeRegister(place);
    }
    if (file && (ast.isSymbolAddress(node) || ast.isLineAddress(node) || ast.isPathStep(node))) {
      const address = ownerOf(node, ast.isAddress);
      const found = address && lowerAddress(address, file.symbols, new Context(document));
      return found && describePlace(found.address, file, ast.isSymbolAddress(address) ? address.symbol : undefined);
    }
    if (file && ast.isDivergence(node) && isPart(leaf, node, 'symbol') && node.symbol !== undefined) {
      const symbol = file.symbols.find(node.symbol);
      return symbol && describePlace(symbol.address, file, symbol.name);
    }
    if ((ast.isCost(node) && isPart(leaf, node, 'name')) || (ast.isCosts(node) && isPart(leaf, node, 'processor'))) return describeCost(leaf.text);
    if (ast.isChip(node) && isPart(leaf, node, 'name')) return describeChip(node);
    if (ast.isChipUse(node) && isPart(leaf, node, 'chip')) return node.chip?.ref && describeChip(node.chip.ref);
    if (ast.isGuest(node) && isPart(leaf, node, 'name')) return describeGuest(node, await guestFile(node, this.services.GuestFiles));
    if (ast.isGuestUse(node) && isPart(leaf, node, 'guest')) {
      return node.guest?.ref && describeGuest(node.guest.ref, await guestFile(node.guest.ref, this.services.GuestFiles));
    }
    if (ast.isInputName(node)) return (inputWords as Readonly<Record<string, string>>)[node.name];
    const word = words[leaf.text];
    const fault = ownerOf(node, ast.isFault) ?? ownerOf(node, ast.isAlternative);
    if (fault && file && (leaf.text === 'fault' || ast.isEffect(node) || ast.isTrigger(node))) {
      const { faults, alternatives } = await this.services.Analyzer.latest(document);
      const plan = ast.isFault(fault) ? faults.get(fault) : alternatives.get(fault);
      if (plan) return [describeFault(plan, file), ...(word === undefined ? [] : [`*\`${leaf.text}\`*: ${word}`])].join('\n\n');
    }
    return word;
  }
}

function describePlace(address: bigint, file: GuestFile, name: string | undefined): string {
  const symbol = name === undefined ? undefined : file.symbols.find(name);
  const source = sourceOf(address, file);
  const kind = symbol ? { function: 'function', object: 'variable', other: 'symbol' }[symbol.kind] : 'code';
  const size = symbol && symbol.size > 0 ? `, ${symbol.size} bytes` : '';
  const lines = [`**${symbol?.name ?? describeAddress(address, file)}** — ${kind}${size}`, `\`${hex(address)}\`${source ? ` · ${source.file}:${source.line}` : ''}`];
  return lines.join('\n\n');
}

function describeChip(chip: ast.Chip): string | undefined {
  const plan = lowerChip(chip, new Context(documentOf(chip)));
  if (!plan) return undefined;
  const clock = plan.hertz >= 1e9 ? `${plan.hertz / 1e9} GHz` : `${plan.hertz / 1e6} MHz`;
  const spares = plan.spares.length > 0 ? ` (${plan.spares.join(', ')} spare)` : '';
  return `**chip ${plan.name}** — ${plan.cores} cores at ${clock}${spares}, L2 ${plan.l2Banks} × ${plan.l2BankBytes / 1024} KiB, ${plan.memoryControllers} memory controllers${plan.ring ? ', ring' : ''}${plan.timing === 'detailed' ? ', detailed timing' : ''}`;
}

function describeGuest(guest: ast.Guest, file: GuestFile | undefined): string {
  if (!file) return `**guest ${guest.name}**`;
  if (!file.elf) return `**guest ${guest.name}** — stock Linux\n\n${file.path}`;
  const bytes = file.elf.segments.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return `**guest ${guest.name}** — ${file.path}\n\n${bytes} bytes in memory, entry \`${describeAddress(file.elf.entry, file)}\``;
}
