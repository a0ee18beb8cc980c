import { lineBytes } from '../../engine/chip/domains';
import { placeName, placeWidth } from '../../engine/covert/place';
import type { GuestPlan, LinePlace, PassingPlace, Place, StuckPlace } from '../../engine/covert/plan';
import { csrNames, csrNumbers, fNumbers, xNumbers } from '../../engine/isa/registers';
import { nearestNames } from '../../engine/symbols/nearest';
import type { Symbols } from '../../engine/symbols/types';
import { lowerAddress } from './addresses';
import type { Context } from './context';
import { hasCsr } from './csr-probe';
import { ramBase } from './defaults';
import { part, rename, type Fix, type Span } from './diagnostic';
import * as ast from './generated/ast';
import type { GuestFile } from './guest-files';
import { integer, notAvailable, oneOf, wide } from './measures';
import { append, guesses, replace } from './mends';
import { decodeInteger } from './values';

/** What a place is looked up in. */
export interface PlaceScope {
  symbols: Symbols | undefined;
  ramBytes: number;
  /** The guest's program, where it could be read. */
  file: GuestFile | undefined;
  /** Where nothing is wrong with the guest. */
  guest: GuestPlan | undefined;
}

/** Bytes of each width suffix; the default is `.b`. */
const widths: Readonly<Record<string, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, d: 8 };

type MemoryPlace = Extract<Place, { kind: 'memory' }>;
export type RegisterPlace = Exclude<Place, { kind: 'memory' }>;

/** A register by any of its names. */
export function registerOf(name: string): RegisterPlace | undefined {
  if (name === 'pc') return { kind: 'pc' };
  const x = xNumbers.get(name);
  if (x !== undefined) return { kind: 'x', index: x };
  const f = fNumbers.get(name);
  if (f !== undefined) return { kind: 'f', index: f };
  const csr = csrNumbers.get(name);
  return csr === undefined ? undefined : { kind: 'csr', number: csr };
}

/** Every name that {@link registerOf} knows. */
export function registerNames(): string[] {
  return [...xNumbers.keys(), ...fNumbers.keys(), 'pc', ...csrNames.values()];
}

/** `a0`, `memory[0x80001000], 4 bytes`: for messages. */
export function placeText(place: Place | StuckPlace | PassingPlace): string {
  if (place.kind === 'dma') return 'a transfer of dma';
  if (place.kind !== 'memory') return placeName(place);
  return `memory[0x${place.address.toString(16)}], ${place.bytes === 1 ? 'a byte' : `${place.bytes} bytes`}`;
}

/** Undefined where the place is wrong, which is reported, or cannot be known. */
export function lowerPlace(place: ast.Place, scope: PlaceScope, context: Context): Place | PassingPlace | undefined {
  switch (place.$type) {
    case 'RegisterPlace':
      return lowerRegister(place, scope, context);
    case 'MemoryPlace':
      return lowerMemoryPlace(place, scope, context);
    case 'UnitPlace':
      return { kind: 'unit', unit: place.word === 'store' && place.isAddress ? 'store address' : place.word };
    case 'ComparerPlace':
      return { kind: 'comparer' };
    case 'DmaPlace':
      if (scope.guest && !scope.guest.disks?.length && !scope.guest.network) context.reporter.warning('COV605', place.$cstNode, 'this guest has no disk and no network, so nothing is ever transferred');
      return { kind: 'dma' };
    case 'InputPlace': {
      const number = lowerInput(part(place, 'number'), integer(context, place, 'number'), scope, context);
      return number === undefined ? undefined : { kind: 'input', number };
    }
    case 'TlbPlace': {
      const found = lowerAddress(place.address, scope.symbols, context);
      return found && { kind: 'tlb', address: found.address };
    }
    case 'CachePlace':
      return lowerCacheLine(place, scope, context);
  }
}

