/** Random faults: of every site that there is, at a random time, each a function of the seed and its number. */
import { pageBytes } from '../../engine/core/layout';
import type { UnitName } from '../../engine/machine/types';
import { draw } from '../../engine/covert/draw';
import { placeName } from '../../engine/covert/place';
import type { FaultEffect, FaultPlan, FaultTarget, Isolation, LinePlace, MessageFault, Place, ProtectionKind, ReplicaName, Rhythm, StuckPlace, TlbPlace } from '../../engine/covert/plan';
import { replicaCount } from '../../engine/covert/switching';
import { homeOf, partition } from '../../engine/chip/domains';
import { bankName, Health, linkName } from '../../engine/chip/health';
import { chip, ramStart, type StormGuest } from './guests';

/** What a fault strikes, as the tally has it. */
export const sites = [
  'flip of an integer register',
  'flip of a floating-point register',
  'flip of pc',
  'flip of a CSR',
  'flip in memory',
  'result of the ALU',
  'loaded value',
  'stored value',
  'address of a store',
  'outcome of a branch',
  'fetched instruction',
  'stuck bit of a register',
  'stuck bit of the ALU',
  'stuck bit in memory',
  'stuck bit of a unit',
  'stuck bit of pc',
  'stuck bit of a CSR',
  'stuck bit that comes and goes',
  'flip that comes again',
  'wrong translation',
  'stuck bit of a translation',
  'transfer to memory',
  'stuck bit in an L2 bank',
  'core killed',
  'core hung',
  'L2 bank failed',
  'memory controller failed',
  'link failed',
  // These run under `detailed` timing, which takes some times as long.
  'flip in L1D',
  'flip in L1I',
  'flip in an L2 bank',
  'lost message',
  'doubled message',
  'wrong message',
] as const;
export type Site = (typeof sites)[number];

/** CSRs that a guest leans on: status, vectors, translation, timers. */
const csrs = [0x105, 0x140, 0x141, 0x180, 0x300, 0x302, 0x303, 0x304, 0x305, 0x340, 0x341];

/** Periods of what comes and goes, in instructions: longer than checkpoints are apart. */
const periods = [250_001, 400_003, 900_001];

export interface StormFault {
  site: Site;
  plan: FaultPlan;
}

