import { DefaultLangiumDocumentFactory, type AstNode, type Cancellation, type LangiumDocument, type LangiumSharedCoreServices, type ParseResult, type URI } from 'langium';
import { ItemParser } from './item-parser';

/** Reads of a document that has changed only what the change concerns. */
export class ReparsedDocuments extends DefaultLangiumDocumentFactory {
  readonly #services: LangiumSharedCoreServices['ServiceRegistry'];
  /** What is known of the documents that are being read anew. */
  readonly #former = new Map<string, ParseResult>();

  constructor(services: LangiumSharedCoreServices) {
    super(services);
    this.#services = services.ServiceRegistry;
  }

  override async update<T extends AstNode = AstNode>(document: LangiumDocument<T>, token: Cancellation.CancellationToken): Promise<LangiumDocument<T>> {
    const key = document.uri.toString();
    this.#former.set(key, document.parseResult);
    try {
      return await super.update(document, token);
    } finally {
      this.#former.delete(key);
    }
  }

  protected override parseAsync<T extends AstNode>(uri: URI, text: string, token: Cancellation.CancellationToken): Promise<ParseResult<T>> {
    const former = this.#former.get(uri.toString());
    const parser = this.#services.getServices(uri).parser.LangiumParser;
    if (!former || !(parser instanceof ItemParser)) return super.parseAsync(uri, text, token);
    return Promise.resolve(parser.reparse(text, former) as ParseResult<T>);
  }
}
