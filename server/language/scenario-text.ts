import { isUtf8 } from 'node:buffer';
import type { URI } from 'langium';
import { NodeFileSystemProvider } from 'langium/node';
import { NoWholeFileError, readWhole } from '../whole-file';

/** Characters of a scenario file, and bytes of one that is imported or lies in a folder that an editor has open. */
export const mostCharacters = 2 ** 21;

/** Bytes that are no text: in which line, counted from 1. */
export class NoTextError extends NoWholeFileError {
  constructor(readonly line: number) {
    super(`is no UTF-8 in line ${line}: save it as UTF-8`);
  }
}

/**
 * The text of a file, with its byte order mark, if it has one.
 *
 * @throws NoTextError for what is no UTF-8: as what replaces it, it would be another text.
 */
export function decodeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  for (let start = 0, line = 1; ; line++) {
    const end = bytes.indexOf('\n', start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) throw new NoTextError(line);
    start = end + 1;
  }
}

/** A text without its byte order mark, which belongs to no line. */
export function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** How most lines of a text end. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  const ends = text.split('\n').length - 1;
  return text.split('\r\n').length - 1 > ends / 2 ? '\r\n' : '\n';
}

/** Reads scenario files, and nothing that cannot be one. */
export class ScenarioFiles extends NodeFileSystemProvider {
  override async readFile(uri: URI): Promise<string> {
    return withoutMark(decodeText(await readWhole(uri.fsPath, mostCharacters)));
  }
}
