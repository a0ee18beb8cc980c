import type { ChipPlan } from '../../../engine/covert/plan';
import { defaults } from '../defaults';
import type * as ast from '../generated/ast';
import { countUnits, decodeDecimal, decodeInteger, frequencyUnits, sizeUnits, timeUnits } from '../values';

/** What turns one measure of a run into another. */
export interface Pace {
  chip: ChipPlan;
  epochInstructions?: number;
}

/** A whole number as the language writes long ones: `1_234_567`. */
export function grouped(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, '_');
}

/** A time in cycles of a chip's cores; undefined for what is no time. */
export function cyclesOf({ number, unit }: ast.Amount, chip: ChipPlan): number | undefined {
  const seconds = timeUnits.get(unit);
  const value = number === undefined ? undefined : decodeDecimal(number).value;
  return seconds === undefined || value === undefined ? undefined : Math.round(value * seconds * chip.hertz);
}

/** An amount in other measures: a duration in cycles, instructions and seconds, a size in bytes, a clock in time. */
export function describeAmount(amount: ast.Amount, { chip, epochInstructions = defaults.epochInstructions }: Pace): string | undefined {
  const { number, unit } = amount;
  const value = number === undefined ? undefined : decodeDecimal(number).value;
  if (value === undefined) return undefined;
  const head = `**${number} ${unit}**`;
  const size = sizeUnits.get(unit);
  if (size !== undefined) return `${head} — ${grouped(value * size)} bytes (0x${Math.round(value * size).toString(16)})`;
  const hertz = frequencyUnits.get(unit);
  if (hertz !== undefined) return value > 0 ? `${head} — a cycle takes ${time(1 / (value * hertz))}` : undefined;
  const clock = chip.hertz >= 1e9 ? `${chip.hertz / 1e9} GHz` : `${chip.hertz / 1e6} MHz`;
  const pace = `at ${clock}, the clock of chip ${chip.name}`;
  const fastest = `one cycle an instruction, the fastest that a core gets${chip.timing === 'detailed' ? '; misses of the caches make it fewer' : ''}`;
  const cycles = cyclesOf(amount, chip);
  if (cycles !== undefined) return `${head} — ${grouped(cycles)} cycles ${pace}\n\nAbout ${grouped(cycles)} instructions at ${fastest}`;
  switch (countUnits.get(unit)) {
    case 'cycles':
      return `${head} — ${time(value / chip.hertz)} ${pace}\n\nAbout ${grouped(Math.round(value))} instructions at ${fastest}`;
    case 'instructions':
      return `${head} — about ${time(value / chip.hertz)} ${pace}, at ${fastest}`;
    case 'epochs': {
      const instructions = Math.round(value * epochInstructions);
      return `${head} — ${grouped(instructions)} instructions, at ${grouped(epochInstructions)} an epoch\n\nAbout ${time(instructions / chip.hertz)} ${pace}`;
    }
    case undefined:
      return undefined;
  }
}

/** A duration with the unit that reads best. */
export function time(seconds: number): string {
  const [unit, factor] = [...timeUnits].toReversed().find(([, least]) => seconds >= least) ?? ['ns', 1e-9];
  return `${Number((seconds / factor).toPrecision(4))} ${unit}`;
}

/** A number as one reads it in other bases; undefined where that says nothing. */
export function describeNumber(text: string): string | undefined {
  const { value } = decodeInteger(text);
  if (value === undefined || (value < 10n && /^\d/.test(text) && !/^0[xb]/.test(text))) return undefined;
  const binary = value < 1n << 32n ? [`0b${value.toString(2).replace(/\B(?=(\d{4})+$)/g, '_')}`] : [];
  return [grouped(value), `0x${value.toString(16)}`, ...binary].map((one) => `\`${one}\``).join(' = ');
}
