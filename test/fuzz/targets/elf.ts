import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { LoadError, Machine } from '../../../engine/machine/machine';
import type { MachineSnapshot } from '../../../engine/machine/snapshot';
import { readElf, readElfFile } from '../../../engine/symbols/elf';
import { exercise } from '../../../engine/symbols/test/exercise';
import { ElfError } from '../../../engine/symbols/types';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { patched, type Region } from './patches';

const root = join(import.meta.dirname, '../../..');
const files = ['examples/sort/sort.elf', 'examples/checksum/checksum.elf', 'examples/ticker/ticker.elf', 'test/oracles/smp/smp.elf'];
const ramBytes = 4 * 2 ** 20;
const instructions = 10_000;

interface Base {
  bytes: Uint8Array;
  regions: readonly Region[];
}
let bases: readonly Base[] | undefined;
let rig: { machine: Machine; start: MachineSnapshot } | undefined;

/** ELF files: what they name is asked for, and they are loaded and run. The input is which one, and changes of it. */
export const elfTarget: FuzzTarget = {
  what: 'ELF files with their DWARF, loaded and run',
  runs: 120,
  seeds: () => [0, 1, 2, 3, 4].map((base) => Uint8Array.of(base)),
  run(input) {
    bases ??= makeBases();
    const program = new ByteReader(input);
    const base = bases[program.byte() % bases.length];
    if (!base) throw new Error('no files');
    const bytes = patched(base.bytes, base.regions, program);
    const read = exercise(bytes, { symbols: 8, files: 2 });
    if ('refused' in read) return `refused: ${plain(read.refused)}`;
    return [...[...read.values].map((value) => `value ${value}`), `${Math.min(read.frames, 4)} frames`, run(bytes)].join(', ');
  },
};

/** Loads it and lets it run. */
function run(bytes: Uint8Array): string {
  rig ??= made();
  const { machine, start } = rig;
  machine.restore(start);
  try {
    machine.load(readElf(bytes));
  } catch (error) {
    if (!(error instanceof LoadError || error instanceof ElfError) || /\n/.test(error.message)) throw error;
    return `not loaded: ${plain(error.message)}`;
  }
  const stop = machine.run(instructions);
  if (machine.retired > instructions) throw new Error(`${machine.retired} instructions where ${instructions} were asked for`);
  machine.takeOutputs();
  return stop;
}

function made(): { machine: Machine; start: MachineSnapshot } {
  const machine = Machine.create({ ramBytes });
  return { machine, start: machine.snapshot() };
}

/** A message without its numbers and commas. */
const plain = (message: string): string => message.replace(/\(.*\)/g, '').replace(/0x[0-9a-f]+|\d+/g, 'N').replaceAll(',', ';');

function makeBases(): Base[] {
  const sound = files.map((file) => new Uint8Array(readFileSync(join(root, file))));
  const [first] = sound;
  return [...sound, ...(first ? [withCompressedSections(first)] : [])].map((bytes) => ({ bytes, regions: regionsOf(bytes) }));
}

/** Headers, and what is read of sections; code least often. */
function regionsOf(bytes: Uint8Array): Region[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const programs = { start: Number(view.getBigUint64(32, true)), bytes: view.getUint16(54, true) * view.getUint16(56, true) };
  const sections = { start: Number(view.getBigUint64(40, true)), bytes: view.getUint16(58, true) * view.getUint16(60, true) };
  const contents = readElfFile(bytes).sections.filter(({ name }) => /^\.(debug|symtab|strtab|shstrtab|text|eh_frame)/.test(name));
  const found = contents.map(({ raw }) => ({ start: raw.byteOffset - bytes.byteOffset, bytes: raw.length }));
  return [{ start: 0, bytes: 64 }, programs, sections, ...found].filter(({ bytes: length }) => length > 0);
}

/** The same file as a linker leaves it that compresses debug information: gABI, "Section Compression". */
function withCompressedSections(bytes: Uint8Array): Uint8Array {
  let file = Buffer.from(bytes);
  const headers = Number(file.readBigUInt64LE(40));
  readElfFile(bytes).sections.forEach(({ name, raw }, index) => {
    if (!name.startsWith('.debug')) return;
    const header = headers + index * file.readUInt16LE(58);
    const head = Buffer.alloc(24);
    head.writeUInt32LE(1);
    head.writeBigUInt64LE(BigInt(raw.length), 8);
    head.writeBigUInt64LE(1n, 16);
    const packed = Buffer.concat([head, deflateSync(raw)]);
    const compressed = 0x800n;
    file.writeBigUInt64LE(file.readBigUInt64LE(header + 8) | compressed, header + 8);
    file.writeBigUInt64LE(BigInt(file.length), header + 24);
    file.writeBigUInt64LE(BigInt(packed.length), header + 32);
    file = Buffer.concat([file, packed]);
  });
  return new Uint8Array(file);
}
