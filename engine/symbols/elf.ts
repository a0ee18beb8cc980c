import { inflateSync } from 'node:zlib';
import { Reader, stringAt } from './reader';
import { ElfError, type ElfImage, type ElfSegment } from './types';

/** A row of the section header table. */
interface ElfSection {
  name: string;
  type: number;
  flags: number;
  address: bigint;
  /** Bytes it takes in memory, or in the file where it is not loaded. */
  size: number;
  /** Its bytes in the file; empty for SHT_NOBITS. */
  raw: Uint8Array;
  link: number;
}

/** The parts of an ELF file that symbols need, beside the image. */
export interface ElfFile extends ElfImage {
  sections: ElfSection[];
  /** Contents of the first section of that name, decompressed, or undefined. */
  section(name: string): Uint8Array | undefined;
}

export const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;
const SHF_COMPRESSED = 0x800;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_RISCV = 243;
const PT_LOAD = 1;
const PF_X = 1;
const PF_W = 2;

/** No guest has more; a larger claim is damage, caught here and not at an allocation. */
const MAX_SEGMENT_BYTES = 1n << 40n;

/** Architectures that people load by mistake, from the ELF registry of e_machine. */
const machineNames = new Map([
  [2, 'SPARC'],
  [3, 'x86 (i386)'],
  [8, 'MIPS'],
  [20, 'PowerPC'],
  [21, 'PowerPC 64'],
  [22, 'S/390'],
  [40, 'ARM'],
  [62, 'x86-64'],
  [94, 'Xtensa'],
  [183, 'AArch64'],
  [247, 'BPF'],
  [258, 'LoongArch'],
]);

/**
 * Reads an ELF64 little-endian RISC-V executable: its entry (physical) and
 * loadable segments, whose data are views of `bytes`.
 * @throws ElfError with one line that says what is wrong.
 */
export function readElf(bytes: Uint8Array): ElfImage {
  const { entry, segments } = readElfFile(bytes);
  return { entry, segments };
}

/** {@link readElf} with sections. */
export function readElfFile(bytes: Uint8Array): ElfFile {
  checkIdentification(bytes);
  if (bytes.length < 64) throw new ElfError(`truncated ELF: ${bytes.length} bytes, its header alone has 64`);
  const reader = new Reader(bytes, 'the ELF header', 16);
  const type = reader.u16();
  const machine = reader.u16();
  if (machine !== EM_RISCV) {
    throw new ElfError(`an ELF for ${machineNames.get(machine) ?? `machine ${machine}`}, not for RISC-V (build the guest with a riscv64 compiler)`);
  }
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new ElfError(type === 1 ? 'an object file, not an executable (link it first)' : `an ELF of type ${type}, not an executable`);
  }
  reader.advance(4); // e_version
  const entry = reader.u64();
  const programOffset = reader.offset(true);
  const sectionOffset = reader.offset(true);
  reader.advance(6); // e_flags, e_ehsize
  const programSize = reader.u16();
  let programCount = reader.u16();
  const sectionSize = reader.u16();
  let sectionCount = reader.u16();
  let namesIndex = reader.u16();

  let first: Reader | undefined;
  if (sectionOffset !== 0) {
    if (sectionSize < 64) throw new ElfError(`damaged ELF: section headers of ${sectionSize} bytes, 64 are needed`);
    first = tableReader(bytes, 'section headers', sectionOffset, Math.max(sectionCount, 1) * sectionSize);
    // Counts that do not fit the header stand in the first section header (gABI, "ELF Header").
    const zero = first.from(sectionOffset + 32);
    const size = zero.u64();
    const link = zero.u32();
    const info = zero.u32();
    if (sectionCount === 0) sectionCount = Number(size);
    if (namesIndex === 0xffff) namesIndex = link;
    if (programCount === 0xffff) programCount = info;
  }
  const segments = readSegments(bytes, programOffset, programSize, programCount);
  const sections = first ? readSections(bytes, sectionOffset, sectionSize, sectionCount, namesIndex) : [];
  const cache = new Map<string, Uint8Array | undefined>();
  return {
    entry: physicalEntry(entry, segments),
    segments,
    sections,
    section(name) {
      if (!cache.has(name)) cache.set(name, contents(sections, name));
      return cache.get(name);
    },
  };
}

/** Of each file, the ranges of its sections of instructions: ascending, and apart. */
const codeRanges = new WeakMap<ElfFile, readonly { start: bigint; end: bigint }[]>();

/** Whether an address lies in a section of instructions. */
export function inCode(elf: ElfFile, address: bigint): boolean {
  let ranges = codeRanges.get(elf);
  if (!ranges) codeRanges.set(elf, (ranges = rangesOfCode(elf)));
  let low = 0;
  for (let high = ranges.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.start <= address) low = middle + 1;
    else high = middle;
  }
  const before = ranges[low - 1];
  return before !== undefined && address < before.end;
}

function rangesOfCode({ sections }: ElfFile): { start: bigint; end: bigint }[] {
  const code = sections.filter(({ flags }) => (flags & SHF_EXECINSTR) !== 0).sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const ranges: { start: bigint; end: bigint }[] = [];
  for (const { address, size } of code) {
    const last = ranges.at(-1);
    const end = address + BigInt(size);
    if (last && address <= last.end) last.end = end > last.end ? end : last.end;
    else ranges.push({ start: address, end });
  }
  return ranges;
}

