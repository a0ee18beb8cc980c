import type { ProtectionPlan, SwitchPlan } from '../../engine/covert/plan';
import { replicaCount } from '../../engine/covert/switching';
import type { Context } from './context';
import { part } from './diagnostic';
import type { FaultScope } from './faults';
import { lowerTrigger } from './triggers';
import type * as ast from './generated/ast';
import { oneOf } from './measures';
import { defaultProtection, lowerCores, missingFor, protectionKinds, reportPlacement, type Taken } from './protections';

/** Undefined where something is wrong, which is reported. */
export function lowerSwitch(node: ast.Switch, scope: FaultScope, context: Context, taken?: Taken): SwitchPlan | undefined {
  const { chip, protection } = scope;
  const kind = node.kind === undefined ? undefined : oneOf(context, part(node, 'kind'), node.kind, protectionKinds, 'protection');
  const trigger = lowerTrigger(node.trigger, false, scope, context);
  if (!chip || !protection || !kind || !trigger) return undefined;
  const { cores } = defaultProtection(chip, kind, undefined, taken);
  const plan: ProtectionPlan = { ...protection, kind, cores };
  if (node.cores.length > 0) lowerCores(node, kind, chip, plan, context);
  else if (cores.length < replicaCount[kind]) {
    context.reporter.error('COV304', part(node, 'kind'), `${kind} needs ${replicaCount[kind]} cores, but ${chip.name} has only ${cores.length} that are no spares`);
    return undefined;
  }
  if (plan.cores.length !== replicaCount[kind]) return undefined;
  const missing = missingFor(plan.isolation, chip, kind);
  if (missing !== undefined) {
    context.reporter.error('COV305', part(node, 'kind'), `${chip.name} cannot give isolation \`${plan.isolation}\` to \`${kind}\`: ${missing}; say \`isolation none\` in \`protect\``);
    return undefined;
  }
  reportPlacement(node, plan, chip, context);
  switch (trigger.kind) {
    case 'instruction':
    case 'cycle':
    case 'epoch':
    case 'output':
    case 'console':
      return { kind, cores: plan.cores, trigger };
    default:
      context.reporter.error('COV210', node.trigger.$cstNode, 'a protection is switched at a count, a time, an output or a text on the console, where all replicas meet');
      return undefined;
  }
}

/** A protection with all replicas and cores that a guest has at any time. */
export function widest(protection: ProtectionPlan, switches: readonly SwitchPlan[]): ProtectionPlan {
  const kinds = [protection.kind, ...switches.map(({ kind }) => kind)];
  const kind = kinds.reduce((most, each) => (replicaCount[each] > replicaCount[most] ? each : most));
  return { ...protection, kind, cores: [...new Set([...protection.cores, ...switches.flatMap(({ cores }) => cores)])] };
}
