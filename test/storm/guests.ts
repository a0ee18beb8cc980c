/** The guests of a storm, each as it stands when the faults begin. */
import { readFileSync } from 'node:fs';
import { Chip } from '../../engine/chip/chip';
import type { ChipPlan } from '../../engine/chip/plan';
import { createMachine } from '../../engine/covert/guest';
import type { GuestPlan } from '../../engine/covert/plan';
import { imageOfFile } from '../../engine/machine/virtio/disk-image';
import type { DebianFiles } from '../../server/guest/debian';
import { startArchive } from '../../server/guest/start-archive';

/** Two replicas or three, and two cores to spare for either. */
export const chip: ChipPlan = { name: 'storm', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares: [6, 7] };

export interface StormGuest {
  name: string;
  plan: GuestPlan;
  /** Retired instructions when the faults begin, and when the guest ends if there are none. */
  from: number;
  to: number;
  epochInstructions: number;
  /** Indexes of the pages of RAM that are not all zeros at the beginning. */
  pages: readonly number[];
}

/** A program on the bare machine that prints checksums of blocks of data. */
export function checksumGuest(): StormGuest {
  const path = 'examples/checksum/checksum.elf';
  const plan: GuestPlan = { name: 'checksum', path, image: new Uint8Array(readFileSync(path)), ramBytes: 4 << 20, harts: 1 };
  return { name: 'checksum', plan, epochInstructions: 10_000, ...spanOf(plan) };
}

const work = `
cd /root && rm -f storm.db && echo STORM begins
sqlite3 storm.db <<SQL
create table t(id integer primary key, name text, value integer);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
  insert into t(name, value) select 'name ' || ((i * 7919) % 1009), i * i from n;
commit;
update t set value = value + 1 where id % 3 = 0;
select count(*) || ' ' || sum(value) from t;
pragma integrity_check;
SQL
sync
sha256sum storm.db
`;

/** Debian, where sqlite writes a database to the disk and says what is in it. */
export function sqliteGuest(files: DebianFiles): StormGuest {
  const archives = [files.initialDisk, files.modules].map((file) => readFileSync(file));
  const start = startArchive({ run: ['sh', '-c', work], root: true });
  const plan: GuestPlan = {
    name: 'sqlite',
    path: files.kernel,
    image: new Uint8Array(readFileSync(files.kernel)),
    ramBytes: 128 << 20,
    harts: 1,
    linux: {
      initialDisk: Buffer.concat([...archives, start]),
      bootArguments: 'console=ttyS0 quiet',
      systemMap: readFileSync(files.systemMap),
      disks: [{ image: imageOfFile(files.programs) }],
    },
  };
  return startedAt(plan, 'STORM begins', 'sqlite');
}

const seed = 1;
const epochInstructions = 100_000;

/** A guest as it stands when it has printed a text, at the end of an epoch. */
function startedAt(plan: GuestPlan, text: string, name: string): StormGuest {
  const machine = createMachine(plan, seed, 'auto');
  machine.setTimeSource(new Chip(chip).timeSource(0, []));
  let printed = '';
  while (!printed.includes(text)) {
    const stop = machine.run(machine.retired + 10 * epochInstructions - (machine.retired % epochInstructions));
    if (stop !== 'limit' && stop !== 'output') throw new Error(`${name}: the guest ended (${stop}) before it printed ${text}: ${printed.slice(-500)}`);
    printed += Buffer.from(machine.takeOutputs().filter(({ kind }) => kind === 'console').map(({ value }) => value)).toString('latin1');
  }
  const begun: GuestPlan = { ...plan, start: machine.snapshot() };
  return { name, plan: begun, epochInstructions, ...spanOf(begun) };
}

function spanOf(plan: GuestPlan): Pick<StormGuest, 'from' | 'to' | 'pages'> {
  const machine = createMachine(plan, seed, 'auto');
  machine.setTimeSource(new Chip(chip).timeSource(0, []));
  const from = machine.retired;
  const pages = machine.snapshot().usedPages();
  for (;;) {
    const stop = machine.run(machine.retired + 10_000_000);
    machine.takeOutputs();
    if (stop === 'exit') return { from, to: machine.retired, pages };
    if (stop !== 'limit' && stop !== 'output') throw new Error(`${plan.name}: the guest does not exit (${stop})`);
  }
}
