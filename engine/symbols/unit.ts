import type { Abbreviation } from './abbrev';
import { readAttribute, type Attribute, type FormSizes } from './attribute';
import { Die, readAt } from './die';
import { AT } from './dwarf';
import type { DebugInfo } from './info';
import { Reader, stringAt } from './reader';
import { ElfError } from './types';

export interface UnitHeader extends FormSizes {
  section: Uint8Array;
  sectionName: '.debug_info' | '.debug_types';
  /** Where the header starts in the section; references within the unit count from here. */
  start: number;
  end: number;
  /** Where the unit's own DIE starts in the section. */
  firstDie: number;
  abbreviationOffset: number;
  /** Of a type unit: its signature and where its type stands, from the unit's start. */
  signature?: { id: bigint; typeOffset: number };
}

/** A compilation (or type) unit of `.debug_info` or `.debug_types`; its DIEs are read when first asked for. */
export class Unit implements FormSizes {
  readonly wide: boolean;
  readonly addressSize: number;
  readonly version: number;
  private tree: Die | undefined;
  private byOffset: Map<number, Die> | undefined;
  private rootOnly: Die | undefined;

  constructor(
    readonly info: DebugInfo,
    readonly header: UnitHeader,
  ) {
    this.wide = header.wide;
    this.addressSize = header.addressSize;
    this.version = header.version;
  }

  /** The unit's own DIE, without its children. A damaged one is empty. */
  get root(): Die {
    if (this.tree) return this.tree;
    return (this.rootOnly ??= this.parseRoot());
  }

  /** The unit's own DIE with the whole tree below it; damage ends the tree early. */
  get dies(): Die {
    if (!this.tree) this.parse();
    return this.tree!;
  }

  /** The DIE at an offset from the unit's start. */
  dieAt(offset: number): Die | undefined {
    if (!this.byOffset) this.parse();
    return this.byOffset!.get(offset);
  }

  /** DW_FORM_strx: the string of that index in `.debug_str_offsets`. */
  indexedString(index: number): string | undefined {
    const { elf } = this.info;
    const size = this.wide ? 8 : 4;
    const base = this.root.sectionOffset(AT.strOffsetsBase) ?? 2 * size;
    const offset = readAt(elf.section('.debug_str_offsets'), '.debug_str_offsets', base + index * size, (reader) => reader.offset(this.wide));
    return offset === undefined ? undefined : stringAt(elf.section('.debug_str'), offset);
  }

  /** DW_FORM_addrx: the address of that index in `.debug_addr`. */
  indexedAddress(index: number): bigint | undefined {
    const base = this.root.sectionOffset(AT.addrBase) ?? 8;
    const offset = base + index * this.addressSize;
    return readAt(this.info.elf.section('.debug_addr'), '.debug_addr', offset, (reader) => reader.unsigned(this.addressSize));
  }

  private parseRoot(): Die {
    try {
      const reader = this.reader();
      return this.readDie(reader, this.info.abbreviations.at(this.header.abbreviationOffset))?.die ?? this.emptyDie();
    } catch (error) {
      if (error instanceof ElfError) return this.emptyDie();
      throw error;
    }
  }

  private reader(): Reader {
    const { section, sectionName, firstDie, end } = this.header;
    return new Reader(section, sectionName, firstDie, end);
  }

  private emptyDie(): Die {
    return new Die(this, this.header.firstDie - this.header.start, 0, new Map());
  }

  private parse(): void {
    const byOffset = new Map<number, Die>();
    let tree: Die | undefined;
    try {
      const reader = this.reader();
      const abbreviations = this.info.abbreviations.at(this.header.abbreviationOffset);
      let attributes = 0;
      let parent: Die | undefined;
      while (!reader.atEnd) {
        const read = this.readDie(reader, abbreviations);
        if (!read) {
          parent = parent?.parent;
          if (!parent) break;
          continue;
        }
        const { die, abbreviation } = read;
        // Sound units spend more bytes than that; forms without bytes let damage make any number.
        attributes += abbreviation.attributes.length;
        if (attributes > 2 * (this.header.end - this.header.start) + 64) throw new ElfError(`${this.header.sectionName} is damaged: it has more attributes than bytes`);
        byOffset.set(die.offset, die);
        tree ??= die;
        if (parent) {
          die.parent = parent;
          parent.children.push(die);
        }
        if (abbreviation.hasChildren) parent = die;
        if (!parent) break;
      }
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
    }
    this.tree = tree ?? this.emptyDie();
    this.byOffset = byOffset;
  }

  private readDie(reader: Reader, abbreviations: ReadonlyMap<number, Abbreviation>): { die: Die; abbreviation: Abbreviation } | undefined {
    const offset = reader.position - this.header.start;
    const code = reader.uleb();
    if (code === 0) return undefined;
    const abbreviation = abbreviations.get(code);
    if (!abbreviation) throw new ElfError(`${this.header.sectionName} is damaged: abbreviation ${code} is not there`);
    const attributes = new Map<number, Attribute>();
    for (const { name, form, implicit } of abbreviation.attributes) {
      attributes.set(name, readAttribute(reader, form, implicit, this));
    }
    return { die: new Die(this, offset, abbreviation.tag, attributes), abbreviation };
  }
}
