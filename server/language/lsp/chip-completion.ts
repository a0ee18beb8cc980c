import type { CompletionContext, CompletionValueItem } from 'langium/lsp';
import { CompletionItemKind } from 'vscode-languageserver';
import { bankName, controllerName, linkName } from '../../../engine/chip/health';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { decodeInteger } from '../values';
import { statementWord } from './refused-words';
import { occupantsOf, sceneAt, type Scene } from './scene';

/** Components of a kind that are listed at most. */
const most = 256;

/** Numbers of cores, banks, controllers and links that the chip has, each with who has it at the start. */
export function componentItems(rule: string, property: string, before: readonly string[], { document, offset }: CompletionContext): CompletionValueItem[] {
  const scene = sceneAt(document, offset);
  const named = coresBefore(before);
  if (!scene) return rule === 'CoreNumber' ? numbers(coresAround(document, offset) ?? 0, () => '', (core) => !named.includes(core)) : [];
  const { chip } = scene;
  switch (rule) {
    case 'CoreNumber': {
      // Replicas begin on no spares.
      const statement = statementWord(before);
      const kept = statement === 'protect' || statement === 'switch' ? chip.spares : [];
      return numbers(chip.cores, (core) => whoRunsOn(core, scene), (core) => !named.includes(core) && !kept.includes(core));
    }
    case 'L2Bank':
    case 'CachePlace':
      return property === 'byte' ? [] : numbers(chip.l2Banks, (bank) => whose(scene, bankName(bank)));
    case 'MemoryController':
      return numbers(chip.memoryControllers, (controller) => whose(scene, controllerName(controller)));
    case 'Link':
      return links(scene, property, before);
    default:
      return [];
  }
}

/** The numbers in the list of cores that the words end in, before the one that is being written: `core 0, core 1, core`. */
function coresBefore(before: readonly string[]): number[] {
  const found: number[] = [];
  for (let at = before.length - 1; before[at - 1] === ',' && before[at - 3] === 'core'; at -= 3) found.push(Number(before[at - 2]));
  return found;
}

/** The nodes to which a link may lead from the one before the arrow at the end of some words. */
export function linkItems(before: readonly string[], { document, offset }: CompletionContext): CompletionValueItem[] {
  const scene = sceneAt(document, offset);
  return scene ? links(scene, 'to', before) : [];
}

function whoRunsOn(core: number, scene: Scene): string {
  const runs = scene.occupants.filter((occupant) => occupant.core === core).map(({ name }) => name);
  if (scene.chip.spares.includes(core)) return 'spare';
  return runs.join(', ');
}

function whose(scene: Scene, component: string): string {
  return occupantsOf(scene, component).map(({ name }) => name).join(', ');
}

function numbers(count: number, detail: (index: number) => string, isOffered: (index: number) => boolean = () => true): CompletionValueItem[] {
  const all = Array.from({ length: Math.min(count, most) }, (_, index) => index);
  return all.filter(isOffered).map((index) => numberItem(index, detail(index)));
}

function numberItem(index: number, detail: string): CompletionValueItem {
  return { label: String(index), kind: CompletionItemKind.Value, sortText: `0${String(index).padStart(4, '0')}`, ...(detail !== '' && { detail }) };
}

/** A link joins two neighbours on the ring; messages go both ways. */
function links(scene: Scene, property: string, before: readonly string[]): CompletionValueItem[] {
  const { chip } = scene;
  if (!chip.ring || chip.cores < 2) return [];
  const next = (node: number): number => (node + 1) % chip.cores;
  if (property === 'to') {
    const from = Number(before.at(-2));
    if (!(from < chip.cores)) return [];
    const previous = (from - 1 + chip.cores) % chip.cores;
    return [
      numberItem(next(from), whose(scene, linkName(from, chip.cores))),
      ...(previous === next(from) ? [] : [numberItem(previous, whose(scene, linkName(previous, chip.cores)))]),
    ];
  }
  return Array.from({ length: Math.min(chip.cores, most) }, (_, node): CompletionValueItem => ({
    ...numberItem(node, whose(scene, linkName(node, chip.cores))),
    label: `${node} -> ${next(node)}`,
  }));
}

/** The cores of a chip whose block is being written: the rest of it need not be right. */
function coresAround(document: CompletionContext['document'], offset: number): number | undefined {
  const chip = fileOf(document)?.items.findLast((item) => item.$cstNode !== undefined && item.$cstNode.offset < offset);
  const cores = chip && ast.isChip(chip) ? chip.settings.find(ast.isCores)?.count : undefined;
  const { value } = cores === undefined ? {} : decodeInteger(cores);
  return value === undefined ? undefined : Number(value);
}
