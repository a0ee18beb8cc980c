import type { URI } from 'langium';
import { AstUtils, UriUtils, type LangiumDocument, type LangiumDocuments, type LangiumDocumentFactory } from 'langium';
import { readWhole } from '../whole-file';
import * as ast from './generated/ast';
import { reasonOf } from './guest-files';
import { decodeText, mostCharacters } from './scenario-text';
import { decodeString } from './values';

export type CovertDocument = LangiumDocument<ast.File>;

/** The parsed file, or undefined where the document holds something else (it is being built). */
export function fileOf(document: LangiumDocument): ast.File | undefined {
  const { value } = document.parseResult;
  return ast.isFile(value) ? value : undefined;
}

type Declaration = ast.Chip | ast.Guest;

/** What a file has for others, worked out once: all references of a file are looked up here. */
interface Contents {
  imports: ast.Import[];
  /** Of several of a kind with one name, all. */
  declarations: Map<string, Declaration[]>;
}
const contents = new WeakMap<LangiumDocument['parseResult'], Contents>();

function contentsOf(document: LangiumDocument): Contents {
  const kept = contents.get(document.parseResult);
  if (kept) return kept;
  const found: Contents = { imports: [], declarations: new Map() };
  for (const item of fileOf(document)?.items ?? []) {
    if (ast.isImport(item)) found.imports.push(item);
    else if ((ast.isChip(item) || ast.isGuest(item)) && item.name) {
      const others = found.declarations.get(item.name);
      if (others) others.push(item);
      else found.declarations.set(item.name, [item]);
    }
  }
  contents.set(document.parseResult, found);
  return found;
}

export function importsOf(document: LangiumDocument): readonly ast.Import[] {
  return contentsOf(document).imports;
}

/** The path that a string names, relative to the file it stands in; undefined where the string is malformed or empty. */
export function resolvedUri(document: LangiumDocument, text: string | undefined): URI | undefined {
  const path = text === undefined ? undefined : decodeString(text).value;
  if (path === undefined || path.trim() === '' || path.includes('\0')) return undefined;
  // Half a pair of UTF-16 has no place in a URI, and in no file's name.
  return UriUtils.resolvePath(UriUtils.dirname(document.uri), path.replace(/\p{Surrogate}/gu, '\ufffd'));
}

const isScenarioPath = (path: string): boolean => path.endsWith('.covert');

/** Why a path cannot lead to a scenario file, in words that follow it; undefined where it can. */
export async function whyNoScenarioFile(path: string): Promise<string | undefined> {
  if (!isScenarioPath(path)) return 'is no scenario file: its name does not end in .covert';
  try {
    decodeText(await readWhole(path, mostCharacters));
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * Brings in what the documents import, directly or not, and returns the
 * documents that were not there before. What cannot be read is left out; who
 * reports on imports notices that it is missing.
 */
export async function loadImports(
  from: readonly LangiumDocument[],
  documents: LangiumDocuments,
  factory: LangiumDocumentFactory,
): Promise<LangiumDocument[]> {
  const loaded: LangiumDocument[] = [];
  const open = [...from];
  for (let document = open.pop(); document; document = open.pop()) {
    for (const one of importsOf(document)) {
      const uri = resolvedUri(document, one.path);
      if (!uri || documents.hasDocument(uri) || !isScenarioPath(uri.fsPath)) continue;
      try {
        const imported = await factory.fromUri(uri);
        if (documents.hasDocument(uri)) continue;
        documents.addDocument(imported);
        loaded.push(imported);
        open.push(imported);
      } catch {
        continue;
      }
    }
  }
  return loaded;
}

/** What a document imports itself, as far as it is there. */
function importedBy(document: LangiumDocument, documents: LangiumDocuments): LangiumDocument[] {
  return importsOf(document).flatMap(({ path }) => {
    const uri = resolvedUri(document, path);
    return (uri && documents.getDocument(uri)) ?? [];
  });
}

/** The documents that can be seen from one, itself first, nearer ones before farther ones. */
export function visibleDocuments(document: LangiumDocument, documents: LangiumDocuments): LangiumDocument[] {
  const seen = new Set<LangiumDocument>([document]);
  for (const one of seen) for (const imported of importedBy(one, documents)) seen.add(imported);
  return [...seen];
}

/** True if something that can be seen from a document is not there: what it would have declared, nobody knows. */
export function lacksImports(document: LangiumDocument, documents: LangiumDocuments): boolean {
  return visibleDocuments(document, documents).some((one) => importsOf(one).some(({ path }) => {
    const uri = resolvedUri(one, path);
    return !uri || !documents.hasDocument(uri);
  }));
}

/** True if a file imports one of others, directly or not; also one that cannot be read (any more). */
export function importsAny(document: LangiumDocument, uris: ReadonlySet<string>, documents: LangiumDocuments): boolean {
  return visibleDocuments(document, documents).some((one) => importsOf(one).some(({ path }) => uris.has(resolvedUri(one, path)?.toString() ?? '')));
}

/** The files from an import back to the file it stands in, or undefined where it does not lead back. */
export function importCircle(one: ast.Import, documents: LangiumDocuments): LangiumDocument[] | undefined {
  const home = AstUtils.getDocument(one);
  const start = resolvedUri(home, one.path);
  const first = start && documents.getDocument(start);
  if (!first) return undefined;
  const cameFrom = new Map<LangiumDocument, LangiumDocument | undefined>([[first, undefined]]);
  for (const [document] of cameFrom) {
    if (document === home) {
      const circle: LangiumDocument[] = [];
      for (let at: LangiumDocument | undefined = document; at; at = cameFrom.get(at)) circle.unshift(at);
      return circle;
    }
    for (const next of importedBy(document, documents)) if (!cameFrom.has(next)) cameFrom.set(next, document);
  }
  return undefined;
}

/** The chips or guests that can be seen from a document; of several with one name, the nearest. */
export function visibleDeclarations<T extends Declaration>(
  document: LangiumDocument,
  documents: LangiumDocuments,
  is: (item: unknown) => item is T,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const one of visibleDocuments(document, documents)) {
    for (const [name, nodes] of contentsOf(one).declarations) {
      const node = nodes.find(is);
      if (node && !found.has(name)) found.set(name, node);
    }
  }
  return found;
}

/** Where a name is declared as near as anywhere: of several files which of them counts depends on the order of imports alone. */
export function nearestDeclaring<T extends Declaration>(document: LangiumDocument, documents: LangiumDocuments, is: (item: unknown) => item is T, name: string): LangiumDocument[] {
  const seen = new Set([document]);
  for (let level = [document]; level.length > 0; ) {
    const declaring = level.filter((one) => contentsOf(one).declarations.get(name)?.some(is));
    if (declaring.length > 0) return declaring;
    const next = new Set(level.flatMap((one) => importedBy(one, documents)));
    level = [...next].filter((one) => !seen.has(one));
    for (const one of level) seen.add(one);
  }
  return [];
}

/** The one of them that has a name. */
export function visibleDeclaration<T extends Declaration>(
  document: LangiumDocument,
  documents: LangiumDocuments,
  is: (item: unknown) => item is T,
  name: string,
): T | undefined {
  for (const one of visibleDocuments(document, documents)) {
    const node = contentsOf(one).declarations.get(name)?.find(is);
    if (node) return node;
  }
  return undefined;
}
