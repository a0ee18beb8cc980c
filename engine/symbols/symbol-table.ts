import { SHF_ALLOC, SHT_DYNSYM, SHT_SYMTAB, type ElfFile } from './elf';
import { Reader, stringAt } from './reader';
import type { Symbol } from './types';

const STB_GLOBAL = 1;
const STB_WEAK = 2;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STT_SECTION = 3;
const STT_FILE = 4;
const STT_TLS = 6;
const SHN_UNDEF = 0;
const SHN_XINDEX = 0xffff;
const SYMBOL_BYTES = 24;

interface Entry {
  symbol: Symbol;
  /** Lower is the better name for the same address. */
  rank: number;
  section: number;
}

/** The names of an ELF: `.symtab`, or `.dynsym` where that was stripped. */
export class SymbolTable {
  /** Ascending addresses; of one address, the best name last. */
  readonly symbols: readonly Symbol[];
  /** Those that stand for a place in memory, same order. */
  private readonly placed: readonly Entry[];
  /** For each of `placed`, the largest end of it and all before: bounds the walk back in {@link at}. */
  private readonly reach: readonly bigint[];
  private readonly byName = new Map<string, Entry>();

  constructor(private readonly elf: ElfFile) {
    const entries = readEntries(elf);
    for (const entry of entries) {
      const known = this.byName.get(entry.symbol.name);
      // Of local symbols that share a name the first in the file stands; a better one replaces it.
      if (!known || entry.rank < known.rank) this.byName.set(entry.symbol.name, entry);
    }
    entries.sort((a, b) => compare(a.symbol.address, b.symbol.address) || b.rank - a.rank);
    this.symbols = entries.map(({ symbol }) => symbol);
    this.placed = entries.filter(({ section }) => ((elf.sections[section]?.flags ?? 0) & SHF_ALLOC) !== 0);
    let reach = 0n;
    this.reach = this.placed.map(({ symbol }) => {
      const end = symbol.address + BigInt(symbol.size);
      return (reach = end > reach ? end : reach);
    });
  }

  find(name: string): Symbol | undefined {
    return this.byName.get(name)?.symbol;
  }

  /** The symbol whose size covers the address; of several, the one that begins last. */
  covering(address: bigint): Symbol | undefined {
    for (let index = this.lastAtOrBefore(address); index >= 0 && this.reach[index]! > address; index--) {
      const { symbol } = this.placed[index]!;
      if (address < symbol.address + BigInt(symbol.size)) return symbol;
    }
    return undefined;
  }

  /** {@link covering}, else the nearest symbol before the address in the section that covers it. */
  at(address: bigint): Symbol | undefined {
    const covering = this.covering(address);
    if (covering) return covering;
    const nearest = this.placed[this.lastAtOrBefore(address)];
    const section = nearest && this.elf.sections[nearest.section];
    return section && address < section.address + BigInt(section.size) ? nearest.symbol : undefined;
  }

  private lastAtOrBefore(address: bigint): number {
    let low = 0;
    let high = this.placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.placed[middle]!.symbol.address <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function readEntries(elf: ElfFile): Entry[] {
  const table = elf.sections.find(({ type }) => type === SHT_SYMTAB) ?? elf.sections.find(({ type }) => type === SHT_DYNSYM);
  if (!table) return [];
  const names = elf.sections[table.link]?.raw;
  const entries: Entry[] = [];
  const reader = new Reader(table.raw, 'the symbol table');
  for (let left = Math.floor(table.raw.length / SYMBOL_BYTES); left > 0; left--) {
    const nameOffset = reader.u32();
    const info = reader.u8();
    reader.advance(1); // st_other
    const section = reader.u16();
    const address = reader.u64();
    const size = Number(reader.u64());
    const type = info & 15;
    if (section === SHN_UNDEF || section === SHN_XINDEX || type === STT_SECTION || type === STT_FILE || type === STT_TLS) continue;
    const name = stringAt(names, nameOffset);
    if (name === '' || isInternal(name)) continue;
    const kind = type === STT_FUNC ? 'function' : type === STT_OBJECT ? 'object' : 'other';
    entries.push({ symbol: { name, address, size, kind }, rank: rankOf(kind, size, info >> 4), section });
  }
  return entries;
}

/** Mapping symbols (`$x`, `$d`, with suffixes: RISC-V ELF psABI) and assembler labels name nothing. */
function isInternal(name: string): boolean {
  return /^\$[xd]/.test(name) || name.startsWith('.L');
}

function rankOf(kind: Symbol['kind'], size: number, binding: number): number {
  const byKind = kind === 'function' ? 0 : kind === 'object' ? 1 : 2;
  const bySize = size > 0 ? 0 : 1;
  const byBinding = binding === STB_GLOBAL ? 0 : binding === STB_WEAK ? 1 : 2;
  return byKind * 6 + bySize * 3 + byBinding;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
