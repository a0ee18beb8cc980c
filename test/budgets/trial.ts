/** One random guest, run by random budgets in some ways and one instruction at a time in another, and compared at every stop. */
import { isDeepStrictEqual } from 'node:util';
import { Random } from '../../engine/isa/random.test-support';
import { hartFields, sharedFields, stateAt, at as layout } from '../../engine/core/layout';
import { Machine } from '../../engine/machine/machine';
import type { MachineSnapshot } from '../../engine/machine/snapshot';
import type { Tier } from '../../engine/machine/tier';
import type { RunOptions, StopReason, StuckBits, TranslationUpset } from '../../engine/machine/types';
import { imageOfBytes } from '../../engine/machine/virtio/disk-image';
import { Driver, encodeDescriptor, request } from '../../engine/machine/virtio/driver.test-support';
import { budgetGuest, codePages, places, ramBase, ramBytes, windows, type BudgetGuest } from './guest';
import { roles } from './units';

/** What is done to all machines of a trial alike. Numbers choose among what there is: addresses, registers. */
export type Action =
  | { kind: 'run'; budget: number; stepOver: boolean; stopOnOutput: boolean; cycles?: number; hash: boolean }
  /** So many instructions at once, then back: no trace of them may stay. */
  | { kind: 'astray'; budget: number }
  | { kind: 'collect'; budget: number }
  | { kind: 'breakpoints'; choices: number[] }
  | { kind: 'watches'; choices: number[] }
  | { kind: 'stuck'; choices: number[] }
  /** Translations that will be wrong once they are looked for. */
  | { kind: 'mistranslate'; choices: number[] }
  /** Values of registers that a run stops at. */
  | { kind: 'await'; choices: number[] }
  | { kind: 'save' }
  | { kind: 'restore' }
  | { kind: 'write'; choice: number; value: number }
  | { kind: 'register'; index: number; value: bigint }
  | { kind: 'status'; value: bigint }
  | { kind: 'jump'; choice: number }
  | { kind: 'typing'; byte: number };

export interface Trial {
  seed: number;
  /** Units of the guest that are left out. */
  omitted: ReadonlySet<number>;
  actions: readonly Action[];
}

/** How a machine of a trial is run: the first of a trial's by single steps, the others by budgets. */
export type Way = Tier;

export interface Outcome {
  /** Runs by a budget after which the hashes of whole states were compared. */
  cases: number;
  retired: number;
  exceptions: number;
  interrupts: number;
  /** Instructions that translated code has retired. */
  translated: number;
  stops: Partial<Record<StopReason, number>>;
  /** How often a budget ended in user, supervisor and machine mode. */
  privileges: [user: number, supervisor: number, machine: number];
  /** What differed first. */
  difference: string | undefined;
}

