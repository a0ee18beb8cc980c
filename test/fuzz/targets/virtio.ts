import { Driver, descriptor, reg, request, status, view } from '../../../engine/machine/virtio/driver.test-support';
import { Machine, type MachineOptions } from '../../../engine/machine/machine';
import { diskStride } from '../../../engine/machine/virtio/block';
import { imageOfBytes } from '../../../engine/machine/virtio/disk-image';
import type { MachineSnapshot } from '../../../engine/machine/snapshot';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';

type Kind = 'block' | 'net' | 'entropy' | 'console';

const ramBytes = 2 ** 17;
const sectors = 64;
const content = Uint8Array.from({ length: sectors * 512 }, (_, i) => (i * 31) & 0xff);
const entries = 8;
/** Where requests and data stand, from the start of RAM on. */
const buffersAt = 0x8000;

const devices: Readonly<Record<Kind, { options: Omit<MachineOptions, 'ramBytes'>; queues: number }>> = {
  block: { options: { disks: [{ image: imageOfBytes(content.slice()) }] }, queues: 1 },
  net: { options: { network: { mac: Uint8Array.of(2, 0, 0, 0, 0, 1) } }, queues: 2 },
  entropy: { options: { entropySeed: 7 }, queues: 1 },
  console: { options: { console: true }, queues: 2 },
};

