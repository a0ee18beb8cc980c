/** Writes small ELF files, sound or not, for the reader's tests. */

export interface Segment {
  address: bigint;
  virtual?: bigint;
  data: Uint8Array;
  /** Where they are to differ from the data's size. */
  fileBytes?: bigint;
  memoryBytes?: bigint;
  flags: number;
}

export interface Section {
  name: string;
  type: number;
  flags: number;
  address?: bigint;
  data: Uint8Array;
  link?: number;
}

/** Offsets of fields of the ELF header. */
export const header = { programCount: 56 };

const HEADER_BYTES = 64;
const PROGRAM_BYTES = 56;
const SECTION_BYTES = 64;

/** Header, program headers, data, and, with sections, their names and headers last. */
export function makeElf({ segments, sections = [], entry }: { segments: Segment[]; sections?: Section[]; entry?: bigint }): Uint8Array {
  const text = new TextEncoder();
  const names: Section = { name: '.shstrtab', type: 3, flags: 0, data: new Uint8Array(0) };
  const all: Section[] = sections.length > 0 ? [{ name: '', type: 0, flags: 0, data: new Uint8Array(0) }, ...sections, names] : [];
  names.data = text.encode(all.map(({ name }) => `${name}\0`).join(''));
  let end = HEADER_BYTES + segments.length * PROGRAM_BYTES;
  const place = (data: Uint8Array): number => (end += data.length) - data.length;
  const segmentOffsets = segments.map(({ data }) => place(data));
  const sectionOffsets = all.map(({ data }) => place(data));
  const bytes = new Uint8Array(end + all.length * SECTION_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, entry ?? segments[0]?.address ?? 0n, true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setBigUint64(40, BigInt(all.length > 0 ? end : 0), true);
  view.setUint16(54, PROGRAM_BYTES, true);
  view.setUint16(header.programCount, segments.length, true);
  view.setUint16(58, SECTION_BYTES, true);
  view.setUint16(60, all.length, true);
  view.setUint16(62, Math.max(all.length - 1, 0), true);
  segments.forEach((segment, index) => {
    const at = HEADER_BYTES + index * PROGRAM_BYTES;
    const size = BigInt(segment.data.length);
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, segment.flags, true);
    const fields = [BigInt(segmentOffsets[index]!), segment.virtual ?? segment.address, segment.address, segment.fileBytes ?? size, segment.memoryBytes ?? size];
    fields.forEach((field, position) => view.setBigUint64(at + 8 + 8 * position, field, true));
    bytes.set(segment.data, segmentOffsets[index]);
  });
  let nameOffset = 0;
  all.forEach((section, index) => {
    const at = end + index * SECTION_BYTES;
    view.setUint32(at, nameOffset, true);
    nameOffset += text.encode(section.name).length + 1;
    view.setUint32(at + 4, section.type, true);
    view.setBigUint64(at + 8, BigInt(section.flags), true);
    view.setBigUint64(at + 16, section.address ?? 0n, true);
    view.setBigUint64(at + 24, BigInt(sectionOffsets[index]!), true);
    view.setBigUint64(at + 32, BigInt(section.data.length), true);
    view.setUint32(at + 40, section.link ?? 0, true);
    bytes.set(section.data, sectionOffsets[index]);
  });
  return bytes;
}
