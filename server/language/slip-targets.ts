import { rename } from './diagnostic';
import type { Token } from './relexing';
import { isInEffect, mend } from './slip-context';
import { line, type Mend, type Reading, type SlipRule } from './slip-reading';

/** Words behind which numbers of cores stand. */
const beforeCores: ReadonlySet<string> = new Set(['on', 'spare', 'kill', 'hang']);

/** Words with which it is said when a fault strikes. */
const beginsTrigger: ReadonlySet<string> = new Set(['at', 'when', 'from', 'after']);

/** Longer lists are no slip of a hand. */
const mostCores = 64;

const counted: Readonly<Record<string, string>> = {
  instructions: 'instruction', cycles: 'cycle', epochs: 'epoch', checkpoints: 'checkpoint', outputs: 'output', inputs: 'input',
};

/** Slips in what says whom a fault strikes and when, and on which cores something runs. */
export const targetSlips: readonly (readonly [kind: string, rule: SlipRule])[] = [
  ['from', countFrom],
  ['instruction', untriggered],
  ['cycle', untriggered],
  ['after', afterTarget],
  ['ID', plural],
  ['ID', replicaName],
  ['core', cores],
  ['cores', cores],
  ['INTEGER', cores],
  ['replica', bareReplica],
  ['replica', unnamedReplica],
];

/** `from instruction 5` */
function countFrom(reading: Reading): Mend | undefined {
  if (!['instruction', 'cycle', 'epoch'].includes(reading.kind(1)) || reading.kind(2) !== 'INTEGER') return undefined;
  const span = reading.span(1, 2);
  const written = `${reading.image(2)} ${reading.image(1)}s`;
  return mend(1, [reading.as('at')], span, `behind \`from\` the unit follows the number: write \`from ${written}\``, rename(span, written));
}

/** `in replica B instruction 5` */
function untriggered(reading: Reading): Mend | undefined {
  if (reading.kind(1) !== 'INTEGER' || !isTarget(reading)) return undefined;
  const span = reading.span(0, 1);
  return mend(0, [reading.missing('at')], span, `when it strikes begins with \`at\`: write \`at ${reading.textOf(span)}\``, rename(span, `at ${reading.textOf(span)}`));
}

/** `in replica at instruction 5`: the next word would be taken for the name. */
function unnamedReplica(reading: Reading): Mend | undefined {
  const next = reading.kind(1);
  if (reading.kindBefore() !== 'in' || !beginsTrigger.has(next) || beginsTrigger.has(reading.kind(2))) return undefined;
  return mend(1, [reading.token()!, reading.missing('ID', 1)], reading.span(), `expected the name of a replica, as in \`in replica B\`, but found \`${next}\``, []);
}

/** True behind `in replica B` and `on core 1`. */
function isTarget(reading: Reading): boolean {
  if (reading.kindBefore(2) === 'replica') return ['ID', 'QUOTED'].includes(reading.kindBefore());
  return reading.kindBefore() === 'INTEGER' && reading.kindBefore(2) === 'core' && reading.kindBefore(3) === 'on';
}

/** `in replica B after 5 ms` */
function afterTarget(reading: Reading): Mend | undefined {
  if (!isTarget(reading) || reading.kind(1) === '') return undefined;
  return mend(1, [reading.as('at')], reading.span(), 'when it strikes begins with `at`, not with `after`', rename(reading.span(), 'at'));
}

/** `at instructions 5` */
function plural(reading: Reading): Mend | undefined {
  const meant = Object.hasOwn(counted, reading.image()) ? counted[reading.image()] : undefined;
  if (meant === undefined || reading.kindBefore() !== 'at' || reading.kind(1) !== 'INTEGER') return undefined;
  return mend(1, [reading.as(meant)], reading.span(), `before the number it is \`${meant}\`, not \`${reading.image()}\``, rename(reading.span(), meant));
}

/** `in B` */
function replicaName(reading: Reading): Mend | undefined {
  if (reading.kindBefore() !== 'in' || reading.kindBefore(2) === 'divergence' || !/^[A-Ca-c]$/.test(reading.image())) return undefined;
  const written = `replica ${reading.image().toUpperCase()}`;
  return mend(1, [reading.missing('replica'), reading.token()!], reading.span(), `say \`in ${written}\``, rename(reading.span(), written));
}

/** `flip a0 bit 3 replica B` */
function bareReplica(reading: Reading): Mend | undefined {
  if (!['INTEGER', 'ID', ']', 'QUOTED'].includes(reading.kindBefore()) || !/^[A-C]$/.test(reading.image(1)) || reading.beginsLine(1)) return undefined;
  if (!isInEffect(reading)) return undefined;
  const written = `in ${reading.textOf(reading.span(0, 1))}`;
  return mend(0, [reading.missing('in')], reading.span(0, 1), `which copy is struck begins with \`in\`: write \`${written}\``, rename(reading.span(), 'in replica'));
}

/** `on 0, 1`, `on cores 0, 1`, `on core 0 and core 1`, `kill 1` */
function cores(reading: Reading): Mend | undefined {
  const before = reading.kindBefore();
  const lacksOn = reading.kindBefore(2) === 'protect' && reading.kind() !== 'INTEGER';
  if (!beforeCores.has(before) && !lacksOn) return undefined;
  // A message goes over a link, and the chip's `cores` may stand behind a list that has been broken off.
  if (reading.kindBefore(2) === 'message' || (reading.kind() === 'cores' && reading.beginsLine())) return undefined;
  const isList = before === 'spare' || lacksOn || (before === 'on' && ['protect', 'to'].includes(reading.kindBefore(3)));
  const put: Token[] = lacksOn ? [reading.missing('on')] : [];
  const numbers: string[] = [];
  let isRight = !lacksOn;
  let take = 0;
  for (;;) {
    const word = reading.kind(take);
    if (word === 'core' || word === 'cores') {
      put.push(reading.as('core', take));
      isRight &&= word === 'core';
      take++;
    } else {
      put.push(reading.missing('core', take));
      isRight = false;
    }
    if (reading.kind(take) !== 'INTEGER') return undefined;
    put.push(reading.token(take)!);
    numbers.push(reading.image(take));
    take++;
    if (numbers.length > mostCores) return undefined;
    if (!isList) break;
    const next = reading.kind(take);
    const [isJoined, isNext] = [next === ',' || next === 'and', (next === 'core' || next === 'INTEGER') && line(reading.token(take)!) === line(reading.token()!)];
    if (!isJoined && !isNext) break;
    // A comma may have something else behind it, which is a mistake of its own.
    if (isJoined && !['core', 'cores', 'INTEGER'].includes(reading.kind(take + 1))) break;
    put.push(isJoined ? reading.as(',', take) : reading.missing(',', take));
    isRight &&= next === ',';
    if (isJoined) take++;
  }
  if (isRight) return undefined;
  const span = reading.span(0, take - 1);
  const written = `${lacksOn ? 'on ' : ''}${numbers.map((number) => `core ${number}`).join(', ')}`;
  return mend(take, put, span, `${numbers.length === 1 ? 'a core is' : 'cores are'} written \`${written}\``, rename(span, written));
}
