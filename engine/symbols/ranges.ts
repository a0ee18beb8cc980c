import { readAt, type Die } from './die';
import { AT, FORM } from './dwarf';
import { Reader } from './reader';
import { ElfError } from './types';
import type { Unit } from './unit';

/** `start..end`, end excluded. */
export interface AddressRange {
  start: bigint;
  end: bigint;
}

interface ListEntry extends AddressRange {
  /** Of a location list: the expression. */
  expression: Uint8Array | undefined;
  /** DW_LLE_default_location: where no other entry holds. */
  isDefault?: boolean;
}

/** Lists read, by DIE and attribute; and the bytes that reading them took, by section. */
const lists = new WeakMap<Die, Map<number, readonly ListEntry[]>>();
const spent = new WeakMap<Uint8Array, number>();

/** The addresses of a DIE's code; none for a declaration. */
export function rangesOf(die: Die): readonly AddressRange[] {
  return die.has(AT.ranges) ? listOf(die, AT.ranges, FORM.rnglistx, AT.rnglistsBase, '.debug_ranges', '.debug_rnglists') : die.span ? [die.span] : [];
}

/** The expression that an attribute has at an address: its own, or that of its location list. */
export function expressionAt(die: Die, at: number, address: bigint): Uint8Array | undefined {
  const block = die.block(at);
  if (block) return block;
  const list = listOf(die, at, FORM.loclistx, AT.loclistsBase, '.debug_loc', '.debug_loclists');
  const found = list.find(({ start, end, isDefault }) => !isDefault && address >= start && address < end) ?? list.find(({ isDefault }) => isDefault);
  return found?.expression;
}

function listOf(die: Die, at: number, indexForm: number, baseAttribute: number, old: '.debug_ranges' | '.debug_loc', section: '.debug_rnglists' | '.debug_loclists'): readonly ListEntry[] {
  const known = lists.get(die)?.get(at);
  if (known) return known;
  const attribute = die.attribute(at);
  const { unit } = die;
  const offset = attribute?.form === indexForm ? listOffset(unit, section, baseAttribute, attribute.value as number) : die.sectionOffset(at);
  const name = unit.version < 5 ? old : section;
  const list = offset === undefined ? [] : collect(unit, name, offset);
  const ofDie = lists.get(die) ?? new Map<number, readonly ListEntry[]>();
  lists.set(die, ofDie.set(at, list));
  return list;
}

export function contains(ranges: readonly AddressRange[], address: bigint): boolean {
  return ranges.some(({ start, end }) => address >= start && address < end);
}

/**
 * What was read before damage ended a list. In sound input every list belongs to one DIE, so reading all
 * takes about as many bytes as the sections have; more means lists that overlap, and they are given up.
 */
function collect(unit: Unit, name: keyof typeof parsers, offset: number): readonly ListEntry[] {
  const section = unit.info.elf.section(name);
  const before = (section && spent.get(section)) ?? 0;
  const found: ListEntry[] = [];
  if (!section || offset > section.length || before > 16 * section.length) return found;
  const reader = new Reader(section, name, offset);
  try {
    for (const entry of parsers[name](unit, reader)) if (entry.end > entry.start) found.push(entry);
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
  }
  spent.set(section, before + reader.position - offset);
  return found;
}

/** Where the list of an index starts. Without a base attribute the offsets follow the section's first header. */
function listOffset(unit: Unit, section: string, baseAttribute: number, index: number): number | undefined {
  const base = unit.root.sectionOffset(baseAttribute) ?? (unit.wide ? 20 : 12);
  const offset = readAt(unit.info.elf.section(section), section, base + index * (unit.wide ? 8 : 4), (reader) => reader.offset(unit.wide));
  return offset === undefined ? undefined : base + offset;
}

/** Lists before DWARF 5: pairs of addresses off a base, ended by zeros (DWARF 4, 2.6.2 and 2.17.3). */
function* oldEntries(unit: Unit, reader: Reader): Generator<ListEntry> {
  const size = unit.addressSize;
  const select = BigInt.asUintN(8 * size, -1n);
  let base = unit.root.address(AT.lowPc) ?? 0n;
  for (;;) {
    const start = reader.unsigned(size);
    const end = reader.unsigned(size);
    if (start === 0n && end === 0n) return;
    if (start === select) base = end;
    else yield { start: base + start, end: base + end, expression: reader.what === '.debug_loc' ? reader.slice(reader.u16()) : undefined };
  }
}

/** DWARF 5, 2.6.2 and 2.17.3. The two sections number their entries differently. */
function* newEntries(unit: Unit, reader: Reader): Generator<ListEntry> {
  const locations = reader.what === '.debug_loclists';
  const size = unit.addressSize;
  const indexed = (): bigint => unit.indexedAddress(reader.uleb()) ?? 0n;
  let base = unit.root.address(AT.lowPc) ?? 0n;
  for (;;) {
    const byte = reader.u8();
    // Numbers above 4 are shifted in location lists by the default location.
    const kind = locations && byte > 5 ? byte - 1 : byte;
    let start: bigint;
    let end: bigint;
    if (kind === 0) return;
    if (locations && byte === 9) {
      // DW_LLE_GNU_view_pair says which of the views at an address; the address alone is enough here.
      reader.uleb();
      reader.uleb();
      continue;
    }
    if (locations && byte === 5) {
      yield { start: 0n, end: 1n, expression: reader.slice(reader.uleb()), isDefault: true };
      continue;
    }
    switch (kind) {
      case 1: // base_addressx
        base = indexed();
        continue;
      case 2: // startx_endx
        start = indexed();
        end = indexed();
        break;
      case 3: // startx_length
        start = indexed();
        end = start + reader.ulebBig();
        break;
      case 4: // offset_pair
        start = base + reader.ulebBig();
        end = base + reader.ulebBig();
        break;
      case 5: // base_address
        base = reader.unsigned(size);
        continue;
      case 6: // start_end
        start = reader.unsigned(size);
        end = reader.unsigned(size);
        break;
      case 7: // start_length
        start = reader.unsigned(size);
        end = start + reader.ulebBig();
        break;
      default:
        throw new ElfError(`${reader.what} is damaged: an entry of kind ${byte}`);
    }
    yield { start, end, expression: locations ? reader.slice(reader.uleb()) : undefined };
  }
}

const parsers = {
  '.debug_ranges': oldEntries,
  '.debug_loc': oldEntries,
  '.debug_rnglists': newEntries,
  '.debug_loclists': newEntries,
};
