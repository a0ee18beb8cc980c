import { nearestNames } from '../../engine/symbols/nearest';
import { declaredName } from './addresses';
import { rename, type Fix } from './diagnostic';
import { append, encodeString, replace } from './mends';
import type { Token } from './relexing';
import { isEffect } from './slip-context';
import { line, type Mend, type Reading } from './slip-reading';
import { endOf } from './slip-source';

/** The words with which the items of a file begin. */
const itemWords = ['import', 'chip', 'guest', 'scenario', 'campaign'] as const;
const titled: ReadonlySet<string> = new Set(['scenario', 'campaign']);
const named: ReadonlySet<string> = new Set(['chip', 'guest']);

/** How long a title without quotation marks may be, in words. */
const longestTitle = 16;
/** How long a block in other brackets may be that is mended at once, in tokens. */
const longestBlock = 64;

/** What only a scenario or a campaign has in it, so that it ends a block there that was left open. */
const endsProtection: ReadonlySet<string> = new Set(['fault', 'expect', 'seed', 'limit', 'beside', 'switch', 'guest', 'chip', 'inject', 'protect', 'optional']);
const endsInjection: ReadonlySet<string> = new Set(['expect', 'limit', 'beside', 'switch', 'guest', 'chip', 'inject', 'protect']);
/** All of these, and what may follow a block. */
export const mayEnd: ReadonlySet<string> = new Set([...endsProtection, ...endsInjection, ...itemWords, '}']);

/** A slip at the head of an item. */
export function itemSlip(reading: Reading): Mend | undefined {
  return misspelt(reading) ?? title(reading) ?? unopened(reading);
}

/** True where an item may begin. */
function isBetweenItems(reading: Reading): boolean {
  const before = reading.kindBefore();
  return before === '' || before === '}' || (before === 'STRING' && reading.kindBefore(2) === 'import');
}

function misspelt(reading: Reading): Mend | undefined {
  if (reading.kind() !== 'ID' || !isBetweenItems(reading)) return undefined;
  const word = reading.image();
  const [nearest] = nearestNames(word, itemWords, 1);
  const isImport = nearest === 'import' && reading.kind(1) === 'STRING';
  const hasHead = reading.kind(2) === '{' && (reading.kind(1) === 'STRING' || (nearest !== undefined && /^[a-z_`]/i.test(reading.image(1))));
  if (!isImport && !hasHead) return undefined;
  if (nearest === undefined) {
    const meant = isCampaign(reading) ? 'campaign' : 'scenario';
    return { take: 1, put: [reading.as(meant)], slip: { code: 'COV101', span: reading.span(), message: `${expectedItems}, but found \`${word}\``, fixes: [] } };
  }
  if (named.has(nearest) === (reading.kind(1) === 'STRING') && !isImport) return undefined;
  return {
    take: 1,
    put: [reading.as(nearest)],
    slip: { code: 'COV101', span: reading.span(), message: `${expectedItems}, but found \`${word}\`; did you mean \`${nearest}\`?`, fixes: rename(reading.span(), nearest) },
  };
}

const expectedItems = `expected ${itemWords.slice(0, -1).map((word) => `\`${word}\``).join(', ')} or \`${itemWords.at(-1)}\``;

/** True if the block at whose head the reading stands injects faults. */
function isCampaign(reading: Reading): boolean {
  let depth = 0;
  for (let ahead = 2; reading.token(ahead) && reading.look(); ahead++) {
    const kind = reading.kind(ahead);
    if (kind === '{') depth++;
    else if (kind === '}' && --depth === 0) return false;
    else if (kind === 'inject' && depth === 1) return true;
  }
  return false;
}

/** `scenario x {` */
function title(reading: Reading): Mend | undefined {
  const before = reading.before();
  if (!before || !titled.has(reading.kindBefore()) || reading.kind() === 'STRING' || reading.kind() === '{') return undefined;
  let count = 0;
  while (reading.token(count) && reading.kind(count) !== '{' && reading.kind(count) !== 'STRING' && count < longestTitle && line(reading.token(count)!) === line(before)) count++;
  if (reading.kind(count) !== '{') return undefined;
  const span = reading.span(0, count - 1);
  const written = encodeString(reading.textOf(span));
  return {
    take: count,
    put: [reading.make('STRING', span)],
    slip: { code: 'COV101', span, message: `the name of a ${reading.kindBefore()} stands in quotation marks: write \`${written}\``, fixes: replace(span, written) },
  };
}