/** What a guest of a seed is run by. `long`: by far longer budgets, so that code becomes hot. */
export function trialOf(seed: number, long: boolean): Trial {
  const random = new Random(seed ^ 0x5bd1e995);
  const chance = (oneIn: number): boolean => random.below(oneIn) === 0;
  const several = (most: number): number[] => Array.from({ length: random.below(most + 1) }, () => random.word());
  const run = (): Action => ({
    kind: 'run',
    budget: 1 + random.below(long ? [400, 20_000, 150_000][random.below(3)]! : [3, 40, 400, 400, 2000][random.below(5)]!),
    stepOver: chance(2),
    stopOnOutput: chance(2),
    ...(chance(8) ? { cycles: random.below(long ? 100_000 : 600) } : {}),
    hash: chance(2),
  });
  const actions: Action[] = [];
  for (let i = long ? 30 : 15 + random.below(30); i > 0; i--) {
    switch (random.below(43)) {
      case 0: actions.push({ kind: 'astray', budget: 1 + random.below(300) }); break;
      case 1: actions.push({ kind: 'collect', budget: 1 + random.below(60) }); break;
      case 2: case 3: case 15: actions.push({ kind: 'breakpoints', choices: chance(3) ? [] : several(6) }); break;
      case 4: case 5: actions.push({ kind: 'watches', choices: chance(3) ? [] : several(3) }); break;
      case 6: case 7: actions.push({ kind: 'save' }); break;
      case 8: case 9: actions.push({ kind: 'restore' }); break;
      case 10: actions.push({ kind: 'write', choice: random.word(), value: random.word() }); break;
      case 11: actions.push({ kind: 'register', index: 5 + random.below(14), value: BigInt(random.word()) }); break;
      case 12: actions.push({ kind: 'status', value: BigInt(random.word()) & 0x7ffaan }); break;
      case 13: actions.push({ kind: 'jump', choice: random.word() }); break;
      case 16: case 17: actions.push({ kind: 'stuck', choices: chance(2) ? [] : several(4) }); break;
      case 41: actions.push({ kind: 'await', choices: chance(3) ? [] : several(2) }); break;
      case 40: actions.push({ kind: 'mistranslate', choices: several(3) }); break;
      case 14: actions.push({ kind: 'typing', byte: random.below(256) }); break;
      default: break;
    }
    actions.push(run());
  }
  actions.push({ ...run(), hash: true } as Action);
  return { seed, omitted: new Set(), actions };
}

/** The disk's content: code of guests, so that what it writes over code can run. */
const diskSectors = 64;
const queueSize = 32;

/** Machines that trials are tried on, one for each way and number of harts. Those that have run guests before know much that must not show. */
export class Bench {
  readonly #machines = new Map<string, Machine>();
  readonly #starts = new Map<number, MachineSnapshot>();

  machine(way: Way, harts: number, role: string): Machine {
    const name = `${role} ${way} ${harts}`;
    let machine = this.#machines.get(name);
    if (!machine) {
      machine = Machine.create({ tier: way, ramBytes, harts, disks: [{ image }] });
      this.#machines.set(name, machine);
    }
    return machine;
  }

  /** A state in which a disk's driver has started its device, and the queue is full of requests to come. */
  start(harts: number): MachineSnapshot {
    let start = this.#starts.get(harts);
    if (!start) {
      const machine = Machine.create({ ramBytes, harts, disks: [{ image }] });
      new Driver(machine, 0, queueSize).start(1);
      start = machine.snapshot();
      this.#starts.set(harts, start);
    }
    return start;
  }
}

const image = imageOfBytes(diskContent());

function diskContent(): Uint8Array {
  const content = new Uint8Array(diskSectors * 512);
  for (let i = 0; i * 8192 < content.length; i++) {
    const code = budgetGuest(1_000_003 + i).memory.find(({ at }) => at === places.code)?.bytes ?? new Uint8Array();
    content.set(code.subarray(0, 8192), i * 8192);
  }
  return content;
}

/** Everything that the device needs, as the guest finds it in RAM: requests that read the disk, most of them into code. */
export function requests(random: Random): { at: number; bytes: Uint8Array }[] {
  const descriptors = new Uint8Array(queueSize * 16);
  const ring = new Uint8Array(4 + queueSize * 2);
  const headers = new Uint8Array(10 * 32);
  const headersAt = 0x8000;
  for (let chain = 0; chain < 10; chain++) {
    const codeBytes = codePages * 4096;
    const target = random.below(3) === 0 ? places.data + random.below(4096 * 3) : places.code + 512 * random.below(codeBytes / 512 - 1);
    const bytes = random.below(3) === 0 ? 512 : 64;
    headers.set(request(0, random.below(diskSectors)), chain * 32);
    const entry = (index: number, address: number, length: number, flags: number, next: number): void => {
      descriptors.set(encodeDescriptor({ address: ramBase + address, bytes: length, flags, next }), index * 16);
    };
    entry(chain * 3, headersAt + chain * 32, 16, 1, chain * 3 + 1);
    // A request of less than a sector fails, and writes nothing but its status.
    entry(chain * 3 + 1, target, Math.max(512, bytes), 3, chain * 3 + 2);
    entry(chain * 3 + 2, headersAt + chain * 32 + 16, 1, 2, 0);
  }
  const view = new DataView(ring.buffer);
  for (let i = 0; i < queueSize; i++) view.setUint16(4 + i * 2, 3 * random.below(10), true);
  return [
    { at: places.queue, bytes: descriptors },
    { at: places.queue + 0x1000, bytes: ring },
    { at: places.queue + 0x1800, bytes: new Uint8Array(4 + queueSize * 8) },
    { at: headersAt, bytes: headers },
  ];
}

