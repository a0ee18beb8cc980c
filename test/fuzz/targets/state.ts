import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { banksOffset, hartBytes, hartFields, pageBytes, sharedFields, stateBytes } from '../../../engine/core/layout';
import { Machine } from '../../../engine/machine/machine';
import { noImages, readState, StateFileError, type ImageOf, type StateFile } from '../../../engine/machine/state-file';
import { imageOfBytes } from '../../../engine/machine/virtio/disk-image';
import { guestMac } from '../../../engine/network/addresses';
import { readElf } from '../../../engine/symbols/elf';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { patched, value64, type Region } from './patches';

const root = join(import.meta.dirname, '../../..');
const ramBytes = 2 * 2 ** 20;
const instructions = 10_000;
const headerBytes = 88;
const hashAt = 56;
/** Machines with more are read, and not made: that would measure the host. */
const mostRam = 16 * 2 ** 20;

const image = imageOfBytes(new Uint8Array(64 * 512).fill(0x5a));
const imageOf: ImageOf = (disk, number) => (disk.bytes === image.bytes ? image : noImages(disk, number));
/** What stands between header and packed content: of no disk, or of one without a name. */
const diskBytes = 56;
let bases: readonly Buffer[] | undefined;
let bomb: Buffer | undefined;
const machines = new Map<string, Machine>();

/**
 * Files of states, damaged with and without a right checksum, and with a state
 * block that no machine has ever had: what is read is run, whole and cut. The
 * input: which file, how it is changed, and the changes.
 */
export const stateTarget: FuzzTarget = {
  what: 'files of states, restored and run',
  runs: 200,
  seeds: () => [0, 1, 2, 3].flatMap((base) => [0, 1, 2, 3].map((how) => Uint8Array.of(base, how))).concat(Uint8Array.of(0, 4)),
  run(input) {
    bases ??= makeBases();
    const program = new ByteReader(input);
    const base = bases[program.byte() % bases.length] ?? Buffer.alloc(0);
    const file = makeFile(base, program);
    let state: StateFile;
    try {
      state = readState(file, imageOf);
    } catch (error) {
      if (!(error instanceof StateFileError) || /\n/.test(error.message)) throw error;
      return `refused: ${error.message.replace(/\d+/g, 'N').replaceAll(',', ';')}`;
    }
    return run(file, state);
  },
};

function run(file: Uint8Array, { snapshot, tohost, ...devices }: StateFile): string {
  const kind = `${snapshot.harts} harts`;
  if (snapshot.ramBytes > mostRam) return `${kind}, much RAM`;
  const { readOnly, entropy, console, mac } = devices;
  const key = `${snapshot.ramBytes} ${snapshot.harts} ${entropy} ${console} ${mac?.join() ?? ''} ${readOnly.join()} ${tohost}`;
  let machine = machines.get(key);
  if (!machine) {
    // Few, as each takes as much of the host's address space as a large one.
    if (machines.size >= 12) machines.clear();
    machines.set(key, (machine = Machine.fromState(file, imageOf)));
  }
  machine.restore(snapshot);
  machine.takeOutputs();
  if (!machine.snapshot().equals(snapshot)) throw new Error('restored, it is another state');
  if (!readState(machine.save(), imageOf).snapshot.equals(snapshot)) throw new Error('saved again, it is another state');
  const limit = machine.retired + instructions;
  const stop = machine.run(limit);
  const outputs = machine.takeOutputs();
  const whole = machine.snapshot();
  if (machine.retired > limit) throw new Error(`${machine.retired - limit} instructions more than were asked for`);
  machine.restore(snapshot);
  let at = snapshot.retired;
  do at = Math.min(at + 1777, limit);
  while (machine.run(at) === 'limit' && at < limit);
  const cut = machine.snapshot();
  if (!cut.equals(whole)) throw new Error(`another state where the run was cut: ${cut.difference(whole, 3).map(({ place }) => place).join(', ')}`);
  machine.takeOutputs();
  machine.receive(Uint8Array.of(65, 66, 67));
  return [kind, stop, outputs.length > 0 ? 'outputs' : 'no outputs', machine.traps().exceptions > 0 ? 'exceptions' : 'no exceptions'].join(', ');
}

