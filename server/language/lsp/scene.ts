import type { AstNode, LangiumDocument } from 'langium';
import { partition, reaches, type Domain } from '../../../engine/chip/domains';
import { Health, type ComponentName } from '../../../engine/chip/health';
import type { ChipPlan, ProtectionPlan, SwitchPlan } from '../../../engine/covert/plan';
import { lowerChip } from '../chips';
import { Context, documentOf } from '../context';
import { defaultChip, defaults, periods } from '../defaults';
import * as ast from '../generated/ast';
import { headOf } from '../guest-parts';
import { defaultProtection, lowerProtection, replicasOf, tenantsOf, type Taken } from '../protections';
import { lowerSwitch, widest } from '../switches';
import { runAt, type Run } from './cursor';

/** A replica at the start of a run, and what of the chip it has. */
export interface Occupant {
  /** `replica B`, and of which guest where there are several. */
  name: string;
  core: number;
  /** Absent where the chip cannot be divided so. */
  domain?: Domain;
}

/** What a scenario or campaign runs on, as far as it is right. */
export interface Scene {
  chip: ChipPlan;
  /** Of the guest whose block it is. */
  protection: ProtectionPlan | undefined;
  /** The same with all replicas and cores that switches ever give the guest. */
  widest: ProtectionPlan | undefined;
  /** All guests' replicas. */
  occupants: readonly Occupant[];
}

/** The scene at an offset; undefined outside of scenarios and campaigns, and where the chip is wrong. */
export function sceneAt(document: LangiumDocument, offset: number): Scene | undefined {
  const run = runAt(document, offset);
  return run && sceneOf(run);
}

export function sceneOf(run: Run): Scene | undefined {
  const whole = ast.isBeside(run) ? run.$container : run;
  const chip = chipOf(whole);
  if (!chip) return undefined;
  const context = new Context(documentOf(whole));
  const blocks: Run[] = [whole, ...(ast.isScenario(whole) ? whole.items.filter(ast.isBeside) : [])];
  const guests: { block: Run; name: string; protection: ProtectionPlan | undefined }[] = [];
  for (const block of blocks) {
    const taken: Taken = new Map(guests.flatMap(({ name, protection }) => protection?.cores.map((core) => [core, name] as const) ?? []));
    const use = ast.isBeside(block) ? block.use : block.items.find(ast.isGuestUse);
    guests.push({ block, name: use?.guest?.$refText ?? '', protection: protectionOf(block, chip, taken, context) });
  }
  const protections = guests.flatMap(({ protection }) => protection ?? []);
  const [first, ...others] = protections;
  const placement = first && partition(chip, new Health(), first.cores, first.isolation, others.flatMap(tenantsOf));
  const domains = typeof placement === 'object' ? placement.domains : [];
  const occupants = guests.flatMap(({ name, protection }) =>
    (protection?.cores ?? []).map((core, i): Occupant => {
      const domain = domains.find((each) => each.core === core);
      const letter = replicasOf(protection!.kind)[i] ?? 'A';
      return { name: `replica ${letter}${guests.length > 1 ? ` of ${name}` : ''}`, core, ...(domain && { domain }) };
    }),
  );
  const protection = guests.find(({ block }) => block === run)?.protection;
  return { chip, protection, widest: protection && widest(protection, switchesOf(run, chip, protection, context)), occupants };
}

/** Those whose part of the chip a component is in. */
export function occupantsOf({ chip, occupants }: Scene, component: ComponentName): Occupant[] {
  return occupants.filter(({ domain }) => domain && reaches(domain, component, chip.cores));
}

/** The chip of a run, or the one that a place in a chip's own block is about. */
export function chipOf(owner: ast.Scenario | ast.Campaign | ast.Chip): ChipPlan | undefined {
  if (ast.isChip(owner)) return lowerChip(owner, new Context(documentOf(owner)));
  const items: readonly AstNode[] = owner.items;
  const use = items.find(ast.isChipUse);
  if (!use) return { ...defaultChip };
  const chip = use.chip?.ref;
  return chip && lowerChip(chip, new Context(documentOf(chip)));
}

function switchesOf(owner: Run, chip: ChipPlan, protection: ProtectionPlan, context: Context): SwitchPlan[] {
  const items: readonly AstNode[] = owner.items;
  const scope = { chip, protection, file: undefined, guest: undefined, symbols: undefined, ramBytes: defaults.ramBytes, maxInstructions: Infinity };
  return items.filter(ast.isSwitch).flatMap((node) => (context.intact(node) && lowerSwitch(node, scope, context)) || []);
}

function protectionOf(owner: Run, chip: ChipPlan, taken: Taken, context: Context): ProtectionPlan | undefined {
  const items: readonly AstNode[] = owner.items;
  const node = items.find(ast.isProtection);
  if (!node) return defaultProtection(chip, 'none', periods.bare, taken);
  return context.intactSpan(headOf(node)) ? lowerProtection(node, chip, items.some(ast.isSwitch), periods.bare, context, taken) : undefined;
}