export function prepare(machine: Machine, start: MachineSnapshot, guest: BudgetGuest, queue: { at: number; bytes: Uint8Array }[]): void {
  machine.setBreakpoints([]);
  machine.setWatches([]);
  machine.setStuckBits([]);
  machine.setTranslationUpsets([]);
  machine.setAwaited([]);
  machine.restore(start);
  machine.takeStruckTranslations();
  machine.takeOutputs();
  Object.assign(machine, { cycles: 0, interrupts: 0, clockReads: 0 });
  machine.resetEffects();
  const { source, perTick, corePhase, corePpm } = guest.time;
  machine.setTimeSource({ time: source, cycle: source, perTick, corePhase, corePpm });
  for (const { at, bytes } of [...guest.memory, ...queue]) machine.writeMemory(BigInt(ramBase + at), bytes);
  for (let hart = 0; hart < guest.harts; hart++) {
    guest.registers[hart]?.forEach((value, i) => machine.setX(i + 1, value, hart));
    guest.floats.forEach((value, i) => machine.setF(i, value, hart));
    for (const [number, value] of guest.csrs) machine.setCsr(number, value, hart);
  }
  machine.load({ entry: guest.entry, segments: [] });
}

/** Tries it. The first machine goes by single steps, unless `long`, when small budgets take their place. */
export function attempt(bench: Bench, { seed, omitted, actions }: Trial, ways: readonly Way[], long: boolean): Outcome {
  const guest = budgetGuest(seed, omitted);
  const queue = requests(new Random(seed));
  const start = bench.start(guest.harts);
  const single = bench.machine('interpreter', guest.harts, 'single');
  const others = ways.map((way) => ({ way, machine: bench.machine(way, guest.harts, 'cut') }));
  const all = [single, ...others.map(({ machine }) => machine)];
  for (const machine of all) prepare(machine, start, guest, queue);
  const before = others.map(({ machine }) => machine.translated.retired);
  const outcome: Outcome = { cases: 0, retired: 0, exceptions: 0, interrupts: 0, translated: 0, stops: {}, privileges: [0, 0, 0], difference: undefined };
  const saved: MachineSnapshot[][] = [];
  const steps = new Random(seed);
  let ended = false;
  /** Upsets of translations that have not struck. */
  let waiting: TranslationUpset[] = [];

  const compare = (what: string, hash: boolean): boolean => {
    const outputs = outputsOf(single);
    const difference = others.map(({ way, machine }) => {
      const found = differenceOf(single, machine, outputs, hash);
      return found === undefined ? undefined : `${way}, ${what}, at ${single.retired} instructions:\n${found}`;
    });
    outcome.difference ??= difference.find((each) => each !== undefined);
    return outcome.difference === undefined;
  };

  for (const [index, action] of actions.entries()) {
    const what = `action ${index} (${JSON.stringify(action, (_, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))})`;
    if (action.kind === 'run' || action.kind === 'collect') {
      if (ended) continue;
      const collectEffects = action.kind === 'collect';
      const options: RunOptions = action.kind === 'run'
        ? { stepOver: action.stepOver, stopOnOutput: action.stopOnOutput, ...(action.cycles === undefined ? {} : { cycleLimit: single.cycles + action.cycles }) }
        : { collectEffects };
      const limit = single.retired + action.budget;
      const began = single.retired;
      const stop = runSingly(single, limit, options, () => (long && action.kind === 'run' ? 1 + steps.below(1000) : 1));
      for (const { way, machine } of others) {
        const other = machine.run(limit, options);
        if (other !== stop || machine.retired !== single.retired) {
          outcome.difference = `${way}, ${what}, from ${began}: it stops by ${other} at ${machine.retired} (pc 0x${machine.pc.toString(16)}), single steps by ${stop} at ${single.retired} (pc 0x${single.pc.toString(16)})`;
          return outcome;
        }
      }
      outcome.stops[stop] = (outcome.stops[stop] ?? 0) + 1;
      const [struck, ...alike] = all.map((machine) => machine.takeStruckTranslations());
      waiting = waiting.filter(({ address }) => !struck?.some(({ page }) => page === address));
      if (alike.some((each) => !isDeepStrictEqual(each, struck))) {
        outcome.difference = `${what}, at ${single.retired}: translations are struck elsewhere`;
        return outcome;
      }
      outcome.retired += single.retired - began;
      const privilege = single.liveState()[privilegeWord];
      outcome.privileges[privilege === 0 ? 0 : privilege === 1 ? 1 : 2]++;
      const hash = action.kind === 'run' && action.hash;
      if (hash) outcome.cases += others.length;
      if (!compare(what, hash)) return outcome;
      ended = stop === 'exit' || stop === 'idle' || stop === 'stalled' || stop === 'reboot';
      continue;
    }
    if (action.kind === 'save') saved.push(all.map((machine) => machine.snapshot()));
    else if (action.kind === 'restore') {
      const states = saved.at(steps.below(Math.max(1, saved.length)));
      states?.forEach((state, i) => all[i]?.restore(state));
      if (states) ended = false;
    } else if (action.kind === 'astray') {
      // The others only: the one to compare with has nothing to go back from.
      for (const { machine } of others) goAstray(machine, action.budget, waiting);
      if (!compare(what, true)) return outcome;
    } else {
      if (action.kind === 'mistranslate') waiting = action.choices.map((choice) => mistranslation(choice, guest));
      for (const machine of all) act(machine, action, guest);
    }
  }

  outcome.exceptions = single.traps().exceptions;
  outcome.interrupts = single.interrupts;
  outcome.translated = others.reduce((sum, { machine }, i) => sum + machine.translated.retired - (before[i] ?? 0), 0);
  return outcome;
}

