import { posix } from 'node:path';
import { readAttribute, type FormSizes } from './attribute';
import { FORM } from './dwarf';
import type { ElfFile } from './elf';
import { readInitialLength } from './initial-length';
import { stringAt, type Reader } from './reader';
import { ElfError } from './types';

/** Rows of consecutive addresses, as parallel arrays; the last row only marks the end. */
export interface Sequence {
  start: bigint;
  /** Bytes from `start`, never descending. */
  offsets: number[];
  /** Indexes of the program's files. */
  files: number[];
  /** 0 where the compiler names no line. */
  lines: number[];
  columns: number[];
  /** {@link ROW_STATEMENT} and {@link ROW_PROLOGUE_END}. */
  flags: number[];
}

export const ROW_STATEMENT = 1;
export const ROW_PROLOGUE_END = 2;

/** One unit's part of `.debug_line`. */
interface LineProgram {
  /** Paths by file number; '' where a number is not given out. */
  files: string[];
  sequences: Sequence[];
}

const DW_LNS = { copy: 1, advancePc: 2, advanceLine: 3, setFile: 4, setColumn: 5, negateStmt: 6, constAddPc: 8, fixedAdvancePc: 9, setPrologueEnd: 10 };
const DW_LNE = { endSequence: 1, setAddress: 2 };
const DW_LNCT = { path: 1, directoryIndex: 2 };

interface Header extends FormSizes {
  minimumInstructionLength: number;
  operationsPerInstruction: number;
  defaultIsStatement: boolean;
  lineBase: number;
  lineRange: number;
  /** Operand count of each standard opcode, from opcode 1. */
  operandCounts: number[];
  files: string[];
}

/**
 * Reads the program at the cursor and moves past it (DWARF 5 section 6.2;
 * versions 2 to 5). `directory` gives the compilation directory, which before
 * version 5 only the unit's DIE knows.
 * @throws ElfError where the cursor cannot be moved past it; a program damaged inside gives its sound sequences.
 */
export function readLineProgram(reader: Reader, elf: ElfFile, directory: string): LineProgram {
  const { length, wide } = readInitialLength(reader);
  const body = reader.take(length);
  let files: string[] = [];
  const sequences: Sequence[] = [];
  try {
    const header = readHeader(body, length, wide, elf, directory);
    files = header.files;
    execute(body, header, sequences);
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
  }
  return { files, sequences };
}

function readHeader(body: Reader, length: number, wide: boolean, elf: ElfFile, directory: string): Header {
  const version = body.u16();
  if (version < 2 || version > 5) throw new ElfError(`.debug_line: version ${version} is not known`);
  let addressSize = 8;
  if (version >= 5) {
    addressSize = body.u8();
    body.advance(1); // segment selector size
  }
  const sizes: FormSizes = { wide, addressSize, version };
  const headerLength = body.offset(wide);
  const program = body.position + headerLength;
  const minimumInstructionLength = body.u8();
  const operationsPerInstruction = version >= 4 ? Math.max(body.u8(), 1) : 1;
  const defaultIsStatement = body.u8() !== 0;
  const lineBase = body.i8();
  const lineRange = body.u8();
  if (lineRange === 0) throw new ElfError('.debug_line is damaged: a line range of 0');
  const operandCounts: number[] = [];
  for (let opcode = 1, base = body.u8(); opcode < base; opcode++) operandCounts.push(body.u8());
  const paths = new Paths(MAX_PATHS * length + MAX_PATH);
  const files = version >= 5 ? filesOfVersion5(body, sizes, elf, paths) : filesOfVersion4(body, directory, paths);
  body.advance(program - body.position);
  return { ...sizes, minimumInstructionLength, operationsPerInstruction, defaultIsStatement, lineBase, lineRange, operandCounts, files };
}

/** Before version 5: directory 0 is the compilation directory, and files count from 1. */
function filesOfVersion4(body: Reader, directory: string, paths: Paths): string[] {
  const directories = [directory];
  for (let name = body.string(); name !== ''; name = body.string()) directories.push(paths.join(directory, name));
  const files = [''];
  for (let name = body.string(); name !== ''; name = body.string()) {
    const index = body.uleb();
    body.uleb(); // modification time
    body.uleb(); // length
    files.push(paths.join(directories[index] ?? '', name));
  }
  return files;
}

/** Version 5: both tables say their own form, and count from 0. */
function filesOfVersion5(body: Reader, sizes: FormSizes, elf: ElfFile, paths: Paths): string[] {
  const directories = readEntries(body, sizes, elf).map(({ path }) => path);
  const root = directories[0] ?? '';
  const full = directories.map((path, index) => (index === 0 ? path : paths.join(root, path)));
  return readEntries(body, sizes, elf).map(({ path, directory }) => paths.join(full[directory] ?? '', path));
}

