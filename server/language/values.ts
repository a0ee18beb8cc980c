/**
 * What the written form of numbers, strings and units means. Nothing here
 * throws: what is wrong comes back as a {@link Problem} with the place inside
 * the text, so that a diagnostic can be as narrow as the mistake.
 */

/** What is wrong with a piece of text, and where in it. */
export interface Problem {
  message: string;
  /** Offset and length inside the text; the whole text if absent. */
  offset?: number;
  length?: number;
}

export type Decoded<T> = { value: T; problem?: undefined } | { value?: undefined; problem: Problem };

/** `42`, `1_000`, `0x1f`, `0b1010`: `_` stands between digits only. */
export function decodeInteger(text: string): Decoded<bigint> {
  const [, prefix = '', digits = ''] = /^(0x|0b)?(.*)$/s.exec(text) ?? [];
  if (digits === '') return { problem: { message: `\`${text}\` has no digits` } };
  const allowed = prefix === '0x' ? /[0-9a-fA-F_]/ : prefix === '0b' ? /[01_]/ : /[0-9_]/;
  const wrong = [...digits].findIndex((letter) => !allowed.test(letter));
  if (wrong >= 0) {
    const kind = prefix === '0x' ? 'hexadecimal' : prefix === '0b' ? 'binary' : 'decimal';
    return {
      problem: { message: `\`${digits[wrong]}\` is no ${kind} digit`, offset: prefix.length + wrong, length: 1 },
    };
  }
  const stray = /^_|_$|__/.exec(digits);
  if (stray) {
    const message = '`_` stands between two digits only';
    return { problem: { message, offset: prefix.length + stray.index, length: stray[0].length } };
  }
  // More than 64 bits never means anything; a limit keeps a long text from costing much.
  if (digits.length > 80) return { problem: { message: 'this number is too large' } };
  return { value: BigInt(prefix + digits.replaceAll('_', '')) };
}

/** `1.5`, or what {@link decodeInteger} takes. */
export function decodeDecimal(text: string): Decoded<number> {
  const [whole = '', fraction] = text.split('.');
  const integer = decodeInteger(whole);
  if (integer.problem) return integer;
  if (fraction === undefined) return { value: Number(integer.value) };
  const digits = decodeInteger(fraction);
  if (digits.problem) {
    const { message, offset = 0, length = fraction.length } = digits.problem;
    return { problem: { message, offset: whole.length + 1 + offset, length } };
  }
  return { value: Number(text.replaceAll('_', '')) };
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', '0': '\0', '"': '"', '\\': '\\' };

/** A string with its quotation marks; between those that typesetters use, there are no escapes. */
export function decodeString(text: string): Decoded<string> {
  if (!text.startsWith('"')) return { value: text.slice(1, -1) };
  let value = '';
  for (let at = 1; at < text.length; ) {
    const letter = text[at]!;
    if (letter === '"') return { value };
    if (letter !== '\\') {
      value += letter;
      at++;
      continue;
    }
    const [, hex, unicode, simple] =
      /^\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|([ntr0"\\]))/.exec(text.slice(at, at + 10)) ?? [];
    const code = hex ?? unicode;
    if (simple !== undefined) value += escapes[simple];
    else if (code !== undefined && parseInt(code, 16) <= 0x10ffff) value += String.fromCodePoint(parseInt(code, 16));
    else if (at + 1 < text.length) {
      const bad = /^\\(x[0-9a-fA-F]{0,2}|u(?:\{[0-9a-fA-F]*\}?)?|.)/su.exec(text.slice(at))?.[0] ?? '\\';
      const message = `\`${bad}\` is no escape: there are \\n \\t \\r \\0 \\" \\\\ \\xNN and \\u{…}`;
      return { problem: { message, offset: at, length: bad.length } };
    }
    at += hex !== undefined ? 4 : unicode !== undefined ? unicode.length + 4 : 2;
  }
  return { problem: { message: 'this string has no end: write `"` before the line ends' } };
}

/** True of a string that has no quotation marks of any kind, which a slip of the text may be read as. */
export function isBareString(text: string): boolean {
  return !/^["'\u2018-\u201f]/.test(text);
}

/** A regular expression between slashes; `\/` stands for a slash. */
export function decodePattern(text: string): Decoded<string> {
  if (text.length < 2 || !text.endsWith('/') || /(?:^|[^\\])(?:\\\\)*\\\/$/.test(text)) {
    return { problem: { message: 'this pattern has no end: write `/` before the line ends' } };
  }
  const value = text.slice(1, -1);
  try {
    new RegExp(value, 'u');
    return { value };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*\/u?: /s, '') : '';
    return { problem: { message: `this is no regular expression: ${why.toLowerCase()}` } };
  }
}

/** A name as written, with or without backticks. */
export function decodeName(text: string): string {
  return text.startsWith('`') ? text.replace(/^`|`$/g, '') : text;
}

export const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

export const frequencyUnits: ReadonlyMap<string, number> = new Map([
  ['Hz', 1],
  ['kHz', 1e3],
  ['MHz', 1e6],
  ['GHz', 1e9],
]);

/** Units of time, in seconds. */
export const timeUnits: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-9],
  ['us', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
]);

/** Units of a guest's progress; the singular goes with 1. */
export const countUnits: ReadonlyMap<string, 'instructions' | 'cycles' | 'epochs'> = new Map([
  ['instructions', 'instructions'],
  ['instruction', 'instructions'],
  ['cycles', 'cycles'],
  ['cycle', 'cycles'],
  ['epochs', 'epochs'],
  ['epoch', 'epochs'],
]);
