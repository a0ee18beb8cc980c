import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  ErrorCodes,
  ResponseError,
  type CodeAction,
  type CompletionItem,
  type CompletionList,
  type DocumentDiagnosticReport,
  type DocumentSymbol,
  type FoldingRange,
  type Position,
  type ProtocolConnection,
  type Range,
  type SelectionRange,
  type SemanticTokens,
  type SemanticTokensDelta,
  type TextEdit,
} from 'vscode-languageserver-protocol';

const options = { tabSize: 2, insertSpaces: true };
/** Completion items of which the rest is asked for. */
const mostResolved = 3;

/** Asks all that an editor can ask at a place, and says what was answered. Throws where an answer does not fit the text. */
export async function askEverything(client: ProtocolConnection, document: TextDocument, position: Position): Promise<string[]> {
  const textDocument = { uri: document.uri };
  const range = { start: { line: 0, character: 0 }, end: document.positionAt(document.getText().length) };
  const answered: string[] = [];
  const ask = async <T>(method: string, more: object = {}): Promise<T | undefined> => {
    try {
      const answer = await client.sendRequest<T | null>(method, { textDocument, ...more });
      // Who asks about a place that is none may get it back.
      if (isIn(document, position)) placesOf(answer, document, method);
      const isNone = answer === null || (Array.isArray(answer) && answer.length === 0);
      if (!isNone) answered.push(method);
      return answer ?? undefined;
    } catch (error) {
      // What cannot be renamed is refused in words.
      if (error instanceof ResponseError && error.code === ErrorCodes.InvalidParams && /rename/i.test(method) && error.message !== '') return undefined;
      throw new Error(`${method}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  const at = { position };
  const completion = await ask<CompletionList>('textDocument/completion', at);
  for (const item of completion?.items.slice(0, mostResolved) ?? []) await client.sendRequest<CompletionItem>('completionItem/resolve', item);
  for (const { label, textEdit } of completion?.items ?? []) {
    const replaced = textEdit && ('range' in textEdit ? textEdit.range : textEdit.replace);
    if (label === '' || (isIn(document, position) && replaced && (replaced.start.line !== replaced.end.line || isBefore(position, replaced.start)))) throw new Error(`completion offers ${JSON.stringify(label)} at ${JSON.stringify(replaced)}`);
  }
  for (const method of ['hover', 'signatureHelp', 'definition', 'documentHighlight', 'prepareRename', 'linkedEditingRange']) await ask(`textDocument/${method}`, at);
  await ask('textDocument/references', { ...at, context: { includeDeclaration: true } });
  await ask('textDocument/rename', { ...at, newName: 'other' });
  nested(await ask<SelectionRange[]>('textDocument/selectionRange', { positions: [position] }));
  symbols((await ask<DocumentSymbol[]>('textDocument/documentSymbol')) ?? []);
  for (const { startLine, endLine } of (await ask<FoldingRange[]>('textDocument/foldingRange')) ?? []) if (startLine > endLine || endLine > range.end.line) throw new Error(`folds lines ${startLine} to ${endLine}`);
  for (const method of ['documentLink', 'codeLens']) await ask(`textDocument/${method}`);
  await ask('textDocument/inlayHint', { range });
  await ask('textDocument/inlineValue', { range, context: { frameId: 1, stoppedLocation: { start: position, end: position } } });
  const formatted = [
    await ask<TextEdit[]>('textDocument/formatting', { options }),
    await ask<TextEdit[]>('textDocument/rangeFormatting', { range: { start: range.start, end: position }, options }),
    await ask<TextEdit[]>('textDocument/onTypeFormatting', { ...at, ch: '\n', options }),
  ];
  for (const edits of formatted) sameWords(document, edits ?? []);
  const { items = [] } = ((await ask<DocumentDiagnosticReport>('textDocument/diagnostic')) ?? {}) as { items?: { range: Range }[] };
  const about = items.filter(({ range: { start, end } }) => !isBefore(position, start) && !isBefore(end, position));
  const actions = await ask<CodeAction[]>('textDocument/codeAction', { range: { start: position, end: position }, context: { diagnostics: about } });
  for (const { edit } of actions ?? []) TextDocument.applyEdits(document, edit?.changes?.[document.uri] ?? []);
  const whole = await ask<SemanticTokens>('textDocument/semanticTokens/full');
  tokensOf(whole?.data ?? [], document);
  const delta = await ask<SemanticTokensDelta | SemanticTokens>('textDocument/semanticTokens/full/delta', { previousResultId: whole?.resultId ?? '' });
  if (delta && 'edits' in delta && delta.edits.length > 0) throw new Error('the same text has other semantic tokens');
  const part = await ask<SemanticTokens>('textDocument/semanticTokens/range', { range: { start: range.start, end: position } });
  tokensOf(part?.data ?? [], document);
  await client.sendRequest('workspace/symbol', { query: '' });
  return answered;
}

function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}

/** All ranges of an answer about the document lie in it. */
function placesOf(answer: unknown, document: TextDocument, method: string, uri = document.uri): void {
  if (typeof answer !== 'object' || answer === null) return;
  const { start, end, uri: other, targetUri } = answer as { start?: Position; end?: Position; uri?: string; targetUri?: string };
  if (typeof start === 'object' && typeof end === 'object') {
    const isSound = uri !== document.uri || (!isBefore(end, start) && isIn(document, start) && isIn(document, end));
    if (!isSound) throw new Error(`${method} answers ${JSON.stringify(answer)}, which is not in the text`);
    return;
  }
  for (const [name, value] of Object.entries(answer)) {
    const whose = targetUri && name.startsWith('target') ? targetUri : (other ?? uri);
    placesOf(value, document, method, name.startsWith('file:') ? name : whose);
  }
}

function isIn(document: TextDocument, position: Position): boolean {
  const { line, character } = document.positionAt(document.offsetAt(position));
  return line === position.line && character === position.character;
}

function nested(selections: readonly SelectionRange[] = []): void {
  for (const selection of selections) {
    for (let { range, parent } = selection; parent; { range, parent } = parent) {
      if (isBefore(range.start, parent.range.start) || isBefore(parent.range.end, range.end)) throw new Error('a selection is not within the next one');
    }
  }
}

function symbols(list: readonly DocumentSymbol[]): void {
  for (const { name, range, selectionRange, children = [] } of list) {
    if (name.trim() === '') throw new Error('a symbol has no name, which editors refuse');
    if (isBefore(selectionRange.start, range.start) || isBefore(range.end, selectionRange.end)) throw new Error(`what is selected of ${name} is not within it`);
    symbols(children);
  }
}

/** Formatting changes blanks alone. */
function sameWords(document: TextDocument, edits: readonly TextEdit[]): void {
  const done = TextDocument.applyEdits(document, [...edits]);
  const words = (text: string): string => text.replace(/\s+/g, '');
  if (words(done) !== words(document.getText())) throw new Error(`formatting made ${JSON.stringify(done)}`);
}

/** Tokens come one behind the other, none longer than its line. */
function tokensOf(data: readonly number[], document: TextDocument): void {
  let [line, character, end] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 5) {
    const [lines = 0, characters = 0, length = 0] = data.slice(i, i + 3);
    if (lines > 0) end = character = 0;
    line += lines;
    character += characters;
    if (lines < 0 || character < end || length <= 0) throw new Error(`semantic token ${i / 5} overlaps`);
    end = character + length;
    if (!isIn(document, { line, character: end })) throw new Error(`semantic token ${i / 5} is longer than its line`);
  }
}
