import type { ChipPlan, Isolation, ProtectionKind, ProtectionPlan, ReplicaName, Span } from '../../engine/covert/plan';
import { inputClasses } from '../../engine/covert/plan';
import type { Tenant } from '../../engine/chip/domains';
import { replicaCount } from '../../engine/covert/switching';
import { costsWith } from '../../engine/chip/cost-table';
import { coreExists } from './chips';
import { eachOnce, type Context } from './context';
import { defaults, periods, type Periods } from './defaults';
import { part, rename, type Fix } from './diagnostic';
import * as ast from './generated/ast';
import { count, integer, oneOf, positive, span } from './measures';
import { append, digits, guesses, leaveOut, remove } from './mends';
import { placementOn } from './placements';
import { decodeInteger } from './values';

export const protectionKinds: readonly ProtectionKind[] = ['none', 'dmr', 'tmr'];
export const isolations: readonly Isolation[] = ['full', 'none', 'caches', 'memory'];
export const comparable = ['output', 'state'] as const;

export function replicasOf(kind: ProtectionKind): ReplicaName[] {
  return (['A', 'B', 'C'] as const).slice(0, replicaCount[kind]);
}

/** Cores that other guests of the scenario begin on, with those guests' names. */
export type Taken = ReadonlyMap<number, string>;
const nobody: Taken = new Map();

/** The protection of a guest of which nothing is said: one replica on the first core that is no spare and nobody else's. */
export function defaultProtection(chip: ChipPlan, kind: ProtectionKind = 'none', usual: Periods = periods.bare, taken: Taken = nobody): ProtectionPlan {
  const free = Array.from({ length: chip.cores }, (_, core) => core).filter((core) => !chip.spares.includes(core) && !taken.has(core));
  return {
    kind,
    cores: free.slice(0, replicaCount[kind]),
    isolation: missingFor(defaults.isolation, chip, kind) === undefined ? defaults.isolation : 'none',
    epochInstructions: defaults.epochInstructions,
    ...usual,
    compareOutput: true,
    watchdogEpochs: defaults.watchdogEpochs,
    retry: defaults.retry,
    uncoordinated: [],
  };
}

/** What is meant as far as it can be told; what is wrong is reported. `isSwitched`: the settings are for what the guest is switched to, too. */
export function lowerProtection(protection: ast.Protection, chip: ChipPlan, isSwitched: boolean, usual: Periods, context: Context, taken: Taken = nobody): ProtectionPlan {
  const { reporter } = context;
  const kind =
    protection.kind === undefined ? undefined : oneOf(context, part(protection, 'kind'), protection.kind, protectionKinds, 'protection');
  const plan = defaultProtection(chip, kind ?? 'dmr', usual, taken);
  if (protection.cores.length > 0) {
    if (kind !== undefined) lowerCores(protection, kind, chip, plan, context, taken);
  } else if (plan.cores.length < replicaCount[plan.kind]) {
    reporter.error('COV304', part(protection, 'kind'), `${plan.kind} needs ${replicaCount[plan.kind]} cores, but ${chip.name} has only ${plan.cores.length} that are no spares${taken.size > 0 ? ' and no other guest\'s' : ''}`);
  }
  for (const setting of eachOnce(protection.settings, context)) {
    if (kind === 'none' && !isSwitched && ineffective.has(setting.$type) && !(setting.$type === 'Isolation' && isOneOfSeveral(protection))) {
      const [word = ''] = /^\w+/.exec(setting.$cstNode?.text ?? '') ?? [];
      reporter.warning('COV606', setting.$cstNode, `\`${word}\` has no effect under \`protect none\`: there is nobody to compare with`, withoutSetting(protection, setting));
    }
    lowerSetting(setting, plan, chip, usual, context);
  }
  reportPlacement(protection, plan, chip, context);
  return plan;
}

