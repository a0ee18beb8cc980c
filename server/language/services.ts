import {
  Cancellation,
  createDefaultCoreModule,
  createDefaultSharedCoreModule,
  DefaultDocumentBuilder,
  DefaultIndexManager,
  DefaultValueConverter,
  DocumentState,
  inject,
  isOperationCancelled,
  type BuildOptions,
  type CstNode,
  type GrammarAST,
  type LangiumCoreServices,
  type LangiumDocument,
  type LangiumSharedCoreServices,
  type Module,
  type PartialLangiumCoreServices,
  type PartialLangiumSharedCoreServices,
} from 'langium';
import { Analyzer } from './analyzer';
import { ReparsedDocuments } from './documents';
import { CovertGeneratedModule, CovertGeneratedSharedModule } from './generated/module';
import { GuestFiles } from './guest-files';
import { createItemParser } from './item-parser';
import { importsAny, loadImports } from './imports';
import { FileSymbols, ImportedNames, UseDescriptions, UseLinker } from './linking';
import { ScenarioFiles } from './scenario-text';
import { encodeString } from './mends';
import { StuckMessages } from './syntax-errors';
import { decodeName, isBareString } from './values';
import { AnalysisValidator } from './validator';

export interface CovertAddedServices {
  /** Says what is wrong with a document and makes its scenarios into plans. */
  Analyzer: Analyzer;
  /** ELF files, read once as long as they do not change. */
  GuestFiles: GuestFiles;
}

export type CovertServices = LangiumCoreServices & CovertAddedServices;

/** Literals stay as written (values.ts decodes them where a mistake can be reported); names lose their backticks, and slips become what was meant. */
class WrittenValues extends DefaultValueConverter {
  protected override runConverter(rule: GrammarAST.AbstractRule, input: string, _node: CstNode): string {
    switch (rule.name) {
      case 'QUOTED':
        return decodeName(input);
      case 'STRING':
        return isBareString(input) ? encodeString(input) : input;
      case 'INTEGER':
        return input.replace(/[, ]/g, '_');
      default:
        return input;
    }
  }
}

/** Builds what a document imports together with it. */
export class ImportingBuilder extends DefaultDocumentBuilder {
  protected override async buildDocuments(
    documents: LangiumDocument[],
    options: BuildOptions,
    cancelToken: Cancellation.CancellationToken,
  ): Promise<void> {
    const there: LangiumDocument[] = [];
    for (const document of documents) {
      if (document.state >= DocumentState.Parsed || (await this.#read(document, cancelToken))) there.push(document);
    }
    const imported = await loadImports(there, this.langiumDocuments, this.langiumDocumentFactory);
    await super.buildDocuments([...there, ...imported], options, cancelToken);
  }

  /** Gives up a document whose file cannot be read any more: it is as if it had been deleted. */
  async #read(document: LangiumDocument, cancelToken: Cancellation.CancellationToken): Promise<boolean> {
    try {
      await this.langiumDocumentFactory.update(document, cancelToken);
    } catch (error) {
      if (isOperationCancelled(error)) throw error;
      for (const gone of this.langiumDocuments.deleteDocuments(document.uri)) this.cleanUpDeleted(gone);
      return false;
    }
    // Langium says so of what it has read itself, and who waits for it would wait for ever.
    await this.notifyDocumentPhase(document, DocumentState.Parsed);
    return true;
  }

  /** Also where the work has been cancelled meanwhile: what is done is not done again, nor said again. */
  protected override notifyDocumentPhase(document: LangiumDocument, state: DocumentState): Promise<void> {
    return super.notifyDocumentPhase(document, state, Cancellation.CancellationToken.None);
  }
}

/** A change of a file concerns every file that imports it, whether a name of it is used or not. */
class ImportingIndex extends DefaultIndexManager {
  readonly #documents: LangiumSharedCoreServices['workspace']['LangiumDocuments'];

  constructor(services: LangiumSharedCoreServices) {
    super(services);
    this.#documents = services.workspace.LangiumDocuments;
  }

  override isAffected(document: LangiumDocument, changedUris: Set<string>): boolean {
    return super.isAffected(document, changedUris) || importsAny(document, changedUris, this.#documents);
  }
}

export const covertModule: Module<CovertServices, PartialLangiumCoreServices & CovertAddedServices> = {
  Analyzer: (services) => new Analyzer(services),
  GuestFiles: () => new GuestFiles(),
  parser: {
    LangiumParser: (services) => createItemParser(services),
    ParserErrorMessageProvider: () => new StuckMessages(),
    ValueConverter: () => new WrittenValues(),
  },
  references: {
    Linker: (services) => new UseLinker(services),
    ScopeComputation: (services) => new FileSymbols(services),
    ScopeProvider: (services) => new ImportedNames(services),
  },
  validation: {
    DocumentValidator: (services) => new AnalysisValidator(services),
  },
  workspace: {
    ReferenceDescriptionProvider: (services) => new UseDescriptions(services),
  },
};

export const covertSharedModule: Module<LangiumSharedCoreServices, PartialLangiumSharedCoreServices> = {
  workspace: {
    DocumentBuilder: (services) => new ImportingBuilder(services),
    IndexManager: (services) => new ImportingIndex(services),
    LangiumDocumentFactory: (services) => new ReparsedDocuments(services),
  },
};

/** The language without an editor: files are read from the disk. */
export function createCovertServices(): CovertServices {
  const shared = inject(createDefaultSharedCoreModule({ fileSystemProvider: () => new ScenarioFiles() }), CovertGeneratedSharedModule, covertSharedModule);
  const covert = inject(createDefaultCoreModule({ shared }), CovertGeneratedModule, covertModule);
  shared.ServiceRegistry.register(covert);
  return covert;
}
