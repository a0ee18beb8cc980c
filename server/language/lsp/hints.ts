import { AstUtils, type AstNode, type LangiumDocument } from 'langium';
import type { InlayHintProvider } from 'langium/lsp';
import { InlayHintKind, type InlayHint, type InlayHintParams } from 'vscode-languageserver';
import { lowerAddress } from '../addresses';
import { Context } from '../context';
import { defaultChip } from '../defaults';
import * as ast from '../generated/ast';
import type { GuestFile } from '../guest-files';
import { decodeInteger } from '../values';
import { cyclesOf, grouped } from './amount-words';
import { componentOf, namesComponent, ownersOf } from './chip-words';
import { guestOf, ownerOf, runAround, type Run } from './cursor';
import { guestFile, hex, sourceOf } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';
import { chipOf, sceneOf, type Scene } from './scene';

/** What one range asks of runs and guests, each looked up once. */
interface Lookup {
  context: Context;
  scenes: Map<Run, Scene | undefined>;
  files: Map<Run, GuestFile | undefined>;
}

/** Beside what is written: source lines and addresses, times in cycles, and whose part of the chip a component is in. */
export class CovertHints implements InlayHintProvider {
  constructor(private readonly services: CovertLspServices) {}

  async getInlayHints(document: LangiumDocument, { range }: InlayHintParams): Promise<InlayHint[]> {
    const hints: InlayHint[] = [];
    const lookup: Lookup = { context: new Context(document), scenes: new Map(), files: new Map() };
    for (const node of AstUtils.streamAst(document.parseResult.value, { range })) {
      const hint = await this.#hintOf(node, lookup);
      if (hint !== undefined && node.$cstNode) {
        hints.push({ position: node.$cstNode.range.end, label: hint.label, kind: InlayHintKind.Type, paddingLeft: true, ...(hint.tooltip !== undefined && { tooltip: hint.tooltip }) });
      }
    }
    return hints;
  }

  async #hintOf(node: AstNode, lookup: Lookup): Promise<{ label: string; tooltip?: string } | undefined> {
    if (!lookup.context.intact(node)) return undefined;
    if (ast.isSymbolAddress(node) || ast.isNumberAddress(node)) {
      const run = runAround(node);
      const file = run && (await this.#fileOf(run, lookup));
      return file && addressHint(node, file, lookup.context);
    }
    if (ast.isAmount(node)) {
      const run = runAround(node);
      const chip = ownerOf(node, ast.isChip);
      const clocked = run ? sceneAround(run, lookup)?.chip : chip ? chipOf(chip) : defaultChip;
      const cycles = clocked && cyclesOf(node, clocked);
      return cycles === undefined ? undefined : { label: `${grouped(cycles)} cycles` };
    }
    const isOfFault = ownerOf(node, ast.isEffect) ?? ownerOf(node, ast.isTarget);
    const run = isOfFault && (ast.isCoreNumber(node) || namesComponent(node)) ? runAround(node) : undefined;
    const scene = run && sceneAround(run, lookup);
    if (!scene) return undefined;
    if (ast.isCoreNumber(node)) {
      const core = Number(decodeInteger(node.number).value ?? -1n);
      const label = scene.occupants.filter((occupant) => occupant.core === core).map(({ name }) => name).join(', ');
      return label === '' ? undefined : { label, tooltip: `At the start ${label} runs on core ${core}.` };
    }
    const component = namesComponent(node) ? componentOf(node, scene) : undefined;
    const owners = component === undefined ? undefined : ownersOf(component, scene);
    return owners === undefined ? undefined : { label: owners, tooltip: `At the start ${component} is in the domain of ${owners}.` };
  }

  async #fileOf(run: Run, { files }: Lookup): Promise<GuestFile | undefined> {
    if (!files.has(run)) files.set(run, await guestFile(guestOf(run), this.services.GuestFiles));
    return files.get(run);
  }
}

function sceneAround(run: Run, { scenes }: Lookup): Scene | undefined {
  if (!scenes.has(run)) scenes.set(run, sceneOf(run));
  return scenes.get(run);
}

/** Of code the line of the source, of anything else the address, unless that is what is written. */
function addressHint(node: ast.SymbolAddress | ast.NumberAddress, file: GuestFile, context: Context): { label: string } | undefined {
  // A value that is compared or set is a number like any other.
  const isPlace = ast.isSymbolAddress(node) || !(ast.isValueTrigger(node.$container) || ast.isOverwrite(node.$container));
  const found = isPlace ? lowerAddress(node, file.symbols, context) : undefined;
  if (!found) return undefined;
  const source = sourceOf(found.address, file);
  if (source) return { label: `${source.file.split(/[\\/]/).at(-1)}:${source.line}` };
  return ast.isSymbolAddress(node) ? { label: hex(found.address) } : undefined;
}