/** Reports where the cores are so that the ring cannot be cut to give each of them what its isolation asks for. */
export function reportPlacement(protection: ast.Protection | ast.Switch, plan: ProtectionPlan, chip: ChipPlan, { reporter }: Context): void {
  if (plan.cores.length !== replicaCount[plan.kind] || new Set(plan.cores).size !== plan.cores.length || missingFor(plan.isolation, chip, plan.kind) !== undefined) return;
  const placement = placementOn(chip, plan.cores, plan.isolation);
  if (typeof placement !== 'string') return;
  const [first] = protection.cores;
  reporter.error('COV305', first ? { offset: first.$cstNode?.offset ?? 0, end: protection.cores.at(-1)?.$cstNode?.end ?? 0 } : part(protection, 'kind'), `${chip.name} cannot give isolation \`${plan.isolation}\` on these cores: ${placement}`, ast.isProtection(protection) ? withoutIsolation(protection) : []);
}

export function tenantsOf({ cores, isolation }: ProtectionPlan): Tenant[] {
  return cores.map((core) => ({ core, isolation }));
}

/** Also a guest without protection is isolated from others on the chip, or not. */
function isOneOfSeveral({ $container: owner }: ast.Protection): boolean {
  return ast.isBeside(owner) || ((ast.isScenario(owner) || ast.isCampaign(owner)) && owner.items.some(ast.isBeside));
}

/** Settings that are about a second replica. */
const ineffective: ReadonlySet<string> = new Set(['Isolation', 'Compare', 'Watchdog', 'Retry', 'Retirement']);

/** The cores that a protection is written with; what is wrong with them is reported. */
export function lowerCores(protection: ast.Protection | ast.Switch, kind: ProtectionKind, chip: ChipPlan, plan: ProtectionPlan, context: Context, taken: Taken = nobody): void {
  const { reporter } = context;
  const cores: number[] = [];
  for (const node of protection.cores) {
    const core = integer(context, node, 'number');
    const free = (): Fix[] => guesses(rename(part(node, 'number'), freeCores(protection, kind, chip, plan, taken, node.$containerIndex)[0]?.toString()));
    if (core === undefined || !coreExists(context, node, core, chip, free)) continue;
    if (cores.includes(core)) {
      reporter.error('COV302', node.$cstNode, `core ${core} runs a replica already: each replica has a core of its own`, free);
    } else if (taken.has(core)) {
      reporter.error('COV302', node.$cstNode, `core ${core} runs a replica of guest ${taken.get(core)} already: each replica has a core of its own`, free);
    } else if (chip.spares.includes(core)) {
      reporter.error('COV303', node.$cstNode, `core ${core} is a spare of ${chip.name}, kept free for when another one fails`, free);
    }
    cores.push(core);
  }
  const needed = replicaCount[kind];
  if (protection.cores.length === needed) {
    if (cores.length === needed) plan.cores = cores;
    return;
  }
  const [extra] = protection.cores.slice(needed);
  const cores_ = needed === 1 ? '1 core' : `${needed} cores`;
  reporter.error('COV304', extra?.$cstNode ?? protection.cores.at(-1)?.$cstNode, `${kind} runs on ${cores_}, not on ${protection.cores.length}`, () => guesses(mendCount(protection, kind, chip, plan, taken)));
}

