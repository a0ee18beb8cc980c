import { FORM } from './dwarf';
import type { Reader } from './reader';
import { ElfError } from './types';

/** An attribute as it stands in the DIE; what it refers to is looked up when asked for. */
export interface Attribute {
  form: number;
  /**
   * Constants of up to 32 bits, offsets and indexes as numbers; wider
   * constants and addresses as bigints; blocks as bytes.
   */
  value: number | bigint | string | Uint8Array;
}

/** What of a unit's header decides the size of a form. */
export interface FormSizes {
  /** 64-bit DWARF. */
  wide: boolean;
  addressSize: number;
  version: number;
}

/**
 * Reads one value (DWARF 5, 7.5.5 and 7.5.6).
 * @throws ElfError for a form that is not known, since its length is not either.
 */
export function readAttribute(reader: Reader, form: number, implicit: bigint, sizes: FormSizes): Attribute {
  if (form === FORM.indirect) {
    const actual = reader.uleb();
    if (actual === FORM.indirect) throw new ElfError(`${reader.what} is damaged: a form that refers to itself`);
    return readAttribute(reader, actual, 0n, sizes);
  }
  return { form, value: readValue(reader, form, implicit, sizes) };
}

function readValue(reader: Reader, form: number, implicit: bigint, sizes: FormSizes): Attribute['value'] {
  switch (form) {
    case FORM.addr:
      return reader.unsigned(sizes.addressSize);
    case FORM.data1:
    case FORM.flag:
    case FORM.ref1:
    case FORM.strx1:
    case FORM.addrx1:
      return reader.u8();
    case FORM.data2:
    case FORM.ref2:
    case FORM.strx2:
    case FORM.addrx2:
      return reader.u16();
    case FORM.strx3:
    case FORM.addrx3:
      return reader.u24();
    case FORM.data4:
    case FORM.ref4:
    case FORM.strx4:
    case FORM.addrx4:
    case FORM.refSup4:
      return reader.u32();
    case FORM.data8:
    case FORM.refSig8:
      return reader.u64();
    case FORM.ref8:
    case FORM.refSup8:
      return reader.offset(true);
    case FORM.data16:
      return reader.slice(16);
    case FORM.sdata:
      return reader.slebBig();
    case FORM.udata:
      return reader.ulebBig();
    case FORM.implicitConst:
      return implicit;
    case FORM.flagPresent:
      return 1;
    case FORM.refUdata:
    case FORM.strx:
    case FORM.addrx:
    case FORM.loclistx:
    case FORM.rnglistx:
      return reader.uleb();
    case FORM.strp:
    case FORM.lineStrp:
    case FORM.strpSup:
    case FORM.secOffset:
      return reader.offset(sizes.wide);
    case FORM.refAddr:
      // DWARF 2 gave it the size of an address.
      return sizes.version <= 2 ? Number(reader.unsigned(sizes.addressSize)) : reader.offset(sizes.wide);
    case FORM.string:
      return reader.string();
    case FORM.block1:
      return reader.slice(reader.u8());
    case FORM.block2:
      return reader.slice(reader.u16());
    case FORM.block4:
      return reader.slice(reader.u32());
    case FORM.block:
    case FORM.exprloc:
      return reader.slice(reader.uleb());
    default:
      throw new ElfError(`${reader.what} is damaged: form 0x${form.toString(16)} at 0x${reader.position.toString(16)} is not known`);
  }
}