/** A head behind which something else than a `{` begins the block. */
function unopened(reading: Reading): Mend | undefined {
  const [head, name] = [reading.kindBefore(2), reading.kindBefore()];
  const before = reading.before();
  if (!before || !((titled.has(head) && name === 'STRING') || (named.has(head) && /^[a-z_`]/i.test(before.image)))) return undefined;
  const span = reading.span();
  if (reading.image() === '(' || reading.image() === '[') {
    return { take: 1, put: [reading.as('{')], slip: { code: 'COV101', span, message: `a block stands between \`{\` and \`}\`, not behind \`${reading.image()}\``, fixes: inBraces(reading) } };
  }
  if (!/^[a-z]/.test(reading.kind()) || (itemWords as readonly string[]).includes(reading.kind()) && isItemHead(reading, 0)) return undefined;
  return opening(reading, before, `behind the name of a ${head} its block begins: write \`{\``);
}

/** The block that begins with another bracket, with braces, where it is a short one. */
function inBraces(reading: Reading): Fix[] {
  const end = reading.image() === '(' ? ')' : ']';
  for (let ahead = 1; ahead < longestBlock && reading.token(ahead) && reading.kind(ahead) !== '{'; ahead++) {
    if (reading.image(ahead) !== end) continue;
    const span = reading.span(0, ahead);
    return replace(span, `{${reading.textOf({ offset: span.offset + 1, end: span.end - 1 })}}`, 'Write `{` and `}`');
  }
  return [];
}

/** The end of a block that has begun with another bracket, which has been reported. */
function closedOtherwise(reading: Reading): Mend | undefined {
  const mark = reading.blocks.at(-1)?.mark;
  const isEnd = (mark === '(' && reading.image() === ')') || (mark === '[' && reading.image() === ']');
  return isEnd ? { take: 1, put: [reading.as('}')] } : undefined;
}

/** A chip's, guest's or fault's name that is none as it is written. */
export function nameSlip(reading: Reading): Mend | undefined {
  const head = reading.kindBefore();
  const before = reading.before();
  if (!before || (!named.has(head) && head !== 'fault') || !reading.token()) return undefined;
  const kind = reading.kind();
  if (kind === 'STRING') {
    const inner = /^"([^"\\]+)"$/.exec(reading.image())?.[1];
    if (inner === undefined || (head === 'fault' && reading.kind(1) !== ':')) return undefined;
    const { offset } = reading.span();
    const written = declaredName(inner);
    return {
      take: 1,
      put: [reading.make('ID', { offset: offset + 1, end: offset + 1 + inner.length })],
      slip: { code: 'COV101', span: reading.span(), message: `the name of a ${head} stands without quotation marks: write \`${written}\``, fixes: replace(reading.span(), written) },
    };
  }
  const joined = reading.match(/[\p{L}_][\p{L}\p{N}_$]*(?:[-.][\p{L}\p{N}_$]+)+/uy);
  if (joined) {
    const [name] = joined;
    const span = { offset: joined.index, end: joined.index + name.length };
    const behind = head === 'fault' && !/^\s{0,99}:/.test(reading.textOf({ offset: span.end, end: span.end + 100 })) ? undefined : reading.upTo(span.end);
    if (!behind) return undefined;
    const mark = name.includes('-') ? '-' : '.';
    return {
      ...behind,
      put: [reading.make('ID', span)],
      slip: { code: 'COV101', span, message: `\`${name}\`: a name with \`${mark}\` in it stands between backticks`, fixes: replace(span, `\`${name}\``, `Write \`${name}\` between backticks`) },
    };
  }
  // The other words may be names as they are.
  const word = reading.image();
  if (!/^[a-z]\w*$/.test(kind) || declaredName(word) === word || line(before) !== line(reading.token()!)) return undefined;
  const isName = head === 'fault' ? reading.kind(1) === ':' : reading.kind(1) === '{' || reading.beginsLine(1);
  if (!isName) return undefined;
  return {
    take: 1,
    put: [reading.as('ID')],
    slip: {
      code: 'COV101',
      span: reading.span(),
      message: `\`${word}\` is a word of the language: write it between backticks to use it as a name`,
      fixes: replace(reading.span(), `\`${word}\``, `Write \`${word}\` between backticks`),
    },
  };
}

