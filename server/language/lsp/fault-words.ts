import type { FaultPlan, Lifetime, PassingPlace, Place, StuckPlace } from '../../../engine/covert/plan';
import type { UnitName } from '../../../engine/machine/types';
import { placeText } from '../places';
import type { GuestFile } from '../guest-files';
import { describeAddress, sourceOf } from './guest-lookup';

/** A fault in plain words, addresses as names and source lines. */
export function describeFault({ effect, target, trigger, lifetime, optional }: FaultPlan, file: GuestFile): string {
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
    if (one.kind === 'unit') return passing[one.unit];
    if (one.kind === 'input') return `the ${ordinal(one.number)} byte typed at its console`;
    if (one.kind === 'comparer') return "the comparer's next verdict";
    if (one.kind === 'dma') return "the next disk transfer to the guest's memory";
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
        return `${many ? 'bits' : 'bit'} ${effect.bits.join(', ')} of ${place(effect.place)} ${many ? 'stick' : 'sticks'} at ${effect.value} ${howLong(lifetime)}`;
      }
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
        return trigger.count === 0 ? 'before the first instruction' : `when it has retired ${trigger.count} instructions`;
      case 'cycle':
        return `when its core has spent ${trigger.count} cycles`;
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
  return `In ${whose}, ${when}: ${what}.${optional ? ' It may never happen.' : ''}`;
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

function howLong(lifetime: Lifetime | undefined): string {
  return lifetime ? `for ${lifetime.length} ${lifetime.unit === 'cycles' ? 'cycles of its core' : 'instructions'}, through rollbacks` : 'for ever, through rollbacks';
}

function bytes(count: number): string {
  return count === 1 ? 'byte' : `${count} bytes`;
}

function ordinal(count: number): string {
  const teen = count % 100 >= 11 && count % 100 <= 13;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${ending}`;
}
