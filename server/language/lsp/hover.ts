import type { AstNode, LangiumDocument } from 'langium';
import type { HoverProvider } from 'langium/lsp';
import type { Hover, HoverParams } from 'vscode-languageserver';
import { lowerAddress } from '../addresses';
import { Context } from '../context';
import { describeCost } from '../costs';
import { defaultChip } from '../defaults';
import * as ast from '../generated/ast';
import type { GuestFile } from '../guest-files';
import { inputWords } from '../inputs';
import { registerOf } from '../places';
import { decodeInteger } from '../values';
import { words } from '../words';
import { describeAmount, describeNumber } from './amount-words';
import { componentOf, describeChip, describeComponent, describeCore, describeReplica, namesComponent } from './chip-words';
import { cursorAt, guestOf, isPart, ownerOf, runAt, type Cursor } from './cursor';
import { meaningOf } from './expected-words';
import { describeFault } from './fault-words';
import { guestFile } from './guest-lookup';
import { describeFile, describeGuest, describePlace, describeStep } from './guest-words';
import type { CovertLspServices } from './lsp-services';
import { describeRegister } from './register-help';
import { chipOf, sceneAt } from './scene';

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
    const scene = sceneAt(document, leaf.offset);
    if (ast.isAmount(node)) {
      const chip = scene?.chip ?? chipAround(node);
      return describeAmount(node, { chip: chip ?? defaultChip, ...(scene?.protection && { epochInstructions: scene.protection.epochInstructions }) });
    }
    if (ast.isCoreNumber(node)) return (scene && describeCore(numberOf(node.number), scene)) ?? words[leaf.text];
    if (ast.isReplicaTarget(node) && isPart(leaf, node, 'replica')) return (scene && describeReplica(node.replica, scene)) ?? words.replica;
    if (scene && namesComponent(node) && (!ast.isCachePlace(node) || ['l2', 'bank'].includes(leaf.text) || isPart(leaf, node, 'bank'))) {
      const component = componentOf(node, scene);
      if (component !== undefined) return [describeComponent(component, scene), ...(words[leaf.text] === undefined ? [] : [`*\`${leaf.text}\`*: ${words[leaf.text]}`])].join('\n\n');
    }
    if (isPath(node) && isPart(leaf, node, 'path') && node.path !== undefined) return describeFile(document, node.path, pathKinds[node.$type]);
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
      if (!found) return undefined;
      const step = ast.isPathStep(node) ? describeStep(node, node, found.address, file) : undefined;
      // A variable is described as a whole, whatever part of it is meant.
      const whole = ast.isSymbolAddress(node) && node.path.length > 0 ? file.symbols.find(node.symbol)?.address : undefined;
      const place = step ?? describePlace(whole ?? found.address, file, ast.isSymbolAddress(address) ? address.symbol : undefined);
      const number = ast.isLineAddress(node) || ast.isPathStep(node) || leaf.tokenType.name !== 'INTEGER' ? undefined : describeNumber(leaf.text);
      return number === undefined ? place : `${place}\n\n${number}`;
    }
    if (file && ast.isDivergence(node) && isPart(leaf, node, 'symbol') && node.symbol !== undefined) {
      const symbol = file.symbols.find(node.symbol);
      return symbol && describePlace(symbol.address, file, symbol.name);
    }
    if ((ast.isCost(node) && isPart(leaf, node, 'name')) || (ast.isCosts(node) && isPart(leaf, node, 'processor'))) return describeCost(leaf.text);
    const chip = ast.isChip(node) && isPart(leaf, node, 'name') ? node : ast.isChipUse(node) && isPart(leaf, node, 'chip') ? node.chip?.ref : undefined;
    if (chip) {
      const plan = chipOf(chip);
      return plan && describeChip(plan);
    }
    if (ast.isGuest(node) && isPart(leaf, node, 'name')) return describeGuest(node, await guestFile(node, this.services.GuestFiles));
    if (ast.isGuestUse(node) && isPart(leaf, node, 'guest')) {
      return node.guest?.ref && describeGuest(node.guest.ref, await guestFile(node.guest.ref, this.services.GuestFiles));
    }
    if (ast.isInputName(node)) return (inputWords as Readonly<Record<string, string>>)[node.name];
    if (leaf.tokenType.name === 'INTEGER') return describeNumber(leaf.text);
    const meaning = meaningOf(node, leaf.text);
    if (meaning !== undefined) return meaning;
    const isName = ast.isFault(node) && isPart(leaf, node, 'name');
    const word = isName ? undefined : words[leaf.text];
    const fault = ownerOf(node, ast.isFault) ?? ownerOf(node, ast.isAlternative);
    if (fault && file && (isName || leaf.text === 'fault' || ast.isEffect(node) || ast.isTrigger(node))) {
      const { faults, alternatives } = await this.services.Analyzer.latest(document);
      const plan = ast.isFault(fault) ? faults.get(fault) : alternatives.get(fault);
      if (plan) return [describeFault(plan, file), ...(word === undefined ? [] : [`*\`${leaf.text}\`*: ${word}`])].join('\n\n');
    }
    return word;
  }
}

/** Statements whose string is a path, and what the file is. */
const pathKinds = { Import: 'scenario file', Elf: 'program', Disk: 'disk image', Firmware: 'firmware' } as const;

function isPath(node: AstNode): node is ast.Import | ast.Elf | ast.Disk | ast.Firmware {
  return Object.hasOwn(pathKinds, node.$type);
}

function chipAround(node: AstNode): ReturnType<typeof chipOf> {
  const chip = ownerOf(node, ast.isChip);
  return chip && chipOf(chip);
}

function numberOf(text: string): number {
  return Number(decodeInteger(text).value ?? Number.NaN);
}
