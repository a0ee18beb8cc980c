import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AstUtils, URI, type AstNode, type CstNode, type LangiumDocument } from 'langium';
import type { DocumentLinkProvider } from 'langium/lsp';
import type { DocumentLink } from 'vscode-languageserver';
import { SourceFinder } from '../../debug/sources';
import { debianFiles } from '../../guest/debian';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { decodeString } from '../values';
import { guestOf, runAt } from './cursor';
import { guestFile, sourceFileOf } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';
import { fileNamedBy } from './named-files';

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
    const full = file && name && sourceFileOf(name, file.symbols);
    const path = file && full && new SourceFinder(file.path).find(full);
    if (path === undefined || path === '') return undefined;
    const line = Number((node.line ?? '').replaceAll('_', ''));
    return { place: node.$cstNode, path, tooltip: `Line ${line} of ${basename(path)}`, ...(Number.isSafeInteger(line) && { line }) };
  }
}

/** What a click opens, by the statement that names it. */
const tooltips: Readonly<Record<string, string>> = {
  Import: 'Open the imported file',
  Elf: "Open the guest's program",
  Disk: "Open the disk's image",
  Firmware: 'Open the firmware',
  Program: 'Open the program that is copied into the guest',
};

function targetOf(node: AstNode, document: LangiumDocument): Target | undefined {
  const named = fileNamedBy(node, document);
  if (named) return { place: named.place, path: named.path, tooltip: tooltips[node.$type] ?? '' };
  if (ast.isFirmware(node) && node.path === undefined) return debianFile(node, 'name', 'firmware', 'The firmware that was fetched');
  return ast.isLinux(node) ? debianFile(node, 'distribution', 'kernel', 'The kernel that was fetched') : undefined;
}

function debianFile<N extends AstNode>(node: N, property: keyof N & string, file: 'kernel' | 'firmware', tooltip: string): Target | undefined {
  const files = debianFiles();
  return 'missing' in files ? undefined : { place: part(node, property), path: files[file], tooltip };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isFile(), () => false);
}
