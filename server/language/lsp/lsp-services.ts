import { inject, type Module } from 'langium';
import {
  createDefaultModule,
  createDefaultSharedModule,
  type DefaultSharedModuleContext,
  type LangiumServices,
  type LangiumSharedServices,
  type PartialLangiumServices,
  type PartialLangiumSharedServices,
} from 'langium/lsp';
import { CovertGeneratedModule, CovertGeneratedSharedModule } from '../generated/module';
import { ScenarioFiles } from '../scenario-text';
import { covertModule, covertSharedModule, type CovertAddedServices } from '../services';

import { CovertCompletion } from './completion';
import { CovertDefinition, CovertTypeDefinition } from './definition';
import { EditorBuilder } from './editor-builder';
import { CovertFileChanges } from './file-changes';
import { EditorFolders } from './editor-folders';
import { CovertFileRenames } from './file-renames';
import { CovertFolding } from './folding';
import { CovertFormatter } from './formatter';
import { CovertHighlighting } from './highlighting';
import { CovertHints } from './hints';
import { CovertHover } from './hover';
import { CovertLanguageServer } from './language-server';
import { CovertLenses } from './lenses';
import { CovertLinks } from './links';
import { CovertOutline } from './outline';
import { CovertQuickFixes } from './quick-fixes';
import { CovertDocumentHighlights, CovertReferences } from './references';
import { CovertRename } from './rename';
import { CovertSignatureHelp } from './signature-help';
import { CovertWorkspaceSymbols } from './workspace-symbols';

export type CovertLspServices = LangiumServices & CovertAddedServices;

const editorModule: Module<CovertLspServices, PartialLangiumServices> = {
  lsp: {
    CodeActionProvider: (services) => new CovertQuickFixes(services),
    CodeLensProvider: (services) => new CovertLenses(services),
    CompletionProvider: (services) => new CovertCompletion(services),
    DeclarationProvider: (services) => new CovertDefinition(services),
    DefinitionProvider: (services) => new CovertDefinition(services),
    DocumentHighlightProvider: (services) => new CovertDocumentHighlights(services),
    DocumentLinkProvider: (services) => new CovertLinks(services),
    DocumentSymbolProvider: () => new CovertOutline(),
    FoldingRangeProvider: () => new CovertFolding(),
    Formatter: (services) => new CovertFormatter(services.parser),
    HoverProvider: (services) => new CovertHover(services),
    ImplementationProvider: (services) => new CovertDefinition(services),
    InlayHintProvider: (services) => new CovertHints(services),
    ReferencesProvider: (services) => new CovertReferences(services),
    RenameProvider: (services) => new CovertRename(services),
    SemanticTokenProvider: (services) => new CovertHighlighting(services),
    SignatureHelp: (services) => new CovertSignatureHelp(services),
    TypeProvider: (services) => new CovertTypeDefinition(services),
  },
};

const editorSharedModule: Module<LangiumSharedServices, PartialLangiumSharedServices> = {
  lsp: {
    DocumentUpdateHandler: (services) => new CovertFileChanges(services),
    FileOperationHandler: (services) => new CovertFileRenames(services),
    LanguageServer: (services) => new CovertLanguageServer(services),
    WorkspaceSymbolProvider: (services) => new CovertWorkspaceSymbols(services),
  },
  workspace: {
    DocumentBuilder: (services) => new EditorBuilder(services),
    WorkspaceManager: (services) => new EditorFolders(services),
  },
};

/** The language with everything that an editor asks for; without a connection nothing is published. */
export function createCovertLspServices(connection?: DefaultSharedModuleContext['connection']): {
  shared: LangiumSharedServices;
  covert: CovertLspServices;
} {
  const shared = inject(createDefaultSharedModule({ fileSystemProvider: () => new ScenarioFiles(), ...(connection ? { connection } : {}) }), CovertGeneratedSharedModule, covertSharedModule, editorSharedModule);
  const covert = inject(createDefaultModule({ shared }), CovertGeneratedModule, covertModule, editorModule);
  shared.ServiceRegistry.register(covert);
  return { shared, covert };
}