/** The end of a block that is missing or another: where something stands that cannot be in it. */
export function blockSlip(reading: Reading): Mend | undefined {
  return closedOtherwise(reading) ?? unopenedInjection(reading) ?? unclosed(reading);
}

/** `inject 5 faults` with its alternatives behind it at once. */
function unopenedInjection(reading: Reading): Mend | undefined {
  const before = reading.before();
  if (!before || !isEffect(reading.kind()) || reading.block === 'inject') return undefined;
  const back = reading.kindBefore() === 'INTEGER' && reading.kindBefore(2) === 'seed' ? 3 : 1;
  const isHead =
    (/^faults?$/.test(reading.kindBefore(back)) && reading.kindBefore(back + 2) === 'inject') || (reading.kindBefore(back) === 'every' && reading.kindBefore(back + 1) === 'inject');
  return isHead ? opening(reading, before, 'behind `inject` a block begins: write `{`') : undefined;
}

function opening(reading: Reading, before: Token, message: string): Mend {
  const end = endOf(before);
  const span = { offset: Math.max(before.startOffset, end - 1), end };
  return { take: 0, put: [reading.missing('{')], slip: { code: 'COV101', span, message, fixes: append(span, ' {', 'Write the missing `{`') } };
}

function unclosed(reading: Reading): Mend | undefined {
  const kind = reading.kind();
  if (!mayEnd.has(kind)) return undefined;
  const before = reading.before();
  // Where its beginning is missing, so may be its end; the one mend leads to the other.
  if (reading.block === 'inject' && reading.blocks.at(-1)?.mark === '' && (kind === '}' || endsInjection.has(kind)) && staysOpen(reading)) return { take: 0, put: [reading.missing('}')] };
  if (!before || !reading.beginsLine()) return undefined;
  if (reading.kindBefore() !== 'beside' && isItemHead(reading, 0)) {
    // What has braces of another kind around it is broken in another way.
    if (!reading.isInOrder || (named.has(kind) && !staysOpen(reading))) return undefined;
    return closing(reading, reading.blocks.length, before);
  }
  const ends = reading.block === 'protect' ? endsProtection : reading.block === 'inject' ? endsInjection : undefined;
  return ends?.has(kind) && staysOpen(reading) ? closing(reading, 1, before) : undefined;
}

function closing(reading: Reading, count: number, before: Token): Mend {
  const { word, line: head } = reading.blocks.at(-1);
  const end = endOf(before);
  const span = { offset: Math.max(before.startOffset, end - 1), end };
  return {
    take: 0,
    put: Array.from({ length: count }, () => reading.missing('}')),
    slip: { code: 'COV101', span, message: `the block of \`${word}\` in line ${head} has no end: write \`}\``, fixes: append(span, ' }'.repeat(count), 'Write the missing `}`') },
  };
}

/** `guest g {`, `import "x"`: nothing of that kind is in a block. */
function isItemHead(reading: Reading, ahead: number): boolean {
  const kind = reading.kind(ahead);
  if (kind === 'import') return reading.kind(ahead + 1) === 'STRING';
  if (titled.has(kind)) return reading.kind(ahead + 1) === 'STRING' && reading.kind(ahead + 2) === '{';
  return named.has(kind) && /^[a-z_`]/i.test(reading.image(ahead + 1)) && reading.kind(ahead + 2) === '{';
}

/** True if the braces that follow do not end what is open before the next item begins. */
function staysOpen(reading: Reading): boolean {
  let depth = reading.blocks.length;
  for (let ahead = 0; reading.look(); ahead++) {
    const kind = reading.kind(ahead);
    if (kind === '') return true;
    if (kind === '{') depth++;
    else if (kind === '}' && --depth === 0) return false;
    else if ((titled.has(kind) || kind === 'import') && reading.beginsLine(ahead) && isItemHead(reading, ahead)) return true;
  }
  return false;
}
