import { createHash } from 'node:crypto';
import { costChanges } from '../chip/cost-table';
import { Session } from '../history/session';
import { defaultTier, type Tier } from '../machine/tier';
import { plansOfAll } from './beside';
import type { CrewOptions } from './crew';
import { judge } from './expectations';
import type { SystemEvent } from './events';
import { symbolsOf } from './guest';
import { answeringAs, type DiskOutside, type FlushAnswer } from './disk-outside';
import { answersIn, InputLog } from './input-log';
import type { Outside } from './outside';
import type { Plan } from './plan';
import { runReference, type Reference } from './reference';
import type { Mark } from './recording';
import type { ReleasedData } from './release-log';
import type { CostReport, Difference, DivergenceReport, FaultReport, Location, NeighbourReport, RefusedReport, Report } from './report';

export interface RunOptions extends CrewOptions {
  /** Called a few times a second with the instructions run so far. */
  onProgress?: (instructions: number) => void;
  /** Aborting it makes `run` reject with {@link RunAborted}. */
  signal?: AbortSignal;
  /** Leave out the search for where the replicas first differed. Default false. */
  withoutDivergences?: boolean;
  /** What executes the guest; the report does not depend on it. Default {@link defaultTier}. */
  tier?: Tier;
  /** What the guest's network card is plugged into, for this run alone. Where it cannot be had afresh, the report has nothing that takes a run without faults. */
  outside?: Outside;
  /** Where writes to the guest's writable disks go, for this run alone; without it they are lost. */
  disks?: DiskOutside;
  /** The run without faults, where the caller has it. */
  reference?: Reference;
  /** What the guest is handed is written to this log, or comes from it if it is one of a run that is over. */
  inputs?: InputLog;
  /** The same of each of the plan's neighbours. */
  beside?: readonly Pick<RunOptions, 'outside' | 'reference' | 'inputs'>[];
  /** Called with the hash of the guest's state every now and then, at the same moments in every run of the plan. */
  onMark?: (mark: Mark) => void;
}

export class RunAborted extends Error {
  constructor() {
    super('the run was interrupted');
  }
}

type EventOf<Kind extends SystemEvent['kind']> = Extract<SystemEvent, { kind: Kind }>;

/** Runs a scenario to its end and judges its expectations. */
export async function run(plan: Plan, options: RunOptions = {}): Promise<Report> {
  const { signal, onProgress, withoutDivergences, tier = defaultTier, outside, disks, reference: _, inputs = new InputLog(), beside = [], onMark, ...crew } = options;
  const { seat = 0, neighbours = [] } = plan;
  const references: (Reference | undefined)[] = [];
  for (const [i, each] of plansOfAll(plan).entries()) {
    const own = i === seat ? options : (beside[i < seat ? i : i - 1] ?? {});
    const isRepeatable = isRepeatableWith(each, own);
    const reference = own.reference ?? (isRepeatable ? await runReference(each, signal, onProgress, tier, own.outside?.fresh?.()) : undefined);
    if (isRepeatable && !reference) throw new RunAborted();
    references.push(reference);
  }
  let [reference] = references.splice(seat, 1);
  const session = Session.create(plan, { keepsHistory: !withoutDivergences, tier, beside, inputs, ...(outside && { outside }), ...(disks && { disks }), ...(onMark && { onMark }), ...crew });
  try {
    const rest = await session.forward({
      stopAt: new Set(),
      breakpoints: new Set(),
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress } : {}),
    });
    if (rest.why !== 'end' || rest.event.kind !== 'end' || !(await session.finish(signal, onProgress))) throw new RunAborted();
    const answers = answersIn(inputs.inputs);
    if (reference && answers.some(({ refused }) => refused !== undefined)) {
      // What the guest does then it would also do without faults.
      reference = await runReference(plan, signal, onProgress, tier, outside?.fresh?.(), answeringAs(() => answers));
      if (!reference) throw new RunAborted();
    }
    const report = makeReport(session, rest.event, reference, refusedOf(answers));
    if (neighbours.length === 0) return report;
    const others = session.bystanders.map((each, i): NeighbourReport => {
      if (each.ended?.kind !== 'end') throw new Error('a guest that has not ended');
      const { scenario: _, guest, ...about } = makeReport(each, each.ended, references[i], undefined);
      return { guest: { name: each.plan.guest.name, ...guest }, ...about };
    });
    const { scenario, passed, guest, ...about } = report;
    return { scenario, passed: passed && others.every((each) => each.passed), guest: { name: plan.guest.name, ...guest }, ...about, neighbours: others };
  } finally {
    session.close();
  }
}

/** What sockets have brought once is in the log, and in no run without faults. */
function isRepeatableWith({ guest }: Plan, { reference, outside, inputs }: Pick<RunOptions, 'reference' | 'outside' | 'inputs'>): boolean {
  return reference !== undefined || (outside ? outside.fresh !== undefined : !(guest.network && inputs));
}

