import { rename, type Fix } from './diagnostic';
import { guesses, replace } from './mends';
import type { Token } from './relexing';
import { isBehind, isDrawnFrom, mend, reach } from './slip-context';
import { line, type Mend, type Reading, type SlipRule } from './slip-reading';
import { endOf } from './slip-source';

/** Slips within statements, by the kind of the token at which each begins. */
export const statementSlips: readonly (readonly [kind: string, rule: SlipRule])[] = [
  ['ERROR', equals],
  ['ERROR', above],
  [':', colon],
  ['optional', optionalAlternative],
  ['fault', faultAlternative],
  ['seed', ofScenario],
  ['chip', ofScenario],
  ['INTEGER', numberedPlace],
  ['memory', bareMemory],
  ['..', memoryRange],
  ['ERROR', notBelow],
  ['>=', notBelow],
  ['<', notBelow],
  ['..', registerRange],
  ['ID', registersWithHyphen],
  ['bit', severalBits],
  ['inject', injected],
  ['to', stuckTo],
  ['==', exitSign],
  ['ERROR', exitSign],
  ['ID', exitSign],
  ['bit', bitFirst],
  ['bits', bitFirst],
  ['INTEGER', bitsWithoutComma],
];

/** `when a0 = 3`, `set a0 = 3`, `set a0 := 3`, `fault x = flip …` */
function equals(reading: Reading): Mend | undefined {
  if (reading.image() !== '=') return undefined;
  const meant = reading.kindBefore(2) === 'when' ? '==' : isBehind(reading, 'set') ? 'to' : reading.kindBefore(2) === 'fault' ? ':' : undefined;
  if (meant === undefined) return undefined;
  const why = meant === '==' ? 'a register is compared with `==`' : meant === 'to' ? '`set` has `to` before the value' : 'a name of the fault has a `:` behind it';
  return mend(1, [reading.as(meant)], reading.span(), `${why}, not \`=\``, rename(reading.span(), meant));
}

/** `coverage > 99 %` */
function above(reading: Reading): Mend | undefined {
  if (reading.image() !== '>' || reading.kindBefore() !== 'coverage') return undefined;
  return mend(1, [reading.as('>=')], reading.span(), 'a coverage is expected with `>=`, not with `>`', rename(reading.span(), '>='));
}

/** `overhead > 20 %`, `overhead >= 20 %`, `overhead <= 20 %` */
function notBelow(reading: Reading): Mend | undefined {
  if (reading.kindBefore() !== 'overhead' || reading.kindBefore(2) !== 'expect') return undefined;
  const isAtMost = reading.image() === '<' && reading.image(1) === '=' && reading.kind(1) === 'ERROR' && reading.adjoins(1);
  if (!isAtMost && reading.image() !== '>' && reading.image() !== '>=') return undefined;
  const span = reading.span(0, isAtMost ? 1 : 0);
  return mend(isAtMost ? 2 : 1, [reading.as('<')], span, `an overhead is expected with \`<\`, not with \`${reading.textOf(span)}\``, guesses(rename(span, '<')));
}

/** `seed: 5`, `set a0 := 3` */
function colon(reading: Reading): Mend | undefined {
  if (reading.image(1) === '=' && reading.kind(1) === 'ERROR' && reading.adjoins(1) && isBehind(reading, 'set')) {
    return mend(2, [reading.as('to')], reading.span(0, 1), '`set` has `to` before the value, not `:=`', rename(reading.span(0, 1), 'to'));
  }
  if (!/^[a-z]/.test(reading.kindBefore()) || reading.kindBefore(2) === 'fault') return undefined;
  return mend(1, [], reading.span(), `no \`:\` stands behind \`${reading.kindBefore()}\``, replace(reading.span(), '', 'Remove `:`'));
}

function optionalAlternative(reading: Reading): Mend | undefined {
  if (reading.block !== 'inject') return undefined;
  const message = 'no alternative of `inject` is `optional`: a campaign tells how many faults never struck';
  return mend(1, [], reading.span(), message, leftOut(reading, 0, 'Remove `optional`'), 'COV212');
}

/** What is left out, with the blanks around it that nobody needs then. */
function leftOut(reading: Reading, last: number, title: string): Fix[] {
  const { offset, end } = reading.span(0, last);
  const [before, next] = [reading.before(), reading.token(last + 1)];
  const span = reading.beginsLine() || !before ? { offset, end: next && !reading.beginsLine(last + 1) ? next.startOffset : end } : { offset: endOf(before), end };
  return [{ title, span, text: '', careful: true }];
}

function faultAlternative(reading: Reading): Mend | undefined {
  if (reading.block !== 'inject' || reading.kindBefore() === 'every') return undefined;
  const last = reading.kind(2) === ':' ? 2 : 0;
  const written = reading.textOf(reading.span(0, last));
  return mend(last + 1, [], reading.span(0, last), `alternatives of \`inject\` stand without \`${written}\`: begin with what strikes, as in \`flip …\``, leftOut(reading, last, `Remove \`${written}\``), 'COV212');
}

