import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AstUtils, GrammarAST, URI, type LangiumDocument } from 'langium';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseError } from 'vscode-languageserver';
import { CovertGrammar } from './generated/grammar';
import { CovertFormatter } from './lsp/formatter';
import { linkedNames } from './lsp/linked-names';
import { createCovertLspServices } from './lsp/lsp-services';
import { selectionAt } from './lsp/selections';
import { createCovertServices } from './services';
import { leaves } from './syntax-errors';

const root = path.resolve(import.meta.dirname, '../..');
const here = path.join(root, 'examples', 'checksum', 'here.covert');
const examples = ['checksum', 'sort', 'ticker'].map((name) => readFileSync(path.join(root, 'examples', name, `${name}.covert`), 'utf8'));

const keywords = [...new Set(AstUtils.streamAllContents(CovertGrammar()).filter(GrammarAST.isKeyword).map(({ value }) => value))];
const odd = ['"', '"a', '`', '`a b`', '/x/', '/', '/*', '//', '\\', '0x', '1__0', '99999999999999999999', '1.5', '127.0.0.1', 'é', '\0', '\u{1f600}', '\ud800'];
const names = ['a0', 'x0', 'crc32_update', 'block', 'octo', 'g', 'MiB', 'instructions', 'ms', 'dmr', 'none', 'A', 'B', 'C', '5', '64', '"checksum.elf"', '"checksum.c"', '"s"'];
const words = fc.constantFrom(...keywords, ...odd, ...names);

/** An example with a stretch of it replaced: near misses, as typing makes them. */
const damaged = fc
  .record({ text: fc.constantFrom(...examples), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(60), put: fc.array(words, { maxLength: 5 }) })
  .map(({ text, at, cut, put }) => {
    const offset = Math.floor(at * text.length);
    return `${text.slice(0, offset)}${put.join(' ')}${text.slice(offset + cut)}`;
  });

const language = createCovertServices();
const { DocumentBuilder, LangiumDocumentFactory, LangiumDocuments } = language.shared.workspace;

/** Anything said of a text lies in it, and nothing is thrown. */
async function holds(text: string): Promise<void> {
  const document = LangiumDocumentFactory.fromString(text, URI.file(here));
  LangiumDocuments.addDocument(document);
  await DocumentBuilder.build([document], { validation: false });
  const { diagnostics } = await language.Analyzer.analyze(document);
  LangiumDocuments.deleteDocument(document.uri);
  for (const { span, range, message, code } of diagnostics.filter(({ file }) => file === here)) {
    const what = `${code} ${message} at ${JSON.stringify(range)}`;
    expect(span.offset >= 0 && span.end >= span.offset && span.end <= text.length, what).toBe(true);
    expect(range.line >= 1 && range.column >= 1 && range.endLine >= range.line, what).toBe(true);
    expect(message, what).not.toMatch(/undefined|NaN|\[object/);
  }
}

describe('no text makes it fail', () => {
  test('random text', () => fc.assert(fc.asyncProperty(fc.string({ maxLength: 200, unit: 'binary' }), holds), { numRuns: 60 }));

  test('random bytes', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (bytes) => holds(Buffer.from(bytes).toString('utf8'))),
      { numRuns: 200 },
    ));

  test('random words of the language', () =>
    fc.assert(fc.asyncProperty(fc.array(words, { maxLength: 60 }).map((some) => some.join(' ')), holds), { numRuns: 300 }));

  test('random words inside a scenario', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(words, { maxLength: 30 }).map((some) => `guest g { elf "checksum.elf" }\nscenario "s" { guest g protect dmr\n${some.join(' ')}\n}`),
        holds,
      ),
      { numRuns: 300 },
    ));

  test('damaged examples', () => fc.assert(fc.asyncProperty(damaged, holds), { numRuns: 300 }));

  test('every beginning of an example, as it is typed', async () => {
    const [text = ''] = examples;
    for (let end = 0; end < text.length; end += 37) await holds(text.slice(0, end));
  });

  test('deep and long ones', async () => {
    await holds('scenario "s" { '.repeat(1000));
    await holds(`scenario "s" { ${'fault '.repeat(1000)} }`);
    await holds(`${'('.repeat(3000)}`);
    await holds(`scenario "s" { fault flip a0 bits ${'1,'.repeat(1000)}2 in replica B at ${'&a[0]'.repeat(500)} }`);
  });
});