function checkIdentification(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new ElfError('not an ELF file: it is empty');
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    throw new ElfError('not an ELF file (its first bytes are not 7f 45 4c 46)');
  }
  if (bytes.length < 16) throw new ElfError(`truncated ELF: ${bytes.length} bytes`);
  if (bytes[4] === 1) throw new ElfError('a 32-bit ELF; the guest must be 64-bit (riscv64)');
  if (bytes[4] !== 2) throw new ElfError(`damaged ELF: class ${bytes[4]} is neither 32-bit nor 64-bit`);
  if (bytes[5] === 2) throw new ElfError('a big-endian ELF; the guest must be little-endian');
  if (bytes[5] !== 1) throw new ElfError(`damaged ELF: byte order ${bytes[5]} is neither little nor big`);
  if (bytes[6] !== 1) throw new ElfError(`damaged ELF: version ${bytes[6]}, only 1 exists`);
}

function tableReader(bytes: Uint8Array, what: string, offset: number, length: number): Reader {
  if (offset + length > bytes.length) {
    throw new ElfError(`truncated ELF: its ${what} end at byte ${offset + length}, the file at ${bytes.length}`);
  }
  return new Reader(bytes, `ELF ${what}`, offset, offset + length);
}

function readSegments(bytes: Uint8Array, offset: number, size: number, count: number): ElfSegment[] {
  if (count > 0 && size < 56) throw new ElfError(`damaged ELF: program headers of ${size} bytes, 56 are needed`);
  const table = tableReader(bytes, 'program headers', offset, count * size);
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const header = table.take(size);
    const type = header.u32();
    const flags = header.u32();
    const start = header.u64();
    const virtual = header.u64();
    const address = header.u64();
    const fileBytes = header.u64();
    const memoryBytes = header.u64();
    if (type !== PT_LOAD || memoryBytes === 0n) continue;
    const where = `segment ${index} at 0x${address.toString(16)}`;
    if (start + fileBytes > BigInt(bytes.length)) {
      throw new ElfError(`truncated ELF: ${where} ends at byte ${start + fileBytes}, the file at ${bytes.length}`);
    }
    if (memoryBytes < fileBytes) throw new ElfError(`damaged ELF: ${where} has ${fileBytes} bytes in the file but ${memoryBytes} in memory`);
    if (memoryBytes > MAX_SEGMENT_BYTES || address + memoryBytes > 1n << 64n || virtual + memoryBytes > 1n << 64n) {
      throw new ElfError(`damaged ELF: ${where} has 0x${memoryBytes.toString(16)} bytes, more than there can be`);
    }
    segments.push({
      address,
      virtual,
      data: bytes.subarray(Number(start), Number(start + fileBytes)),
      memoryBytes: Number(memoryBytes),
      executable: (flags & PF_X) !== 0,
      writable: (flags & PF_W) !== 0,
    });
  }
  if (segments.length === 0) throw new ElfError('an ELF with nothing to load (no PT_LOAD segment)');
  checkOverlap(segments);
  return segments;
}

function checkOverlap(segments: readonly ElfSegment[]): void {
  const sorted = [...segments].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  for (let index = 1; index < sorted.length; index++) {
    const before = sorted[index - 1]!;
    const after = sorted[index]!;
    if (before.address + BigInt(before.memoryBytes) > after.address) {
      throw new ElfError(`damaged ELF: the segments at 0x${before.address.toString(16)} and 0x${after.address.toString(16)} overlap`);
    }
  }
}

/** The machine starts with translation off, so a virtual entry is moved along with its segment, as qemu does. */
function physicalEntry(entry: bigint, segments: readonly ElfSegment[]): bigint {
  const home = segments.find(({ virtual, memoryBytes }) => entry >= virtual && entry < virtual + BigInt(memoryBytes));
  return home ? entry - home.virtual + home.address : entry;
}

function readSections(bytes: Uint8Array, offset: number, size: number, count: number, namesIndex: number): ElfSection[] {
  const table = tableReader(bytes, 'section headers', offset, count * size);
  const sections: ElfSection[] = [];
  const nameOffsets: number[] = [];
  for (let index = 0; index < count; index++) {
    const header = table.take(size);
    nameOffsets.push(header.u32());
    const type = header.u32();
    const flags = Number(header.u64());
    const address = header.u64();
    const start = header.offset(true);
    const length = header.offset(true);
    const link = header.u32();
    const inFile = type !== SHT_NOBITS && type !== 0;
    if (inFile && start + length > bytes.length) {
      throw new ElfError(`truncated ELF: section ${index} ends at byte ${start + length}, the file at ${bytes.length}`);
    }
    sections.push({ name: '', type, flags, address, size: length, raw: inFile ? bytes.subarray(start, start + length) : new Uint8Array(0), link });
  }
  const names = sections[namesIndex]?.raw;
  sections.forEach((section, index) => (section.name = stringAt(names, nameOffsets[index]!)));
  return sections;
}

/**
 * A section's bytes. Compressed debug sections (SHF_COMPRESSED, zlib) are
 * inflated; damage or another method leaves them out, as if stripped.
 */
function contents(sections: readonly ElfSection[], name: string): Uint8Array | undefined {
  const section = sections.find((candidate) => candidate.name === name && candidate.type !== SHT_NOBITS);
  if (!section || (section.flags & SHF_COMPRESSED) === 0) return section?.raw;
  const { raw } = section;
  if (raw.length < 24 || new Reader(raw, name).u32() !== 1) return undefined;
  const size = new Reader(raw, name, 8).u64();
  // DEFLATE cannot expand by more than 1032 to 1, so a larger claim is damage.
  if (size > BigInt(raw.length) * 1032n) return undefined;
  try {
    return inflateSync(raw.subarray(24), { maxOutputLength: Math.max(Number(size), 1) });
  } catch {
    return undefined;
  }
}
