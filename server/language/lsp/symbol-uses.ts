import { AstUtils, type AstNode, type CstNode, type LangiumDocument } from 'langium';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { fileOf, resolvedUri } from '../imports';
import { registerOf } from '../places';
import { guestOf, isPart, runAround, type Cursor } from './cursor';

/**
 * What names of a run are the same thing: a symbol of a guest's program wherever it is run, and a register, core or replica of
 * one run. Nothing in the language declares them.
 */
export type Thing = { kind: 'symbol'; program: string; name: string } | { kind: 'register' | 'core' | 'replica'; run: AstNode; name: string };

/** A place where something is named. */
export interface Use {
  document: LangiumDocument;
  place: CstNode;
}

export function thingAt({ leaf, node }: Cursor): Thing | undefined {
  const isName = (property: string): boolean => isPart(leaf, node as ast.SymbolAddress, property as 'symbol');
  if ((ast.isSymbolAddress(node) || ast.isDivergence(node)) && isName('symbol')) return thingOf(node);
  if ((ast.isRegisterPlace(node) || ast.isValueTrigger(node)) && isName('register')) return thingOf(node);
  if (ast.isReplicaTarget(node) && isName('replica')) return thingOf(node);
  return ast.isCoreNumber(node) ? thingOf(node) : undefined;
}

/** Where a thing is named in a document. */
export function usesOf(thing: Thing, document: LangiumDocument): Use[] {
  const within = thing.kind === 'symbol' ? fileOf(document) : AstUtils.getDocument(thing.run) === document ? thing.run : undefined;
  if (!within) return [];
  const programs: Programs = new Map();
  return AstUtils.streamAst(within)
    .flatMap((node) => {
      const named = thingOf(node, programs);
      const place = named && isSame(named, thing) ? placeOf(node) : undefined;
      return place ? [{ document, place }] : [];
    })
    .toArray();
}

function isSame(a: Thing, b: Thing): boolean {
  if (a.name !== b.name) return false;
  if (a.kind === 'symbol') return b.kind === 'symbol' && a.program === b.program;
  return b.kind === a.kind && a.run === b.run;
}

function placeOf(node: AstNode): CstNode | undefined {
  if (ast.isSymbolAddress(node) || ast.isDivergence(node)) return part(node, 'symbol');
  if (ast.isRegisterPlace(node)) return part(node, 'register');
  if (ast.isValueTrigger(node)) return part(node, 'register');
  return ast.isReplicaTarget(node) ? part(node, 'replica') : node.$cstNode;
}

function thingOf(node: AstNode, programs: Programs = new Map()): Thing | undefined {
  const run = kinds.has(node.$type) ? runAround(node) : undefined;
  if (!run) return undefined;
  if (ast.isSymbolAddress(node) || ast.isDivergence(node)) {
    const guest = guestOf(run);
    if (guest && !programs.has(guest)) programs.set(guest, programOf(guest));
    const program = guest && programs.get(guest);
    return program === undefined || node.symbol === undefined ? undefined : { kind: 'symbol', program, name: node.symbol };
  }
  if (ast.isRegisterPlace(node) || ast.isValueTrigger(node)) {
    const place = node.register === undefined ? undefined : registerOf(node.register);
    return place && { kind: 'register', run, name: JSON.stringify(place) };
  }
  if (ast.isReplicaTarget(node)) return { kind: 'replica', run, name: node.replica ?? '' };
  // Cores are the chip's, whichever guest of the scenario is on them.
  return ast.isCoreNumber(node) ? { kind: 'core', run: ast.isBeside(run) ? run.$container : run, name: String(Number((node.number ?? '').replaceAll('_', ''))) } : undefined;
}

/** Nodes that name something. */
const kinds: ReadonlySet<string> = new Set([ast.SymbolAddress, ast.Divergence, ast.RegisterPlace, ast.ValueTrigger, ast.ReplicaTarget, ast.CoreNumber].map(({ $type }) => $type));

/** Of each guest its program, found once. */
type Programs = Map<ast.Guest, string | undefined>;

/** The ELF of a guest: what makes two guests' symbols the same. */
function programOf(guest: ast.Guest): string | undefined {
  const elf = guest.settings.find(ast.isElf);
  return elf && resolvedUri(AstUtils.getDocument(guest), elf.path)?.fsPath;
}