/** The scenario's own settings in a guest beside. */
function ofScenario(reading: Reading): Mend | undefined {
  // A fault may have the name `seed`.
  if (reading.block !== 'beside' || reading.kindBefore() === 'fault' || !reading.beginsLine()) return undefined;
  const last = reading.kind(1) === ':' ? 2 : 1;
  const isWhole = reading.kind() === 'seed' ? reading.kind(last) === 'INTEGER' : /^[a-z_`]/i.test(reading.image(last));
  if (!isWhole || reading.beginsLine(last)) return undefined;
  const word = reading.image();
  return mend(last + 1, [], reading.span(), `\`${word}\` is of the whole scenario: write it outside of \`beside\``, leftOut(reading, last, `Remove this \`${word}\``), 'COV212');
}

/** True where a place is named: of a flip, or one of several. */
function isPlace(reading: Reading): boolean {
  return ['flip', 'set', 'stick'].includes(reading.kindBefore()) || isDrawnFrom(reading);
}

/** `flip 0x341 bit 3`: which register or memory that is, validation says. */
function numberedPlace(reading: Reading): Mend | undefined {
  if (!isPlace(reading) || reading.kind(1) === 'random') return undefined;
  if (reading.kindBefore() === 'flip' && !['bit', 'bits'].includes(reading.kind(1))) return undefined;
  if (reading.kind(2) === 'of') {
    const written = `${reading.image()} random`;
    return mend(1, [reading.token()!, reading.missing('random', 1)], reading.span(), `bits that are not named are drawn: write \`${written} ${reading.image(1)} of\``, rename(reading.span(), written));
  }
  return { take: 1, put: [reading.as('ID')] };
}

/** What stands behind the address of a place in memory. */
const behindAddress: ReadonlySet<string> = new Set(['bit', 'bits', 'to', ',', 'in', 'on', 'at', 'when', 'from']);

/** `flip memory 0x80001000 bit 3`, `flip memory &block + 8 bit 3` */
function bareMemory(reading: Reading): Mend | undefined {
  const named = reading.kind(1) === '&' ? 2 : 1;
  if (!isPlace(reading) || !['INTEGER', 'ID', 'QUOTED'].includes(reading.kind(named))) return undefined;
  let last = named;
  for (let ahead = 1; ahead <= last; ahead++) if (reading.beginsLine(ahead)) return undefined;
  while (last < reach && !behindAddress.has(reading.kind(last + 1)) && reading.token(last + 1) && !reading.beginsLine(last + 1)) last++;
  if (!behindAddress.has(reading.kind(last + 1))) return undefined;
  const span = reading.span(1, last);
  const all = Array.from({ length: last }, (_, i) => reading.token(i + 1)!);
  // A width is also a member's name, and what is no address may be meant in any way.
  const isSure = isAddress(all);
  const address = isSure ? all : all.slice(0, named);
  const written = `[${reading.textOf(span)}]`;
  const message = `an address of memory stands in square brackets: write \`memory${isSure ? written : '[…]'}\``;
  const fixes = isSure ? replace({ offset: endOf(reading.token()!), end: span.end }, written, `Change to \`${written}\``) : [];
  return mend(last + 1, [reading.token()!, reading.missing('[', 1), ...address, reading.missing(']', last + 1)], span, message, fixes);
}

/** True of a number, or of a name with its indices, and one offset. */
function isAddress(tokens: readonly Token[]): boolean {
  const kinds = tokens.map(({ tokenType }) => tokenType.name).join(' ');
  return /^(?:INTEGER|(?:& )?(?:ID|QUOTED)(?: \[ INTEGER \])*)(?: [+-] INTEGER)?$/.test(kinds);
}

/** `memory[a]..memory[b]`, `memory[a..b]` */
function memoryRange(reading: Reading): Mend | undefined {
  let last = 0;
  if (reading.kind(1) === 'memory' && reading.kind(2) === '[') {
    last = reachOf(reading, ']', 3);
    if (reading.kind(last + 1) === '.' && reading.kind(last + 2) === 'ID') last += 2;
  } else if (isInBrackets(reading)) last = reachOf(reading, ']', 1) - 1;
  if (last < 1) return undefined;
  return mend(last + 1, [], reading.span(0, last), 'only registers have ranges: name the places in memory one by one, as in `memory[&t].d, memory[&t + 8].d`', [], 'COV410');
}

function isInBrackets(reading: Reading): boolean {
  for (let back = 1; back <= reach && reading.kindBefore(back) !== ']'; back++) if (reading.kindBefore(back) === '[') return true;
  return false;
}

