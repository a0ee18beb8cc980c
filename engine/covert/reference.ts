import type { CacheAccount } from '../machine/cache-types';
import { defaultTier, type Tier } from '../machine/tier';
import { withoutNeighbours } from './beside';
import type { DiskOutside } from './disk-outside';
import type { Outside } from './outside';
import type { Plan } from './plan';
import type { ReleasedData } from './release-log';
import { Stride } from './stride';
import { System } from './system';

/** What the guest does on this chip when nothing strikes and nothing protects it. */
export interface Reference {
  /** The exit code, or null if it does not end by itself within the plan's limit. */
  exit: number | null;
  console: Uint8Array;
  disk: ReleasedData;
  network: ReleasedData;
  instructions: number;
  cycles: number;
  /** Under `detailed` timing. */
  memory?: CacheAccount;
}

/** References already run, by image, or by what a kernel is started with: a campaign runs one guest thousands of times. */
const known = new WeakMap<object, Map<string, Reference>>();
/** A number for each list of disks. */
const disksKnown = new WeakMap<object, number>();
let disksCounted = 0;

function numberOf(disks: object): number {
  let number = disksKnown.get(disks);
  if (number === undefined) disksKnown.set(disks, (number = disksCounted++));
  return number;
}

/** Runs the guest alone, without faults; `undefined` when aborted. `outside`: one that nobody has told anything; `disks`: who answers flushes, if not each with success. */
export async function runReference(
  plan: Plan,
  signal?: AbortSignal,
  onProgress?: (instructions: number) => void,
  tier: Tier = defaultTier,
  outside?: Outside,
  disks?: DiskOutside,
): Promise<Reference | undefined> {
  const { guest, chip, maxInstructions } = plan;
  const takesInputs = guest.typing || guest.network || guest.disks?.some(({ writable }) => writable);
  const inputs = takesInputs && [guest.typing, guest.network && [...guest.network.mac], plan.protection.epochInstructions];
  // A run before this one may have written to an image.
  const disksNow = guest.disks && [numberOf(guest.disks), guest.disks.map(({ image }) => image.stampNow?.())];
  // How far it is to the banks depends on the core.
  const core = chip.timing === 'detailed' && plan.protection.cores[0];
  const key = JSON.stringify([(guest.linux || guest.entropy) && plan.seed, guest.ramBytes, guest.harts, chip, core, maxInstructions, disksNow, inputs]);
  const subject = guest.start ?? guest.linux ?? guest.image;
  let references = known.get(subject);
  if (!references) known.set(subject, (references = new Map<string, Reference>()));
  // What an outside does is in no key.
  const before = outside || disks ? undefined : references.get(key);
  if (before) return before;

  const { switches: _, ...unswitched } = withoutNeighbours(plan);
  const alone: Plan = { ...unswitched, faults: [], protection: { ...plan.protection, kind: 'none', uncoordinated: [] } };
  const system = new System(alone, { tier, ...(outside && { outside }), ...(disks && { disks }) });
  const stride = new Stride();
  while (!system.ended) {
    if (signal?.aborted) return undefined;
    system.advance(system.moment + stride.length);
    stride.look(system.replicas[0]?.computer.reboots ?? 0);
    system.takeEvents();
    onProgress?.(system.count);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const end = system.ended;
  const account = system.replicas[0]?.computer.caches?.account();
  const reference: Reference = {
    exit: end.kind === 'end' ? end.exitCode : null,
    console: system.released,
    disk: system.releasedData('disk'),
    network: system.releasedData('net'),
    instructions: system.count,
    cycles: system.cycles,
    ...(account && { memory: account }),
  };
  if (!outside && !disks) references.set(key, reference);
  return reference;
}
