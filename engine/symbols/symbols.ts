import { CallFrames } from './cfi';
import { Declarations } from './declarations';
import { readElfFile, type ElfFile } from './elf';
import { framesOf, type FrameContext } from './frames';
import { FunctionIndex, qualifiedName } from './functions';
import { DebugInfo } from './info';
import { LineTable } from './line-table';
import { nearestNames } from './nearest';
import { afterPrologue, breakpointAddresses, toRange } from './places';
import { SymbolTable } from './symbol-table';
import type { Frame, FrameReader, LineRange, SourceLocation, Symbol, Symbols, Variable } from './types';
import { Unwinder } from './unwind';
import { registerName } from './register-names';
import { frameVariables, globalVariables, type VariableSources } from './variables';

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
/** Frames unwound beyond the one whose variables are asked for: values at entry come from callers, and may from theirs. */
const CALLERS = 8;

class ElfSymbols implements Symbols {
  private readonly table: SymbolTable;
  private readonly info: DebugInfo;
  private readonly functions: FunctionIndex;
  private readonly unwinder: Unwinder;
  private readonly declarations: Declarations;
  private lineTable: LineTable | undefined;

  constructor(private readonly elf: ElfFile) {
    this.table = new SymbolTable(elf);
    this.info = new DebugInfo(elf);
    this.functions = new FunctionIndex(elf, this.info);
    this.declarations = new Declarations(this.info, () => this.lines);
    this.unwinder = new Unwinder(elf, new CallFrames(elf), this.table);
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
    return this.table.covering(address) ?? this.functionSymbol(address) ?? this.table.at(address);
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

  linesWithCode(file: string): { line: number; address: bigint }[] {
    return this.lines.firstRowsOf(file).map(({ start, location: { line } }) => ({ line, address: start }));
  }

  nextLineWithCode(file: string, line: number): number | undefined {
    return this.lines.linesOf(file).find((candidate) => candidate >= line);
  }

  breakpointAddresses(file: string, line: number): bigint[] {
    return breakpointAddresses(
      this.lines.rowsOf(file, line),
      (address) => {
        const scope = this.functions.scopeAt(address);
        return scope ? (scope.inlined.at(-1) ?? scope.function) : this.table.at(address);
      },
      (address) => {
        const symbol = this.at(address);
        return symbol?.kind === 'function' && symbol.address === address ? this.afterPrologue(symbol) : address;
      },
    );
  }

  afterPrologue(symbol: Symbol): bigint {
    return afterPrologue(this.lines, symbol);
  }

  unwind(reader: FrameReader, limit = DEFAULT_FRAMES): Frame[] {
    return this.contexts(reader, limit).map(({ frame }) => frame);
  }

  variables(reader: FrameReader, frameIndex = 0): Variable[] {
    const context = this.contexts(reader, frameIndex + CALLERS)[frameIndex];
    return context ? frameVariables(context, this.sources(reader)) : [];
  }

  globals(reader: FrameReader): Variable[] {
    return globalVariables(this.info, this.sources(reader));
  }

  isLocal(name: string): boolean {
    return this.declarations.isLocal(name);
  }

  declarationOf(name: string, members: readonly string[] = []): SourceLocation | undefined {
    return this.declarations.declarationOf(name, this.find(name)?.address, members);
  }

  typeDeclarationOf(name: string, members: readonly string[] = []): SourceLocation | undefined {
    return this.declarations.typeDeclarationOf(name, this.find(name)?.address, members);
  }

  private sources(reader: FrameReader): VariableSources {
    return { reader, functions: this.functions, registerName, describe: (address) => this.describe(address), entryValues: 0 };
  }

  /** A symbol and the distance into it; nothing for an address that no symbol's size covers. */
  private describe(address: bigint): string | undefined {
    const symbol = this.table.covering(address);
    return symbol && (symbol.address === address ? symbol.name : `${symbol.name}+${address - symbol.address}`);
  }

  private contexts(reader: FrameReader, limit: number): FrameContext[] {
    return framesOf(reader, limit, this.unwinder, this.functions, this.lines, this.table);
  }

  /** A function that only debug information names, as one that a stronger symbol replaced. */
  private functionSymbol(address: bigint): Symbol | undefined {
    const die = this.functions.functionAt(address);
    const name = die && qualifiedName(die);
    const span = die?.span;
    return name && span ? { name, address: span.start, size: Number(span.end - span.start), kind: 'function' } : undefined;
  }

  private get lines(): LineTable {
    return (this.lineTable ??= new LineTable(this.elf, this.info));
  }
}
