import { InvalidArgumentError, Option } from 'commander';
import { costNames, costsOfProcessor, exitCosts, type CostChanges, type CostTable, type Processor } from '../../engine/chip/cost-table';
import type { Plan } from '../../engine/covert/plan';
import { nearestNames } from '../../engine/symbols/nearest';
import { mostCost } from '../language/costs';

/** `--cost exit=3963`, `--cost prescott`, as often as one likes: the later goes before the earlier. */
export function costOption(): Option {
  return new Option('--cost <entry>', "what the VMM's work costs, in cycles: `exit=3963`; or a processor's exits: `prescott`. May be given several times")
    .argParser(parseCost)
    .default({}, 'what the scenario says, or the table in docs/replication.md');
}

/** One more entry for a table. Throws commander's InvalidArgumentError. */
export function parseCost(text: string, before: CostChanges): CostChanges {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/.exec(text.trim()) ?? [];
  if (value === undefined) {
    const processors = Object.keys(exitCosts);
    if (processors.includes(name)) return { ...before, ...costsOfProcessor(name as Processor) };
    throw new InvalidArgumentError(`An entry of the cost table is a name, \`=\` and cycles, as exit=3963; or one of ${processors.join(', ')}.`);
  }
  if (!(costNames as string[]).includes(name)) {
    const nearest = nearestNames(name, costNames, 1)[0];
    throw new InvalidArgumentError(`The cost table has no ${name}, but ${costNames.join(', ')}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`);
  }
  const cycles = /^\d[\d_]*(\.\d[\d_]*)?$/.test(value) ? Number(value.replaceAll('_', '')) : NaN;
  if (!(cycles >= 0 && cycles <= mostCost)) throw new InvalidArgumentError(`A cost is a number of cycles from 0 to ${mostCost}.`);
  return { ...before, [name as keyof CostTable]: cycles };
}

/** The plan on a chip with some costs changed. */
export function withCosts(plan: Plan, changes: CostChanges): Plan {
  return Object.keys(changes).length === 0 ? plan : { ...plan, chip: { ...plan.chip, costs: { ...plan.chip.costs, ...changes } } };
}
