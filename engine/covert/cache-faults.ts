import type { ComponentName } from '../chip/health';
import type { CacheEvent, LineUpset } from '../machine/cache-types';
import type { Computer } from '../machine/types';
import { draw } from './draw';
import type { Passing } from './passing-faults';
import { changeText, lineOf, placeName, placeWidth, type Change } from './place';
import type { FaultPlan, LinePlace, MessageFault, ReplicaName } from './plan';

/** Soft errors of caches and of messages between them, under `detailed` timing: of lines that are not there yet, and of messages that are still to be sent. */

type Waiting = Passing & { fault: number };

function upsetOf(place: LinePlace, keep: bigint, flip: bigint): LineUpset {
  const line = lineOf(place.address);
  return { cache: place.cache, line, byte: Number(place.address - line), keep: Number(keep & 0xffn), flip: Number(flip & 0xffn) };
}

/** Strikes a line where the cache has it; undefined where it is to wait for it. */
export function strikeLineNow(computer: Computer, { place, keep, flip }: { place: LinePlace; keep: bigint; flip: bigint }): Change | undefined {
  const struck = computer.caches?.strikeNow(upsetOf(place, keep, flip));
  return struck && changeText(placeName(place), BigInt(struck.before), BigInt(struck.after));
}

/** What waits for the next message of a link. */
export function messageFault(fault: MessageFault, seed: number, number: number): Passing {
  const place = { ...fault, kind: 'message' } as const;
  return { place, keep: -1n, flip: 1n << BigInt(draw(seed, `fault ${number} message bit`, placeWidth(place))) };
}

const linesIn = (waiting: readonly Waiting[]): Waiting[] => waiting.filter(({ place }) => place.kind === 'line');
const messagesIn = (waiting: readonly Waiting[]): Waiting[] => waiting.filter(({ place }) => place.kind === 'message');

/** Gives a replica's computer what waits of these. */
export function armCaches(computer: Computer, waiting: readonly Waiting[]): void {
  computer.caches?.setLines(waiting.flatMap(({ place, keep, flip }) => (place.kind === 'line' ? [upsetOf(place, keep, flip)] : [])));
  computer.caches?.setMessages(waiting.flatMap(({ place, flip }) => (place.kind === 'message' ? [{ how: place.how, from: place.from, to: place.to, bit: bitOf(flip) }] : [])));
}

function bitOf(flip: bigint): number {
  return flip.toString(2).length - 1;
}

/** Which of what waits has been met, and what came of it. */
export function metInCaches(events: readonly CacheEvent[], waiting: readonly Waiting[]): { met: Waiting; change: Change }[] {
  return events.flatMap((event) => {
    const met = (event.kind === 'line' ? linesIn(waiting) : messagesIn(waiting))[event.upset];
    if (!met) return [];
    const name = placeName(met.place);
    return [{ met, change: event.kind === 'line' ? changeText(name, BigInt(event.before), BigInt(event.after)) : messageChange(name, event, met) }];
  });
}

function messageChange(name: string, { what, ofMemory, line }: Extract<CacheEvent, { kind: 'message' }>, { place, flip }: Waiting): Change {
  const which = `${name}: ${ofMemory ? "memory's " : ''}${what} ${what === 'request' ? 'for' : 'of'} line 0x${line.toString(16)}`;
  const how = place.kind === 'message' ? place.how : 'drop';
  switch (how) {
    case 'drop':
      return { text: `${which} is lost${what === 'write-back' ? '' : ', and the core waits for ever'}`, effective: true };
    case 'duplicate':
      return { text: `${which} comes twice, and nothing changes`, effective: false };
    case 'corrupt':
      return { text: `${which}: byte ${Math.floor(bitOf(flip) / 8)} bit ${bitOf(flip) % 8} flipped`, effective: true };
  }
}

const replicaNames: readonly ReplicaName[] = ['A', 'B', 'C'];

/**
 * True if a soft error of a bank or a link is a replica's: each has lines and messages of its own, also where they share the component, and an error strikes
 * one of them: the first replica's that has it.
 */
export function isFirst({ target, effect }: FaultPlan, replica: ReplicaName, reaches: (component: ComponentName, replica: ReplicaName, address?: bigint) => boolean): boolean {
  if (target.kind !== 'component') return false;
  const address = 'place' in effect && effect.place.kind === 'line' ? effect.place.address : undefined;
  return replicaNames.find((name) => reaches(target.component, name, address)) === replica;
}

/** True if a fault strikes once. */
export function isSoft({ effect }: FaultPlan): boolean {
  return effect.kind !== 'die' && effect.kind !== 'stick';
}

/** True if a scenario with this fault needs caches. */
export function needsCaches({ effect }: Pick<FaultPlan, 'effect'>): boolean {
  switch (effect.kind) {
    case 'message':
      return true;
    case 'flip':
    case 'set':
      return effect.place.kind === 'line';
    case 'flip-random':
      return effect.places.some(({ kind }) => kind === 'line');
    default:
      return false;
  }
}
