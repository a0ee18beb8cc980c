import {
  createDefaultCoreModule,
  createDefaultSharedCoreModule,
  DefaultDocumentBuilder,
  DefaultIndexManager,
  DefaultValueConverter,
  DocumentState,
  inject,
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
import { NodeFileSystem } from 'langium/node';
import { Analyzer } from './analyzer';
import { ReparsedDocuments } from './documents';
import { CovertGeneratedModule, CovertGeneratedSharedModule } from './generated/module';
import { GuestFiles } from './guest-files';
import { createItemParser } from './item-parser';
import { importsAny, loadImports } from './imports';
import { FileSymbols, ImportedNames, UseDescriptions, UseLinker } from './linking';
import { StuckMessages } from './syntax-errors';
import { decodeName } from './values';
import { AnalysisValidator } from './validator';

export interface CovertAddedServices {
  /** Says what is wrong with a document and makes its scenarios into plans. */
  Analyzer: Analyzer;
  /** ELF files, read once as long as they do not change. */
  GuestFiles: GuestFiles;
}

export type CovertServices = LangiumCoreServices & CovertAddedServices;

/** Literals stay as written (values.ts decodes them where a mistake can be reported); names lose their backticks. */
class WrittenValues extends DefaultValueConverter {
  protected override runConverter(rule: GrammarAST.AbstractRule, input: string, _node: CstNode): string {
    return rule.name === 'QUOTED' ? decodeName(input) : input;
  }
}

/** Builds what a document imports together with it. */
class ImportingBuilder extends DefaultDocumentBuilder {
  protected override async buildDocuments(
    documents: LangiumDocument[],
    options: BuildOptions,
    cancelToken: Parameters<DefaultDocumentBuilder['build']>[2] & object,
  ): Promise<void> {
    for (const document of documents) {
      if (document.state < DocumentState.Parsed) await this.langiumDocumentFactory.update(document, cancelToken);
    }
    const imported = await loadImports(documents, this.langiumDocuments, this.langiumDocumentFactory);
    await super.buildDocuments([...documents, ...imported], options, cancelToken);
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
  const shared = inject(createDefaultSharedCoreModule(NodeFileSystem), CovertGeneratedSharedModule, covertSharedModule);
  const covert = inject(createDefaultCoreModule({ shared }), CovertGeneratedModule, covertModule);
  shared.ServiceRegistry.register(covert);
  return covert;
}