function runSingly(machine: Machine, limit: number, options: RunOptions, size: () => number): StopReason {
  const { cycleLimit = Infinity } = options;
  for (let stepOver = options.stepOver ?? false; ; stepOver = false) {
    const stop = machine.run(Math.min(limit, machine.retired + size()), { ...options, stepOver });
    if (stop !== 'limit' || machine.retired >= limit || machine.cycles >= cycleLimit) return stop;
  }
}

function goAstray(machine: Machine, budget: number, waiting: readonly TranslationUpset[]): void {
  const { cycles, interrupts, clockReads, wrongTranslations } = machine;
  const effects = machine.effects();
  const back = machine.snapshot();
  machine.run(machine.retired + budget);
  machine.takeOutputs();
  machine.restore(back);
  Object.assign(machine, { cycles, interrupts, clockReads, wrongTranslations });
  machine.takeStruckTranslations();
  machine.setTranslationUpsets(waiting);
  if (machine.effects() !== effects) throw new Error('effects are collected where nobody has asked for them');
}

function act(machine: Machine, action: Exclude<Action, { kind: 'run' | 'collect' | 'save' | 'restore' | 'astray' }>, guest: BudgetGuest): void {
  const startAt = (choice: number): number => guest.starts[choice % guest.starts.length] ?? places.code;
  const aliased = (choice: number): bigint => BigInt(startAt(choice >>> 2)) + [guest.alias + BigInt(ramBase), guest.alias + BigInt(ramBase), BigInt(ramBase), windows.pages][choice & 3]!;
  switch (action.kind) {
    case 'breakpoints':
      machine.setBreakpoints(action.choices.map(aliased));
      return;
    case 'watches':
      machine.setWatches(action.choices.map((choice) => ({
        address: BigInt(ramBase + places.data + ((choice >>> 8) % 0x4000)),
        bytes: [1, 8, 64, 512, 2048, 4096][choice % 6]!,
        on: (['read', 'write', 'access'] as const)[(choice >>> 4) % 3]!,
      })));
      return;
    case 'stuck':
      machine.setStuckBits(action.choices.map((choice) => stuckBits(choice, guest)));
      return;
    case 'await':
      machine.setAwaited(action.choices.map((choice) => ({ register: choice & 15 ? { kind: 'x', index: 1 + ((choice >>> 4) % 31) } : { kind: 'csr', number: 0x341 }, value: BigInt((choice >>> 9) & 3) })));
      return;
    case 'mistranslate':
      machine.setTranslationUpsets(action.choices.map((choice) => mistranslation(choice, guest)));
      return;
    case 'write':
      // An instruction that is another one's, or any word.
      machine.writeMemory(BigInt(ramBase + startAt(action.choice)), new Uint8Array(Uint32Array.of(action.value & 1 ? action.value : 0x0015_0513).buffer));
      return;
    case 'register':
      machine.setX(action.index, action.value);
      return;
    case 'status':
      machine.setCsr(0x300, action.value);
      return;
    case 'jump':
      machine.pc = aliased(action.choice);
      return;
    case 'typing':
      machine.receive(Uint8Array.of(action.byte));
  }
}

