/**
 * Writes the resident core's decoder, AssemblyScript, from the instruction table.
 * Run it (`npx tsx engine/isa/generate-decoder.ts [FILE]`) or call {@link generateDecoder}.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compressedInstructions, type CompressedInstruction, type RegisterSource, type Requirement } from './compressed';
import { costs, endsBlock, formats, instructions, isAlu, type FormatName, type Instruction } from './instructions';
import { immediateExpression } from './layout';

/** The name of the constant for a mnemonic, as in `OP_FADD_D`. */
export function opName(mnemonic: string): string {
  return `OP_${mnemonic.toUpperCase().replaceAll('.', '_')}`;
}

/** The number of the constant for a mnemonic: 1 for the table's first row; 0 is illegal. */
export const opNumbers: ReadonlyMap<string, number> = new Map(instructions.map(({ mnemonic }, index) => [mnemonic, index + 1]));

/** The file's text. The same for the same table. */
export function generateDecoder(): string {
  return [
    '// Generated from engine/isa by generate-decoder.ts: change the table there, not this file.',
    '',
    'export const OP_ILLEGAL: u16 = 0;',
    ...instructions.map(({ mnemonic }) => `export const ${opName(mnemonic)}: u16 = ${opNumbers.get(mnemonic)};`),
    '/** The first number that is free for ops of the core itself. */',
    `export const OP_COUNT: u16 = ${instructions.length + 1};`,
    '',
    ...metadata(),
    ...prelude(),
    ...(Object.keys(formats) as FormatName[]).flatMap(formatFunction),
    ...baseDecoder(),
    ...compressedDecoder(),
    '/**',
    ' * Fills op, rd, rs1, rs2 and imm of a decoded record.',
    ' * Returns the length of the instruction in bytes; of a compressed one only the low 16 bits of raw count.',
    ' * An unknown encoding gives OP_ILLEGAL with the encoding as imm.',
    ' */',
    'export function decode(raw: u32, record: usize): u32 {',
    '  return (raw & 3) == 3 ? decodeBase(raw, record) : decodeCompressed(raw & 0xffff, record);',
    '}',
    '',
  ].join('\n');
}

/** A function op -> number, as a switch whose most frequent result is the default. */
function lookup(name: string, type: string, comment: string, illegal: string, value: (row: Instruction) => string): string[] {
  const groups = new Map<string, string[]>([[illegal, ['OP_ILLEGAL']]]);
  for (const row of instructions) {
    const names = groups.get(value(row)) ?? [];
    names.push(opName(row.mnemonic));
    groups.set(value(row), names);
  }
  const ordered = [...groups].sort((a, b) => a[1].length - b[1].length);
  const [commonest] = ordered.pop() ?? [illegal];
  return [
    `/** ${comment} */`,
    `export function ${name}(op: u32): ${type} {`,
    '  switch (op) {',
    ...ordered.flatMap(([result, names]) => [...names.map((each) => `    case ${each}:`), `      return ${result};`]),
    `    default: return ${commonest};`,
    '  }',
    '}',
    '',
  ];
}

function metadata(): string[] {
  return [
    ...lookup('opEndsBlock', 'bool', 'Does the straight line end after this op: jumps, branches, traps, and whatever the core must look around after?',
      'true', (row) => String(endsBlock(row))),
    ...lookup('opCycles', 'u32', 'Core cycles under fast timing.', String(costs.system), (row) => String(costs[row.cost])),
    ...lookup('opIsAlu', 'bool', 'Is its result one of the integer arithmetic-logic unit?', 'false', (row) => String(isAlu(row))),
    ...lookup('opLoads', 'bool', 'Does the op read data memory?', 'false', (row) => String(row.loads)),
    ...lookup('opStores', 'bool', 'Does the op write data memory?', 'false', (row) => String(row.stores)),
    ...lookup('opWritesX', 'bool', 'Does the op write an integer register?', 'false', (row) => String(row.writes === 'x')),
    ...lookup('opWritesF', 'bool', 'Does the op write a floating-point register?', 'false', (row) => String(row.writes === 'f')),
  ];
}

function prelude(): string[] {
  return [
    '// @ts-ignore: decorator',
    '@inline',
    'function put(record: usize, op: u32, rd: u32, rs1: u32, rs2: u32, imm: i32): void {',
    '  store<u16>(record, <u16>op, 0);',
    '  store<u16>(record, <u16>rd, 2);',
    '  store<u16>(record, <u16>rs1, 4);',
    '  store<u16>(record, <u16>rs2, 6);',
    '  store<i32>(record, imm, 8);',
    '}',
    '',
    'function illegal(raw: u32, record: usize, length: u32): u32 {',
    '  put(record, OP_ILLEGAL, 0, 0, 0, <i32>raw);',
    '  return length;',
    '}',
    '',
  ];
}

/** An expression for eight times the 5-bit field at bit `at`: a register's byte offset. */
function registerOffset(at: number): string {
  return at >= 3 ? `((raw >> ${at - 3}) & 0xf8)` : `((raw << ${3 - at}) & 0xf8)`;
}

function formatFunctionName(name: FormatName): string {
  return `decode${name.split('-').map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('')}`;
}

function formatFunction(name: FormatName): string[] {
  const format = formats[name];
  const rd = format.rd ? registerOffset(7) : '0';
  const rs1 = !format.rs1 ? '0' : format.rs1Immediate ? '((raw >> 15) & 31)' : registerOffset(15);
  const rs2 = format.rs2 ? registerOffset(20) : '0';
  const rm = '((raw >> 12) & 7)';
  let imm = format.immediate === null ? '0' : immediateExpression(format.immediate);
  if (format.rm) imm = format.rs3 ? `<i32>(${rm} | (${registerOffset(27)} << 8))` : `<i32>${rm}`;
  return [
    `function ${formatFunctionName(name)}(raw: u32, record: usize, op: u32): u32 {`,
    ...(format.rm ? [`  if (${rm} == 5 || ${rm} == 6) return illegal(raw, record, 4);`] : []),
    `  put(record, op, ${rd}, ${rs1}, ${rs2}, ${imm});`,
    '  return 4;',
    '}',
    '',
  ];
}

