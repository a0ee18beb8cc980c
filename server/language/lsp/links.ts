import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AstUtils, URI, type AstNode, type CstNode, type LangiumDocument } from 'langium';
import type { DocumentLinkProvider } from 'langium/lsp';
import type { DocumentLink } from 'vscode-languageserver';
import { SourceFinder } from '../../debug/sources';
import { debianFiles } from '../../guest/debian';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { resolvedUri } from '../imports';
import { decodeString } from '../values';
import { guestOf, runAt } from './cursor';
import { guestFile } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';

interface Target {
  place: CstNode | undefined;
  path: string;
  tooltip: string;
  line?: number;
}

/** What is named and exists opens with a click: imports, ELFs, disks, programs, firmware, kernels, and lines of a guest's source. */
export class CovertLinks implements DocumentLinkProvider {
  constructor(private readonly services: CovertLspServices) {}

  async getDocumentLinks(document: LangiumDocument): Promise<DocumentLink[]> {
    const links: DocumentLink[] = [];
    for (const node of AstUtils.streamAst(document.parseResult.value)) {
      const target = ast.isLineAddress(node) ? await this.#lineOf(node, document) : targetOf(node, document);
      if (!target?.place || !(await isFile(target.path))) continue;
      const { place, path, tooltip, line } = target;
      const uri = URI.file(path).toString();
      links.push({ range: place.range, target: line === undefined ? uri : `${uri}#L${line}`, tooltip });
    }
    return links;
  }

  async #lineOf(node: ast.LineAddress, document: LangiumDocument): Promise<Target | undefined> {
    const name = node.file === undefined ? undefined : decodeString(node.file).value;
    const guest = guestOf(runAt(document, node.$cstNode?.offset ?? 0));
    const file = name ? await guestFile(guest, this.services.GuestFiles) : undefined;
    const full = file?.symbols.files.find((path) => path === name || path.endsWith(`/${name}`));
    const path = file && full && new SourceFinder(file.path).find(full);
    if (path === undefined || path === '') return undefined;
    const line = Number((node.line ?? '').replaceAll('_', ''));
    return { place: node.$cstNode, path, tooltip: `Line ${line} of ${basename(path)}`, ...(Number.isSafeInteger(line) && { line }) };
  }
}

function targetOf(node: AstNode, document: LangiumDocument): Target | undefined {
  const named = (place: CstNode | undefined, text: string | undefined, tooltip: string): Target | undefined => {
    const uri = resolvedUri(document, text);
    return uri && { place, path: uri.fsPath, tooltip };
  };
  switch (node.$type) {
    case 'Import':
      return named(part(node as ast.Import, 'path'), (node as ast.Import).path, 'Open the imported file');
    case 'Elf':
      return named(part(node as ast.Elf, 'path'), (node as ast.Elf).path, "Open the guest's program");
    case 'Disk':
      return named(part(node as ast.Disk, 'path'), (node as ast.Disk).path, "Open the disk's image");
    case 'Firmware':
      if ((node as ast.Firmware).path !== undefined) return named(part(node as ast.Firmware, 'path'), (node as ast.Firmware).path, 'Open the firmware');
      return debianFile(node as ast.Firmware, 'name', 'firmware', 'The firmware that was fetched');
    case 'Linux':
      return debianFile(node as ast.Linux, 'distribution', 'kernel', 'The kernel that was fetched');
    case 'Program': {
      const [first] = (node as ast.Program).arguments;
      const name = first === undefined ? undefined : decodeString(first).value;
      // Other names are those of the guest's own files.
      const isOwn = name?.includes('/') === true && !name.startsWith('/');
      return isOwn ? named(part(node as ast.Program, 'arguments', 0), first, 'Open the program that is copied into the guest') : undefined;
    }
    default:
      return undefined;
  }
}

function debianFile<N extends AstNode>(node: N, property: keyof N & string, file: 'kernel' | 'firmware', tooltip: string): Target | undefined {
  const files = debianFiles();
  return 'missing' in files ? undefined : { place: part(node, property), path: files[file], tooltip };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isFile(), () => false);
}