/** A page of code or data at an address at which the guest has it. */
function translated(choice: number, { alias, starts }: BudgetGuest): bigint {
  const at = choice & 1 ? (starts[(choice >>> 2) % starts.length] ?? places.code) : places.data + ((choice >>> 2) & 0x3fff);
  return (BigInt(at) + (choice & 2 ? windows.pages : alias + BigInt(ramBase))) & ~0xfffn;
}

/** Flags, or low bits of the page number. */
function mistranslation(choice: number, guest: BudgetGuest): TranslationUpset {
  const bit = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 40][(choice >>> 24) & 15] ?? 10;
  return { address: translated(choice, guest), keep: 0xffff_ffff_ffff_ffffn, flip: 1n << BigInt(bit) };
}

const units = ['load', 'store', 'store address', 'branch', 'fetch'] as const;
const stuckCsrs = [0x001, 0x003, 0x100, 0x104, 0x105, 0x140, 0x141, 0x180, 0x300, 0x302, 0x303, 0x304, 0x305, 0x340, 0x341, 0x342, 0x344, 0x3a0, 0x3b0, 0xb02, 0xc01];

/** Of what a unit comes to, of pc, of a CSR, or of translations. */
function stuckElsewhere(choice: number, guest: BudgetGuest): StuckBits {
  const bit = 1n << BigInt((choice >>> 3) & 63);
  const value = ((choice >>> 9) & 1) as 0 | 1;
  const index = (choice >>> 10) & 31;
  switch (choice & 7) {
    case 0: case 1: return { place: { kind: 'unit', unit: units[index % units.length] ?? 'load' }, bits: index % units.length === 3 ? 1n : bit, value };
    case 2: return { place: { kind: 'pc' }, bits: 1n << BigInt(1 + (index % 13)), value };
    case 3: case 4: case 5: return { place: { kind: 'csr', number: stuckCsrs[index % stuckCsrs.length] ?? 0x300 }, bits: bit, value };
    default: return { place: { kind: 'tlb', address: translated(choice >>> 10, guest) }, bits: mistranslation(choice, guest).flip, value };
  }
}