const registers = Object.values(reg);
const values = [0, 1, 2, 3, 4, 7, 8, 11, 15, 64, 128, 255, 256, 0x8000, 0xffff, 0x1000_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/**
 * A device and the worst driver: the input is a program of register accesses,
 * descriptors, rings and memory, good and bad, that is executed by a guest.
 */
export function virtioTarget(kind: Kind): FuzzTarget {
  let rig: { a: Driver; b: Driver; start: MachineSnapshot } | undefined;
  return {
    what: `a virtio ${kind} device under a hostile driver`,
    seeds: () => programs[kind],
    run(input) {
      rig ??= makeRig(kind);
      const { a, b, start } = rig;
      const label = execute(kind, a, start, input);
      // The same once more: nothing but state may have a say.
      const again = execute(kind, b, start, input);
      const [first, second] = [a.machine.snapshot(), b.machine.snapshot()];
      if (label !== again || !first.equals(second)) throw new Error(`not deterministic: ${first.difference(second, 3).map(({ place }) => place).join(', ')}`);
      checkSnapshot(a.machine, first);
      return label;
    },
  };
}

function makeRig(kind: Kind): { a: Driver; b: Driver; start: MachineSnapshot } {
  const [a, b] = [0, 1].map(() => new Driver(Machine.create({ ramBytes, ...devices[kind].options }), 0, entries));
  if (!a || !b) throw new Error('no machines');
  return { a, b, start: a.machine.snapshot() };
}

/** What is kept of a state is what there is, whatever device has written it. */
function checkSnapshot(machine: Machine, snapshot: MachineSnapshot): void {
  for (let page = 0; page < ramBytes / 4096; page++) {
    const there = machine.readMemory(machine.ramBase + BigInt(page * 4096), 4096) ?? new Uint8Array();
    if (Buffer.compare(there, snapshot.pages.page(page).bytes) !== 0) throw new Error(`page ${page} was changed and the snapshot does not know`);
  }
}

function execute(kind: Kind, driver: Driver, start: MachineSnapshot, input: Uint8Array): string {
  const { machine } = driver;
  const { queues } = devices[kind];
  machine.restore(start);
  machine.takeOutputs();
  const bytes = new ByteReader(input);
  // Most inputs should get beyond the set-up.
  if ((bytes.byte() & 7) !== 7) driver.start(queues);
  const happened = new Set<string>();
  let sequence = 0;
  for (let steps = 0; !bytes.done && steps < 200; steps++) {
    const before = machine.retired;
    driver.loadCode();
    const outside = step(driver, bytes, queues);
    if (machine.retired - before !== (outside ? 0 : 1)) throw new Error(`an access retired ${machine.retired - before} instructions`);
    sequence = checkOutputs(machine, sequence, happened);
  }
  driver.loadCode();
  const given = view(driver.peek(driver.at(0, 'used'), 4)).getUint16(2, true);
  const state = driver.read(reg.status);
  const standing = (state & status.needsReset) !== 0 ? 'broken' : (state & status.driverOk) !== 0 ? 'works' : 'off';
  return [standing, `interrupt ${driver.read(reg.interruptStatus)}`, `used ${Math.min(given, 3)}`, ...[...happened].sort()].join(', ');
}

function checkOutputs(machine: Machine, sequence: number, happened: Set<string>): number {
  let next = sequence;
  let size = 0;
  for (const { sequence: own, kind, instruction, value, data } of machine.takeOutputs()) {
    if (own !== next++) throw new Error(`output ${own} where ${next - 1} was due`);
    if (instruction !== machine.retired) throw new Error(`an output of instruction ${instruction} at ${machine.retired}`);
    if (kind === 'disk') {
      const end = (value % diskStride) + (data?.length ?? 0) / 512;
      if (value >= diskStride || end > sectors || !Number.isInteger(end)) throw new Error(`a write up to sector ${end} of ${sectors}`);
    }
    size += data?.length ?? 1;
    happened.add(kind);
  }
  if (size > 80 * 2 ** 20) throw new Error(`${size} bytes of output by one instruction`);
  return next;
}

/** One step of the input's program. True if it was nothing that the guest did. */
function step(driver: Driver, bytes: ByteReader, queues: number): boolean {
  const { machine } = driver;
  const value = (): number => values[bytes.byte() % (values.length + 1)] ?? bytes.word();
  switch (bytes.byte() % 13) {
    case 0:
      driver.write(registers[bytes.byte() % registers.length] ?? 0, value());
      return false;
    case 1:
      driver.write(bytes.half() & 0xffc, value());
      return false;
    case 2:
      driver.read(bytes.half() & 0xffc);
      return false;
    case 3: {
      const address = addressOf(bytes);
      driver.describe(bytes.byte() % queues, bytes.byte() % entries, {
        address,
        bytes: [0, 1, 12, 16, 64, 512, 4096, 65536, ramBytes, 0x7fff_ffff, 0xffff_ffff][bytes.byte() % 12] ?? bytes.word(),
        flags: bytes.byte() & 7,
        next: bytes.byte() % (entries + 2),
      });
      return true;
    }
    case 4:
    case 5:
      driver.offer(bytes.byte() % queues, bytes.byte() % (entries + 2), bytes.byte() & 1);
      return true;
    case 6:
    case 7:
      driver.notify(bytes.byte() % (queues + 1));
      return false;
    case 8: {
      const at = (bytes.half() * 2) % (ramBytes - 16);
      driver.poke(at, bytes.take(1 + (bytes.byte() & 15)));
      return true;
    }
    case 9:
      driver.poke(buffersAt + (bytes.byte() & 7) * 16, request([0, 1, 4, 8, 11][bytes.byte() % 6] ?? bytes.word(), [0, 1, sectors - 1, sectors, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn][bytes.byte() % 7] ?? bytes.byte()));
      return true;
    case 10:
      machine.receiveFrame(new Uint8Array([0, 1, 14, 60, 1514, 9000, 70_000][bytes.byte() % 7] ?? 0).fill(bytes.byte()));
      return true;
    case 11:
      // From here on it has to notice again what is written.
      machine.restore(machine.snapshot());
      return true;
    default: {
      // What the console says it has room for, and more.
      const room = machine.consoleRoom;
      machine.receive(new Uint8Array(Math.min(room + (bytes.byte() & 1), 5000)).fill(65));
      return true;
    }
  }
}

/** An address as drivers give it: mostly a buffer, or a part of the queue itself, or of nothing. */
function addressOf(bytes: ByteReader): number {
  const base = 0x8000_0000;
  const kind = bytes.byte() % 10;
  const offset = bytes.byte() * 16;
  switch (kind) {
    case 0:
      return base + 0x1000 + offset;
    case 1:
      return base + 0x2000 + (offset >> 4);
    case 2:
      return base + 0x2800 + (offset >> 4);
    case 3:
      return base + ramBytes - offset;
    case 4:
      return bytes.word();
    case 5:
      return 2 ** 64 - 2048 - offset;
    case 6:
      return base;
    default:
      return base + buffersAt + offset;
  }
}

// Sound programs: a header, a buffer for data, a status; offered, announced, acknowledged.
const describe = (queue: number, index: number, kind: number, offset: number, size: number, flags: number, next: number): number[] => [
  3, kind, offset, queue, index, size, flags, next,
];
const { next: more, write } = descriptor;
const acknowledge = [0, registers.indexOf(reg.interruptAck), 1];

const programs: Readonly<Record<Kind, readonly Uint8Array[]>> = {
  block: [0, 1, 2, 3].map((type) =>
    Uint8Array.of(
      0, ...[9, 0, type, 1],
      ...describe(0, 0, 9, 0, 3, more, 1), ...describe(0, 1, 9, 16, 5, type === 1 ? more : more | write, 2), ...describe(0, 2, 9, 8, 1, write, 0),
      ...[4, 0, 0, 0], ...[6, 0], ...acknowledge,
    ),
  ),
  net: [
    Uint8Array.of(0, ...describe(1, 0, 9, 0, 2, more, 1), ...describe(1, 1, 9, 16, 4, 0, 0), ...[4, 1, 0, 0], ...[6, 1], ...acknowledge),
    Uint8Array.of(0, ...describe(0, 0, 9, 0, 6, write, 0), ...[4, 0, 0, 0], ...[6, 0], ...[10, 3, 77], ...[10, 4, 78], ...acknowledge),
  ],
  entropy: [Uint8Array.of(0, ...describe(0, 0, 9, 0, 4, write, 0), ...[4, 0, 0, 0], ...[6, 0], ...acknowledge)],
  console: [
    Uint8Array.of(0, ...describe(1, 0, 9, 0, 4, 0, 0), ...[4, 1, 0, 0], ...[6, 1], ...acknowledge),
    Uint8Array.of(0, ...describe(0, 0, 9, 0, 4, write, 0), ...[4, 0, 0, 0], ...[6, 0], ...[12, 0], ...[12, 1], ...acknowledge),
  ],
};
