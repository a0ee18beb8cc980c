import type { ChipPlan, FaultPlan, Lifetime, ProtectionPlan, Rhythm, Trigger } from '../../engine/covert/plan';
import { foldedText, type Context } from './context';
import { part } from './diagnostic';
import type * as ast from './generated/ast';
import { fraction, positive, span } from './measures';
import { guesses, remove, replace } from './mends';

/** What a fault does, as far as its lifetime is concerned. */
export type Kind = 'strikes once' | 'sticks' | 'dies';

interface Scope {
  chip: ChipPlan | undefined;
  protection: ProtectionPlan | undefined;
}

type Timing = Pick<FaultPlan, 'lifetime' | 'rhythm'>;

/** What each word goes with, and what to write instead. */
export const fitting: Readonly<Record<ast.Lifetime['word'], readonly Kind[]>> = {
  once: ['strikes once'],
  forever: ['sticks', 'dies'],
  for: ['sticks'],
  duty: ['sticks'],
  every: ['strikes once'],
};
const advice: Readonly<Record<Kind, string>> = {
  'strikes once': 'a soft error strikes `once`, or again and again with `every`',
  sticks: 'bits that stick do so `forever`, `for` a time, or for a share of the time with `duty`',
  dies: 'what is dead stays so: `forever`',
};

/** How long a fault lasts, or how it comes again; undefined where that does not fit it, which is reported. */
export function lowerLifetime(lifetime: ast.Lifetime, kind: Kind, scope: Scope, context: Context): Timing | undefined {
  const { word } = lifetime;
  if (!fitting[word].includes(kind)) {
    context.reporter.error('COV411', lifetime.$cstNode, advice[kind], guesses(remove(lifetime.$cstNode, `Leave out \`${foldedText(lifetime)}\``)));
    return undefined;
  }
  switch (word) {
    case 'once':
    case 'forever':
      return {};
    case 'for': {
      const length = lifetime.length && measured(lifetime.length, 'the time that a fault lasts', scope, context);
      return length && { lifetime: length };
    }
    case 'duty': {
      const rhythm = lowerDuty(lifetime, scope, context);
      return rhythm && { rhythm };
    }
    case 'every': {
      const rhythm = lowerEvery(lifetime, scope, context);
      return rhythm && { rhythm };
    }
  }
}

function lowerDuty(lifetime: ast.Lifetime, scope: Scope, context: Context): Rhythm | undefined {
  const { share, period } = lifetime;
  const part = share && fraction(share);
  if (part !== undefined && (part <= 0 || part >= 1)) {
    context.reporter.error('COV106', share?.$cstNode, `a share of the time is more than 0 % and less than 100 %, not ${share?.number} %${part >= 1 ? ': `forever` is all of it' : ''}`);
    return undefined;
  }
  const whole = period && measured(period, 'a period', scope, context);
  if (!whole || part === undefined) return undefined;
  // It is there for a unit at least, and away for one.
  if (whole.length < 2) {
    context.reporter.error('COV306', period.$cstNode, `a period has two ${whole.unit} at least: one with the fault and one without`);
    return undefined;
  }
  const on = Math.min(whole.length - 1, Math.max(1, Math.round(part * whole.length)));
  return { kind: 'duty', unit: whole.unit, period: whole.length, on };
}

function lowerEvery({ period, end }: ast.Lifetime, scope: Scope, context: Context): Rhythm | undefined {
  const length = period && measured(period, 'the time from one to the next', scope, context);
  const until = end && measured(end, 'the time until which a fault comes again', scope, context);
  if (!length || (end && !until)) return undefined;
  return { kind: 'every', unit: length.unit, period: length.length, ...(until && { until: { unit: until.unit, count: until.length } }) };
}

/** A time in what lifetimes are counted in. */
function measured(amount: ast.Amount, what: string, { chip, protection }: Scope, context: Context): Lifetime | undefined {
  const time = span(context, amount);
  if (!time || positive(context, amount, time.value, what) === undefined) return undefined;
  switch (time.unit) {
    case 'instructions':
    case 'cycles':
      return { unit: time.unit, length: time.value };
    case 'epochs':
      return protection && { unit: 'instructions', length: time.value * protection.epochInstructions };
    case 'seconds':
      return chip && { unit: 'cycles', length: Math.max(1, Math.round(time.value * chip.hertz)) };
  }
}

/** Warns of a fault that is to come again, but not any more when it has struck first. */
export function warnOfLateEnd(lifetime: ast.Lifetime | undefined, timing: Timing | undefined, trigger: Trigger | undefined, { reporter }: Context): void {
  const { rhythm } = timing ?? {};
  if (!lifetime?.end || rhythm?.kind !== 'every' || !rhythm.until || !trigger) return;
  const first = rhythm.until.unit === 'cycles' ? trigger.kind === 'cycle' : trigger.kind === 'instruction';
  if (!first || !('count' in trigger) || trigger.count + (rhythm.unit === rhythm.until.unit ? rhythm.period : 0) <= rhythm.until.count) return;
  const until = { offset: lifetime.period?.$cstNode?.end ?? 0, end: lifetime.$cstNode?.end ?? 0 };
  reporter.warning('COV606', part(lifetime, 'end'), 'by then this fault has not struck a second time: it strikes once', lifetime.period ? replace(until, '', 'Remove `until`') : []);
}