/** How far a token is ahead; 0 where it is not near. */
function reachOf(reading: Reading, kind: string, from: number): number {
  for (let ahead = from; ahead < from + reach; ahead++) if (reading.kind(ahead) === kind) return ahead;
  return 0;
}

/** `x1..31` */
function registerRange(reading: Reading): Mend | undefined {
  const bank = /^([xf])\d+$/.exec(reading.before()?.image ?? '')?.[1];
  if (bank === undefined || reading.kind(1) !== 'INTEGER') return undefined;
  const written = `${bank}${reading.image(1)}`;
  return mend(2, [], reading.span(1), `a range ends with a register, too: write \`${written}\``, rename(reading.span(1), written), 'COV410');
}

/** `x1-x31` */
function registersWithHyphen(reading: Reading): Mend | undefined {
  const isRange = /^[xf]\d+$/.test(reading.image()) && reading.kind(1) === '-' && /^[xf]?\d+$/.test(reading.image(2));
  if (!isRange || !isDrawnFrom(reading)) return undefined;
  const last = reading.image(2);
  const written = `..${/^\d/.test(last) ? reading.image()[0] : ''}${last}`;
  const span = { offset: reading.span(1).offset, end: reading.span(2).end };
  return mend(3, [reading.token()!], span, `a range is written with \`..\`: write \`${written}\``, rename(span, written), 'COV410');
}

/** `bit 3, 4` */
function severalBits(reading: Reading): Mend | undefined {
  if (reading.kind(1) !== 'INTEGER' || reading.kind(2) !== ',' || reading.kind(3) !== 'INTEGER') return undefined;
  return mend(1, [reading.as('bits')], reading.span(), 'of several bits one says `bits`', rename(reading.span(), 'bits'));
}

/** `inject 5 {`, `inject faults 5 {` */
function injected(reading: Reading): Mend | undefined {
  const [first, second] = [reading.kind(1), reading.kind(2)];
  if (first === 'INTEGER' && (second === '{' || second === 'seed')) {
    const written = `${reading.image(1)} faults`;
    return mend(2, [reading.token()!, reading.token(1)!, reading.missing('faults', 2)], reading.span(1), `say how many faults: \`inject ${written}\``, rename(reading.span(1), written));
  }
  if ((first === 'faults' || first === 'fault') && second === 'INTEGER') {
    const written = `${reading.image(2)} ${reading.image(1)}`;
    return mend(3, [reading.token()!, reading.token(2)!, reading.missing('faults', 3)], reading.span(1, 2), `the number stands before \`${first}\`: write \`inject ${written}\``, rename(reading.span(1, 2), written));
  }
  return undefined;
}

/** `stick a0 bit 3 to 1` */
function stuckTo(reading: Reading): Mend | undefined {
  if (reading.kind(1) !== 'INTEGER' || reading.kindBefore() !== 'INTEGER' || !['bit', 'bits', ',', '..'].includes(reading.kindBefore(2)) || !isBehind(reading, 'stick')) return undefined;
  return mend(1, [reading.as('at')], reading.span(), '`stick` has `at` before the value, not `to`', rename(reading.span(), 'at'));
}

/** `exit == 0`, `exit = 0`, `exit code 0` */
function exitSign(reading: Reading): Mend | undefined {
  if (reading.kindBefore() !== 'exit' || reading.kindBefore(2) !== 'expect' || reading.kind(1) !== 'INTEGER' || !['=', '==', 'code', 'status'].includes(reading.image())) return undefined;
  const written = reading.image(1);
  return mend(1, [], reading.span(), `the number follows at once: write \`exit ${written}\``, rename(reading.span(0, 1), written));
}

/** `flip bit 3 of a0` */
function bitFirst(reading: Reading): Mend | undefined {
  if (!['flip', 'stick'].includes(reading.kindBefore()) || reading.kind(1) !== 'INTEGER' || reading.kind(2) !== 'of' || reading.kind(3) !== 'ID') return undefined;
  const span = reading.span(0, 3);
  const written = `${reading.image(3)} ${reading.image()} ${reading.image(1)}`;
  // The tree has no room for what changes places: it is read without the number.
  return mend(4, [reading.token(3)!, reading.missing(reading.kind(), 4), reading.missing('INTEGER', 4)], span, `the place stands before its bits: write \`${written}\``, rename(span, written));
}

/** `bits 3 4` */
function bitsWithoutComma(reading: Reading): Mend | undefined {
  const before = reading.before();
  if (reading.kindBefore() !== 'INTEGER' || !before || line(before) !== line(reading.token()!) || !isBehind(reading, 'bits')) return undefined;
  if (!['bits', ','].includes(reading.kindBefore(2))) return undefined;
  const span = { offset: before.startOffset, end: reading.span().end };
  const written = `${before.image}, ${reading.image()}`;
  return mend(0, [reading.missing(',')], span, `a comma stands between bits: write \`${written}\``, rename(span, written));
}

