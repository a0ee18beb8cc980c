import type { AlternativePlan } from '../../../engine/covert/campaign-plan';
import type { FaultPlan, Lifetime, PassingPlace, Place, StuckPlace } from '../../../engine/covert/plan';
import type { CacheName } from '../../../engine/machine/cache-types';
import type { UnitName } from '../../../engine/machine/types';
import { placeText } from '../places';
import type { GuestFile } from '../guest-files';
import { grouped } from './amount-words';
import { describeAddress, sourceOf } from './guest-lookup';

/** A fault, or one of those that a campaign draws from, in plain words, addresses as names and source lines. */
export function describeFault(fault: FaultPlan | AlternativePlan, file: GuestFile): string {
  const { effect, target, trigger } = fault;
  const optional = 'optional' in fault && fault.optional;
  const whose = ((): string => {
    switch (target.kind) {
      case 'replica':
        return `replica ${target.replica}`;
      case 'core':
        return `whichever replica runs on core ${target.core}`;
      case 'component':
        return `whichever replica has ${target.component}`;
    }
  })();
  const where = (address: bigint): string => {
    const source = sourceOf(address, file);
    return `\`${describeAddress(address, file)}\`${source ? ` (${source.file}:${source.line})` : ''}`;
  };
  const place = (one: Place | StuckPlace | PassingPlace): string => {
    if (one.kind === 'alu') return 'every result of the integer arithmetic-logic unit';
    if (one.kind === 'unit') return effect.kind === 'stick' ? always[one.unit] : passing[one.unit];
    if (one.kind === 'tlb') return `${effect.kind === 'stick' ? 'every' : 'the next'} TLB entry for the page of ${where(one.address)}`;
    if (one.kind === 'input') return `the ${ordinal(one.number)} byte typed at its console`;
    if (one.kind === 'dma') return "the next transfer of a disk or of the network card to the guest's memory";
    if (one.kind === 'line') return `byte ${one.address % 64n} of the line of ${where(one.address)} in its ${caches[one.cache]}`;
    if (one.kind === 'message') return placeText(one);
    if (one.kind === 'comparer') return "the comparer's next verdict";
    return one.kind === 'memory' ? `the ${bytes(one.bytes)} at ${where(one.address)}` : `register ${placeText(one)}`;
  };
  const what = ((): string => {
    switch (effect.kind) {
      case 'flip':
        return `flips ${effect.bits.length === 1 ? 'bit' : 'bits'} ${effect.bits.join(', ')} of ${place(effect.place)}`;
      case 'set':
        return `overwrites ${place(effect.place)} with 0x${effect.value.toString(16)}`;
      case 'stick': {
        const many = effect.bits.length > 1;
        return `${many ? 'bits' : 'bit'} ${effect.bits.join(', ')} of ${place(effect.place)} ${many ? 'stick' : 'sticks'} at ${effect.value} ${howLong(fault)}`;
      }
      case 'message':
        return `${messages[effect.how]} the next message from node ${effect.from} of the ring to node ${effect.to}${effect.how === 'corrupt' ? ' that has a line' : ''}`;
      case 'die': {
        const component = target.kind === 'component' ? target.component : 'it';
        return effect.how === 'stops' ? `${component} stops for ever, and the chip says so` : `${component} does nothing more, and nothing says so`;
      }
      case 'flip-random':
        return `flips ${effect.count} ${effect.count === 1 ? 'bit' : 'bits'}, drawn from ${effect.places.length === 1 ? place(effect.places[0]!) : `${effect.places.length} places`}`;
    }
  })();
  const when = ((): string => {
    switch (trigger.kind) {
      case 'instruction':
        return trigger.count === 0 ? 'before the first instruction' : `when it has retired ${grouped(trigger.count)} instructions`;
      case 'any': {
        const { between } = trigger;
        return between ? `at an instruction drawn from those between \`${between.lower.text}\` and \`${between.upper.text}\`` : 'at an instruction drawn from all of its run';
      }
      case 'cycle':
        return `when its core has spent ${grouped(trigger.count)} cycles`;
      case 'execute':
        return `just before it executes ${where(trigger.address)} ${trigger.hit === 1 ? 'for the first time' : `for the ${ordinal(trigger.hit)} time`}`;
      case 'access': {
        const done = trigger.access === 'read' ? 'read' : 'written';
        return `just after the byte at ${where(trigger.address)} is ${done} ${trigger.hit === 1 ? 'for the first time' : `for the ${ordinal(trigger.hit)} time`}`;
      }
      case 'value':
        return `when ${placeText(trigger.register)} is 0x${trigger.value.toString(16)}`;
      case 'input':
        return `just after it was handed the ${ordinal(trigger.number)} byte typed at its console`;
      case 'epoch':
        return `at the start of epoch ${trigger.number}`;
      case 'checkpoint':
        return trigger.number === 0 ? 'at the very start, just after checkpoint 0' : `just after checkpoint ${trigger.number}`;
      case 'output':
        return `just after its ${ordinal(trigger.number)} output`;
      case 'console':
        return `when it has printed ${JSON.stringify(trigger.text)}`;
    }
  })();
  return `In ${whose}, ${when}: ${what}${howOften(fault)}.${optional ? ' It may never happen.' : ''}`;
}

/** What each unit comes to. */
const passing: Readonly<Record<UnitName, string>> = {
  alu: 'the next result of the integer arithmetic-logic unit',
  load: 'what the next load writes to its register',
  store: 'what the next store writes to memory',
  'store address': 'the address that the next store goes to',
  branch: 'whether the next conditional branch is taken',
  fetch: 'the next instruction word, as fetched',
};

const caches: Readonly<Record<CacheName, string>> = { l1i: 'first-level instruction cache', l1d: 'first-level data cache', l2: 'bank of the second-level cache' };

/** What becomes of a message. */
const messages: Readonly<Record<'drop' | 'duplicate' | 'corrupt', string>> = { drop: 'loses', duplicate: 'sends twice', corrupt: 'flips a bit of' };

/** The same of one that sticks. */
const always: Readonly<Record<UnitName, string>> = {
  alu: 'every result of the integer arithmetic-logic unit',
  load: 'whatever a load writes to its register',
  store: 'whatever a store writes to memory',
  'store address': 'every address that a store goes to',
  branch: 'whether a conditional branch is taken',
  fetch: 'every instruction word, as fetched',
};

const counted = (count: number, unit: Lifetime['unit']): string => `${count} ${unit === 'cycles' ? 'cycles of its core' : 'instructions'}`;

function howLong({ lifetime, rhythm }: Pick<FaultPlan, 'lifetime' | 'rhythm'>): string {
  if (rhythm?.kind === 'duty') return `for the first ${rhythm.on} of every ${counted(rhythm.period, rhythm.unit)}, through rollbacks`;
  return lifetime ? `for ${counted(lifetime.length, lifetime.unit)}, through rollbacks` : 'for ever, through rollbacks';
}

function howOften({ rhythm }: Pick<FaultPlan, 'rhythm'>): string {
  if (rhythm?.kind !== 'every') return '';
  const { period, unit, until } = rhythm;
  return `, and again every ${counted(period, unit)}${until ? ` until ${counted(until.count, until.unit)} are over` : ''}, through rollbacks`;
}

function bytes(count: number): string {
  return count === 1 ? 'byte' : `${count} bytes`;
}

function ordinal(count: number): string {
  const teen = count % 100 >= 11 && count % 100 <= 13;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${ending}`;
}
