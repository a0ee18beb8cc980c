import {
  DefaultLinker,
  DefaultReferenceDescriptionProvider,
  DefaultScopeComputation,
  DefaultScopeProvider,
  MultiMap,
  stream,
  type AstNode,
  type AstNodeDescription,
  type LangiumCoreServices,
  type LangiumDocument,
  type LocalSymbols,
  type ReferenceDescription,
  type ReferenceInfo,
  type Scope,
  type Stream,
} from 'langium';
import * as ast from './generated/ast';
import { fileOf, visibleDeclaration, visibleDeclarations } from './imports';

/** Every place of a file that names a chip or a guest: all cross-references that the grammar has. */
function* usesOf(document: LangiumDocument): Generator<ReferenceInfo> {
  for (const item of fileOf(document)?.items ?? []) {
    if (!ast.isScenario(item) && !ast.isCampaign(item)) continue;
    for (const one of item.items) {
      const use = ast.isBeside(one) ? one.use : one;
      if (ast.isChipUse(use) && use.chip) yield { reference: use.chip, container: use, property: 'chip' };
      else if (ast.isGuestUse(use) && use.guest) yield { reference: use.guest, container: use, property: 'guest' };
    }
  }
}

/** Langium's looks for references in every node, which takes longer than all else that a keystroke needs. */
export class UseLinker extends DefaultLinker {
  override link(document: LangiumDocument): Promise<void> {
    for (const use of usesOf(document)) this.doLink(use, document);
    return Promise.resolve();
  }
}

export class UseDescriptions extends DefaultReferenceDescriptionProvider {
  override createDescriptions(document: LangiumDocument): Promise<ReferenceDescription[]> {
    return Promise.resolve([...usesOf(document)].flatMap((use) => (use.reference.error ? [] : this.createInfoDescriptions(use))));
  }
}

/** Names are those of whole files: there are none that only a part of one sees. */
export class FileSymbols extends DefaultScopeComputation {
  override collectLocalSymbols(): Promise<LocalSymbols> {
    return Promise.resolve(new MultiMap<AstNode, AstNodeDescription>());
  }
}

/** A file sees its own chips and guests and those of the files it imports. */
export class ImportedNames extends DefaultScopeProvider {
  readonly #documents: LangiumCoreServices['shared']['workspace']['LangiumDocuments'];

  constructor(services: LangiumCoreServices) {
    super(services);
    this.#documents = services.shared.workspace.LangiumDocuments;
  }

  override getScope(context: ReferenceInfo): Scope {
    const wanted = this.reflection.getReferenceType(context);
    const isWanted = (item: unknown): item is ast.Chip | ast.Guest => this.reflection.isInstance(item, wanted);
    let { container } = context;
    while (container.$container) container = container.$container;
    const document = container.$document;
    const describe = (node: ast.Chip | ast.Guest): AstNodeDescription => this.descriptions.createDescription(node, node.name);
    const find = (name: string): ast.Chip | ast.Guest | undefined =>
      document && visibleDeclaration(document, this.#documents, isWanted, name);
    return {
      getElement(name) {
        const node = find(name);
        return node && describe(node);
      },
      getElements(name) {
        const node = find(name);
        return stream(node ? [describe(node)] : []);
      },
      getAllElements: (): Stream<AstNodeDescription> => {
        if (!document) return stream([]);
        return stream([...visibleDeclarations(document, this.#documents, isWanted).values()].map(describe));
      },
    };
  }
}