interface Field {
  low: number;
  width: number;
}

/** The fields a decoding step may switch on, best first. */
const fields: Field[] = [
  { low: 0, width: 7 },
  { low: 12, width: 3 },
  { low: 25, width: 7 },
  { low: 26, width: 6 },
  { low: 27, width: 5 },
  { low: 25, width: 2 },
  { low: 20, width: 5 },
];

function fieldMask({ low, width }: Field): number {
  return ((2 ** width - 1) * 2 ** low) >>> 0;
}

function baseDecoder(): string[] {
  return [
    'function decodeBase(raw: u32, record: usize): u32 {',
    ...decisions([...instructions], 0, '  '),
    '  return illegal(raw, record, 4);',
    '}',
    '',
  ];
}

/** Statements that find the row among `rows`, of which the bits in `tested` are known to match; they fall through if none does. */
function decisions(rows: Instruction[], tested: number, indent: string): string[] {
  const field = rows.length < 2 ? undefined : fields.find((each) => {
    const mask = fieldMask(each);
    return rows.every((row) => (row.mask & mask) >>> 0 === mask) && (tested & mask) >>> 0 !== mask;
  });
  if (field === undefined) return rows.flatMap((row) => leaf(row, tested, indent));
  const groups = new Map<number, Instruction[]>();
  for (const row of rows) {
    const value = (row.match >>> field.low) & (2 ** field.width - 1);
    const group = groups.get(value) ?? [];
    group.push(row);
    groups.set(value, group);
  }
  const now = (tested | fieldMask(field)) >>> 0;
  const shifted = field.low === 0 ? 'raw' : `raw >> ${field.low}`;
  return [
    `${indent}switch ((${shifted}) & 0x${(2 ** field.width - 1).toString(16)}) {`,
    ...[...groups].sort((a, b) => a[0] - b[0]).flatMap(([value, group]) => [
      `${indent}  case 0x${value.toString(16)}: {`,
      ...decisions(group, now, `${indent}    `),
      `${indent}    break;`,
      `${indent}  }`,
    ]),
    `${indent}  default: break;`,
    `${indent}}`,
  ];
}

function leaf(row: Instruction, tested: number, indent: string): string[] {
  const left = (row.mask & ~tested) >>> 0;
  const condition = left === 0 ? '' : `if ((raw & 0x${left.toString(16)}) == 0x${((row.match & left) >>> 0).toString(16)}) `;
  return [`${indent}${condition}return ${formatFunctionName(row.format)}(raw, record, ${opName(row.mnemonic)});`];
}

function compressedDecoder(): string[] {
  const groups = new Map<number, CompressedInstruction[]>();
  for (const row of compressedInstructions) {
    const key = ((row.match & 3) << 3) | (row.match >>> 13);
    const group = groups.get(key) ?? [];
    group.push(row);
    groups.set(key, group);
  }
  return [
    'function decodeCompressed(raw: u32, record: usize): u32 {',
    '  switch (((raw & 3) << 3) | (raw >> 13)) {',
    ...[...groups].sort((a, b) => a[0] - b[0]).flatMap(([key, rows]) => [
      `    case 0x${key.toString(16)}: {`,
      ...rows.flatMap(compressedLeaf),
      '      break;',
      '    }',
    ]),
    '    default: break;',
    '  }',
    '  return illegal(raw, record, 2);',
    '}',
    '',
  ];
}

function compressedLeaf(row: CompressedInstruction): string[] {
  const imm = row.immediate === null ? '0' : immediateExpression(row.immediate);
  const left = row.mask & ~0xe003;
  const conditions = [
    ...(left === 0 ? [] : [`(raw & 0x${left.toString(16)}) == 0x${(row.match & left).toString(16)}`]),
    ...row.requires.map((requirement) => compressedCondition(requirement, imm)),
  ];
  const put = `put(record, ${opName(row.expansion)}, ${compressedOffset(row.rd)}, ${compressedOffset(row.rs1)}, ${compressedOffset(row.rs2)}, ${imm});`;
  const body = [put, 'return 2;'];
  if (conditions.length === 0) return body.map((line) => `      ${line}`);
  return [`      if (${conditions.join(' && ')}) {`, ...body.map((line) => `        ${line}`), '      }'];
}

function compressedCondition(requirement: Requirement, imm: string): string {
  switch (requirement) {
    case 'rd-not-zero':
      return '(raw & 0xf80) != 0';
    case 'rd-not-sp':
      return '(raw & 0xf80) != 0x100';
    case 'rs2-not-zero':
      return '(raw & 0x7c) != 0';
    case 'immediate-not-zero':
      return `(${imm}) != 0`;
  }
}

function compressedOffset(source: RegisterSource): string {
  switch (source.kind) {
    case 'fixed':
      return String(source.index * 8);
    case 'full':
      return registerOffset(source.at);
    case 'short': {
      const moved = source.at >= 3 ? `raw >> ${source.at - 3}` : `raw << ${3 - source.at}`;
      return `(((${moved}) & 0x38) + 64)`;
    }
  }
}

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) {
  const target = process.argv[2] ?? fileURLToPath(new URL('../core/assembly/decode.generated.ts', import.meta.url));
  writeFileSync(target, generateDecoder());
}