/** A place whose bits can be stuck. */
export function lowerStuckPlace(place: ast.Place, scope: PlaceScope, context: Context): StuckPlace | undefined {
  if (place.$type === 'UnitPlace') {
    if (place.word === 'alu') return { kind: 'alu' };
    return { kind: 'unit', unit: place.word === 'store' && place.isAddress ? 'store address' : place.word };
  }
  if (place.$type === 'CachePlace' && place.word === 'l2') return lowerLine(place, scope, context);
  if (place.$type === 'DmaPlace' || place.$type === 'InputPlace') {
    return notAvailable(context, place.$cstNode, `bits of \`${place.word}\` that stick (those of registers, memory, units of the core and TLB entries can)`);
  }
  const found = lowerPlace(place, scope, context);
  switch (found?.kind) {
    case 'line':
    case 'message':
    case 'comparer':
      return notAvailable(context, place.$cstNode, `bits of ${placeText(found)} that stick (those of registers, memory, \`l2 bank\`, units of the core and TLB entries can)`);
    case 'unit':
    case 'input':
    case 'dma':
      return undefined;
    default:
      return found;
  }
}

/** A byte of a line of a cache, which is struck once the cache has it. */
function lowerCacheLine(place: ast.CachePlace, scope: PlaceScope, context: Context): LinePlace | undefined {
  const byte = lowerLine(place, scope, context);
  return byte && { kind: 'line', cache: place.word === 'l2' ? 'l2' : place.word === 'l1i' ? 'l1i' : 'l1d', address: byte.address };
}

/** A byte of a line, as memory has it: bits that stick in a bank do so in whatever is read there. */
function lowerLine(place: ast.CachePlace, scope: PlaceScope, context: Context): MemoryPlace | undefined {
  const byte = integer(context, place, 'byte', { most: lineBytes - 1, what: 'a byte of a line' });
  const line = lowerMemory({ address: place.line, bytes: 1 }, scope, context);
  if (byte === undefined || !line) return undefined;
  return { ...line, address: line.address - (line.address % BigInt(lineBytes)) + BigInt(byte) };
}

/** The number of a byte that is typed at the console; undefined where it is wrong, which is reported. */
export function lowerInput(at: Span | undefined, number: number | undefined, { guest }: PlaceScope, { reporter }: Context): number | undefined {
  if (number === 0) {
    reporter.error('COV408', at, 'inputs are counted from 1', guesses(rename(at, '1')));
    return undefined;
  }
  const typed = (guest?.typing ?? []).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (guest && number !== undefined && number > typed) {
    reporter.warning('COV605', at, `${typed === 0 ? 'nothing is' : `only ${typed} bytes are`} typed at this guest's console, so there is no input ${number}`, typed > 0 ? guesses(rename(at, String(typed))) : []);
  }
  return number;
}

export function lowerRegister(place: ast.RegisterPlace | ast.ValueTrigger, { symbols }: PlaceScope, context: Context): RegisterPlace | undefined {
  const found = registerOf(place.register);
  const at = part(place as ast.RegisterPlace, 'register');
  if (found?.kind === 'csr' && !hasCsr(found.number)) {
    context.reporter.error('COV401', at, `the machine that guests run on has no CSR \`${place.register}\``);
    return undefined;
  }
  if (found) return found;
  if (/^\d/.test(place.register)) {
    reportNumber(place.register, at, context);
    return undefined;
  }
  // Another number is another register, and no slip.
  const nearest = /^[xf]\d+$/.test(place.register) ? undefined : nearestNames(place.register, registerNames(), 1)[0];
  if (symbols?.find(place.register)) {
    const written = `memory[&${place.register}]`;
    context.reporter.error('COV401', at, `\`${place.register}\` is a symbol of the guest, no register: \`${written}\` is what it holds`, rename(at, written));
  } else {
    const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
    context.reporter.error('COV401', at, `there is no register \`${place.register}\`${hint}`, guesses(rename(at, nearest)));
  }
  return undefined;
}

/** A number where a place is named is a CSR's or an address. */
function reportNumber(written: string, at: Span | undefined, { reporter }: Context): void {
  const { value } = decodeInteger(written);
  const csr = value === undefined ? undefined : csrNames.get(Number(value));
  const [meant, why] = csr === undefined ? [`memory[${written}]`, 'an address of memory stands in square brackets'] : [csr, 'a register is called by its name'];
  reporter.error('COV401', at, `${why}: write \`${meant}\``, rename(at, meant));
}

