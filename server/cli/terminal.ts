import path from 'node:path';
import picocolors from 'picocolors';

/** Where a command writes, and how it may look there. */
export interface Screen {
  /** Columns to lay text out for. */
  width: number;
  colors: ReturnType<typeof picocolors.createColors>;
}

/**
 * Colours only on a terminal, and never with NO_COLOR (https://no-color.org:
 * any value that is not empty) or a terminal that is called dumb.
 */
export function screenOf(stream: NodeJS.WriteStream, environment = process.env): Screen {
  // A pipe's `isTTY` is undefined, not false, and for undefined picocolors
  // guesses by itself, from CI and FORCE_COLOR among others.
  const colourful = Boolean(stream.isTTY) && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
  return {
    width: Math.min(100, Math.max(60, (stream.isTTY ? stream.columns : 0) || 88)),
    colors: picocolors.createColors(colourful),
  };
}

/** Writes and waits until the stream has room again, so that nothing piles up in memory. */
export async function write(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  if (data.length === 0 || stream.write(data)) return;
  await new Promise<void>((resolve) => stream.once('drain', resolve));
}

/** A path as the user would type it: relative where it is below the current folder. */
export function shownPath(file: string, from = process.cwd()): string {
  if (!path.isAbsolute(file)) return file;
  const relative = path.relative(from, file);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

/**
 * Text that came from a guest or a file, safe on a terminal: control characters
 * other than line feed and tab become visible, so that no escape sequence of
 * theirs is obeyed.
 */
export function printable(text: string): string {
  return (
    text
      .replace(/\r\n/g, '\n')
      .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) => {
        const code = character.charCodeAt(0);
        return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
      })
  );
}