function makeFile(base: Buffer, program: ByteReader): Uint8Array {
  switch (program.byte() % 8) {
    case 0:
      return patched(base, [{ start: 0, bytes: headerBytes }, { start: 0, bytes: base.length }], program);
    case 1: {
      const file = patched(base, [{ start: 8, bytes: 32 }, { start: headerBytes, bytes: base.length }], program);
      return file.length >= headerBytes ? summed(Buffer.from(file)) : file;
    }
    case 2:
      return packed(base, patched(unpacked(base), regionsOf(base), program), program);
    case 4: {
      // Far more than it says.
      bomb ??= deflateRawSync(Buffer.alloc(256 * 2 ** 20));
      return summed(Buffer.concat([base.subarray(0, packedAt(base)), bomb]));
    }
    default:
      return packed(base, withFields(unpacked(base), base, program), program);
  }
}

/** The state block with other values in some of its fields. */
function withFields(body: Buffer, base: Buffer, program: ByteReader): Buffer {
  const harts = base.readUInt32LE(16);
  for (let changes = 0; !program.done && changes < 12; changes++) {
    const which = program.byte();
    if (which < 8) {
      body.writeBigUInt64LE(value64(program), (program.byte() & 63) * 8);
      continue;
    }
    const fields = (which & 1) === 0 ? hartFields : sharedFields;
    const { offset, bytes } = fields[program.byte() % fields.length] ?? { offset: 0, bytes: 8 };
    const bank = fields === hartFields ? (program.byte() % (harts + 1)) * hartBytes + banksOffset - hartBytes : 0;
    const at = offset + (bank < banksOffset ? 0 : bank);
    const value = value64(program);
    if (bytes === 8) body.writeBigUInt64LE(value, at);
    else body.writeUInt32LE(Number(value & 0xffff_ffffn), at);
  }
  return body;
}

const packedAt = (file: Buffer): number => headerBytes + diskBytes * file.readUInt32LE(44);
const unpacked = (file: Buffer): Buffer => inflateRawSync(file.subarray(packedAt(file)));

/** A file with this content and a right sum; what is left of the program may change the header. */
function packed(base: Buffer, body: Uint8Array, program: ByteReader): Buffer {
  const header = Buffer.from(base.subarray(0, packedAt(base)));
  if (!program.done && (program.byte() & 3) === 3) header.writeUInt32LE(Number(value64(program) & 0xffff_ffffn), 12 + (program.byte() % 11) * 4);
  return summed(Buffer.concat([header, deflateRawSync(body, { level: 1 })]));
}

function summed(file: Buffer): Buffer {
  createHash('sha256').update(file.subarray(0, hashAt)).update(file.subarray(headerBytes)).digest().copy(file, hashAt);
  return file;
}

/** Where what stands in the unpacked content. */
function regionsOf(file: Buffer): Region[] {
  const [used, usedAtStart, different] = [file.readUInt32LE(28), file.readUInt32LE(32), file.readUInt32LE(36)];
  const blocks = file.readUInt32LE(44) > 0 ? file.readUInt32LE(headerBytes + 12) : 0;
  const places = (used + usedAtStart + blocks) * 8;
  return [
    { start: 0, bytes: hartBytes },
    { start: hartBytes, bytes: hartBytes },
    { start: 0x600, bytes: 0x480 },
    { start: banksOffset, bytes: 4 * hartBytes },
    { start: stateBytes, bytes: stateBytes },
    { start: 2 * stateBytes, bytes: places },
    { start: 2 * stateBytes + places, bytes: different * pageBytes },
  ];
}

/** Guests in machine mode on one hart and on four, in supervisor mode over the built-in SBI, and with all devices. */
function makeBases(): Buffer[] {
  const load = (machine: Machine, file: string): Machine => {
    machine.load(readElf(readFileSync(join(root, file))));
    machine.run(20_000);
    return machine;
  };
  // ecall; j back: at offset 64, behind the header.
  const kernel = Buffer.alloc(4096);
  [0x0400006f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x05435352, 0, 0x00000073, 0xffdff06f].forEach((word, i) => kernel.writeUInt32LE(word, i * 4));
  const supervisor = Machine.create({ ramBytes });
  supervisor.loadKernel(kernel);
  supervisor.run(100);
  const guests = [
    load(Machine.create({ ramBytes, entropySeed: 3 }), 'examples/ticker/ticker.elf'),
    load(Machine.create({ ramBytes, harts: 4 }), 'test/oracles/smp/smp.elf'),
    supervisor,
    load(Machine.create({ ramBytes, disks: [{ image }], network: { mac: guestMac }, entropySeed: 3, console: true }), 'examples/ticker/ticker.elf'),
  ];
  return guests.map((machine) => Buffer.from(machine.save()));
}
