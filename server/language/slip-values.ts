import { rename, type Span } from './diagnostic';
import { encodeString, replace } from './mends';
import { mayEnd } from './slip-items';
import { line, type Mend, type Reading, type SlipRule } from './slip-reading';
import { endOf } from './slip-source';

/** Words behind which an address may stand. */
const beforeAddress: ReadonlySet<string> = new Set(['at', 'read', 'write', 'execute', 'between', 'and', '[', 'line', 'entry']);
/** Words behind which a path stands. */
const beforePath: ReadonlySet<string> = new Set(['import', 'elf', 'disk']);

/** As much of a path as is looked at, and one character more. */
const longPath = /[\w./+-]{1,501}/y;
const mostOfPath = 500;
/** Longer texts are no slip of a hand, in tokens. */
const mostWords = 64;

/** Strings, paths, source lines and numbers that are written another way. */
export const valueSlips: readonly (readonly [kind: string, rule: SlipRule])[] = [
  ['ID', path],
  ['.', path],
  ['..', path],
  ['REGEX', path],
  ['ID', sourceLine],
  ['.', sourceLine],
  ['..', sourceLine],
  ['STRING', quotedLine],
  ['STRING', quotedSymbol],
  ['ID', bareText],
  ['INTEGER', grouped],
];

/** `elf checksum.elf` */
function path(reading: Reading): Mend | undefined {
  if (!beforePath.has(reading.kindBefore()) || !isInLine(reading)) return undefined;
  const found = reading.match(longPath);
  // Two slashes begin a comment.
  const written = found?.[0].replace(/\/\/.*$/, '').replace(/[./]{1,9}$/, '');
  if (!found || !written || !/[./]\w/.test(written) || found[0].length > mostOfPath) return undefined;
  return quoted(reading, { offset: found.index, end: found.index + written.length }, 'a path stands in quotation marks');
}

/** `expect output contains crc=7f`, `at console login:` */
function bareText(reading: Reading): Mend | undefined {
  const before = reading.kindBefore();
  const isText = ((before === 'contains' || before === 'is') && reading.kindBefore(2) === 'output') || (before === 'console' && (reading.kindBefore(2) === 'at' || reading.kindBefore(2) === 'on'));
  if (!isText || !isInLine(reading)) return undefined;
  const { span, isAll } = wordsOf(reading, before === 'console' ? isWord : isStatement);
  const mend = quoted(reading, span, 'a text stands in quotation marks');
  return mend?.slip && !isAll ? { ...mend, slip: { ...mend.slip, message: 'a text stands in quotation marks', fixes: [] } } : mend;
}

const isWord = (kind: string): boolean => /^[a-z]/.test(kind);
const isStatement = (kind: string): boolean => mayEnd.has(kind);

/** What stands together up to the next blank, with words behind it that stand for nothing else; the whole line where that does not end where it could. */
function wordsOf(reading: Reading, mayFollow: (kind: string) => boolean): { span: Span; isAll: boolean } {
  const { offset } = reading.span();
  let end = offset;
  let open = 0;
  for (let ahead = 0; ahead < mostWords; ahead++) {
    const token = reading.token(ahead);
    if (!token || reading.beginsLine(ahead)) return { span: { offset, end }, isAll: true };
    const kind = reading.kind(ahead);
    const isJoined = ahead === 0 || token.startOffset === end;
    if (kind === '{' && isJoined) open++;
    else if (kind === '}' && (!isJoined || --open < 0)) return { span: { offset, end }, isAll: true };
    else if (!isJoined && !['ID', 'INTEGER', 'DECIMAL'].includes(kind)) {
      if (mayFollow(kind)) return { span: { offset, end }, isAll: true };
      break;
    }
    // Behind an apostrophe, it may be several words.
    if (/\s/.test(token.image)) break;
    end = endOf(token);
  }
  const line = reading.textOf({ offset, end: reading.lineEnd() });
  return { span: { offset, end: offset + line.replace(/\/\/.*$/, '').replace(/[\s}]{1,99}$/, '').length }, isAll: false };
}

