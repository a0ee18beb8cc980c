import { lineBytes } from '../chip/domains';
import { placeName } from './place';
import type { FaultEffect, FaultPlan, FaultTarget, PassingPlace, Place, StuckPlace, Trigger } from './plan';

/** What a line of the scenario language says of a fault, but for its name. */
type Written = Pick<FaultPlan, 'effect' | 'target' | 'trigger' | 'lifetime' | 'rhythm'>;

/**
 * A fault in the scenario language, with numbers in the place of names: `flip a0 bit 17 in replica B at instruction 12_345`.
 * In a scenario with the same chip, guest and protection it means the same again.
 */
export function faultText(fault: Written): string {
  const { effect, target, trigger } = fault;
  return [effectText(effect, target), targetText(effect, target), triggerText(trigger), lifetimeText(fault)].filter(Boolean).join(' ');
}

/** `12345` as `12_345`. */
export function digits(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, '_');
}

function effectText(effect: FaultEffect, target: FaultTarget): string {
  switch (effect.kind) {
    case 'flip':
      return `flip ${placeText(effect.place, target)} ${bitsText(effect.bits)}`;
    case 'flip-random':
      return `flip ${digits(effect.count)} random ${effect.count === 1 ? 'bit' : 'bits'} of ${effect.places.map((place) => placeText(place, target)).join(', ')}`;
    case 'set':
      return `set ${placeText(effect.place, target)} to 0x${effect.value.toString(16)}`;
    case 'stick':
      return `stick ${placeText(effect.place, target)} ${bitsText(effect.bits)} at ${effect.value}`;
    case 'message':
      return `${effect.how} ${placeName({ ...effect, kind: 'message' })}`;
    case 'die': {
      const component = target.kind === 'component' ? target.component : '';
      return `${effect.how === 'hangs' ? 'hang' : component.startsWith('core ') ? 'kill' : 'fail'} ${component}`;
    }
  }
}

/** Bits of a bank are those of a line there, whether it is struck or stuck. */
function placeText(place: Place | StuckPlace | PassingPlace, target: FaultTarget): string {
  if (target.kind !== 'component' || (place.kind !== 'line' && place.kind !== 'memory')) return placeName(place);
  const byte = place.address % BigInt(lineBytes);
  return `${target.component} line 0x${(place.address - byte).toString(16)} byte ${byte}`;
}

/** `bit 3`, `bits 3, 5`, `bits 8..15`. */
function bitsText(bits: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const bit of bits) {
    const range = ranges.at(-1);
    if (range && bit === range.last + 1) range.last = bit;
    else ranges.push({ first: bit, last: bit });
  }
  const written = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}..${last}`)).join(', ');
  return `${bits.length === 1 ? 'bit' : 'bits'} ${written}`;
}

/** What names a component, or the comparer, says where it strikes. */
function targetText(effect: FaultEffect, target: FaultTarget): string {
  if (target.kind === 'component' || (effect.kind === 'flip' && effect.place.kind === 'comparer')) return '';
  return target.kind === 'core' ? `on core ${target.core}` : `in replica ${target.replica}`;
}

function triggerText(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'instruction':
    case 'cycle':
      return `at ${trigger.kind} ${digits(trigger.count)}`;
    case 'execute':
      return `at 0x${trigger.address.toString(16)}${hitText(trigger.hit)}`;
    case 'access':
      return `when ${trigger.access} 0x${trigger.address.toString(16)}${hitText(trigger.hit)}`;
    case 'value':
      return `when ${placeName(trigger.register)} == 0x${trigger.value.toString(16)}`;
    case 'input':
    case 'epoch':
    case 'checkpoint':
    case 'output':
      return `at ${trigger.kind} ${digits(trigger.number)}`;
    case 'console':
      return `at console ${quotedText(trigger.text)}`;
  }
}

function hitText(hit: number): string {
  return hit === 1 ? '' : ` hit ${digits(hit)}`;
}

/** A string of the language: on one line, and plain on any screen. */
function quotedText(text: string): string {
  const short: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' };
  return `"${text.replace(/["\\\p{C}\p{Zl}\p{Zp}]/gu, (letter) => short[letter] ?? `\\u{${letter.codePointAt(0)?.toString(16)}}`)}"`;
}

function lifetimeText({ lifetime, rhythm }: Written): string {
  if (lifetime) return `for ${digits(lifetime.length)} ${lifetime.unit}`;
  switch (rhythm?.kind) {
    case undefined:
      return '';
    case 'duty':
      return `duty ${plainDecimal((rhythm.on / rhythm.period) * 100)} % of ${digits(rhythm.period)} ${rhythm.unit}`;
    case 'every': {
      const until = rhythm.until ? ` until ${digits(rhythm.until.count)} ${rhythm.until.unit}` : '';
      return `every ${digits(rhythm.period)} ${rhythm.unit}${until}`;
    }
  }
}

/** Without an exponent, which the language does not have, and with enough digits for the longest period. */
function plainDecimal(value: number): string {
  return value.toFixed(17).replace(/\.?0+$/, '');
}
