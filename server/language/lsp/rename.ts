import { AstUtils, type AstNode, type CstNode, type LangiumDocument } from 'langium';
import { DefaultRenameProvider } from 'langium/lsp';
import { ResponseError, type Range, type RenameParams, type TextDocumentPositionParams, type WorkspaceEdit } from 'vscode-languageserver';
import { declaredName } from '../addresses';
import * as ast from '../generated/ast';
import { fileOf, visibleDeclarations, visibleDocuments } from '../imports';
import { encodeString } from '../mends';
import { registerOf } from '../places';
import { decodeString } from '../values';
import { words } from '../words';
import { cursorAt, isPart, ownerOf } from './cursor';
import { rangeOf, workspaceEdit } from './edits';
import type { CovertLspServices } from './lsp-services';

/** Invalid parameters, as JSON-RPC numbers it. */
const invalidParams = -32_602;

function refuse(message: string): never {
  throw new ResponseError(invalidParams, message);
}

/** Something whose name stands in one place only. */
type Titled = ast.Scenario | ast.Campaign | ast.Fault;

const isTitled = (node: unknown): node is Titled => ast.isScenario(node) || ast.isCampaign(node) || ast.isFault(node);

/** Renames chips and guests in all files that use them, and scenarios, campaigns and faults; says of anything else why not. */
export class CovertRename extends DefaultRenameProvider {
  readonly #documents: CovertLspServices['shared']['workspace']['LangiumDocuments'];

  constructor(services: CovertLspServices) {
    super(services);
    this.#documents = services.shared.workspace.LangiumDocuments;
  }

  /** The name without its marks, which is what a client lets the user edit. */
  override prepareRename(document: LangiumDocument, { position }: TextDocumentPositionParams): Range {
    const leaf = cursorAt(document, position)?.leaf;
    if (!leaf) refuse('There is no name here.');
    const titled = this.#titledAt(leaf);
    if (!titled && !this.#declared(leaf)) refuse(whyNot(leaf));
    const marks = /^(["`])[^]*\1$/.test(leaf.text) ? 1 : 0;
    return rangeOf(document, { offset: leaf.offset + marks, end: leaf.end - marks });
  }

  override async rename(document: LangiumDocument, params: RenameParams): Promise<WorkspaceEdit | undefined> {
    const leaf = cursorAt(document, params.position)?.leaf;
    if (!leaf) refuse('There is no name here.');
    const titled = this.#titledAt(leaf);
    if (titled && !ast.isFault(titled)) return this.#renameTitle(document, leaf, titled, params.newName);
    const name = params.newName.replace(/^`|`$/g, '');
    if (name.trim() === '' || /[`\r\n]/.test(name)) refuse('A name has at least one character, and no backtick and no line break.');
    if (titled) {
      const taken = titled.$container.items.some((other) => ast.isFault(other) && other !== titled && other.name === name);
      if (taken) refuse(`There is another fault \`${name}\` in this scenario.`);
      return workspaceEdit(document, [{ span: leaf, text: declaredName(name) }]);
    }
    const declared = this.#declared(leaf);
    if (!declared) refuse(whyNot(leaf));
    this.#refuseTaken(declared, name);
    return super.rename(document, { ...params, newName: declaredName(name) });
  }

  #renameTitle(document: LangiumDocument, leaf: CstNode, titled: ast.Scenario | ast.Campaign, newName: string): WorkspaceEdit {
    const name = /^".*"$/.test(newName) ? (decodeString(newName).value ?? newName) : newName;
    if (name.trim() === '') refuse('A name has at least one character.');
    const kind = titled.$type.toLowerCase();
    const taken = (fileOf(document)?.items ?? []).some((other) => other !== titled && other.$type === titled.$type && decodeString((other as ast.Scenario).name ?? '').value === name);
    if (taken) refuse(`There is another ${kind} "${name}" in this file.`);
    return workspaceEdit(document, [{ span: leaf, text: encodeString(name) }]);
  }

  #titledAt(leaf: CstNode): Titled | undefined {
    const node = leaf.astNode;
    return isTitled(node) && 'tokenType' in leaf && isPart(leaf as never, node, 'name') ? node : undefined;
  }

  /** The chip or guest whose name, or use, is there. */
  #declared(leaf: CstNode): ast.Chip | ast.Guest | undefined {
    return this.references.findDeclarations(leaf).find((node): node is ast.Chip | ast.Guest => ast.isChip(node) || ast.isGuest(node));
  }

  /** In every file that sees the declaration the new name would mean something else, or hide it. */
  #refuseTaken(declared: ast.Chip | ast.Guest, name: string): void {
    if (declared.name === name) return;
    const home = AstUtils.getDocument(declared);
    for (const document of this.#documents.all) {
      if (!visibleDocuments(document, this.#documents).includes(home)) continue;
      const others = ast.isChip(declared) ? visibleDeclarations(document, this.#documents, ast.isChip) : visibleDeclarations(document, this.#documents, ast.isGuest);
      const other = others.get(name);
      if (!other) continue;
      const line = (other.$cstNode?.range.start.line ?? 0) + 1;
      refuse(`There is another ${declared.$type.toLowerCase()} \`${name}\`, in line ${line} of ${AstUtils.getDocument(other).uri.path.split('/').at(-1)}.`);
    }
  }
}

/** Why a word cannot be renamed, and what can. */
function whyNot(leaf: CstNode): string {
  const node: AstNode = leaf.astNode;
  const { text } = leaf;
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  if ((ast.isChipUse(node) || ast.isGuestUse(node)) && !isKeyword(leaf)) return `\`${shown}\` is declared nowhere, so there is nothing to rename.`;
  if (!/^["`\w]/.test(text) || /^["\d]/.test(text)) return `\`${shown}\` is no name. Chips, guests, scenarios, campaigns and faults can be renamed.`;
  if ((ast.isRegisterPlace(node) || ast.isValueTrigger(node)) && registerOf(text)) return `\`${shown}\` is a register of the machine, which has its name from there.`;
  if ((ast.isSymbolAddress(node) || ast.isDivergence(node)) && !isKeyword(leaf)) return `\`${shown}\` is a symbol of the guest: rename it in the guest's source, and build the guest anew.`;
  if (ownerOf(node, ast.isPathStep)) return `\`${shown}\` is a member of a variable of the guest: rename it in the guest's source, and build the guest anew.`;
  if (Object.hasOwn(words, text)) return `\`${shown}\` is a word of the language. Chips, guests, scenarios, campaigns and faults can be renamed.`;
  return `\`${shown}\` has a fixed meaning. Chips, guests, scenarios, campaigns and faults can be renamed.`;
}

function isKeyword(leaf: CstNode): boolean {
  return leaf.grammarSource?.$type === 'Keyword';
}
