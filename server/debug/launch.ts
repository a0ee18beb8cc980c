import { resolve } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { plansOfAll } from '../../engine/covert/beside';
import type { Plan } from '../../engine/covert/plan';
import { tiers, type Tier } from '../../engine/machine/tier';
import { compileFile } from '../language/compile';

/** A whole launch configuration; everything but the file has a default. */
export interface LaunchArguments extends DebugProtocol.LaunchRequestArguments {
  /** Path of a `.covert` file. */
  scenario: string;
  /** Which scenario of the file; the first if left out. Not `name`: clients send a configuration's title under that. */
  scenarioName?: string;
  /** Which guest of a scenario with several; the scenario's own if left out. */
  guest?: string;
  /** Stop before the first instruction. Default false. */
  stopOnEntry?: boolean;
  /** What executes the guest. Never visible to it. */
  tier?: Tier;
}

/** A launch that cannot be carried out, in one line for the user. */
export class LaunchError extends Error {}

/** Compiles the scenario file and picks the scenario. Throws {@link LaunchError}. */
export async function planOf(args: LaunchArguments): Promise<Plan> {
  if (typeof args.scenario !== 'string' || args.scenario === '') {
    throw new LaunchError('The launch configuration has no "scenario": give the path of a .covert file.');
  }
  if (args.tier !== undefined && !tiers.includes(args.tier)) {
    throw new LaunchError(`The launch configuration's "tier" is ${JSON.stringify(args.tier)}: it is one of ${tiers.join(', ')}.`);
  }
  const path = resolve(args.scenario);
  const { plans, diagnostics } = await compileFile(path);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [error] = errors;
  if (error) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    throw new LaunchError(`${error.file}:${error.range.line}:${error.range.column}: ${error.code}: ${error.message}${more}`);
  }
  const [first] = plans;
  if (!first) throw new LaunchError(`${path} has no scenario.`);
  if (args.scenarioName === undefined || args.scenarioName === '') return guestOf(first, args);
  const plan = plans.find(({ name }) => name === args.scenarioName);
  if (plan) return guestOf(plan, args);
  const names = plans.map(({ name }) => `"${name}"`).join(', ');
  throw new LaunchError(`${path} has no scenario "${args.scenarioName}"; it has ${names}.`);
}

/** The scenario with the guest in front that is to be debugged: the others run along. */
function guestOf(plan: Plan, { guest }: LaunchArguments): Plan {
  if (guest === undefined || guest === '') return plan;
  const all = plansOfAll(plan);
  const found = all.find((each) => each.guest.name === guest);
  if (found) return found;
  throw new LaunchError(`Scenario "${plan.name}" has no guest "${guest}"; it has ${all.map((each) => `"${each.guest.name}"`).join(', ')}.`);
}
