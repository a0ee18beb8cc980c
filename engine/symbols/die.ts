import type { Attribute } from './attribute';
import { AT, FORM } from './dwarf';
import { Reader, stringAt } from './reader';
import { ElfError } from './types';
import type { Unit } from './unit';

/** Longest chain of DW_AT_abstract_origin and DW_AT_specification followed; damage may close one to a ring. */
const MAX_ORIGINS = 8;

/** A debugging information entry. Attributes that are absent, damaged or of an unfitting form are undefined. */
export class Die {
  parent: Die | undefined;
  readonly children: Die[] = [];

  constructor(
    readonly unit: Unit,
    /** From the unit's start. */
    readonly offset: number,
    readonly tag: number,
    private readonly attributes: ReadonlyMap<number, Attribute>,
  ) {}

  has(at: number): boolean {
    return this.attributes.has(at);
  }

  attribute(at: number): Attribute | undefined {
    return this.attributes.get(at);
  }

  /** This DIE or the one that it instantiates or completes, whichever has the attribute. */
  owner(at: number): Die | undefined {
    let die: Die | undefined = this;
    for (let depth = 0; die && depth < MAX_ORIGINS; depth++) {
      if (die.has(at)) return die;
      die = die.reference(AT.abstractOrigin) ?? die.reference(AT.specification);
    }
    return undefined;
  }

  /** Its name, perhaps from where it was declared. */
  get name(): string | undefined {
    return this.owner(AT.name)?.string(AT.name);
  }

  string(at: number): string | undefined {
    const attribute = this.attributes.get(at);
    if (!attribute) return undefined;
    const { form, value } = attribute;
    if (typeof value === 'string') return value;
    if (typeof value !== 'number') return undefined;
    const { elf } = this.unit.info;
    switch (form) {
      case FORM.strp:
        return stringAt(elf.section('.debug_str'), value);
      case FORM.lineStrp:
        return stringAt(elf.section('.debug_line_str'), value);
      case FORM.strx:
      case FORM.strx1:
      case FORM.strx2:
      case FORM.strx3:
      case FORM.strx4:
        return this.unit.indexedString(value);
      default:
        return undefined;
    }
  }

  /** A constant: data forms as unsigned numbers, DW_FORM_sdata and implicit ones as signed. */
  constant(at: number): bigint | undefined {
    const attribute = this.attributes.get(at);
    if (!attribute) return undefined;
    switch (attribute.form) {
      case FORM.data1:
      case FORM.data2:
      case FORM.data4:
      case FORM.data8:
      case FORM.sdata:
      case FORM.udata:
      case FORM.implicitConst:
        return BigInt(attribute.value as number | bigint);
      default:
        return undefined;
    }
  }

  /** {@link constant} as a number, where 53 bits hold it. */
  number(at: number): number | undefined {
    const value = this.constant(at);
    return value === undefined || !Number.isSafeInteger(Number(value)) ? undefined : Number(value);
  }

  flag(at: number): boolean {
    const value = this.attributes.get(at)?.value;
    return value !== undefined && value !== 0;
  }

  address(at: number): bigint | undefined {
    const attribute = this.attributes.get(at);
    if (!attribute) return undefined;
    if (attribute.form === FORM.addr) return attribute.value as bigint;
    return isAddressIndex(attribute.form) ? this.unit.indexedAddress(attribute.value as number) : undefined;
  }

  /** Where its code begins and ends, if that is one piece: DW_AT_low_pc and DW_AT_high_pc. */
  get span(): { start: bigint; end: bigint } | undefined {
    const start = this.address(AT.lowPc);
    if (start === undefined) return undefined;
    const end = this.address(AT.highPc) ?? start + (this.constant(AT.highPc) ?? -1n);
    return end > start ? { start, end } : undefined;
  }

  /** Bytes of a block or an expression. */
  block(at: number): Uint8Array | undefined {
    const value = this.attributes.get(at)?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  /** An offset into another section. DWARF 3 and before wrote these as data4 or data8. */
  sectionOffset(at: number): number | undefined {
    const attribute = this.attributes.get(at);
    if (!attribute) return undefined;
    const { form, value } = attribute;
    if (form === FORM.secOffset) return value as number;
    return this.unit.version < 4 && (form === FORM.data4 || form === FORM.data8) ? Number(value) : undefined;
  }

  /** The DIE that the attribute refers to. */
  reference(at: number): Die | undefined {
    const attribute = this.attributes.get(at);
    if (!attribute) return undefined;
    const { form, value } = attribute;
    switch (form) {
      case FORM.ref1:
      case FORM.ref2:
      case FORM.ref4:
      case FORM.ref8:
      case FORM.refUdata:
        return this.unit.dieAt(value as number);
      case FORM.refAddr:
        return this.unit.info.dieAt(value as number);
      case FORM.refSig8:
        return this.unit.info.typeOf(value as bigint);
      default:
        return undefined;
    }
  }
}

function isAddressIndex(form: number): boolean {
  return form === FORM.addrx || (form >= FORM.addrx1 && form <= FORM.addrx4);
}

/** Reads at a computed place; undefined where that lies outside of the section. */
export function readAt<T>(section: Uint8Array | undefined, what: string, offset: number, read: (reader: Reader) => T): T | undefined {
  if (!section) return undefined;
  try {
    return read(new Reader(section, what, offset));
  } catch (error) {
    if (error instanceof ElfError) return undefined;
    throw error;
  }
}
