import { costNames, costOrigins, costsOfProcessor, exitCosts, type CostChanges, type CostTable, type Processor } from '../../engine/chip/cost-table';
import type { Context } from './context';
import { part, rename } from './diagnostic';
import type * as ast from './generated/ast';
import { oneOf } from './measures';
import { guesses } from './mends';
import { countUnits, decodeDecimal } from './values';

/** Cycles of one event beyond which a cost is a slip of the pen: half a second. */
export const mostCost = 1e9;

export const processors = Object.keys(exitCosts) as Processor[];

/** What each entry is, in words. */
const meanings: Readonly<Record<keyof CostTable, string>> = {
  exit: 'leaving the guest for the VMM and going back',
  rendezvous: 'all replicas meet: a message on the chip, there and back',
  sync: 'handing an agreed clock value to a replica after an exit',
  inject: 'delivering an interrupt or an input into the guest',
  compare: 'comparing a byte of output',
  copy: 'copying a byte of input into a replica',
  protect: 'the write-protect fault at the first store to a page after a checkpoint',
  page: 'copying a page into a checkpoint',
  suspend: 'stopping a replica and saving its registers for a checkpoint, or loading them back',
  fingerprint: 'fingerprinting a byte of a written page for a comparison of states',
};

/** An entry of the table in words, with its default and where that comes from; or a processor. */
export function describeCost(name: string): string | undefined {
  if ((processors as string[]).includes(name)) return `**${name}** — an exit and back takes ${exitCosts[name as Processor]} cycles (Agesen et al., USENIX ATC 2012).`;
  if (!(costNames as string[]).includes(name)) return undefined;
  const { value, source } = costOrigins[name as keyof CostTable];
  return `**${name}** — ${meanings[name as keyof CostTable]}. ${value} cycles where nothing is said: ${source}.`;
}


/** The costs of a chip that are not the default: those of a processor, and over them single entries. */
export function lowerCosts(costs: ast.Costs, context: Context): CostChanges {
  const { reporter } = context;
  const named = costs.processor === undefined ? undefined : oneOf(context, part(costs, 'processor'), costs.processor, processors, 'processor');
  const own: Partial<Record<keyof CostTable, number>> = {};
  for (const cost of costs.entries.filter((entry) => context.intact(entry))) {
    const name = oneOf(context, part(cost, 'name'), cost.name, costNames, 'entry of the cost table');
    const cycles = cyclesOf(cost.cycles, context);
    if (name === undefined || cycles === undefined) continue;
    if (own[name] === undefined) own[name] = cycles;
    else reporter.error('COV205', part(cost, 'name'), `\`${name}\` is already set in this table`);
  }
  if (costs.processor === undefined && costs.entries.length === 0) reporter.error('COV206', part(costs, 'word'), 'this table is empty: name a processor, as `costs prescott`, or entries, as `costs { exit 3963 cycles }`');
  return { ...(named && costsOfProcessor(named)), ...own };
}

/** May be a part of a cycle: what a byte costs. */
function cyclesOf(amount: ast.Amount, context: Context): number | undefined {
  const { reporter } = context;
  if (countUnits.get(amount.unit) !== 'cycles') {
    const place = part(amount, 'unit');
    reporter.error('COV105', place, `a cost is counted in \`cycles\`, not in \`${amount.unit}\``, guesses(rename(place, 'cycles')));
    return undefined;
  }
  const value = amount.number === undefined ? undefined : decodeDecimal(amount.number).value;
  if (value === undefined || value <= mostCost) return value;
  reporter.error('COV106', part(amount, 'number'), `a cost is from 0 to ${mostCost} cycles, not ${amount.number}`);
  return undefined;
}
