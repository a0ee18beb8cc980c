import { FORM } from './dwarf';
import { Reader } from './reader';
import { ElfError } from './types';

interface AttributeSpecification {
  name: number;
  form: number;
  /** Value of a DW_FORM_implicit_const. */
  implicit: bigint;
}

/** How the DIEs of one kind are laid out (DWARF 5, 7.5.3). */
export interface Abbreviation {
  tag: number;
  hasChildren: boolean;
  attributes: readonly AttributeSpecification[];
}

/** Compilers use some thirty; forms without bytes would let damage make DIEs of any length. */
const MAX_ATTRIBUTES = 256;

/** The tables of `.debug_abbrev`, each read once. */
export class Abbreviations {
  private readonly tables = new Map<number, ReadonlyMap<number, Abbreviation>>();
  private spent = 0;

  constructor(private readonly section: Uint8Array) {}

  /** @throws ElfError where it is damaged. */
  at(offset: number): ReadonlyMap<number, Abbreviation> {
    const known = this.tables.get(offset);
    if (known) return known;
    const reader = new Reader(this.section, '.debug_abbrev', offset);
    const table = readTable(reader);
    // Tables do not overlap in sound input, so the bytes read are bounded by the section's own.
    this.spent += reader.position - offset;
    if (this.spent > 2 * this.section.length) throw new ElfError('.debug_abbrev is damaged: its tables overlap');
    this.tables.set(offset, table);
    return table;
  }
}

function readTable(reader: Reader): Map<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  for (;;) {
    const code = reader.uleb();
    if (code === 0) return table;
    const tag = reader.uleb();
    const hasChildren = reader.u8() !== 0;
    const attributes: AttributeSpecification[] = [];
    for (;;) {
      const name = reader.uleb();
      const form = reader.uleb();
      const implicit = form === FORM.implicitConst ? reader.slebBig() : 0n;
      if (name === 0 && form === 0) break;
      if (attributes.length === MAX_ATTRIBUTES) throw new ElfError('.debug_abbrev is damaged: an entry has too many attributes');
      attributes.push({ name, form, implicit });
    }
    table.set(code, { tag, hasChildren, attributes });
  }
}
