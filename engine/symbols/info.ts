import { Abbreviations } from './abbrev';
import type { Die } from './die';
import { AT, TAG } from './dwarf';
import type { ElfFile } from './elf';
import { readInitialLength } from './initial-length';
import { Reader } from './reader';
import { ElfError } from './types';
import { Unit, type UnitHeader } from './unit';

const DW_UT_TYPE = 2;
const DW_UT_SKELETON = 4;
const DW_UT_SPLIT_COMPILE = 5;
const DW_UT_SPLIT_TYPE = 6;

/** All units of an ELF. Damage to a header ends the list there: what follows cannot be found. */
export class DebugInfo {
  readonly abbreviations: Abbreviations;
  private list: Unit[] | undefined;
  /** How many of them, the first ones, are in `.debug_info`. */
  private infoUnits = 0;
  private definitions: Map<string, Die> | undefined;
  private signatures: Map<bigint, Unit> | undefined;

  constructor(readonly elf: ElfFile) {
    this.abbreviations = new Abbreviations(elf.section('.debug_abbrev') ?? new Uint8Array(0));
  }

  /** In the order of the sections, ascending offsets within `.debug_info`. */
  get units(): readonly Unit[] {
    if (!this.list) {
      this.list = this.readUnits('.debug_info');
      this.infoUnits = this.list.length;
      this.list.push(...this.readUnits('.debug_types'));
    }
    return this.list;
  }

  /** The DIE at an offset from the start of `.debug_info` (DW_FORM_ref_addr). */
  dieAt(offset: number): Die | undefined {
    const units = this.units;
    let low = 0;
    let high = this.infoUnits;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (units[middle]!.header.start <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = units[low - 1];
    return unit && offset < unit.header.end ? unit.dieAt(offset - unit.header.start) : undefined;
  }

  /** The type that a signature stands for (DW_FORM_ref_sig8). */
  typeOf(signature: bigint): Die | undefined {
    this.signatures ??= new Map(this.units.flatMap((unit) => (unit.header.signature ? [[unit.header.signature.id, unit] as const] : [])));
    const unit = this.signatures.get(signature);
    return unit?.dieAt(unit.header.signature!.typeOffset);
  }

  /** The definition of a structure, union, class or enumeration that some unit only declares. */
  definitionOf(declaration: Die): Die | undefined {
    const name = declaration.name;
    return name === undefined ? undefined : (this.definitions ??= this.readDefinitions()).get(`${declaration.tag} ${name}`);
  }

  private readDefinitions(): Map<string, Die> {
    const definitions = new Map<string, Die>();
    const tags: readonly number[] = [TAG.structureType, TAG.unionType, TAG.classType, TAG.enumerationType];
    for (const unit of this.units) {
      for (const die of unit.dies.children) {
        if (tags.includes(die.tag) && die.name !== undefined && !die.flag(AT.declaration)) definitions.set(`${die.tag} ${die.name}`, die);
      }
    }
    return definitions;
  }

  private readUnits(name: '.debug_info' | '.debug_types'): Unit[] {
    const section = this.elf.section(name);
    const units: Unit[] = [];
    if (!section) return units;
    const reader = new Reader(section, name);
    try {
      while (!reader.atEnd) units.push(new Unit(this, readHeader(reader, name)));
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
    }
    return units;
  }
}

function readHeader(reader: Reader, sectionName: UnitHeader['sectionName']): UnitHeader {
  const start = reader.position;
  const { length, wide } = readInitialLength(reader);
  const unit = reader.take(length);
  const version = unit.u16();
  if (version < 2 || version > 5) throw new ElfError(`${sectionName}: version ${version} is not known`);
  let type = sectionName === '.debug_types' ? DW_UT_TYPE : 1;
  let addressSize = 8;
  let abbreviationOffset = 0;
  if (version >= 5) {
    type = unit.u8();
    addressSize = unit.u8();
    abbreviationOffset = unit.offset(wide);
  } else {
    abbreviationOffset = unit.offset(wide);
    addressSize = unit.u8();
  }
  if (type === DW_UT_SKELETON || type === DW_UT_SPLIT_COMPILE) unit.advance(8); // dwo_id
  const header = { section: reader.bytes, sectionName, start, end: reader.position, version, wide, addressSize, abbreviationOffset };
  if (type !== DW_UT_TYPE && type !== DW_UT_SPLIT_TYPE) return { ...header, firstDie: unit.position };
  const signature = { id: unit.u64(), typeOffset: unit.offset(wide) };
  return { ...header, firstDie: unit.position, signature };
}