/** Of a register, of all results, or of memory: data, code, page tables, or the disk's queue; or elsewhere. */
export function stuckBits(choice: number, guest: BudgetGuest): StuckBits {
  const { starts, registers } = guest;
  if (choice >>> 29 === 7) return stuckElsewhere(choice, guest);
  const bit = 1n << BigInt((choice >>> 3) & 63);
  const memory = (at: number, bits = bit): StuckBits => ({ place: { kind: 'memory', address: BigInt(ramBase + at), bytes: 8 }, bits, value });
  const value = ((choice >>> 9) & 1) as 0 | 1;
  const index = (choice >>> 10) & 31;
  const offset = (choice >>> 10) & 0x3fff;
  switch (choice & 7) {
    case 0: case 1: case 2: return { place: { kind: 'x', index }, bits: bit, value };
    case 3: return { place: { kind: 'f', index }, bits: bit, value };
    case 4: return { place: { kind: 'alu' }, bits: bit, value };
    case 5: {
      // A bit of each byte around what the guest has an address of, or anywhere.
      const base = registers[0]?.[(roles.bases[offset % 3] ?? 2) - 1] ?? 0n;
      return memory(offset & 0x1000 ? places.data + offset : Number(base - (base >= windows.pages ? windows.pages : BigInt(ramBase))) + 8 * (((offset >>> 2) & 31) - 16), 0x0101_0101_0101_0101n << BigInt((choice >>> 3) & 7));
    }
    case 6: return memory(starts[offset % starts.length] ?? places.code, BigInt.asUintN(32, bit | (bit >> 32n)));
    // A page-table entry's flags, or what the disk is asked for.
    default: return offset & 1 ? memory(places.tables + 0x3000 + 8 * ([16, 17, 18, 19, 32, 33, 34, 35][(offset >>> 1) & 7] ?? 16), 1n << BigInt((choice >>> 3) & 7)) : memory(places.queue + (offset >>> 1));
  }
}

const privilegeWord = (hartFields.find(({ name }) => name === 'privilege')?.offset ?? 0) / 4;

const fields = [...hartFields, ...sharedFields];

const outputsOf = (machine: Machine): string => JSON.stringify(machine.takeOutputs());

function differenceOf(one: Machine, other: Machine, outputs: string, hash: boolean): string | undefined {
  const lines: string[] = [];
  const [ours, theirs] = [one.liveState(), other.liveState()];
  if (Buffer.compare(bytesOf(ours), bytesOf(theirs)) !== 0) {
    for (let i = 0; i < ours.length && lines.length < 12; i++) {
      if (ours[i] !== theirs[i]) lines.push(`  ${nameOf(i * 4)}: ${hex(ours[i])} by single steps, ${hex(theirs[i])}`);
    }
  }
  for (const count of ['cycles', 'interrupts', 'clockReads'] as const) {
    if (one[count] !== other[count]) lines.push(`  ${count}: ${one[count]} by single steps, ${other[count]}`);
  }
  if (one.effects() !== other.effects()) lines.push('  effects');
  const others = outputsOf(other);
  if (outputs !== others) lines.push(`  outputs: ${outputs} by single steps, ${others}`);
  if (hash && lines.length === 0) {
    const state = one.snapshot();
    const twin = other.snapshot();
    if (state.hash() !== twin.hash()) {
      lines.push(...state.difference(twin, 8).map(({ place, a, b }) => `  ${place}: 0x${a.toString(16)} by single steps, 0x${b.toString(16)}`), '  the hashes differ');
    }
  }
  return lines.length === 0 ? undefined : lines.join('\n');
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
const hex = (word: number | undefined): string => `0x${(word ?? 0).toString(16)}`;

function nameOf(offset: number): string {
  if (offset < 0x100) return `x${offset >> 3}`;
  if (offset < layout.pc - stateAt) return `f${(offset - 0x100) >> 3}`;
  return fields.find((field) => offset >= field.offset && offset < field.offset + field.bytes)?.name ?? `state+0x${offset.toString(16)}`;
}
