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
import { NodeFileSystem } from 'langium/node';
import { CovertGeneratedModule, CovertGeneratedSharedModule } from '../generated/module';
import { covertModule, covertSharedModule, type CovertAddedServices } from '../services';

import { CovertCompletion } from './completion';
import { CovertDefinition } from './definition';
import { CovertFileChanges } from './file-changes';
import { CovertFormatter } from './formatter';
import { CovertHighlighting } from './highlighting';
import { CovertHints } from './hints';
import { CovertHover } from './hover';
import { CovertLenses } from './lenses';
import { CovertLinks } from './links';
import { CovertOutline } from './outline';
import { CovertQuickFixes } from './quick-fixes';

export type CovertLspServices = LangiumServices & CovertAddedServices;

const editorModule: Module<CovertLspServices, PartialLangiumServices> = {
  lsp: {
    CodeActionProvider: () => new CovertQuickFixes(),
    CodeLensProvider: () => new CovertLenses(),
    CompletionProvider: (services) => new CovertCompletion(services),
    DefinitionProvider: (services) => new CovertDefinition(services),
    DocumentLinkProvider: () => new CovertLinks(),
    DocumentSymbolProvider: () => new CovertOutline(),
    Formatter: () => new CovertFormatter(),
    HoverProvider: (services) => new CovertHover(services),
    InlayHintProvider: (services) => new CovertHints(services),
    SemanticTokenProvider: (services) => new CovertHighlighting(services),
  },
};

const editorSharedModule: Module<LangiumSharedServices, PartialLangiumSharedServices> = {
  lsp: {
    DocumentUpdateHandler: (services) => new CovertFileChanges(services),
  },
};

/** The language with everything that an editor asks for. */
export function createCovertLspServices(connection: NonNullable<DefaultSharedModuleContext['connection']>): {
  shared: LangiumSharedServices;
  covert: CovertLspServices;
} {
  const shared = inject(createDefaultSharedModule({ connection, ...NodeFileSystem }), CovertGeneratedSharedModule, covertSharedModule, editorSharedModule);
  const covert = inject(createDefaultModule({ shared }), CovertGeneratedModule, covertModule, editorModule);
  shared.ServiceRegistry.register(covert);
  return { shared, covert };
}