/** The fault of a run. Without protection there is one replica, on core 0; with it the replicas are on cores 0, 1 and 2. */
export function faultOf(guest: StormGuest, kind: ProtectionKind, isolation: Isolation, seed: number, number: number): StormFault {
  const pick = (what: string, bound: number): number => draw(seed, `${guest.name} ${number} ${what}`, bound);
  const one = <T>(what: string, all: readonly T[]): T => all[pick(what, all.length)] as T;
  const site = sites[number % sites.length] ?? sites[0];
  const count = guest.from + pick('instruction', guest.to - guest.from);
  const index = pick('replica', replicaCount[kind]);
  const replica = (['A', 'B', 'C'] as const)[index] as ReplicaName;
  const translation: TlbPlace = { kind: 'tlb', address: one('translation', guest.addresses) };
  const register: Place & StuckPlace = { kind: 'x', index: 1 + pick('register', 31) };
  const memory = { kind: 'memory', address: BigInt(ramStart + one('page', guest.pages) * pageBytes + pick('byte', pageBytes)), bytes: 1 } as const;
  // Most pages of Linux are in no cache; code is not written to.
  const cached = { ...memory, address: BigInt(ramStart + one('busy page', guest.busy) * pageBytes + pick('byte', pageBytes)) };
  const cores = [0, 1, 2].slice(0, replicaCount[kind]);
  const placement = partition(chip, new Health(), cores, isolation);
  const domain = typeof placement === 'string' ? undefined : placement.domains[index];
  if (!domain) throw new Error(`no domains for ${kind}: ${typeof placement === 'string' ? placement : index}`);
  const inReplica: FaultTarget = { kind: 'replica', replica };
  const onCore: FaultTarget = { kind: 'core', core: index };
  const of = (component: string): FaultTarget => ({ kind: 'component', component });
  const line = (cache: LinePlace['cache']): LinePlace => ({ kind: 'line', cache, address: (cache === 'l1i' ? memory : cached).address });
  const message = (how: MessageFault['how']): [FaultEffect, FaultTarget] => {
    const [from, up] = [one('link', domain.links.length > 0 ? domain.links : [0]), pick('way', 2) === 0];
    const to = (from + 1) % chip.cores;
    return [{ kind: 'message', how, from: up ? from : to, to: up ? to : from }, of(linkName(from, chip.cores))];
  };
  const flip = (place: Place | LinePlace, bits: number): FaultEffect => ({ kind: 'flip', place, bits: [pick('bit', bits)] });
  const unit = (name: UnitName, bits: number): FaultEffect => ({ kind: 'flip', place: { kind: 'unit', unit: name }, bits: [pick('bit', bits)] });
  const stick = (place: StuckPlace, bits: number): FaultEffect => ({ kind: 'stick', place, bits: [pick('bit', bits)], value: pick('value', 2) === 0 ? 0 : 1 });
  const [effect, target] = ((): [FaultEffect, FaultTarget] => {
    switch (site) {
      case 'flip of an integer register':
        return [flip(register, 64), inReplica];
      case 'flip of a floating-point register':
        return [flip({ kind: 'f', index: pick('register', 32) }, 64), inReplica];
      case 'flip of pc':
        return [flip({ kind: 'pc' }, 64), inReplica];
      case 'flip of a CSR':
        return [flip({ kind: 'csr', number: one('csr', csrs) }, 64), inReplica];
      case 'flip in memory':
        return [flip(memory, 8), inReplica];
      case 'result of the ALU':
        return [unit('alu', 64), inReplica];
      case 'loaded value':
        return [unit('load', 64), inReplica];
      case 'stored value':
        return [unit('store', 64), inReplica];
      case 'address of a store':
        return [unit('store address', 64), inReplica];
      case 'outcome of a branch':
        return [unit('branch', 1), inReplica];
      case 'fetched instruction':
        return [unit('fetch', 16), inReplica];
      case 'stuck bit of a register':
        return [stick(register, 64), onCore];
      case 'stuck bit of the ALU':
        return [stick({ kind: 'alu' }, 64), onCore];
      case 'stuck bit in memory':
        return [stick(memory, 8), inReplica];
      case 'stuck bit of a unit': {
        const [name, bits] = one('unit', [['load', 64], ['store', 64], ['store address', 40], ['branch', 1], ['fetch', 32]] as const);
        return [stick({ kind: 'unit', unit: name }, bits), onCore];
      }
      case 'stuck bit of pc':
        return [stick({ kind: 'pc' }, 64), onCore];
      case 'stuck bit of a CSR':
        return [stick({ kind: 'csr', number: one('csr', csrs) }, 64), onCore];
      case 'stuck bit that comes and goes':
        return [stick(one('place', [register, { kind: 'alu' }, { kind: 'unit', unit: 'load' }] as const), 64), onCore];
      case 'flip that comes again':
        return [flip(register, 64), inReplica];
      case 'wrong translation':
        return [{ kind: 'flip', place: translation, bits: [pick('bit', 54)] }, inReplica];
      case 'stuck bit of a translation':
        return [stick(translation, 54), onCore];
      case 'transfer to memory':
        return [{ kind: 'flip', place: { kind: 'dma' }, bits: [pick('bit', 8 * 60)] }, inReplica];
      case 'stuck bit in an L2 bank':
        return [stick(memory, 8), of(bankName(homeOf(domain, memory.address)))];
      case 'flip in L1D':
        return [flip(line('l1d'), 8), onCore];
      case 'flip in L1I':
        return [flip(line('l1i'), 8), onCore];
      case 'flip in an L2 bank':
        return [flip(line('l2'), 8), of(bankName(homeOf(domain, cached.address)))];
      case 'lost message':
        return message('drop');
      case 'doubled message':
        return message('duplicate');
      case 'wrong message':
        return message('corrupt');
      case 'core killed':
        return [{ kind: 'die', how: 'stops' }, of(`core ${index}`)];
      case 'core hung':
        return [{ kind: 'die', how: 'hangs' }, of(`core ${index}`)];
      case 'L2 bank failed':
        return [{ kind: 'die', how: 'stops' }, of(`l2 bank ${pick('bank', chip.l2Banks)}`)];
      case 'memory controller failed':
        return [{ kind: 'die', how: 'stops' }, of(`memory controller ${pick('controller', chip.memoryControllers)}`)];
      case 'link failed':
        return [{ kind: 'die', how: 'stops' }, of(linkName(pick('link', chip.cores), chip.cores))];
    }
  })();
  const period = one('period', periods);
  const rhythm: Rhythm | undefined =
    site === 'stuck bit that comes and goes' ? { kind: 'duty', unit: 'instructions', period, on: 1 + pick('on', 5_000) } : site === 'flip that comes again' ? { kind: 'every', unit: 'instructions', period } : undefined;
  const text = `${describe(effect, target)} at instruction ${count}${rhythm ? ` ${rhythm.kind} ${period}` : ''}`;
  // A link that nobody's domain has is struck for nothing, and a line that no cache ever has; and not every guest translates, or has a device that transfers.
  const optional = target.kind === 'component' || site === 'flip in L1D' || site === 'flip in L1I' || site === 'wrong translation' || site === 'transfer to memory';
  return { site, plan: { name: 'fault 1', text, effect, target, trigger: { kind: 'instruction', count }, ...(rhythm && { rhythm }), optional } };
}

function describe(effect: FaultEffect, target: FaultTarget): string {
  const where = target.kind === 'replica' ? ` in replica ${target.replica}` : target.kind === 'core' ? ` on core ${target.core}` : ` of ${target.component}`;
  switch (effect.kind) {
    case 'flip':
      return `flip ${placeName(effect.place)} bit ${effect.bits[0]}${where}`;
    case 'stick':
      return `stick ${placeName(effect.place)} bit ${effect.bits[0]} at ${effect.value}${where}`;
    case 'message':
      return `${effect.how} message on link ${effect.from} -> ${effect.to}`;
    default:
      return `${effect.kind === 'die' && effect.how === 'hangs' ? 'hang' : 'kill'}${where}`;
  }
}
