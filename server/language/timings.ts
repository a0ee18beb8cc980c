import { canBeIndexed, timingOf } from '../../engine/chip/hierarchy';
import type { MemoryTiming } from '../../engine/chip/memory-timing';
import type { ChipPlan } from '../../engine/covert/plan';
import { eachOnce, type Context } from './context';
import { part } from './diagnostic';
import type * as ast from './generated/ast';
import { integer, oneOf, positive, size, span } from './measures';

export const timingLevels = ['fast', 'detailed'] as const;

const most = { ways: 64, l1Bytes: 2 ** 24, cycles: 1e6 };

/** How a chip's memory is timed; what is wrong with it is reported. `chip`: with its clock. */
export function lowerTiming(timing: ast.Timing, chip: ChipPlan, context: Context): Pick<ChipPlan, 'timing' | 'memoryTiming'> {
  const level = oneOf(context, part(timing, 'level'), timing.level, timingLevels, 'level of timing');
  const given: Partial<MemoryTiming> = {};
  for (const setting of eachOnce(timing.settings, context)) Object.assign(given, lowerSetting(setting, chip, context));
  if (level === 'fast' && timing.settings.length > 0) {
    context.reporter.warning('COV606', part(timing, 'settings'), 'under `timing fast` there are no caches: this has no effect');
  }
  return { ...(level && { timing: level }), ...(Object.keys(given).length > 0 && { memoryTiming: given }) };
}

function lowerSetting(setting: ast.TimingSetting, chip: ChipPlan, context: Context): Partial<MemoryTiming> {
  switch (setting.$type) {
    case 'InstructionCache': {
      const { l1iWays } = timingOf(chip);
      const shape = lowerShape(setting, l1iWays, context);
      return shape ? { l1iBytes: shape.bytes, l1iWays: shape.ways } : {};
    }
    case 'DataCache': {
      const { l1dWays } = timingOf(chip);
      const shape = lowerShape(setting, l1dWays, context);
      return shape ? { l1dBytes: shape.bytes, l1dWays: shape.ways } : {};
    }
    case 'BankShape': {
      const l2Ways = integer(context, setting, 'ways', { least: 1, most: most.ways, what: 'a number of ways' });
      return l2Ways === undefined ? {} : { l2Ways };
    }
    case 'BankTime': {
      const bank = cycles(setting.time, chip, context);
      return bank === undefined ? {} : { bank };
    }
    case 'LinkTime': {
      const link = cycles(setting.time, chip, context);
      return link === undefined ? {} : { link };
    }
    case 'MemoryTime': {
      const memory = cycles(setting.time, chip, context);
      return memory === undefined ? {} : { memory };
    }
  }
}

/** Undefined where there cannot be such a cache, which is reported. */
function lowerShape(setting: ast.InstructionCache | ast.DataCache, usualWays: number, context: Context): { bytes: number; ways: number } | undefined {
  const bytes = positive(context, setting.size, size(context, setting.size), 'a cache');
  const ways = setting.ways === undefined ? usualWays : integer(context, setting, 'ways', { least: 1, most: most.ways, what: 'a number of ways' });
  if (bytes === undefined || ways === undefined) return undefined;
  if (bytes <= most.l1Bytes && canBeIndexed(bytes, ways)) return { bytes, ways };
  const least = 64 * ways;
  context.reporter.error('COV308', setting.$cstNode, `a first-level cache of ${ways} ways has ${least} bytes, or twice as many, or four times, …, up to 16 MiB: not ${bytes}`);
  return undefined;
}

/** Cycles of the chip's cores. */
function cycles(time: ast.Amount, { hertz }: ChipPlan, context: Context): number | undefined {
  const given = span(context, time);
  if (!given) return undefined;
  const count = given.unit === 'cycles' ? given.value : given.unit === 'seconds' ? Math.round(given.value * hertz) : undefined;
  if (count !== undefined && count <= most.cycles) return count;
  if (count === undefined) context.reporter.error('COV105', part(time, 'unit'), 'this is counted in `cycles` of a core, or in a time');
  else context.reporter.error('COV106', time.$cstNode, `a message takes at most ${most.cycles} cycles, not ${count}`);
  return undefined;
}
