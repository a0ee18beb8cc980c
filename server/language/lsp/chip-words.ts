import { bankName, controllerName, linkName, type ComponentName } from '../../../engine/chip/health';
import type { ChipPlan } from '../../../engine/covert/plan';
import * as ast from '../generated/ast';
import { decodeInteger } from '../values';
import { occupantsOf, type Occupant, type Scene } from './scene';

export function describeChip(plan: ChipPlan): string {
  const clock = plan.hertz >= 1e9 ? `${plan.hertz / 1e9} GHz` : `${plan.hertz / 1e6} MHz`;
  const spares = plan.spares.length > 0 ? ` (${plan.spares.join(', ')} spare)` : '';
  return `**chip ${plan.name}** — ${plan.cores} cores at ${clock}${spares}, L2 ${plan.l2Banks} × ${plan.l2BankBytes / 1024} KiB, ${plan.memoryControllers} memory controllers${plan.ring ? ', ring' : ''}${plan.timing === 'detailed' ? ', detailed timing' : ''}`;
}

/** Who runs on a core at the start, and what of the chip comes with it. */
export function describeCore(core: number, scene: Scene): string | undefined {
  const { chip, occupants } = scene;
  if (core >= chip.cores) return undefined;
  const here = occupants.filter((occupant) => occupant.core === core);
  if (here.length > 0) return here.map((occupant) => describeOccupant(occupant, chip, `**core ${core}** — ${occupant.name} runs here`)).join('\n\n');
  return `**core ${core}** — ${chip.spares.includes(core) ? 'a spare, kept free for when another core fails' : 'no replica runs here at the start'}`;
}

/** Where a replica runs at the start. */
export function describeReplica(letter: string, scene: Scene): string | undefined {
  const { protection, chip, occupants } = scene;
  const core = protection?.cores[['A', 'B', 'C'].indexOf(letter)];
  const occupant = occupants.find((each) => each.core === core);
  return occupant && describeOccupant(occupant, chip, `**${occupant.name}** — begins on core ${occupant.core}`);
}

function describeOccupant({ domain }: Occupant, chip: ChipPlan, head: string): string {
  if (!domain) return head;
  const list = (word: string, all: readonly (number | string)[]): string[] => (all.length === 0 ? [] : [`${word}${all.length === 1 ? '' : 's'} ${all.join(', ')}`]);
  const parts = [
    ...list('L2 bank', domain.banks),
    ...list('memory controller', domain.controllers),
    ...list('link', domain.links.map((link) => linkName(link, chip.cores).replace('link ', ''))),
  ];
  return `${head}\n\nIts domain: ${parts.join(' · ')}`;
}

/** Who has a component at the start: `replica B`, or all that share it; undefined where nobody has it. */
export function ownersOf(component: ComponentName, scene: Scene): string | undefined {
  const names = occupantsOf(scene, component).map(({ name }) => name);
  if (names.length < 2) return names[0];
  const letters = names.map((name) => name.replace('replica ', ''));
  return `replicas ${letters.slice(0, -1).join(', ')} and ${letters.at(-1)}`;
}

/** The component that a node names, with its name; undefined for what is none, and for what the chip has not. */
export function componentOf(node: ast.L2Bank | ast.CachePlace | ast.MemoryController | ast.Link, { chip }: Scene): ComponentName | undefined {
  const number = (text: string | undefined): number => Number(decodeInteger(text ?? '').value ?? -1n);
  switch (node.$type) {
    case 'L2Bank':
      return within(number(node.number), chip.l2Banks, bankName);
    case 'CachePlace':
      return node.bank === undefined ? undefined : within(number(node.bank), chip.l2Banks, bankName);
    case 'MemoryController':
      return within(number(node.number), chip.memoryControllers, controllerName);
    case 'Link': {
      const [from, to] = [number(node.from), number(node.to)];
      const next = (core: number): number => (core + 1) % chip.cores;
      // Messages go both ways, and the link is named by its first node.
      const first = to === next(from) ? from : from === next(to) ? to : -1;
      return chip.ring ? within(first, chip.cores, (link) => linkName(link, chip.cores)) : undefined;
    }
  }
}

function within(number: number, count: number, name: (number: number) => ComponentName): ComponentName | undefined {
  return number >= 0 && number < count ? name(number) : undefined;
}

export function describeComponent(component: ComponentName, scene: Scene): string {
  const owners = ownersOf(component, scene);
  const shares = occupantsOf(scene, component).length > 1;
  return `**${component}** — ${owners === undefined ? 'in nobody\'s domain at the start' : `in the domain of ${owners}${shares ? ': a fault there strikes all of them' : ''}`}`;
}

/** Nodes that name a component, other than cores. */
export function namesComponent(node: unknown): node is ast.L2Bank | ast.CachePlace | ast.MemoryController | ast.Link {
  return ast.isL2Bank(node) || ast.isCachePlace(node) || ast.isMemoryController(node) || ast.isLink(node);
}
