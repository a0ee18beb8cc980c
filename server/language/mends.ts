import { readdir } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { AstNode, CstNode } from 'langium';
import { nearestNames } from '../../engine/symbols/nearest';
import type { Fix, Span } from './diagnostic';

/** How far around a statement its line is looked for: a fault in a file of one line must not cost the square of its length. */
const reach = 500;

/** The fix that puts a text in the place of another. */
export function replace(place: Span | undefined, text: string, title = `Change to \`${text}\``): Fix[] {
  return place ? [{ title, span: { offset: place.offset, end: place.end }, text }] : [];
}

/** What a text becomes in the place of marks that parted it from the words around. */
export function instead(span: Span, written: string, text: string): Pick<Fix, 'span' | 'text'> {
  const before = /\w/.test(text[span.offset - 1] ?? '') ? ' ' : '';
  const after = /\w/.test(text[span.end] ?? '') ? ' ' : '';
  return { span, text: before + written + after };
}

/** The fix that writes something behind a place. */
export function append(place: Span | undefined, text: string, title: string): Fix[] {
  return place ? [{ title, span: { offset: place.end, end: place.end }, text }] : [];
}

/** The fix that takes a statement out of a file. `careful`: it is more than a slip, so that nobody does it unasked; a block always is. */
export function remove(node: CstNode | undefined, title: string, careful = false): Fix[] {
  return node ? [{ title, span: removalSpan(node), text: '', ...((careful || node.text.includes('{')) && { careful: true }) }] : [];
}

/** Mends that make another experiment of what is written: the likely one, of which somebody has to say that it is meant. */
export function guesses(fixes: readonly Fix[]): Fix[] {
  return fixes.map((fix) => ({ ...fix, isGuess: true }));
}

/** The whole lines of a statement where nothing else stands on them, else the statement and the space before it. */
export function removalSpan({ root, offset, end }: Pick<CstNode, 'root' | 'offset' | 'end'>): Span {
  const text = root.fullText;
  const before = text.slice(Math.max(0, offset - reach), offset);
  const after = text.slice(end, end + reach);
  const [lead = ''] = /[ \t]*$/.exec(before) ?? [];
  const [trail = ''] = /^[ \t]*/.exec(after) ?? [];
  const isFirst = lead.length === before.length || before.at(-lead.length - 1) === '\n';
  const rest = after.slice(trail.length);
  const [lineEnd = ''] = /^\r?\n/.exec(rest) ?? [];
  const isLast = lineEnd !== '' || rest === '';
  if (!isFirst) return { offset: offset - lead.length, end };
  if (!isLast) return { offset, end: end + trail.length };
  // Of two empty lines, before it and behind it, one is enough.
  const headless = before.slice(0, before.length - lead.length);
  const [blank = ''] = headless === '' || /\n[ \t]*\r?\n$/.test(headless) ? (/^[ \t]*\r?\n/.exec(rest.slice(lineEnd.length)) ?? []) : [];
  return { offset: offset - lead.length, end: end + trail.length + lineEnd.length + blank.length };
}

/** The fix that leaves one item out of a list with commas; none where it is the only one. */
export function leaveOut(items: readonly AstNode[], index: number | undefined): Fix[] {
  if (index === undefined) return [];
  const own = items[index]?.$cstNode;
  const [previous, next] = [items[index - 1]?.$cstNode, items[index + 1]?.$cstNode];
  if (!own || (!previous && !next)) return [];
  const span = previous ? { offset: previous.end, end: own.end } : { offset: own.offset, end: next?.offset ?? own.end };
  return [{ title: `Leave out \`${own.text}\``, span, text: '' }];
}

/** Where statements are added at the end of a block, and how; undefined where the block has no end. */
export function addition(block: AstNode, statements: readonly string[]): Pick<Fix, 'span' | 'text'> | undefined {
  const whole = block.$cstNode;
  if (!whole?.text.endsWith('}')) return undefined;
  const text = whole.root.fullText;
  const brace = whole.end - 1;
  const before = text.slice(Math.max(0, brace - reach), brace);
  const indent = /(?:^|\n)([ \t]*)$/.exec(before)?.[1];
  if (indent === undefined) {
    const start = /\s$/.test(before) ? '' : ' ';
    return { span: { offset: brace, end: brace }, text: `${start}${statements.join(' ')} ` };
  }
  const lineStart = brace - indent.length;
  const inner = innerIndent(whole) ?? `${indent}  `;
  return { span: { offset: lineStart, end: lineStart }, text: statements.map((statement) => `${inner}${statement}\n`).join('') };
}

/** How the first line of a block is indented. */
function innerIndent({ text }: CstNode): string | undefined {
  return /^[^\n]{0,500}\{[^\n]{0,500}\n([ \t]+)\S/.exec(text.slice(0, 3 * reach))?.[1];
}

/** The fix that adds a statement at the end of a block. */
export function add(block: AstNode, statement: string): Fix[] {
  const edit = addition(block, [statement]);
  return edit ? [{ title: `Add \`${statement}\``, ...edit }] : [];
}

/** `octo_2`: a name that is not taken. */
export function freshName(name: string, taken: ReadonlySet<string>, join = '_'): string {
  const [, stem = name] = new RegExp(`^(.*?)${join}[0-9]+$`).exec(name) ?? [];
  for (let number = 2; ; number++) {
    const candidate = `${stem}${join}${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** `10_000`, as people write it. */
export function digits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '_');
}

/** The path of a string with the file's name as it may have been meant: the nearest in that folder of the same kind. */
export async function nearestFile(written: string, path: string): Promise<string | undefined> {
  try {
    const all = await readdir(dirname(path), { withFileTypes: true });
    const names = all.filter((each) => !each.isDirectory() && each.name !== basename(path) && extname(each.name) === extname(path)).map(({ name }) => name).slice(0, 1000);
    const [nearest] = nearestNames(basename(path), names, 1);
    return nearest === undefined ? undefined : written.slice(0, written.length - written.split('/').at(-1).length) + nearest;
  } catch {
    return undefined;
  }
}

/** A string as the language writes it. */
export function encodeString(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0', '"': '\\"', '\\': '\\\\' };
  const letters = text.replace(/["\\\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/gu, (letter) => escapes[letter] ?? `\\u{${letter.codePointAt(0)!.toString(16)}}`);
  return `"${letters}"`;
}