/** What a report is made from: a session, or another guest on its chip. */
type Ran = Pick<Session, 'plan' | 'events' | 'released' | 'releasedData' | 'count' | 'stateHash' | 'protection' | 'cycles' | 'costs' | 'memory' | 'hitsOf'>;

function makeReport(session: Ran, end: EventOf<'end'>, reference: Reference | undefined, refused: RefusedReport | undefined): Report {
  const { plan } = session;
  const symbols = symbolsOf(plan.guest);
  const eventsOf = <Kind extends SystemEvent['kind']>(kind: Kind): EventOf<Kind>[] =>
    session.events.filter((event): event is EventOf<Kind> => event.kind === kind);

  const locate = (instruction: number, pc: bigint): Location => {
    const name = symbols.at(pc)?.name;
    const location = symbols.lineAt(pc)?.location;
    return {
      instruction,
      pc: `0x${pc.toString(16)}`,
      ...(name === undefined ? {} : { function: name }),
      ...(location ? { file: location.file, line: location.line } : {}),
    };
  };

  const strikes = eventsOf('fault');
  // What a replica has come to is known where it has been there from beginning to end, and nothing was run again.
  const isOneHistory = !session.events.some(({ kind }) => kind === 'recovery' || kind === 'clone' || kind === 'switch' || kind === 'degradation');
  const faults = plan.faults.map((fault, index): FaultReport => {
    const { name, text, optional, effect } = fault;
    const isShared = effect.kind === 'flip' && effect.place.kind === 'comparer';
    const marks = { name, text, ...(optional ? { optional } : {}) };
    const own = strikes.filter((event) => event.fault === index);
    const [strike] = own;
    if (!strike) {
      const hits = isOneHistory ? session.hitsOf(index) : undefined;
      return { ...marks, fired: false, ...(hits !== undefined && { hits }) };
    }
    const often = fault.rhythm?.kind === 'every' ? { times: own.length } : {};
    const { replica, core, change, instruction, pc } = strike;
    // Of what nobody ran on there is no place in the guest.
    if (replica === undefined) return { ...marks, fired: true, ...(core >= 0 && { core }), ...(isShared && { shared: true }), change, instruction };
    return { ...marks, fired: true, replica, core, change, ...often, ...locate(instruction, pc) };
  });

  const console = session.released;
  const disk = session.releasedData('disk');
  const comparison = compareWithReference({ console, disk, network: session.releasedData('net') }, end, reference);
  if (comparison.disk && refused) comparison.disk.refused = refused;
  const protectedCycles = session.cycles;
  const degradations = eventsOf('degradation').map(({ replica, moment, instruction, to, why }) => ({ replica, moment, instruction, to, why }));
  const retirements = eventsOf('retirement').map(({ component, moment, instruction, why }) => ({ component, moment, instruction, why }));
  const clones = eventsOf('clone').map(({ replica, core, moment, instruction, cycles }) => ({ replica, core, moment, instruction, cycles, seconds: cycles / plan.chip.hertz }));
  const diagnoses = eventsOf('diagnosis').map(({ replica, core, moment, instruction, what }) => ({ replica, core, moment, instruction, what }));
  const switches = eventsOf('switch').map(({ moment, instruction, to, cores }) => ({ moment, instruction, to, cores: [...cores] }));
  const missedSwitches = (plan.switches ?? []).slice(switches.length).map(({ kind: to, cores }) => ({ to, cores: [...cores] }));
  const escapes = strikes.flatMap(({ escape, instruction }) => (escape === undefined ? [] : [{ by: 'the comparer itself', instruction, what: escape }]));
  const { kind, uncoordinated } = plan.protection;
  const costs = costChanges(plan.chip.costs ?? {});
  const partial = {
    scenario: plan.name,
    guest: {
      exit: end.exitCode,
      output: new TextDecoder().decode(console),
      instructions: session.count,
      state: session.stateHash(),
      ended: end.how,
    },
    faults,
    divergences: eventsOf('divergence').map((event) => divergenceReport(event, locate)),
    detections: eventsOf('detection').map(({ by, moment, instruction, latency, what }) => ({ by, moment, instruction, latency, what })),
    recoveries: eventsOf('recovery').map(({ by, moment, to, replayed }) => ({ by, moment, to, replayed })),
    ...(escapes.length > 0 && { escapes }),
    ...(degradations.length > 0 && { degradations }),
    ...(retirements.length > 0 && { retirements }),
    ...(clones.length > 0 && { clones }),
    ...(diagnoses.length > 0 && { diagnoses }),
    ...(switches.length > 0 && { switches }),
    ...(missedSwitches.length > 0 && { missedSwitches }),
    released: {
      bytes: console.length,
      ofBytes: reference?.console.length ?? null,
      sha256: createHash('sha256').update(console).digest('hex'),
      ...comparison,
    },
    protection: { start: kind, ...(switches.length > 0 && { wanted: session.protection.wanted }), end: session.protection.now, ...(uncoordinated.length > 0 && { uncoordinated: [...uncoordinated] }) },
    cycles: {
      unprotected: reference?.cycles ?? null,
      protected: protectedCycles,
      // Of a run that was cut short there is no whole to compare with.
      overhead: !reference || reference.cycles === 0 || end.how !== 'exit' || reference.exit === null ? null : protectedCycles / reference.cycles - 1,
      events: costsOf(session, protectedCycles - (reference?.cycles ?? 0), reference !== undefined && end.how === 'exit'),
      ...(Object.keys(costs).length > 0 && { costs }),
    },
  };
  const memory = session.memory();
  const expectations = judge({
    report: partial,
    plan,
    cyclesPerInstruction: (reference?.cycles ?? protectedCycles) / Math.max(1, reference?.instructions ?? session.count),
    stopped: end.how === 'stopped',
  });
  const silent = faults.some((fault) => !fault.fired && !fault.optional);
  const passed = !silent && missedSwitches.length === 0 && expectations.every(({ held }) => held);
  const { scenario, ...others } = partial;
  return { scenario, passed, ...others, ...(memory.length > 0 && { memory: { replicas: memory, unprotected: reference?.memory ?? null } }), expectations };
}