function lowerSetting(setting: ast.ProtectionSetting, plan: ProtectionPlan, chip: ChipPlan, usual: Periods, context: Context): void {
  switch (setting.$type) {
    case 'Isolation': {
      const isolation = oneOf(context, part(setting, 'kind'), setting.kind, isolations, 'isolation');
      if (!isolation) return;
      const missing = missingFor(isolation, chip, plan.kind);
      if (missing !== undefined) {
        context.reporter.error('COV305', part(setting, 'kind'), `${chip.name} cannot give isolation \`${isolation}\`: ${missing}`, guesses(rename(part(setting, 'kind'), 'none')));
      } else plan.isolation = isolation;
      return;
    }
    case 'Epoch': {
      const length = positive(context, setting.length, count(context, setting.length, 'instructions'), 'an epoch');
      if (length === undefined) return;
      plan.epochInstructions = length;
      warnOfShortEpoch(setting, length, plan.kind, chip, context);
      return;
    }
    case 'Checkpoint':
      plan.checkpointEpochs = positive(context, setting.period, count(context, setting.period, 'epochs'), 'the time between checkpoints') ?? plan.checkpointEpochs;
      return;
    case 'Compare':
      lowerCompare(setting, plan, usual, context);
      return;
    case 'Watchdog':
      plan.watchdogEpochs = positive(context, setting.patience, count(context, setting.patience, 'epochs'), "the watchdog's patience") ?? plan.watchdogEpochs;
      return;
    case 'Retry':
      plan.retry = integer(context, setting, 'count', { most: 1000, what: 'a number of retries' }) ?? plan.retry;
      return;
    case 'Retirement': {
      const errors = integer(context, setting, 'errors', { least: 1, most: 1000, what: 'a number of errors' });
      const window = span(context, setting.window);
      const length = window && positive(context, setting.window, instructionsIn(window, plan, chip), 'the time in which errors count together');
      if (errors !== undefined && length !== undefined) plan.retireAfter = { errors, instructions: length };
      return;
    }
    case 'Uncoordinated':
      for (const input of setting.inputs) {
        const name = oneOf(context, input.$cstNode, input.name, inputClasses, 'class of inputs');
        if (name && plan.uncoordinated.includes(name)) {
          context.reporter.error('COV205', input.$cstNode, `\`${name}\` stands here already`, leaveOut(setting.inputs, input.$containerIndex));
        } else if (name) plan.uncoordinated.push(name);
      }
      return;
  }
}

/** A length of the run in instructions; what is given in time or cycles at one cycle an instruction, the fastest that a core gets. */
function instructionsIn(window: Span, plan: ProtectionPlan, chip: ChipPlan): number {
  switch (window.unit) {
    case 'instructions':
    case 'cycles':
      return window.value;
    case 'epochs':
      return window.value * plan.epochInstructions;
    case 'seconds':
      return Math.round(window.value * chip.hertz);
  }
}

function lowerCompare(compare: ast.Compare, plan: ProtectionPlan, usual: Periods, context: Context): void {
  plan.compareOutput = false;
  plan.compareStateEpochs = 0;
  const seen = new Set<string>();
  for (const subject of compare.subjects) {
    const kind = oneOf(context, part(subject, 'kind'), subject.kind, comparable, 'thing to compare');
    if (!kind) continue;
    if (seen.has(kind)) context.reporter.error('COV205', part(subject, 'kind'), `\`${kind}\` stands here already`, leaveOut(compare.subjects, subject.$containerIndex));
    seen.add(kind);
    if (kind === 'output') {
      plan.compareOutput = true;
      if (subject.period) {
        context.reporter.error('COV210', subject.period.$cstNode, 'every output is compared: `every` goes with `state`');
      }
      continue;
    }
    plan.compareStateEpochs = usual.compareStateEpochs;
    if (subject.period) {
      plan.compareStateEpochs =
        positive(context, subject.period, count(context, subject.period, 'epochs'), 'the time between comparisons') ?? plan.compareStateEpochs;
    }
  }
}

/** Why a chip cannot give an isolation to so many replicas; undefined where it can. */
export function missingFor(isolation: Isolation, chip: ChipPlan, kind: ProtectionKind): string | undefined {
  const domains = replicaCount[kind];
  if (domains === 1 || isolation === 'none') return undefined;
  const caches = isolation === 'full' || isolation === 'caches';
  if (caches && !chip.ring) return 'it has no `ring` whose links could be cut';
  if (caches && chip.l2Banks < domains) return `it has ${chip.l2Banks} L2 ${chip.l2Banks === 1 ? 'bank' : 'banks'}, and each of ${domains} replicas needs one`;
  if (isolation !== 'caches' && chip.memoryControllers < domains) {
    return `it has ${chip.memoryControllers} memory ${chip.memoryControllers === 1 ? 'controller' : 'controllers'}, and each of ${domains} replicas needs one`;
  }
  return undefined;
}

/** Above this share of the run time, the meetings at the ends of epochs cost too much. */
const mostShare = 0.2;

