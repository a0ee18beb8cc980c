import { cellsOf, nodeAt, walkTree } from '../../../engine/machine/device-tree.test-support';
import { LoadError, Machine } from '../../../engine/machine/machine';
import type { MachineSnapshot } from '../../../engine/machine/snapshot';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { value64 } from './patches';

const ramBytes = 4 * 2 ** 20;
const instructions = 10_000;
const headerBytes = 64;
const lengths = [0, 1, 63, 64, 65, 4096, 5000, 65_536, 2 ** 20, ramBytes, 5 * 2 ** 20];
const offsets = [0n, 4096n, 0x20_0000n, 0x1f_f000n, 0x3e_0000n, 0x40_0000n, 0x4000_0000n, 0x4000_1000n, 0x1234n];

/** Jumps over the header; in the middle of a loop of all zeros each illegal instruction traps. */
const sound = { jump: 0x0400006f, magic: 0x05435352 };

const machines = new Map<number, { machine: Machine; start: MachineSnapshot }>();

function machineOf(harts: number): { machine: Machine; start: MachineSnapshot } {
  let made = machines.get(harts);
  if (!made) {
    const machine = Machine.create({ ramBytes, harts });
    machines.set(harts, (made = { machine, start: machine.snapshot() }));
  }
  return made;
}

/** Flat kernels with whatever they are started with. The input: sizes, the header's fields, changes of it, and code. */
export const kernelTarget: FuzzTarget = {
  what: 'flat Linux kernels with initial RAM disk, command line and firmware, loaded and run',
  seeds: () => programs,
  run(input) {
    const bytes = new ByteReader(input);
    const harts = 1 + (bytes.byte() & 3);
    const { image, options } = makeKernel(bytes, input);
    const { machine, start } = machineOf(harts);
    machine.restore(start);
    try {
      machine.loadKernel(image, options);
    } catch (error) {
      if (!(error instanceof LoadError) || /\n/.test(error.message)) throw error;
      return `refused: ${error.message.replace(/\d+/g, 'N').replaceAll(',', ';')}`;
    }
    const happened = [`${harts} harts`, options.firmware ? 'firmware' : 'no firmware', options.initrd ? 'a disk' : 'no disk'];
    checkTree(machine, harts, options);
    const ready = machine.snapshot();
    happened.push(machine.run(instructions), machine.traps().exceptions === 0 ? 'no exception' : 'exceptions');
    if (machine.retired > instructions) throw new Error(`${machine.retired} instructions where ${instructions} were asked for`);
    const whole = machine.snapshot();
    machine.restore(ready);
    for (let at = 777; machine.run(Math.min(at, instructions)) === 'limit' && at < instructions; at += 777);
    if (!machine.snapshot().equals(whole)) throw new Error(`another state where the run was cut: ${machine.snapshot().difference(whole, 3).map(({ place }) => place).join(', ')}`);
    if (machine.takeOutputs().length > 0) happened.push('outputs');
    return happened.join(', ');
  },
};

interface Options {
  initrd?: Uint8Array;
  bootArguments?: string;
  firmware?: Uint8Array;
}

function makeKernel(bytes: ByteReader, input: Uint8Array): { image: Uint8Array; options: Options } {
  const length = (): number => lengths[bytes.byte() % (lengths.length + 1)] ?? bytes.half();
  const parts = bytes.byte();
  const image = new Uint8Array(length());
  const options: Options = {};
  if ((parts & 1) !== 0) options.initrd = new Uint8Array(length()).fill(0x5a);
  if ((parts & 2) !== 0) options.firmware = new Uint8Array(length());
  if ((parts & 4) !== 0) options.bootArguments = Buffer.from(bytes.take(bytes.byte() & 15)).toString('utf8').repeat((parts & 8) !== 0 ? 4000 : 1).replaceAll('\0', ' ');
  const offset = offsets[bytes.byte() % (offsets.length + 1)] ?? value64(bytes);
  const size = value64(bytes);
  if (image.length >= headerBytes) {
    const view = new DataView(image.buffer);
    view.setUint32(0, sound.jump, true);
    view.setBigUint64(8, offset, true);
    view.setBigUint64(16, size, true);
    view.setUint32(56, sound.magic, true);
    for (let changes = Math.max(0, (bytes.byte() & 15) - 8); changes > 0; changes--) image[bytes.byte() % headerBytes] = bytes.byte();
  }
  // What is left is code: of the kernel, and of the firmware.
  const code = bytes.take(Math.min(input.length, 256));
  image.set(code.subarray(0, Math.max(0, image.length - headerBytes)), Math.min(headerBytes, image.length));
  options.firmware?.set(code.subarray(0, options.firmware.length));
  return { image, options };
}

/** The tree whose address is in a1 is sound, and says what was given. */
function checkTree(machine: Machine, harts: number, { initrd, bootArguments }: Options): void {
  const at = machine.getX(11);
  const head = machine.readMemory(at, 8);
  const tree = head && machine.readMemory(at, Buffer.from(head).readUInt32BE(4));
  if (!tree) throw new Error(`no device tree at 0x${at.toString(16)}`);
  const root = walkTree(tree);
  const chosen = nodeAt(root, 'chosen');
  if (nodeAt(root, 'cpus').children.length !== harts) throw new Error('another number of harts');
  const said = chosen.properties.get('bootargs');
  if ((said && Buffer.from(said).toString('utf8')) !== (bootArguments === undefined ? undefined : `${bootArguments}\0`)) throw new Error('another command line');
  if (!initrd) return;
  const start = cellsOf(chosen, 'linux,initrd-start')[1] ?? 0;
  const there = machine.readMemory(BigInt(start), initrd.length);
  if ((cellsOf(chosen, 'linux,initrd-end')[1] ?? 0) - start !== initrd.length || !there || Buffer.compare(there, initrd) !== 0) throw new Error('another initial RAM disk');
}

const [kernelAt, page] = [lengths.indexOf(65_536), lengths.indexOf(4096)];
const anyCode = (...words: number[]): number[] => [...new Uint8Array(Uint32Array.from(words).buffer)];
// li a7, 1; li a0, 'A'; ecall; j back: characters by the built-in SBI.
const letters = anyCode(0x00100893, 0x04100513, 0x00000073, 0xff9ff06f);
// csrr a0, mhartid; wfi; j back: a firmware of all harts.
const waiting = anyCode(0xf1402573, 0x10500073, 0xff9ff06f);
const programs: readonly Uint8Array[] = [
  Uint8Array.of(0, 0, kernelAt, 2, 3, 0, ...letters),
  Uint8Array.of(3, 5, kernelAt, page, 3, 65, 66, 67, 2, 3, 0, ...letters),
  Uint8Array.of(1, 7, kernelAt, page, page, 2, 65, 66, 2, 3, 0, ...waiting),
  Uint8Array.of(0, 12, kernelAt, 3, 65, 66, 67, 2, 3, 0, ...letters),
];