/** What cannot be renamed is refused in words. */
async function refusedOrDone(ask: () => unknown): Promise<void> {
  try {
    await ask();
  } catch (error) {
    expect(error).toBeInstanceOf(ResponseError);
  }
}

test('an editor may ask anything anywhere', async () => {
  const { shared: editor, covert } = createCovertLspServices();
  const { workspace } = editor;
  await fc.assert(
    fc.asyncProperty(damaged, fc.double({ min: 0, max: 1, noNaN: true }), async (text, at) => {
      const document = workspace.LangiumDocumentFactory.fromString(text, URI.file(here));
      workspace.LangiumDocuments.addDocument(document);
      await workspace.DocumentBuilder.build([document], { validation: true });
      const position = document.textDocument.positionAt(Math.floor(at * text.length));
      const whole = { start: { line: 0, character: 0 }, end: document.textDocument.positionAt(text.length) };
      const about = { textDocument: { uri: document.uri.toString() }, position, range: whole, newName: 'other' };
      const { lsp } = covert;
      await lsp.CompletionProvider?.getCompletion(document, { ...about, context: { triggerKind: 1 } });
      await lsp.HoverProvider?.getHoverContent(document, about);
      await lsp.DefinitionProvider?.getDefinition(document, about);
      await lsp.ReferencesProvider?.findReferences(document, { ...about, context: { includeDeclaration: true } });
      await refusedOrDone(() => lsp.RenameProvider?.prepareRename(document, about));
      await refusedOrDone(() => lsp.RenameProvider?.rename(document, about));
      linkedNames(document, position, covert);
      selectionAt(document, position);
      await lsp.Formatter?.formatDocumentOnType(document, { ...about, ch: '\n', options: { tabSize: 2, insertSpaces: true } });
      await lsp.DocumentHighlightProvider?.getDocumentHighlight(document, about);
      await lsp.DocumentSymbolProvider?.getSymbols(document, about);
      await lsp.DocumentLinkProvider?.getDocumentLinks(document, about);
      await lsp.CodeLensProvider?.provideCodeLens(document, about);
      await lsp.CodeActionProvider?.getCodeActions(document, { ...about, context: { diagnostics: [] } });
      await lsp.InlayHintProvider?.getInlayHints(document, about);
      await lsp.FoldingRangeProvider?.getFoldingRanges(document, about);
      workspace.LangiumDocuments.deleteDocument(document.uri);
    }),
    { numRuns: 150 },
  );
});

describe('formatting', () => {
  const shared = language.shared;

  function parse(text: string): LangiumDocument {
    return shared.workspace.LangiumDocumentFactory.fromString(text, URI.file('/format.covert'));
  }

  function format(text: string): string {
    const document = parse(text);
    const edits = new CovertFormatter(language.parser).formatDocument(document, { textDocument: { uri: '' }, options: { tabSize: 2, insertSpaces: true } });
    return edits.reduceRight(
      (done, { range, newText }) =>
        done.slice(0, document.textDocument.offsetAt(range.start)) + newText + done.slice(document.textDocument.offsetAt(range.end)),
      text,
    );
  }

  function tokens(text: string): string[] {
    const cst = parse(text).parseResult.value.$cstNode;
    return cst ? [...leaves(cst)].filter(({ tokenType }) => tokenType.name !== 'WS').map((leaf) => leaf.text) : [];
  }

  test('leaves the examples alone', () => {
    for (const text of examples) expect(format(text)).toBe(text);
  });

  test('whatever the white space: the same tokens, and formatting again changes nothing', () => {
    const gaps = fc.constantFrom(' ', '  ', '\n', '\n\n\n', '\t', ' // note\n', ' /* note */ ');
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.array(gaps, { minLength: 1, maxLength: 20 }), (text, some) => {
        const spread = tokens(text)
          .filter((token) => !token.startsWith('//'))
          .map((token, index) => token + (some[index % some.length] ?? ' '))
          .join('');
        const formatted = format(spread);
        expect(tokens(formatted)).toEqual(tokens(spread));
        expect(format(formatted)).toBe(formatted);
      }),
      { numRuns: 60 },
    );
  });

  test('leaves a file with syntax errors alone', () => {
    expect(format('guest g {  elf   }')).toBe('guest g {  elf   }');
  });
});
