/**
 * What an ELF and its DWARF say about a guest. {@link readElf} (elf.ts) gives
 * the image, {@link readSymbols} (symbols.ts) everything with names.
 */

export interface ElfSegment {
  /** Physical load address. */
  address: bigint;
  /** Virtual address. */
  virtual: bigint;
  data: Uint8Array;
  /** Bytes in memory, at least `data.length`; the rest is zero. */
  memoryBytes: number;
  executable: boolean;
  writable: boolean;
}

export interface ElfImage {
  entry: bigint;
  segments: ElfSegment[];
}

/** An ELF that cannot be read or is for another machine: one clear line. */
export class ElfError extends Error {}

export interface Symbol {
  name: string;
  address: bigint;
  /** Bytes; 0 where the symbol table does not say. */
  size: number;
  kind: 'function' | 'object' | 'other';
}

export interface SourceLocation {
  /** Path as the debug information has it, joined with its directory. */
  file: string;
  line: number;
  column: number;
}

export interface LineRange {
  start: bigint;
  /** First address past it. */
  end: bigint;
  isStatement: boolean;
  location: SourceLocation;
}

/** One physical or inlined frame, innermost first. */
export interface Frame {
  pc: bigint;
  /** Canonical frame address: names the activation; equal for inlined frames of one function. */
  cfa: bigint;
  /** Name of the (possibly inlined) function; undefined where nothing is known. */
  function?: string;
  location?: SourceLocation;
  inlined: boolean;
}

/** Reads the registers and memory that unwinding and variables need. */
export interface FrameReader {
  pc: bigint;
  x(index: number): bigint;
  f(index: number): bigint;
  /** A CSR by its number; where it is given, unwinding goes on past trap handlers. */
  csr?(number: number): bigint | undefined;
  /** Little-endian bytes or undefined where unreadable. */
  read(address: bigint, bytes: number): Uint8Array | undefined;
}

/** A variable with its value in one frame. */
export interface Variable {
  name: string;
  /** As C writes it: `uint32_t`, `struct record *`, `int [16]`. */
  type: string;
  /** Bytes, where known. */
  size?: number;
  /** How its bits are to be read, if it is a number. */
  encoding?: 'signed' | 'unsigned' | 'float';
  /** Where it lives, if in memory. */
  address?: bigint;
  /** Register name, if it lives in one. */
  register?: string;
  /** Display value: `42`, `0x80001000`, `'a' 97`, `{…}`, `<optimized out>`. */
  value: string;
  /** Present where it has members, elements or a target. */
  children?: () => Variable[];
}

export interface Symbols {
  readonly symbols: readonly Symbol[];
  /** Exact name. */
  find(name: string): Symbol | undefined;
  /** The symbol that covers the address (by size, else the nearest before it in the same section). */
  at(address: bigint): Symbol | undefined;
  /** The line-table row that covers the address. */
  lineAt(address: bigint): LineRange | undefined;
  /** All ranges of a line. `file` may be a full path or any trailing part of one (`sum.c`). */
  rangesOf(file: string, line: number): LineRange[];
  /** All lines of a file that have code, ascending, and where the first of it is. */
  linesWithCode(file: string): { line: number; address: bigint }[];
  /** The nearest line at or after `line` that has code, or undefined. */
  nextLineWithCode(file: string, line: number): number | undefined;
  /** Where a breakpoint on a line goes: one address for each place the statement begins. */
  breakpointAddresses(file: string, line: number): bigint[];
  /** First address after the function's prologue, by line table. */
  afterPrologue(symbol: Symbol): bigint;
  /** Source files of the line table, full paths, sorted. */
  readonly files: readonly string[];
  /** Physical and inlined frames from CFI, else from frame pointers; at most `limit`. */
  unwind(reader: FrameReader, limit?: number): Frame[];
  /** Variables and parameters in scope in a frame that `unwind` gave (0 = innermost). */
  variables(reader: FrameReader, frameIndex?: number): Variable[];
  /** Globals and statics of the program. */
  globals(reader: FrameReader): Variable[];
  /** True of a name that functions have for parameters or variables of their own. */
  isLocal(name: string): boolean;
  /** Where the source declares a function or a variable of the program, or the member that `members` lead to from it. Columns count from 1; 0 where none is known. */
  declarationOf(name: string, members?: readonly string[]): SourceLocation | undefined;
  /** Where it declares the type of that: the structure, union or enumeration behind pointers and arrays, or else the last name that it has. */
  typeDeclarationOf(name: string, members?: readonly string[]): SourceLocation | undefined;
  /** The nearest names by edit distance, best first, for "did you mean". */
  nearest(name: string, limit?: number): string[];
}
