import { readElfFile, SHF_EXECINSTR } from './elf';
import { DebugInfo } from './info';
import { LineTable } from './line-table';
import { nearestNames } from './nearest';
import { afterPrologue, breakpointAddresses, toRange } from './places';
import { SymbolTable } from './symbol-table';
import type { ElfFile } from './elf';
import type { Frame, FrameReader, LineRange, Symbol, Symbols, Variable } from './types';
import { callerByFramePointer, currentRegisters, FP, RA, SP } from './unwind';

/**
 * Names, lines, frames and variables of a guest. Reads headers and the symbol
 * table now and debug information when first asked for it; what is damaged or missing there
 * gives fewer answers, never an error.
 * @throws ElfError as readElf does.
 */
export function readSymbols(bytes: Uint8Array): Symbols {
  return new ElfSymbols(readElfFile(bytes));
}

const DEFAULT_FRAMES = 256;

class ElfSymbols implements Symbols {
  private readonly table: SymbolTable;
  private readonly info: DebugInfo;
  private lineTable: LineTable | undefined;

  constructor(private readonly elf: ElfFile) {
    this.table = new SymbolTable(elf);
    this.info = new DebugInfo(elf);
  }

  get symbols(): readonly Symbol[] {
    return this.table.symbols;
  }

  get files(): readonly string[] {
    return this.lines.files;
  }

  find(name: string): Symbol | undefined {
    return this.table.find(name);
  }

  at(address: bigint): Symbol | undefined {
    return this.table.at(address);
  }

  nearest(name: string, limit = 3): string[] {
    return nearestNames(name, this.table.symbols.map((symbol) => symbol.name), limit);
  }

  lineAt(address: bigint): LineRange | undefined {
    const row = this.lines.rowAt(address);
    return row && toRange(row);
  }

  rangesOf(file: string, line: number): LineRange[] {
    return this.lines
      .rowsOf(file, line)
      .filter(({ empty }) => !empty)
      .map(toRange);
  }

  nextLineWithCode(file: string, line: number): number | undefined {
    return this.lines.linesOf(file).find((candidate) => candidate >= line);
  }

  breakpointAddresses(file: string, line: number): bigint[] {
    return breakpointAddresses(
      this.lines.rowsOf(file, line),
      (address) => this.table.at(address),
      (address) => {
        const symbol = this.table.at(address);
        return symbol?.kind === 'function' && symbol.address === address ? this.afterPrologue(symbol) : address;
      },
    );
  }

  afterPrologue(symbol: Symbol): bigint {
    return afterPrologue(this.lines, symbol);
  }

  unwind(reader: FrameReader, limit = DEFAULT_FRAMES): Frame[] {
    const registers = currentRegisters(reader);
    const frames: Frame[] = [];
    let pc = reader.pc;
    while (frames.length < limit) {
      const caller = callerByFramePointer(reader, registers);
      const lookup = frames.length === 0 ? pc : pc - 1n;
      const frame: Frame = { pc, cfa: caller?.cfa ?? registers[SP] ?? 0n, inlined: false };
      const name = this.at(lookup)?.name;
      if (name !== undefined) frame.function = name;
      const location = this.lineAt(lookup)?.location;
      if (location) frame.location = location;
      frames.push(frame);
      if (!caller || !this.holdsCode(caller.pc)) break;
      registers[SP] = caller.cfa;
      registers[FP] = caller.fp;
      registers[RA] = undefined;
      pc = caller.pc;
    }
    return frames;
  }

  variables(): Variable[] {
    return [];
  }

  globals(): Variable[] {
    return [];
  }

  private get lines(): LineTable {
    return (this.lineTable ??= new LineTable(this.elf, this.info));
  }

  private holdsCode(address: bigint): boolean {
    return this.elf.sections.some(({ flags, address: start, size }) => (flags & SHF_EXECINSTR) !== 0 && address >= start && address < start + BigInt(size));
  }
}