function isInLine(reading: Reading): boolean {
  return !reading.beginsLine() && line(reading.before()!) === line(reading.token()!);
}

function quoted(reading: Reading, span: Span, what: string): Mend | undefined {
  const behind = reading.upTo(span.end);
  const written = encodeString(reading.textOf(span));
  return behind && { ...behind, put: [reading.make('STRING', span)], slip: { code: 'COV101', span, message: `${what}: write \`${written}\``, fixes: replace(span, written) } };
}

/** `at checksum.c:35` */
function sourceLine(reading: Reading): Mend | undefined {
  if (!beforeAddress.has(reading.kindBefore())) return undefined;
  const found = reading.match(longPath);
  if (!found || found[0].length > mostOfPath || found[0].includes('//') || !/\.[A-Za-z]\w*$/.test(found[0])) return undefined;
  const whole = reading.match(/([\w./+-]+):(\d[\d_]*)/y);
  return whole ? lineMend(reading, whole.index, whole) : undefined;
}

/** `at "checksum.c:35"`, also where the quotation mark at the end is missing. */
function quotedLine(reading: Reading): Mend | undefined {
  if (!beforeAddress.has(reading.kindBefore()) || reading.kind(1) === ':') return undefined;
  const found = reading.match(/"([^"\\:\r\n]+):(\d[\d_]*)"?/y);
  return found ? lineMend(reading, found.index + 1, found) : undefined;
}

function lineMend(reading: Reading, fileAt: number, [whole, file = '', number = '']: RegExpExecArray): Mend | undefined {
  const offset = reading.token()!.startOffset;
  const span = { offset, end: offset + whole.length };
  const behind = reading.upTo(span.end);
  const colon = fileAt + file.length;
  const written = `${encodeString(file)}:${number}`;
  return behind && {
    ...behind,
    put: [reading.make('STRING', { offset: fileAt, end: colon }), reading.make(':', { offset: colon, end: colon + 1 }), reading.make('INTEGER', { offset: colon + 1, end: colon + 1 + number.length })],
    slip: { code: 'COV101', span, message: `of a source line, the file alone stands in quotation marks: write \`${written}\``, fixes: replace(span, written) },
  };
}

/** `at "main"` */
function quotedSymbol(reading: Reading): Mend | undefined {
  const inner = /^"([A-Za-z_][\w$]*)"$/.exec(reading.image())?.[1];
  if (!beforeAddress.has(reading.kindBefore()) || reading.kind(1) === ':' || inner === undefined) return undefined;
  const span = reading.span();
  const isTrigger = reading.kindBefore() === 'at' && reading.kindBefore(2) !== 'divergence';
  return {
    take: 1,
    put: [reading.make('ID', { offset: span.offset + 1, end: span.end - 1 })],
    slip: {
      code: 'COV101',
      span,
      message: `a symbol stands without quotation marks: write \`${inner}\`${isTrigger ? `, or \`console "${inner}"\` for when the guest prints it` : ''}`,
      fixes: [...rename(span, inner), ...(isTrigger ? replace(span, `console "${inner}"`) : [])],
    },
  };
}

/** `1,000`, `1 000`: digits in groups. Bits are in lists. */
function grouped(reading: Reading): Mend | undefined {
  if ((reading.kind(1) !== ',' && reading.kind(1) !== 'INTEGER') || ['bit', 'bits', ',', '..'].includes(reading.kindBefore())) return undefined;
  const found = reading.match(/[1-9]\d{0,2}(?:(?:,\d{3})+|(?: \d{3})+)(?![\w,.])/y);
  if (!found) return undefined;
  const span = { offset: found.index, end: found.index + found[0].length };
  const written = found[0].replace(/[, ]/g, '_');
  const behind = reading.upTo(span.end);
  return behind && {
    ...behind,
    put: [reading.make('INTEGER', span)],
    slip: { code: 'COV104', span, message: `the digits of a number are grouped with \`_\`: write \`${written}\``, fixes: rename(span, written) },
  };
}
