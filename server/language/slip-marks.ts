import { instead, replace } from './mends';
import type { Token } from './relexing';
import type { Mend, Reading, SlipRule } from './slip-reading';
import { endOf, noToken } from './slip-source';

/** How far the parentheses of a pair may be apart, in tokens. */
const reach = 16;

/** Marks that other languages have. */
export const markSlips: readonly (readonly [kind: string, rule: SlipRule])[] = [
  [noToken, hash],
  [noToken, parentheses],
];

/** A comment as other languages have it. */
function hash(reading: Reading): Mend | undefined {
  const found = reading.match(/#+/y);
  if (!found) return undefined;
  // What is in it may look like the beginning of a string, or of a comment over several lines.
  const behind = reading.upTo(reading.lineEnd());
  const span = { offset: found.index, end: found.index + found[0].length };
  return behind && { ...behind, put: [], slip: { code: 'COV100', span, message: 'a comment begins with `//`, not with `#`', fixes: replace(span, '//') } };
}

/** `memory(&block)`, `when write(block)`. Those within are part of the same slip. */
function parentheses(reading: Reading): Mend | undefined {
  const last = closing(reading);
  if (last < 1) return undefined;
  const span = reading.span(0, last);
  const inner: Token[] = [];
  let text = '';
  for (let ahead = 1, from = endOf(reading.token()!); ahead <= last; ahead++) {
    const token = reading.token(ahead)!;
    if (depthOf(reading, ahead) === 0) {
      inner.push(token);
      continue;
    }
    const part = reading.textOf({ offset: from, end: token.startOffset });
    text += /\w$/.test(text) && /^\w/.test(part) ? ` ${part}` : part;
    from = endOf(token);
  }
  text = text.trim();
  const [first, end] = [inner[0], inner.at(-1)];
  if (!first || !end) return undefined;
  if (reading.kindBefore() === 'memory') {
    const written = `[${text}]`;
    return { take: last + 1, put: [reading.as('[')], rest: [...inner, reading.as(']', last)], slip: { code: 'COV101', span, message: `an address of memory stands in square brackets: write \`${written}\``, fixes: replace(span, written) } };
  }
  // What is taken away from a number is another one then.
  const isSum = reading.kindBefore() === '-' && inner.some(({ image }) => image === '+' || image === '-');
  const fixes = isSum ? [] : [{ title: 'Leave out the parentheses', ...instead(span, text, reading.text) }];
  return {
    take: last + 1,
    put: [],
    rest: inner,
    within: { offset: first.startOffset, end: endOf(end) },
    slip: { code: 'COV100', span, message: 'parentheses have no meaning here: leave them out', fixes },
  };
}

/** How many parentheses a token opens; less than 0 where it closes them. */
function depthOf(reading: Reading, ahead: number): number {
  if (reading.kind(ahead) !== noToken) return 0;
  const image = reading.image(ahead);
  return /^\(+$/.test(image) ? image.length : /^\)+$/.test(image) ? -image.length : 0;
}

/** How far the end of the parentheses that begin here is ahead; 0 where it is not near, in this line. */
function closing(reading: Reading): number {
  let depth = depthOf(reading, 0);
  if (depth <= 0) return 0;
  for (let ahead = 1; ahead < reach && reading.token(ahead) && !reading.beginsLine(ahead); ahead++) {
    depth += depthOf(reading, ahead);
    if (depth <= 0) return depth === 0 ? ahead : 0;
  }
  return 0;
}
