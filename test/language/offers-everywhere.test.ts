/**
 * Completion held against the parser, in all places of all that is right: what stands there is offered where it can be known, and a word
 * that is offered there is one that the parser takes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { AstUtils, GrammarAST, URI, type CstNode, type LangiumDocument } from 'langium';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CompletionItemKind, type CompletionItem, type CompletionList } from 'vscode-languageserver-protocol';
import { Reporter } from '../../server/language/diagnostic';
import { blocks, here, manual, whole } from '../../server/language/manual.test-support';
import { createCovertServices } from '../../server/language/services';
import { leaves, reportSyntax } from '../../server/language/syntax-errors';
import { LanguageClient, root } from './language-client';

const services = createCovertServices();
const folder = path.join(root, 'test', 'conformance');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.covert'));
const sources = [
  ...files.map((name) => ({ file: path.join(folder, name), text: readFileSync(path.join(folder, name), 'utf8') })),
  ...['checksum', 'sort', 'inputs', 'debian'].flatMap((name) => examples(path.join(root, 'examples', name))),
  ...blocks(manual, 'covert right').map((text, i) => ({ file: here.replace('here', `here-${i}`), text: whole(text) })),
];

function examples(from: string): { file: string; text: string }[] {
  return readdirSync(from).filter((name) => name.endsWith('.covert')).map((name) => ({ file: path.join(from, name), text: readFileSync(path.join(from, name), 'utf8') }));
}

let client: LanguageClient;
beforeAll(async () => {
  client = await LanguageClient.start(root);
});
afterAll(() => client.stop());

type Leaf = CstNode & { tokenType: { name: string } };

const parse = (text: string): LangiumDocument => services.shared.workspace.LangiumDocumentFactory.fromString(text, URI.file('/offers.covert'));

/** Signs that most often may be left out, and that nobody looks for in a list. */
const notOffered: ReadonlySet<string> = new Set([',', '}', '&', '+', '-', '.', '..', '[', ']', ':']);

/** What has to be offered where it stands; undefined for what only the writer knows: numbers, texts, new names. */
function knowable({ grammarSource, tokenType, text, astNode }: Leaf): string | undefined {
  const rule = AstUtils.getContainerOfType(grammarSource, GrammarAST.isParserRule)?.name ?? '';
  if (rule === 'Word' && ['Chip', 'Guest', 'Fault'].includes(astNode.$type)) return undefined;
  if (!GrammarAST.isKeyword(grammarSource) && tokenType.name !== 'ID' && tokenType.name !== 'QUOTED') return undefined;
  return notOffered.has(text) ? undefined : text;
}

const newText = ({ textEdit, label }: CompletionItem): string => textEdit?.newText ?? label;

function isOf(text: string, item: CompletionItem): boolean {
  const offered = newText(item);
  return [item.label, offered, `\`${offered}\``].includes(text) || (item.kind === CompletionItemKind.Operator && offered.startsWith(text));
}

/** One place of each kind: what stands there and before it, names and numbers being the same. */
function* places(): Generator<{ file: string; text: string; leaf: Leaf }> {
  const seen = new Set<string>();
  const kind = (leaf: Leaf | undefined): string => (!leaf ? '' : /^[A-Z]+$/.test(leaf.tokenType.name) ? leaf.tokenType.name : leaf.text);
  for (const { file, text } of sources) {
    const { parseResult } = parse(text);
    expect(parseResult.parserErrors).toEqual([]);
    const tokens = [...leaves(parseResult.value.$cstNode!)].filter(({ hidden }) => !hidden);
    for (const [i, leaf] of tokens.entries()) {
      const shape = tokens.slice(Math.max(0, i - 2), i + 1).map(kind).join(' ');
      if (seen.has(shape)) continue;
      seen.add(shape);
      yield { file, text, leaf };
    }
  }
}

const open = new Set<string>();

/** Opens a file with a text, or changes it to that. */
async function shown(file: string, text: string): Promise<void> {
  await (open.has(file) ? client.change(file, text) : client.open(file, text));
  open.add(file);
}

async function offered(file: string, text: string, offset: number): Promise<CompletionItem[]> {
  const { textDocument } = parse(text);
  return (await client.at<CompletionList>('textDocument/completion', file, textDocument.positionAt(offset))).items;
}

/** The mistakes at a word or before it: a bracket behind it, which fits nearly nowhere, keeps the end of the text from being one. */
function isTaken(before: string, word: string): boolean {
  const document = parse(`${before}${word} ] `);
  const reporter = new Reporter('', document.textDocument);
  reportSyntax(document, services.Grammar, reporter);
  return reporter.diagnostics.every(({ span }) => span.offset > before.length);
}

test('what stands somewhere is offered there, and the parser takes each word that is', { timeout: 600_000 }, async () => {
  let count = 0;
  const missing: string[] = [];
  const refused = new Set<string>();
  for (const { file, text, leaf } of places()) {
    count++;
    const before = text.slice(0, leaf.offset);
    const context = `${before.slice(-60).replace(/\s+/g, ' ')}|`;
    // As who types there sees it: the word is not there yet, and what comes behind it is.
    const without = before + text.slice(leaf.end);
    await shown(file, without);
    const items = await offered(file, without, leaf.offset);
    const wanted = knowable(leaf);
    if (wanted !== undefined && !items.some((item) => isOf(wanted, item))) missing.push(`${context}${wanted}`);
    for (const { label, kind } of items) if (kind === CompletionItemKind.Keyword && !isTaken(before, label)) refused.add(`${context}${label}`);
    // And with its first letter typed.
    if (wanted === undefined || !/^\w\w/.test(wanted)) continue;
    const begun = before + wanted.slice(0, 1) + text.slice(leaf.end);
    await shown(file, begun);
    if (!(await offered(file, begun, leaf.offset + 1)).some((item) => isOf(wanted, item))) missing.push(`${context.slice(0, -1)}${wanted[0]}|${wanted.slice(1)}`);
  }
  expect({ missing, refused: [...refused] }).toEqual({ missing: [], refused: [] });
  expect(count).toBeGreaterThan(500);
});