function readEntries(body: Reader, sizes: FormSizes, elf: ElfFile): { path: string; directory: number }[] {
  const format: { content: number; form: number }[] = [];
  for (let left = body.u8(); left > 0; left--) format.push({ content: body.uleb(), form: body.uleb() });
  const count = body.uleb();
  const entries: { path: string; directory: number }[] = [];
  for (let index = 0; index < count; index++) {
    const entry = { path: '', directory: 0 };
    const start = body.position;
    for (const { content, form } of format) {
      const { form: actual, value } = readAttribute(body, form, 0n, sizes);
      if (content === DW_LNCT.path) {
        if (typeof value === 'string') entry.path = value;
        else if (actual === FORM.lineStrp) entry.path = stringAt(elf.section('.debug_line_str'), Number(value));
        else if (actual === FORM.strp) entry.path = stringAt(elf.section('.debug_str'), Number(value));
      } else if (content === DW_LNCT.directoryIndex) entry.directory = Number(value);
    }
    // Otherwise a count alone could make entries without end.
    if (body.position === start) throw new ElfError('.debug_line is damaged: files or directories without a name');
    entries.push(entry);
  }
  return entries;
}

/** No system opens a longer path. */
const MAX_PATH = 4096;
/** Letters of paths that a byte of a program may make: a file takes some five bytes. */
const MAX_PATHS = 64;

/** The paths of one program. Damage may pair any number of files with one long directory; then only the first have one. */
class Paths {
  constructor(private left: number) {}

  /** Joined and without `.` and `..`; a path that starts with `/` stands by itself. */
  join(directory: string, name: string): string {
    if (name === '' || directory.length + name.length > MAX_PATH) return '';
    this.left -= directory.length + name.length;
    if (this.left < 0) return '';
    if (directory === '' || posix.isAbsolute(name)) return posix.normalize(name);
    return posix.normalize(`${directory}/${name}`);
  }
}

/** The state machine of section 6.2.2. */
class Registers {
  address = 0n;
  /** Bytes past `address`: kept as a number, since a sum of bigints at each row is slow. */
  offset = 0;
  operation = 0;
  file = 1;
  line = 1;
  column = 0;
  statement: boolean;
  prologueEnd = false;

  constructor(private readonly header: Header) {
    this.statement = header.defaultIsStatement;
  }

  advance(operations: number): void {
    const { minimumInstructionLength, operationsPerInstruction } = this.header;
    const total = this.operation + operations;
    this.offset += minimumInstructionLength * Math.floor(total / operationsPerInstruction);
    this.operation = total % operationsPerInstruction;
  }
}

function execute(body: Reader, header: Header, sequences: Sequence[]): void {
  const opcodeBase = header.operandCounts.length + 1;
  const constAdvance = Math.floor((255 - opcodeBase) / header.lineRange);
  let registers = new Registers(header);
  let sequence: Sequence | undefined;

  const emit = (): void => {
    sequence ??= { start: registers.address + BigInt(registers.offset), offsets: [], files: [], lines: [], columns: [], flags: [] };
    const offset = Number(registers.address - sequence.start) + registers.offset;
    // A row behind its predecessor would break every search; sound producers write none.
    if (offset < (sequence.offsets.at(-1) ?? 0)) return;
    sequence.offsets.push(offset);
    sequence.files.push(registers.file);
    sequence.lines.push(registers.line);
    sequence.columns.push(registers.column);
    sequence.flags.push((registers.statement ? ROW_STATEMENT : 0) | (registers.prologueEnd ? ROW_PROLOGUE_END : 0));
    registers.prologueEnd = false;
  };

  while (!body.atEnd) {
    const opcode = body.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      registers.advance(Math.floor(adjusted / header.lineRange));
      registers.line += header.lineBase + (adjusted % header.lineRange);
      emit();
    } else if (opcode === 0) {
      const length = body.uleb();
      if (length === 0) continue;
      const operand = body.take(length);
      switch (operand.u8()) {
        case DW_LNE.endSequence:
          emit();
          if (sequence) sequences.push(sequence);
          sequence = undefined;
          registers = new Registers(header);
          break;
        case DW_LNE.setAddress:
          registers.address = operand.unsigned(length - 1);
          registers.offset = 0;
          registers.operation = 0;
          break;
      }
    } else {
      switch (opcode) {
        case DW_LNS.copy:
          emit();
          break;
        case DW_LNS.advancePc:
          registers.advance(body.uleb());
          break;
        case DW_LNS.advanceLine:
          registers.line += body.sleb();
          break;
        case DW_LNS.setFile:
          registers.file = body.uleb();
          break;
        case DW_LNS.setColumn:
          registers.column = body.uleb();
          break;
        case DW_LNS.negateStmt:
          registers.statement = !registers.statement;
          break;
        case DW_LNS.constAddPc:
          registers.advance(constAdvance);
          break;
        case DW_LNS.fixedAdvancePc:
          registers.offset += body.u16();
          registers.operation = 0;
          break;
        case DW_LNS.setPrologueEnd:
          registers.prologueEnd = true;
          break;
        default:
          // Basic blocks, epilogues and the ISA say nothing needed here; unknown opcodes have their operands skipped.
          for (let left = header.operandCounts[opcode - 1]!; left > 0; left--) body.uleb();
      }
    }
  }
}
