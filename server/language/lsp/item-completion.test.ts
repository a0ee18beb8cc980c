import { readFileSync } from 'node:fs';
import path from 'node:path';
import { URI, type LangiumDocument } from 'langium';
import { DefaultCompletionProvider, type CompletionContext } from 'langium/lsp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Position } from 'vscode-languageserver';
import { ItemCompletion } from './item-completion';
import { createCovertLspServices } from './lsp-services';

const root = path.resolve(import.meta.dirname, '../../..');
const text = readFileSync(path.join(root, 'examples/checksum/checksum.covert'), 'utf8');
const { shared, covert } = createCovertLspServices();

/** Where something is completed, and what the grammar has there. */
function contextsOf(provider: DefaultCompletionProvider, document: LangiumDocument, position: Position): unknown[] {
  const { buildContexts } = provider as unknown as { buildContexts: (document: LangiumDocument, position: Position) => Iterable<CompletionContext> };
  return [...buildContexts.call(provider, document, position)].map(({ tokenOffset, tokenEndOffset, node, features }) => [tokenOffset, tokenEndOffset, node, features.map(({ feature }) => feature)]);
}

test('offers at every place of a sound file what reading it from its beginning offers', () => {
  const document = shared.workspace.LangiumDocumentFactory.fromString(text, URI.file(path.join(root, 'examples/checksum/here.covert')));
  shared.workspace.LangiumDocuments.addDocument(document);
  const whole = new DefaultCompletionProvider(covert);
  const part = new ItemCompletion(covert);
  fc.assert(
    fc.property(fc.nat(text.length), (offset) => {
      const position = document.textDocument.positionAt(offset);
      const [a, b] = [contextsOf(part, document, position), contextsOf(whole, document, position)] as [unknown[][], unknown[][]];
      expect(a.length).toBe(b.length);
      for (const [i, context] of a.entries()) expect(isSame(context, b[i]!), `at ${offset}`).toBe(true);
    }),
    { seed: 21, numRuns: 400 },
  );
});

/** Nodes and elements of the grammar are the same ones: they have no end to be compared by. */
function isSame(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((one, i) => isSame(one, b[i])) : a === b;
}