function warnOfShortEpoch(epoch: ast.Epoch, instructions: number, kind: ProtectionKind, chip: ChipPlan, { reporter }: Context): void {
  if (kind === 'none') return;
  // One cycle an instruction: the fastest that a core of the chip gets.
  const { exit, rendezvous } = costsWith(chip.costs);
  const share = (exit + rendezvous) / instructions;
  if (share <= mostShare) return;
  const enough = Math.ceil((exit + rendezvous) / mostShare / 1000) * 1000;
  reporter.warning(
    'COV604',
    epoch.length.$cstNode,
    `meeting after every ${instructions} instructions costs ${Math.round(share * 100)} % on top of the guest itself: ${enough} or more keep it below 20 %`,
    guesses(rename(epoch.length.$cstNode, `${digits(enough)} instructions`)),
  );
}

/** Cores that are looked at on a large chip, and of a long list. */
const mostTried = 16;

/** Cores that nobody has, for the place of one that is written; first those with which the ring can be cut as the isolation asks for. */
function freeCores(written: ast.Protection | ast.Switch, kind: ProtectionKind, chip: ChipPlan, { isolation }: ProtectionPlan, taken: Taken, index?: number): number[] {
  // A list that long is no slip.
  if (written.cores.length > mostTried) return [];
  const cores = written.cores.map(({ number }) => Number(decodeInteger(number ?? '').value ?? -1));
  const free = Array.from({ length: chip.cores }, (_, core) => core).filter((core) => !chip.spares.includes(core) && !taken.has(core) && !cores.includes(core));
  const fits = (core: number): boolean => {
    const all = cores.map((other, i) => (i === index ? core : other));
    return all.length === replicaCount[kind] && all.every((one) => one >= 0 && one < chip.cores) && typeof placementOn(chip, all, isolation) !== 'string';
  };
  const first = free.slice(0, mostTried).find(fits);
  return first === undefined ? free : [first, ...free.filter((core) => core !== first)];
}

/** The fix that takes cores that are too many away, or adds those that are missing. */
function mendCount(written: ast.Protection | ast.Switch, kind: ProtectionKind, chip: ChipPlan, plan: ProtectionPlan, taken: Taken): Fix[] {
  const needed = replicaCount[kind];
  const last = written.cores[needed - 1]?.$cstNode;
  const end = written.cores.at(-1)?.$cstNode;
  if (last && end) return [{ title: `Leave out all but ${needed === 1 ? 'the first' : `the first ${needed}`}`, span: { offset: last.end, end: end.end }, text: '' }];
  const more = freeCores(written, kind, chip, plan, taken).slice(0, needed - written.cores.length).map((core) => `core ${core}`).join(', ');
  return written.cores.length + more.split(',').length < needed || more === '' ? [] : append(end, `, ${more}`, `Add ${more}`);
}

/** The fix that takes a setting away, with its block where nothing else is in it. */
function withoutSetting(protection: ast.Protection, setting: ast.ProtectionSetting): Fix[] {
  const head = protection.cores.at(-1)?.$cstNode ?? part(protection, 'kind');
  const whole = protection.$cstNode;
  if (protection.settings.length > 1 || !head || !whole) return remove(setting.$cstNode, 'Remove it');
  return [{ title: 'Remove it', span: { offset: head.end, end: whole.end }, text: '' }];
}

/** The fix that asks for no isolation. */
export function withoutIsolation(protection: ast.Protection | undefined): Fix[] {
  const title = 'Ask for no isolation: `isolation none`';
  const written = protection?.settings.find(ast.isIsolation);
  if (written) return guesses(rename(part(written, 'kind'), 'none'));
  const [first] = protection?.settings ?? [];
  if (first?.$cstNode) return guesses([{ title, span: { offset: first.$cstNode.offset, end: first.$cstNode.offset }, text: 'isolation none ' }]);
  const whole = protection?.$cstNode;
  return whole && !whole.text.endsWith('}') ? guesses(append(whole, ' { isolation none }', title)) : [];
}
