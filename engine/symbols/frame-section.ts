import type { ElfFile } from './elf';
import { readInitialLength } from './initial-length';
import { Reader } from './reader';
import { ElfError } from './types';

/** What the frame descriptions of several functions have in common (DWARF 5, 6.4.1). */
export interface CommonInformation {
  codeAlignment: number;
  dataAlignment: number;
  returnColumn: number;
  /** Interrupted code, not a call, is above such a frame. */
  signal: boolean;
  addressSize: number;
  /** DW_EH_PE encoding of addresses; absolute in `.debug_frame`. */
  encoding: number;
  augmented: boolean;
  instructions: Reader;
}

/** How to unwind out of `start..end`. */
export interface FrameDescription {
  start: bigint;
  end: bigint;
  common: CommonInformation;
  instructions: Reader;
}

interface FrameSection {
  name: '.eh_frame' | '.debug_frame';
  bytes: Uint8Array;
  address: bigint;
  eh: boolean;
}

/** All frame descriptions of an ELF, ascending starts; a damaged record ends its section. */
export function readFrameDescriptions(elf: ElfFile): FrameDescription[] {
  const descriptions: FrameDescription[] = [];
  for (const name of ['.debug_frame', '.eh_frame'] as const) {
    const bytes = elf.section(name);
    const address = elf.sections.find((section) => section.name === name)?.address;
    if (!bytes || address === undefined) continue;
    try {
      readSection({ name, bytes, address, eh: name === '.eh_frame' }, descriptions);
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
    }
  }
  return descriptions.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

function readSection(section: FrameSection, descriptions: FrameDescription[]): void {
  const reader = new Reader(section.bytes, section.name);
  const commons = new Map<number, CommonInformation>();
  while (!reader.atEnd) {
    const { length, wide } = readInitialLength(reader);
    if (length === 0) continue; // ends .eh_frame, or pads between files
    const record = reader.take(length);
    const idPosition = record.position;
    const idSize = wide && !section.eh ? 8 : 4;
    const id = record.unsigned(idSize);
    // All ones mark a CIE in .debug_frame, zero in .eh_frame.
    if (id === (section.eh ? 0n : BigInt.asUintN(8 * idSize, -1n))) continue;
    // .eh_frame counts back from the field itself, .debug_frame from the section's start.
    const position = section.eh ? idPosition - Number(id) : Number(id);
    let common = commons.get(position);
    if (!common) commons.set(position, (common = readCommon(section, position)));
    const start = readPointer(record, common.encoding, common.addressSize, section);
    const size = readPointer(record, common.encoding & 0x0f, common.addressSize, section);
    if (common.augmented) record.advance(record.uleb());
    if (size > 0n) descriptions.push({ start, end: start + size, common, instructions: record });
  }
}

function readCommon(section: FrameSection, position: number): CommonInformation {
  const reader = new Reader(section.bytes, section.name, position);
  const { length, wide } = readInitialLength(reader);
  const record = reader.take(length);
  record.advance(wide && !section.eh ? 8 : 4);
  const version = record.u8();
  if (version !== 1 && version !== 3 && version !== 4) throw new ElfError(`${section.name}: version ${version} is not known`);
  const augmentation = record.string();
  let addressSize = 8;
  if (version === 4) {
    addressSize = record.u8();
    record.advance(1); // segment selector size
  }
  const codeAlignment = record.uleb();
  const dataAlignment = record.sleb();
  const returnColumn = version === 1 ? record.u8() : record.uleb();
  let encoding = 0;
  let instructions = record;
  const augmented = augmentation.startsWith('z');
  if (augmented) {
    const data = record.take(record.uleb());
    instructions = record;
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') encoding = data.u8();
      else if (letter === 'L') data.advance(1);
      else if (letter === 'P') readPointer(data, data.u8(), addressSize, section);
    }
  }
  const signal = augmentation.includes('S');
  return { codeAlignment, dataAlignment, returnColumn, signal, addressSize, encoding, augmented, instructions };
}

/** A pointer in a DW_EH_PE encoding (Linux Standard Base, "DWARF Exception Header Encoding"). */
function readPointer(reader: Reader, encoding: number, addressSize: number, section: FrameSection): bigint {
  const here = section.address + BigInt(reader.position);
  const base = (encoding & 0x70) === 0x10 ? here : 0n;
  return BigInt.asUintN(64, base + readEncoded(reader, encoding & 0x0f, addressSize));
}

function readEncoded(reader: Reader, format: number, addressSize: number): bigint {
  switch (format) {
    case 0x00:
      return reader.unsigned(addressSize);
    case 0x01:
      return reader.ulebBig();
    case 0x02:
      return reader.unsigned(2);
    case 0x03:
      return reader.unsigned(4);
    case 0x04:
    case 0x0c:
      return reader.unsigned(8);
    case 0x09:
      return reader.slebBig();
    case 0x0a:
      return BigInt.asIntN(16, reader.unsigned(2));
    case 0x0b:
      return BigInt.asIntN(32, reader.unsigned(4));
    default:
      throw new ElfError(`${reader.what} is damaged: pointer encoding 0x${format.toString(16)}`);
  }
}
