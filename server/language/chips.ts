import type { ChipPlan } from '../../engine/covert/plan';
import type { Context } from './context';
import { eachOnce } from './context';
import { lowerCosts } from './costs';
import { defaultChip } from './defaults';
import { part, rename, type Fixes } from './diagnostic';
import * as ast from './generated/ast';
import { guesses, leaveOut } from './mends';
import { frequency, integer, positive, size } from './measures';
import { lowerTiming } from './timings';

/** The sizes beyond which a description is a slip of the pen. */
const most = { cores: 1024, banks: 1024, controllers: 256 };

/** Undefined where the description cannot be used. */
export function lowerChip(chip: ast.Chip, context: Context): ChipPlan | undefined {
  const { reporter } = context;
  const before = reporter.errors;
  const plan: ChipPlan = { ...defaultChip, name: chip.name, ring: false, spares: [] };
  let timing: ast.Timing | undefined;
  const spareNumbers: { core: number; node: ast.CoreNumber }[] = [];
  for (const setting of eachOnce(chip.settings, context)) {
    switch (setting.$type) {
      case 'Cores':
        plan.cores = integer(context, setting, 'count', { least: 1, most: most.cores, what: 'a number of cores' }) ?? plan.cores;
        if (setting.clock) plan.hertz = positive(context, setting.clock, frequency(context, setting.clock), 'a clock') ?? plan.hertz;
        break;
      case 'L2':
        plan.l2Banks = integer(context, setting, 'banks', { least: 1, most: most.banks, what: 'a number of banks' }) ?? plan.l2Banks;
        plan.l2BankBytes = positive(context, setting.size, size(context, setting.size), 'a bank') ?? plan.l2BankBytes;
        break;
      case 'Controllers':
        plan.memoryControllers =
          integer(context, setting, 'count', { least: 1, most: most.controllers, what: 'a number of memory controllers' }) ??
          plan.memoryControllers;
        break;
      case 'Costs':
        plan.costs = lowerCosts(setting, context);
        break;
      case 'Ring':
        plan.ring = true;
        break;
      case 'Timing':
        timing = setting;
        break;
      case 'Spares':
        for (const node of setting.cores) {
          const core = integer(context, node, 'number');
          if (core !== undefined) spareNumbers.push({ core, node });
        }
        break;
    }
  }
  // Times may be given in seconds, so that it takes the clock, wherever that stands.
  if (timing) Object.assign(plan, lowerTiming(timing, plan, context));
  for (const { core, node } of spareNumbers) {
    if (!coreExists(context, node, core, plan)) continue;
    if (plan.spares.includes(core)) reporter.error('COV302', node.$cstNode, `core ${core} is a spare already`, ast.isSpares(node.$container) ? leaveOut(node.$container.cores, node.$containerIndex) : []);
    else plan.spares.push(core);
  }
  if (plan.spares.length >= plan.cores) {
    const setting = chip.settings.find(ast.isSpares);
    reporter.error('COV308', setting?.$cstNode, `all ${plan.cores} cores are spares, so nothing can run on ${chip.name}`, setting && guesses(leaveOut(setting.cores, setting.cores.length - 1)));
  }
  const failed = reporter.errors > before;
  return failed || !context.intact(chip) ? undefined : plan;
}

/** Reports a core that the chip does not have; where nothing else is said, its last one may have been meant. */
export function coreExists(context: Context, node: ast.CoreNumber, core: number, chip: ChipPlan, fixes: Fixes = guesses(rename(part(node, 'number'), String(chip.cores - 1)))): boolean {
  if (core < chip.cores) return true;
  const cores = chip.cores === 1 ? 'only core 0' : `cores 0 to ${chip.cores - 1}`;
  context.reporter.error('COV301', part(node, 'number'), `${chip.name} has ${cores}, no core ${core}`, fixes);
  return false;
}
