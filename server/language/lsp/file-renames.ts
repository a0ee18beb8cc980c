import path from 'node:path';
import { URI } from 'langium';
import type { FileOperationHandler, LangiumSharedServices } from 'langium/lsp';
import type { FileOperationOptions, RenameFilesParams, TextEdit, WorkspaceEdit } from 'vscode-languageserver';
import { encodeString } from '../mends';
import { decodeString } from '../values';
import { filesNamedIn, type NamedFile } from './named-files';

/** Before files or folders get other names in the editor: scenarios go on naming them, and those that are moved what they name. */
export class CovertFileRenames implements FileOperationHandler {
  // A guest's program may be called anything, and lie in a folder that is renamed.
  readonly fileOperationOptions: FileOperationOptions = { willRename: { filters: [{ scheme: 'file', pattern: { glob: '**/*' } }] } };

  constructor(private readonly services: LangiumSharedServices) {}

  willRenameFiles({ files }: RenameFilesParams): WorkspaceEdit | null {
    const renamed = files.map(({ oldUri, newUri }) => [URI.parse(oldUri).fsPath, URI.parse(newUri).fsPath] as const);
    const moved = (file: string): string => {
      for (const [from, to] of renamed) {
        if (file === from) return to;
        if (file.startsWith(from + path.sep)) return to + file.slice(from.length);
      }
      return file;
    };
    const changes: Record<string, TextEdit[]> = {};
    for (const document of this.services.workspace.LangiumDocuments.all) {
      const home = document.uri.fsPath;
      const edits = filesNamedIn(document).flatMap((file): TextEdit[] => {
        const text = nameFrom(path.dirname(moved(home)), file, moved(file.path));
        return file.place && text !== undefined ? [{ range: file.place.range, newText: text }] : [];
      });
      if (edits.length > 0) changes[document.uri.toString()] = edits;
    }
    return Object.keys(changes).length > 0 ? { changes } : null;
  }
}

/** How a file is named from a folder, in the manner in which it was; undefined where that stays as it is. */
function nameFrom(folder: string, { text, isProgram }: NamedFile, now: string): string | undefined {
  const before = decodeString(text).value;
  if (before === undefined) return undefined;
  if (path.resolve(folder, before) === now) return undefined;
  if (path.isAbsolute(before)) return encodeString(now);
  const relative = path.relative(folder, now).split(path.sep).join('/');
  const isBare = !relative.startsWith('../') && !relative.startsWith('./');
  return encodeString(isBare && (before.startsWith('./') || (isProgram && !relative.includes('/'))) ? `./${relative}` : relative);
}