function lowerMemoryPlace(place: ast.MemoryPlace, scope: PlaceScope, context: Context): MemoryPlace | undefined {
  const width = place.width === undefined ? 'b' : oneOf(context, part(place, 'width'), place.width, ['b', 'h', 'w', 'd'] as const, 'width');
  return lowerMemory({ address: place.address, bytes: width && widths[width] }, scope, context);
}

/** The fix that makes a place of memory wide enough for so many bits; none where no width is. */
export function widened(place: ast.MemoryPlace, bits: number): Fix[] {
  const width = Object.entries(widths).find(([, bytes]) => bytes * 8 >= bits)?.[0];
  if (width === undefined) return [];
  const title = `Make it ${widths[width]} bytes: \`.${width}\``;
  return place.width === undefined ? append(place.$cstNode, `.${width}`, title) : replace(part(place, 'width'), width, title);
}

/** Undefined where it is no RAM, which is reported. */
export function lowerMemory({ address: written, bytes }: { address: ast.Address; bytes: MemoryPlace['bytes'] | undefined }, { symbols, ramBytes, file }: PlaceScope, context: Context): MemoryPlace | undefined {
  const found = lowerAddress(written, symbols, context);
  if (!found || !bytes) return undefined;
  const end = ramBase + BigInt(ramBytes);
  const address = file?.physical?.(found.address) ?? found.address;
  if (address < ramBase || address + BigInt(bytes) > end) {
    const ram = `0x${ramBase.toString(16)} to 0x${(end - 1n).toString(16)}`;
    const begins = address >= ramBase && address < end;
    const what = begins ? `the ${bytes} bytes at 0x${found.address.toString(16)} are not all in the guest's RAM` : `0x${found.address.toString(16)} is not in the guest's RAM`;
    context.reporter.error('COV404', written.$cstNode, `${what}, ${ram}`);
    return undefined;
  }
  return { kind: 'memory', address, bytes };
}

/** `x1..x31`, or one place. */
export function lowerPlaceRange(range: ast.PlaceRange, scope: PlaceScope, context: Context): (Place | PassingPlace)[] {
  const first = lowerPlace(range.first, scope, context);
  if (!range.last) return first ? [first] : [];
  const last = lowerPlace(range.last, scope, context);
  if (!first || !last) return [];
  if ((first.kind !== 'x' && first.kind !== 'f') || first.kind !== last.kind) {
    context.reporter.error('COV410', range.$cstNode, 'a range is of integer registers or of floating-point registers: `x1..x31`, `f0..f31`');
    return [];
  }
  if (last.index < first.index) {
    context.reporter.error('COV410', range.$cstNode, `${placeText(last)} (${last.kind}${last.index}) comes before ${placeText(first)} (${first.kind}${first.index})`, rename(range.$cstNode, `${range.last.$cstNode?.text}..${range.first.$cstNode?.text}`));
    return [];
  }
  const { kind } = first;
  return Array.from({ length: last.index - first.index + 1 }, (_, step) => ({ kind, index: first.index + step }));
}

/** Bits that it takes to hold a number. */
function bitsOf(number: bigint): number {
  let bits = 8;
  while (number >= 1n << BigInt(bits) || number < -(1n << BigInt(bits - 1))) bits++;
  return bits;
}

/** A value for a place; undefined where it does not fit, which is reported. */
export function lowerValue(value: ast.Value, place: Place | PassingPlace | undefined, scope: PlaceScope, context: Context): bigint | undefined {
  const bits = place ? placeWidth(place) : 64;
  let number: bigint | undefined;
  if (value.$type === 'NegativeValue') {
    const magnitude = wide(context, value, 'magnitude');
    number = magnitude === undefined ? undefined : -magnitude;
  } else number = lowerAddress(value, scope.symbols, context)?.address;
  if (number === undefined) return undefined;
  if (number >= 1n << BigInt(bits) || number < -(1n << BigInt(bits - 1))) {
    const where = place ? placeText(place) : 'a register';
    const holder = value.$container;
    context.reporter.error('COV406', value.$cstNode, `this value does not fit into the ${bits} bits of ${where}`, ast.isOverwrite(holder) && ast.isMemoryPlace(holder.place) ? guesses(widened(holder.place, bitsOf(number))) : []);
    return undefined;
  }
  return BigInt.asUintN(bits, number);
}
