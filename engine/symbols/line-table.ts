import { posix } from 'node:path';
import { AT } from './dwarf';
import { inCode, type ElfFile } from './elf';
import type { DebugInfo } from './info';
import { readLineProgram, ROW_PROLOGUE_END, ROW_STATEMENT, type Sequence } from './line-program';
import { Reader } from './reader';
import { ElfError, type LineRange } from './types';

/** A row of the table; {@link LineTable} makes it on demand. */
export interface Row extends LineRange {
  /** The compiler's own mark of where the function's body begins. */
  prologueEnd: boolean;
  /** Another row begins at the same address, so this one covers nothing. */
  empty: boolean;
  /** Whether the row before it in the sequence is of the same file and line. */
  continues: boolean;
}

interface PlacedSequence extends Sequence {
  end: bigint;
  paths: readonly string[];
}

/** The line tables of all units as one. */
export class LineTable {
  /** Full paths, sorted. */
  readonly files: readonly string[];
  /** Ascending starts. */
  private readonly sequences: PlacedSequence[] = [];
  /** For each sequence, the largest end of it and all before. */
  private readonly reach: bigint[] = [];
  private readonly programFiles = new Map<number, readonly string[]>();
  private rowsByFile: Map<string, Row[]> | undefined;

  constructor(elf: ElfFile, info: DebugInfo) {
    this.readPrograms(elf, info);
    this.sequences.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    const files = new Set<string>();
    let reach = 0n;
    for (const { end, files: used, paths } of this.sequences) {
      reach = end > reach ? end : reach;
      this.reach.push(reach);
      for (const file of new Set(used)) if (paths[file]) files.add(paths[file]);
    }
    this.files = [...files].sort();
  }

  /** The path of a file number of the program at that offset of `.debug_line`, for DW_AT_call_file and the like. */
  pathOf(program: number, file: number): string | undefined {
    return this.programFiles.get(program)?.[file] || undefined;
  }

  /** The row that covers the address; of several that begin there, the last, as binutils and gdb take it. */
  rowAt(address: bigint): Row | undefined {
    for (let index = this.lastSequence(address); index >= 0 && this.reach[index]! > address; index--) {
      const sequence = this.sequences[index]!;
      if (address >= sequence.end) continue;
      const row = this.row(sequence, lastAtOrBelow(sequence.offsets, Number(address - sequence.start)));
      return row.location.line === 0 ? undefined : row;
    }
    return undefined;
  }

  /** Rows that begin in `start..end` (end excluded), in the table's order. */
  rowsIn(start: bigint, end: bigint): Row[] {
    const rows: Row[] = [];
    for (let index = 0; index < this.sequences.length; index++) {
      const sequence = this.sequences[index]!;
      if (sequence.end <= start || sequence.start >= end) continue;
      for (let row = 0; row < sequence.offsets.length - 1; row++) {
        const address = sequence.start + BigInt(sequence.offsets[row]!);
        if (address >= start && address < end) rows.push(this.row(sequence, row));
      }
    }
    return rows;
  }

  /** Rows of a line that cover code or begin a statement, ascending addresses. */
  rowsOf(file: string, line: number): Row[] {
    return this.rowsOfFile(file).filter(({ location }) => location.line === line);
  }

  /** Ascending lines of a file that have code. */
  linesOf(file: string): number[] {
    const lines = new Set(this.rowsOfFile(file).flatMap(({ location, empty }) => (empty ? [] : [location.line])));
    return [...lines].sort((a, b) => a - b);
  }

  /** Of each line of a file that has code the row with the lowest address; ascending lines. */
  firstRowsOf(file: string): Row[] {
    const first = new Map<number, Row>();
    for (const row of this.rowsOfFile(file)) {
      const known = first.get(row.location.line);
      if (!row.empty && (!known || row.start < known.start)) first.set(row.location.line, row);
    }
    return [...first.values()].sort((a, b) => a.location.line - b.location.line);
  }

  private rowsOfFile(file: string): Row[] {
    this.rowsByFile ??= this.groupByFile();
    return matchingPaths(this.files, file).flatMap((path) => this.rowsByFile!.get(path) ?? []);
  }

  private groupByFile(): Map<string, Row[]> {
    const groups = new Map<string, Row[]>();
    for (const sequence of this.sequences) {
      for (let index = 0; index < sequence.offsets.length - 1; index++) {
        if (sequence.lines[index] === 0) continue;
        const row = this.row(sequence, index);
        const group = groups.get(row.location.file);
        if (group) group.push(row);
        else groups.set(row.location.file, [row]);
      }
    }
    return groups;
  }

  private row(sequence: PlacedSequence, index: number): Row {
    const { start, offsets, files, lines, columns, flags, paths } = sequence;
    const offset = offsets[index]!;
    return {
      start: start + BigInt(offset),
      end: start + BigInt(offsets[index + 1]!),
      isStatement: (flags[index]! & ROW_STATEMENT) !== 0,
      prologueEnd: (flags[index]! & ROW_PROLOGUE_END) !== 0,
      empty: offsets[index + 1] === offset,
      continues: index > 0 && lines[index - 1] === lines[index] && files[index - 1] === files[index],
      location: { file: paths[files[index]!] ?? '', line: lines[index]!, column: columns[index]! },
    };
  }

  private lastSequence(address: bigint): number {
    let low = 0;
    let high = this.sequences.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sequences[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private readPrograms(elf: ElfFile, info: DebugInfo): void {
    const section = elf.section('.debug_line');
    if (!section) return;
    const directories = new Map<number, string>();
    for (const { root } of info.units) {
      const program = root.sectionOffset(AT.stmtList);
      if (program !== undefined) directories.set(program, root.string(AT.compDir) ?? '');
    }
    const reader = new Reader(section, '.debug_line');
    try {
      while (!reader.atEnd) {
        const offset = reader.position;
        const { files, sequences } = readLineProgram(reader, elf, directories.get(offset) ?? '');
        this.programFiles.set(offset, files);
        for (const sequence of sequences) {
          const end = sequence.start + BigInt(sequence.offsets.at(-1));
          // The linker leaves the tables of functions that it threw away at address 0.
          if (end > sequence.start && inCode(elf, sequence.start)) this.sequences.push({ ...sequence, end, paths: files });
        }
      }
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
    }
  }
}

function lastAtOrBelow(offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The paths that end with `file` at a `/`. Where none does, relative paths
 * (of a build with mapped prefixes) that `file` itself ends with.
 */
function matchingPaths(paths: readonly string[], file: string): string[] {
  const wanted = posix.normalize(file.replaceAll('\\', '/'));
  const found = paths.filter((path) => path === wanted || path.endsWith(`/${wanted}`));
  if (found.length > 0) return found;
  return paths.filter((path) => !posix.isAbsolute(path) && wanted.endsWith(`/${path.replace(/^(\.\.\/)+/, '')}`));
}
