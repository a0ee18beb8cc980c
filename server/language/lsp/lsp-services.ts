import { inject, type Module } from 'langium';
import {
  createDefaultModule,
  createDefaultSharedModule,
  type DefaultSharedModuleContext,
  type LangiumServices,
  type LangiumSharedServices,
  type PartialLangiumServices,
} from 'langium/lsp';
import { NodeFileSystem } from 'langium/node';
import { CovertGeneratedModule, CovertGeneratedSharedModule } from '../generated/module';
import { covertModule, covertSharedModule, type CovertAddedServices } from '../services';

export type CovertLspServices = LangiumServices & CovertAddedServices;

const editorModule: Module<CovertLspServices, PartialLangiumServices> = {
  lsp: {},
};

/** The language with everything that an editor asks for. */
export function createCovertLspServices(connection: NonNullable<DefaultSharedModuleContext['connection']>): {
  shared: LangiumSharedServices;
  covert: CovertLspServices;
} {
  const shared = inject(createDefaultSharedModule({ connection, ...NodeFileSystem }), CovertGeneratedSharedModule, covertSharedModule);
  const covert = inject(createDefaultModule({ shared }), CovertGeneratedModule, covertModule, editorModule);
  shared.ServiceRegistry.register(covert);
  return { shared, covert };
}
