import { TextDocument, URI, type LangiumDocument, type LangiumDocuments } from 'langium';
import { DefaultCompletionProvider, type CompletionContext, type LangiumServices } from 'langium/lsp';
import type { Position } from 'vscode-languageserver';
import type { ItemParser } from '../item-parser';

/**
 * Completion that looks at the item with the cursor, and the one before it, where
 * Langium's reads the file from its beginning: several times for each key.
 */
export class ItemCompletion extends DefaultCompletionProvider {
  readonly #parser: ItemParser;
  readonly #documents: LangiumDocuments;
  /** The document that is looked at between two steps of {@link buildContexts}. */
  #document: LangiumDocument | undefined;

  constructor(services: LangiumServices) {
    super(services);
    this.#parser = services.parser.LangiumParser as ItemParser;
    this.#documents = services.shared.workspace.LangiumDocuments;
  }

  protected override *buildContexts(document: LangiumDocument, position: Position): IterableIterator<CompletionContext> {
    const contexts = super.buildContexts(document, position);
    for (;;) {
      this.#document = document;
      const next = contexts.next();
      if (next.done) return;
      yield next.value;
    }
  }

  protected override findFeaturesAt(document: TextDocument, offset: number): ReturnType<DefaultCompletionProvider['findFeaturesAt']> {
    const start = this.#startFor(this.#documents.getDocument(URI.parse(document.uri)), offset);
    const text = document.getText().slice(start, offset);
    return super.findFeaturesAt(TextDocument.create(document.uri, document.languageId, document.version, text), text.length);
  }

  protected override backtrackToAnyToken(text: string, offset: number): ReturnType<DefaultCompletionProvider['backtrackToAnyToken']> {
    const start = this.#startFor(this.#document, offset);
    const end = this.#startsOf(this.#document).find((begin) => begin > offset) ?? text.length;
    const { nextTokenStart, nextTokenEnd, previousTokenStart, previousTokenEnd } = super.backtrackToAnyToken(text.slice(start, end), offset - start);
    return {
      nextTokenStart: nextTokenStart + start,
      nextTokenEnd: nextTokenEnd + start,
      ...(previousTokenStart !== undefined && { previousTokenStart: previousTokenStart + start }),
      ...(previousTokenEnd !== undefined && { previousTokenEnd: previousTokenEnd + start }),
    };
  }

  #startsOf(document: LangiumDocument | undefined): readonly number[] {
    return document ? this.#parser.startsOf(document.parseResult) : [];
  }

  /** Where the item before the one with a place begins: what went before says nothing to what may stand there. */
  #startFor(document: LangiumDocument | undefined, offset: number): number {
    const starts = this.#startsOf(document);
    const behind = starts.findIndex((begin) => begin >= offset);
    return starts[(behind < 0 ? starts.length : behind) - 2] ?? 0;
  }
}
