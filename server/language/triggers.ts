import type { ChipPlan, ProtectionPlan, Span, Trigger } from '../../engine/covert/plan';
import { count } from '../../engine/covert/numbers';
import { lowerAddress } from './addresses';
import type { Context } from './context';
import { part, rename } from './diagnostic';
import type * as ast from './generated/ast';
import type { GuestFile } from './guest-files';
import { integer, span } from './measures';
import { guesses } from './mends';
import { lowerInput, lowerMemory, lowerRegister, lowerValue, type PlaceScope } from './places';
import { decodeString } from './values';

/** What triggers are checked against. */
export interface TriggerScope extends PlaceScope {
  chip: ChipPlan | undefined;
  protection: ProtectionPlan | undefined;
  maxInstructions: number;
}

/** Undefined where something is wrong, which is reported. `lasts`: it is one of a fault that does. */
export function lowerTrigger(trigger: ast.Trigger, lasts: boolean, scope: TriggerScope, context: Context): Trigger | undefined {
  switch (trigger.$type) {
    case 'CountTrigger':
      return lowerCount(trigger, scope, context);
    case 'ConsoleTrigger': {
      const text = decodeString(trigger.text).value;
      if (text !== '') return text === undefined ? undefined : { kind: 'console', text };
      context.reporter.error('COV206', part(trigger, 'text'), 'this text is empty: say what the guest prints');
      return undefined;
    }
    case 'TimeTrigger': {
      const moment = span(context, trigger.moment);
      return moment && atMoment(moment, trigger, scope, context);
    }
    case 'AddressTrigger':
      return atAddress(trigger, scope, context);
    case 'AccessTrigger':
      if (trigger.access === 'execute') return atAddress(trigger, scope, context);
      return atAccess(trigger, trigger.access, scope, context);
    case 'ValueTrigger': {
      const register = lowerRegister(trigger, scope, context);
      const value = lowerValue(trigger.value, register, scope, context);
      return register && value !== undefined ? { kind: 'value', register, value } : undefined;
    }
    case 'FromTrigger': {
      const moment = lasts ? span(context, trigger.moment) : undefined;
      if (lasts) return moment && atMoment(moment, trigger, scope, context);
      context.reporter.error('COV411', trigger.$cstNode, '`from` is for bits that stick and for what comes again with `every`: say `at`', rename(part(trigger, 'word'), 'at'));
      return undefined;
    }
    case 'AnyTrigger':
      context.reporter.error('COV210', part(trigger, 'word'), '`any` is for campaigns: give the instruction\'s number');
      return undefined;
  }
}

function lowerCount(trigger: ast.CountTrigger, scope: TriggerScope, context: Context): Trigger | undefined {
  const { unit } = trigger;
  const count = integer(context, trigger, 'count');
  if (count === undefined) return undefined;
  if (unit === 'output' && count === 0) return fromOne(trigger, 'count', 'outputs', context);
  switch (unit) {
    case 'instruction':
      warnIfTooLate(count, trigger, scope, context);
      return { kind: 'instruction', count };
    case 'cycle':
      return { kind: 'cycle', count };
    case 'epoch':
      return atEpoch(count, trigger, scope, context);
    case 'checkpoint':
      warnIfTooLate(count * (scope.protection?.epochInstructions ?? 0) * (scope.protection?.checkpointEpochs ?? 0), trigger, scope, context);
      return { kind: 'checkpoint', number: count };
    case 'output':
      return { kind: 'output', number: count };
    case 'input': {
      const number = lowerInput(part(trigger, 'count'), count, scope, context);
      return number === undefined ? undefined : { kind: 'input', number };
    }
  }
}

function atMoment(moment: Span, trigger: ast.TimeTrigger | ast.FromTrigger, scope: TriggerScope, context: Context): Trigger | undefined {
  switch (moment.unit) {
    case 'instructions':
      warnIfTooLate(moment.value, trigger, scope, context);
      return { kind: 'instruction', count: moment.value };
    case 'cycles':
      return { kind: 'cycle', count: moment.value };
    case 'epochs':
      return atEpoch(moment.value, trigger, scope, context);
    case 'seconds':
      // A guest that sleeps spends time without instructions, so that no time is known to be too late.
      return scope.chip && { kind: 'cycle', count: Math.round(moment.value * scope.chip.hertz) };
  }
}

function atEpoch(number: number, trigger: ast.Trigger, scope: TriggerScope, context: Context): Trigger {
  warnIfTooLate(number * (scope.protection?.epochInstructions ?? 0), trigger, scope, context);
  return { kind: 'epoch', number };
}

function warnIfTooLate(instruction: number, trigger: ast.Trigger, { maxInstructions }: TriggerScope, { reporter }: Context): void {
  if (instruction < maxInstructions) return;
  reporter.warning('COV605', trigger.$cstNode, `the run is cut off after ${count(maxInstructions)} instructions (\`limit\`), so this never strikes`);
}

/** An access is one to a byte of RAM, by whatever address. */
function atAccess(trigger: ast.AccessTrigger, access: 'read' | 'write', scope: TriggerScope, context: Context): Trigger | undefined {
  const place = lowerMemory({ address: trigger.address, bytes: 1 }, scope, context);
  const hit = trigger.hit === undefined ? 1 : integer(context, trigger, 'hit');
  if (!place || hit === undefined) return undefined;
  return hit === 0 ? fromOne(trigger, 'hit', 'hits', context) : { kind: 'access', access, address: place.address, hit };
}

function atAddress(trigger: ast.AddressTrigger | ast.AccessTrigger, { file, symbols }: TriggerScope, context: Context): Trigger | undefined {
  const found = lowerAddress(trigger.address, symbols, context);
  const hit = trigger.hit === undefined ? 1 : integer(context, trigger as ast.AddressTrigger, 'hit');
  if (!found || hit === undefined) return undefined;
  if (hit === 0) return fromOne(trigger as ast.AddressTrigger, 'hit', 'hits', context);
  if (file && !isCode(found.address, file)) {
    const shown = `0x${found.address.toString(16)}`;
    const why = found.address % 2n === 1n ? 'instructions stand at even addresses' : 'it is not in code that the guest is loaded with';
    // A plain number is the address that it says, and most often meant as a count.
    const counted = trigger.$type === 'AddressTrigger' && /^\d[\d_]*$/.test(trigger.address.$cstNode?.text ?? '') ? `instruction ${trigger.address.$cstNode?.text}` : undefined;
    const hint = counted === undefined ? '' : `; did you mean \`at ${counted}\`?`;
    context.reporter.error('COV407', trigger.address.$cstNode, `no instruction stands at ${shown}: ${why}${hint}`, guesses(rename(trigger.address.$cstNode, trigger.hit === undefined ? counted : undefined)));
    return undefined;
  }
  return { kind: 'execute', address: found.address, hit };
}

/** Instructions stand at even addresses of executable segments; what a Linux guest loads later nobody knows. */
function isCode(address: bigint, { elf }: GuestFile): boolean {
  if (address % 2n === 1n) return false;
  if (!elf) return true;
  return elf.segments.some(
    ({ executable, address: start, memoryBytes }) => executable && address >= start && address < start + BigInt(memoryBytes),
  );
}

function fromOne<N extends ast.AddressTrigger | ast.AccessTrigger | ast.CountTrigger>(node: N, property: keyof N & string, what: string, { reporter }: Context): undefined {
  reporter.error('COV408', part(node, property), `${what} are counted from 1`, guesses(rename(part(node, property), '1')));
  return undefined;
}
