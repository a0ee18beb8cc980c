import { count, counted, decimal } from './numbers';
import type { Plan, Span } from './plan';

/** What turns a span into instructions: the scenario, and the cycles an instruction of its unprotected guest. */
export interface SpanRates {
  plan: Pick<Plan, 'chip' | 'protection'>;
  cyclesPerInstruction: number;
}

/** How many instructions fit into a span. */
export const instructionsOf = (span: Span, rates: SpanRates): number => Math.floor(exactly(span, rates));

function exactly({ unit, value }: Span, { plan, cyclesPerInstruction }: SpanRates): number {
  switch (unit) {
    case 'instructions':
      return value;
    case 'epochs':
      return value * plan.protection.epochInstructions;
    case 'cycles':
      return value / cyclesPerInstruction;
    case 'seconds':
      return (value * plan.chip.hertz) / cyclesPerInstruction;
  }
}

/** That something came too late, in the unit that was asked for, and how that was worked out: it is instructions that are counted. */
export function lateness(latency: number, span: Span, rates: SpanRates): string {
  const { unit, value } = span;
  if (unit === 'instructions') return `${counted(latency, 'instruction')} after the fault, later than ${count(value)}`;
  const { name, size } = unit === 'seconds' ? timeUnit(value) : { name: unit, size: 1 };
  const passed = latency / exactly({ unit, value: size }, rates);
  const { chip, protection } = rates.plan;
  const pace = `the ${decimal(rates.cyclesPerInstruction)} cycles an instruction of the unprotected guest`;
  const how = { epochs: `with ${counted(protection.epochInstructions, 'instruction')} an epoch`, cycles: `at ${pace}`, seconds: `at ${decimal(chip.hertz / 1e9)} GHz and ${pace}` }[unit];
  const amount = (number: number): string => `${decimal(number)} ${number === 1 ? name.replace(/(?<=epoch|cycle)s$/, '') : name}`;
  return `${amount(passed)} after the fault, later than ${amount(value / size)} (${counted(latency, 'instruction')} instead of ${count(instructionsOf(span, rates))}, ${how})`;
}

function timeUnit(seconds: number): { name: string; size: number } {
  const units = [{ name: 's', size: 1 }, { name: 'ms', size: 1e-3 }, { name: 'us', size: 1e-6 }];
  // What was written as 1 us may be a little less by now.
  return units.find(({ size }) => seconds >= size * (1 - 1e-9)) ?? { name: 'ns', size: 1e-9 };
}
