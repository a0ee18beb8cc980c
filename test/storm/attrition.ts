/** Attrition: the components of a chip die one after another, in a random order, until nothing can run. */
import { bankName, controllerName, coreName, Health, linkName, type ComponentName } from '../../engine/chip/health';
import { place } from '../../engine/chip/domains';
import type { ChipPlan } from '../../engine/chip/plan';
import { draw } from '../../engine/covert/draw';
import type { SystemEvent } from '../../engine/covert/events';
import type { FaultPlan, Isolation, Plan, ProtectionKind } from '../../engine/covert/plan';
import { System } from '../../engine/covert/system';
import { replicaCount } from '../../engine/covert/switching';
import { checksumGuest } from './guests';

/** All cores that do not run the guest are spares. */
function chipFor(kind: ProtectionKind): ChipPlan {
  const spares = Array.from({ length: 8 }, (_, core) => core).slice(replicaCount[kind]);
  return { name: 'octo', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares };
}

/** How the guest was served after each death. */
export interface Decline {
  order: readonly ComponentName[];
  /** Of each death, what protected the guest from the next rendezvous on; `stopped` where nobody could go on. */
  service: readonly (ProtectionKind | 'stopped')[];
  /** What the chip could have given at best after each death, whatever had been in use. */
  possible: readonly (ProtectionKind | 'stopped')[];
  /** What was released is what the fault-free guest sends, as far as it got. */
  exact: boolean;
  end: Extract<SystemEvent, { kind: 'end' }>;
}

export async function decline(kind: 'dmr' | 'tmr', isolation: Isolation, seed: number): Promise<Decline> {
  const guest = await checksumGuest();
  const chip = chipFor(kind);
  const order = shuffled(componentsOf(chip), seed);
  // All of them within the guest's time, each at its own place in an epoch.
  const spacing = Math.floor((guest.to - guest.from) / (order.length + 1));
  const at = (i: number): number => (i + 1) * spacing + draw(seed, `time ${i}`, guest.epochInstructions);
  const faults = order.map((component, i): FaultPlan => ({
    name: `death ${i}`,
    text: `${component} dies`,
    effect: { kind: 'die', how: draw(seed, `how ${i}`, 2) === 0 ? 'stops' : 'hangs' },
    target: { kind: 'component', component },
    trigger: { kind: 'instruction', count: at(i) },
    optional: true,
  }));
  const plan: Plan = {
    name: `attrition ${seed}`,
    chip,
    guest: guest.plan,
    protection: { kind, cores: [0, 1, 2].slice(0, replicaCount[kind]), isolation, epochInstructions: guest.epochInstructions, checkpointEpochs: 2, compareOutput: true, compareStateEpochs: 2, watchdogEpochs: 4, retry: 2, uncoordinated: [] },
    faults,
    expectations: [],
    seed,
    maxInstructions: 2 * guest.to,
  };
  const system = new System(plan);
  const service: (ProtectionKind | 'stopped')[] = [];
  const possible: (ProtectionKind | 'stopped')[] = [];
  for (let i = 0; i < order.length; i++) {
    // To just before the next death, when the last one has been dealt with.
    const until = at(i + 1) - 1;
    while (!system.ended && system.count < until) system.advance(system.moment + until - system.count);
    service.push(system.ended ? 'stopped' : system.protectionNow);
    possible.push(bestOf(chip, order.slice(0, i + 1), kind, isolation));
  }
  while (!system.ended) system.advance(system.moment + 1_000_000);
  const released = Buffer.from(system.released);
  const exact = Buffer.from(guest.reference.console).subarray(0, released.length).equals(released);
  return { order, service, possible, exact, end: system.ended as Decline['end'] };
}

/** From the deaths alone, whatever the VMM has made of them. */
function bestOf(chip: ChipPlan, dead: readonly ComponentName[], kind: ProtectionKind, isolation: Isolation): ProtectionKind | 'stopped' {
  const health = new Health();
  for (const component of dead) health.kill(component, 'stops');
  const all = Array.from({ length: chip.cores }, (_, core) => core);
  for (const each of ['tmr', 'dmr', 'none'] as const) {
    if (replicaCount[each] <= replicaCount[kind] && place(chip, health, [], all, replicaCount[each], isolation)) return each;
  }
  return 'stopped';
}

function componentsOf(chip: ChipPlan): ComponentName[] {
  const all = (count: number, name: (index: number) => ComponentName): ComponentName[] => Array.from({ length: count }, (_, i) => name(i));
  return [...all(chip.cores, coreName), ...all(chip.l2Banks, bankName), ...all(chip.memoryControllers, controllerName), ...all(chip.cores, (link) => linkName(link, chip.cores))];
}

function shuffled<T>(all: readonly T[], seed: number): T[] {
  const order = [...all];
  for (let i = order.length - 1; i > 0; i--) {
    const j = draw(seed, `order ${i}`, i + 1);
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}

/** True if the guest was served as well as the chip could after each death; a guest whose last checkpoint is gone with its memory cannot be. */
export function isServedBest({ service, possible, end }: Decline): boolean {
  const last = service.indexOf('stopped');
  const alive = last < 0 ? service.length : last;
  if (service.slice(0, alive).some((each, i) => each !== possible[i])) return false;
  return last < 0 || possible[last] === 'stopped' || end.why.startsWith('every copy of the last checkpoint is gone');
}
