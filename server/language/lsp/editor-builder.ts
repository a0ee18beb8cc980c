import type { Cancellation, DocumentState, URI } from 'langium';
import type { LangiumSharedServices } from 'langium/lsp';
import { ImportingBuilder } from '../services';
import { CovertFileChanges } from './file-changes';

/**
 * Lets whoever waits for a document wait for its newest text: between a change
 * and the beginning of the work that it makes, documents still are what they were.
 */
export class EditorBuilder extends ImportingBuilder {
  constructor(private readonly services: LangiumSharedServices) {
    super(services);
  }

  protected override async awaitDocumentState(state: DocumentState, uri: URI, cancelToken: Cancellation.CancellationToken): Promise<URI> {
    await this.#changesSeen();
    return super.awaitDocumentState(state, uri, cancelToken);
  }

  protected override async awaitBuilderState(state: DocumentState, cancelToken: Cancellation.CancellationToken): Promise<void> {
    await this.#changesSeen();
    return super.awaitBuilderState(state, cancelToken);
  }

  async #changesSeen(): Promise<void> {
    const { DocumentUpdateHandler } = this.services.lsp;
    if (DocumentUpdateHandler instanceof CovertFileChanges) await DocumentUpdateHandler.changesSeen();
  }
}
