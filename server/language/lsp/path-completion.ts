import { readdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { CompletionContext, CompletionValueItem } from 'langium/lsp';
import { CompletionItemKind } from 'vscode-languageserver';
import { decodeString } from '../values';

/** Endings of the files that a statement's string may name, by its rule. */
const endings: Readonly<Record<string, RegExp>> = {
  Import: /\.covert$/,
  Elf: /\.elf$/,
  Disk: /\.(img|raw|ext[234]|iso|disk)$/,
  Firmware: /\.(bin|img)$/,
};

/** More entries of one folder help nobody. */
const mostEntries = 1000;

/** True if the string of a statement is a path, of a file on this machine. */
export function namesFile(rule: string): boolean {
  return Object.hasOwn(endings, rule);
}

/** Files and folders that a path may go on with; those whose ending fits come first. */
export async function pathItems(rule: string, { document, textDocument, tokenOffset, tokenEndOffset, offset }: CompletionContext): Promise<CompletionValueItem[]> {
  const written = textDocument.getText().slice(tokenOffset, offset);
  const isBegun = written.startsWith('"');
  if (written !== '' && !isBegun) return [];
  const typed = isBegun ? decodeString(`${written}"`).value : '';
  if (typed === undefined || typed.includes('\0')) return [];
  const slash = typed.lastIndexOf('/') + 1;
  const folder = resolve(dirname(document.uri.fsPath), typed.slice(0, slash));
  const found = await entriesOf(folder);
  const whole = textDocument.getText().slice(tokenOffset, tokenEndOffset);
  const isClosed = isBegun && tokenEndOffset > offset && /[^\\]"$/.test(whole);
  const range = {
    start: textDocument.positionAt(isBegun ? tokenOffset + Math.max(1, written.lastIndexOf('/') + 1) : offset),
    end: textDocument.positionAt(isClosed ? tokenEndOffset - 1 : offset),
  };
  const hides = !typed.slice(slash).startsWith('.');
  return found
    .filter(({ name }) => !(hides && name.startsWith('.')) && document.uri.fsPath !== resolve(folder, name))
    .map(({ name, isFolder }): CompletionValueItem => {
      const label = isFolder ? `${name}/` : name;
      const text = escaped(label);
      const fits = endings[rule]?.test(name) === true;
      return {
        label,
        kind: isFolder ? CompletionItemKind.Folder : CompletionItemKind.File,
        sortText: `${fits ? '0' : isFolder ? '1' : '2'}${name}`,
        filterText: isBegun ? text : `"${text}`,
        textEdit: { range, newText: isBegun ? text : `"${text}"` },
      };
    });
}

async function entriesOf(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).slice(0, mostEntries);
    return await Promise.all(
      entries.map(async (entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? await isFolderBehind(resolve(folder, entry.name)) : entry.isDirectory(),
      })),
    );
  } catch {
    return [];
  }
}

async function isFolderBehind(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function escaped(name: string): string {
  return name.replace(/["\\]/g, '\\$&').replace(/[\r\n\t]/g, (letter) => ({ '\r': '\\r', '\n': '\\n', '\t': '\\t' })[letter] ?? letter);
}