/**
 * What the run cost beyond the unprotected one, dearest first. What no event was
 * charged for is the guest's own work, done a second time after each recovery.
 */
function costsOf(session: Ran, total: number, whole: boolean): CostReport[] {
  const costs = session.costs();
  const recoveries = session.events.filter(({ kind }) => kind === 'recovery').length;
  const again = total - costs.reduce((sum, { cycles }) => sum + cycles, 0);
  const all = whole && recoveries > 0 ? [...costs, { event: 'run again', count: recoveries, cycles: again }] : costs;
  return all.toSorted((a, b) => b.cycles - a.cycles);
}

function refusedOf(answers: readonly FlushAnswer[]): RefusedReport | undefined {
  const reasons = answers.flatMap(({ refused }) => refused ?? []);
  return reasons[0] === undefined ? undefined : { flushes: reasons.length, why: reasons[0] };
}

function divergenceReport(
  event: EventOf<'divergence'>,
  locate: (instruction: number, pc: bigint) => Location,
): DivergenceReport {
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const { replica, peer, instruction, pc, differing } = event;
  // Alone, the faulty guest is replica A, and its healthy peer is the run without faults.
  const [first, second] = peer === undefined ? ['reference', replica] : [replica, peer].sort();
  const differs = event.differs.map(({ place, a, b }): Difference => ({ place, ...(first && { [first]: hex(a) }), ...(second && { [second]: hex(b) }) }));
  return {
    replica,
    ...locate(instruction, pc),
    differs,
    ...(differing > differs.length ? { differing } : {}),
  };
}

/**
 * Corrupt is what the fault-free guest would not have said: another byte, or an
 * end by itself with other bytes or another exit code. A guest that was cut
 * off or stopped is judged on what it had said by then.
 */
function compareWithReference(
  { console, disk, network }: Pick<Reference, 'console' | 'disk' | 'network'>,
  end: EventOf<'end'>,
  reference: Reference | undefined,
): Omit<Report['released'], 'bytes' | 'ofBytes' | 'sha256'> {
  const verdict = reference ? compareConsole(console, end, reference) : { corrupt: null };
  // Of a guest that was cut off what it has sent so far has no whole to be compared with.
  const isWrong = (own: ReleasedData, right: ReleasedData | undefined): boolean | null => (right ? end.how === 'exit' && own.sha256 !== right.sha256 : null);
  const wrong = { disk: isWrong(disk, reference?.disk), network: isWrong(network, reference?.network) };
  return {
    ...verdict,
    corrupt: verdict.corrupt === null ? null : verdict.corrupt || wrong.disk === true || wrong.network === true,
    ...(disk.outputs + (reference?.disk.outputs ?? 0) > 0 && { disk: { writes: disk.outputs, bytes: disk.bytes, sha256: disk.sha256, corrupt: wrong.disk } }),
    ...(network.outputs + (reference?.network.outputs ?? 0) > 0 && { network: { frames: network.outputs, bytes: network.bytes, sha256: network.sha256, corrupt: wrong.network } }),
  };
}

function compareConsole(console: Uint8Array, end: EventOf<'end'>, reference: Reference): { corrupt: boolean; firstWrongByte?: number } {
  const wrong = console.findIndex((byte, index) => byte !== reference.console[index]);
  if (wrong >= 0) return { corrupt: true, firstWrongByte: wrong };
  const ended = end.how === 'exit';
  if (ended && console.length !== reference.console.length) return { corrupt: true, firstWrongByte: console.length };
  return { corrupt: ended && end.exitCode !== reference.exit };
}

