/** The guests of a storm, each as it stands when the faults begin. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pageBytes } from '../../engine/core/layout';
import { Chip } from '../../engine/chip/chip';
import type { ChipPlan } from '../../engine/chip/plan';
import { needsCaches } from '../../engine/covert/cache-faults';
import { createMachine } from '../../engine/covert/guest';
import type { FaultPlan, GuestPlan, Isolation, Plan, ProtectionKind, SwitchPlan } from '../../engine/covert/plan';
import { runReference, type Reference } from '../../engine/covert/reference';
import { replicaCount } from '../../engine/covert/switching';
import { guestMac } from '../../engine/network/addresses';
import { CheckingClient, type Exchange } from '../../engine/network/checking-client';
import type { Machine } from '../../engine/machine/machine';
import { imageOfFile } from '../../engine/machine/virtio/disk-image';
import type { DebianFiles } from '../../server/guest/debian';
import { startArchive } from '../../server/guest/start-archive';
import { StormDisk } from './storm-disk';

/** What a guest's source of random numbers starts from: the same in every run, whatever the faults are drawn from. */
export const guestSeed = 1;

/** Two replicas or three, and two cores to spare for either. */
export const chip: ChipPlan = { name: 'storm', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares: [6, 7] };

/** Where RAM begins. */
export const ramStart = 0x8000_0000;

export interface StormGuest {
  name: string;
  plan: GuestPlan;
  /** Retired instructions when the faults begin, and when the guest ends if there are none. */
  from: number;
  to: number;
  epochInstructions: number;
  /** Indexes of the pages of RAM that are not all zeros at the beginning. */
  pages: readonly number[];
  /** Those that it writes to at the beginning: their lines are in caches. */
  busy: readonly number[];
  /** Virtual addresses that it uses at the beginning. */
  addresses: readonly bigint[];
  /** The run without faults. */
  reference: Reference;
  /** A client that has asked nothing yet, of a guest that serves one. */
  client?: () => CheckingClient;
  /** SHA-256 of what the image of its disk is in the end, if that is written to. */
  image?: string;
}

/** A program on the bare machine that prints checksums of blocks of data. */
export function checksumGuest(): Promise<StormGuest> {
  const path = 'examples/checksum/checksum.elf';
  const plan: GuestPlan = { name: 'checksum', path, image: new Uint8Array(readFileSync(path)), ramBytes: 4 << 20, harts: 1 };
  return guestOf(plan, 'checksum', 10_000);
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

function debianPlan(files: DebianFiles, name: string, script: string, writable = false): GuestPlan {
  const archives = [files.initialDisk, files.modules].map((file) => readFileSync(file));
  return {
    name,
    path: files.kernel,
    image: new Uint8Array(readFileSync(files.kernel)),
    ramBytes: 128 << 20,
    harts: 1,
    disks: [{ image: imageOfFile(files.programs), writable }],
    linux: {
      initialDisk: Buffer.concat([...archives, startArchive({ run: ['sh', '-c', script], root: true })]),
      bootArguments: 'console=ttyS0 quiet',
      systemMap: readFileSync(files.systemMap),
    },
  };
}

/** Debian, where sqlite writes a database to the disk, which is written back, and says what is in it. */
export function sqliteGuest(files: DebianFiles): Promise<StormGuest> {
  return startedAt(debianPlan(files, 'sqlite', work, true), 'STORM begins', 'sqlite');
}

const serve = `
seq 1 20000 > /tmp/numbers; sha256sum /tmp/numbers > /tmp/sum; echo bye > /tmp/bye
echo 'user root; error_log stderr; pid /tmp/pid; events {} http { access_log /tmp/log; server { listen 80; root /tmp; } }' > /tmp/nginx.conf
nginx -c /tmp/nginx.conf
echo STORM begins
until grep -q /bye /tmp/log; do sleep 0.02; done
wc -l < /tmp/log
`;

/** Debian, where nginx serves a fixed set of files to a client that knows them. */
export function nginxGuest(files: DebianFiles): Promise<StormGuest> {
  const numbers = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(''));
  const sum = Buffer.from(`${createHash('sha256').update(numbers).digest('hex')}  /tmp/numbers\n`);
  const get = (name: string, answer: Buffer): Exchange => ({ request: Buffer.from(`GET /${name} HTTP/1.1\r\nHost: guest\r\n\r\n`), answer, behind: Buffer.from('\r\n\r\n') });
  const visit = { port: 80, exchanges: [get('numbers', numbers), get('sum', sum)] };
  const visits = [visit, visit, visit, { port: 80, exchanges: [get('bye', Buffer.from('bye\n'))] }];
  const plan: GuestPlan = { ...debianPlan(files, 'nginx', serve), network: { mac: guestMac, forwards: [] } };
  return startedAt(plan, 'STORM begins', 'nginx', () => new CheckingClient({ visits }));
}

const epochInstructions = 100_000;

/** A guest as it stands when it has printed a text, at the end of an epoch. */
async function startedAt(plan: GuestPlan, text: string, name: string, client?: () => CheckingClient): Promise<StormGuest> {
  const machine = createMachine(plan, guestSeed, 'auto');
  machine.setTimeSource(new Chip(chip).timeSource(0, []));
  let printed = '';
  while (!printed.includes(text)) {
    const goal = machine.retired + 10 * epochInstructions - (machine.retired % epochInstructions);
    let stop = machine.run(goal, { stopOnOutput: true });
    for (; stop === 'output' && machine.retired < goal; stop = machine.run(goal, { stopOnOutput: true })) {
      for (const flush of machine.flushes) machine.answerFlush(flush, true);
    }
    if (stop !== 'limit' && stop !== 'output') throw new Error(`${name}: the guest ended (${stop}) before it printed ${text}: ${printed.slice(-500)}`);
    printed += Buffer.from(machine.takeOutputs().filter(({ kind }) => kind === 'console').map(({ value }) => value)).toString('latin1');
  }
  return guestOf({ ...plan, start: machine.snapshot() }, name, epochInstructions, client);
}

/** Pages that have changed after some millions of instructions, those that were all zeros before among them. */
function busyPages(machine: Machine, pages: readonly number[]): number[] {
  const read = (page: number): Uint8Array => machine.readMemory(BigInt(ramStart + page * pageBytes), pageBytes) ?? new Uint8Array();
  const before = new Map(pages.map((page) => [page, read(page)]));
  machine.setTimeSource(new Chip(chip).timeSource(0, []));
  machine.run(machine.retired + 5_000_000);
  const busy = machine.snapshot().usedPages().filter((page) => Buffer.compare(read(page), before.get(page) ?? new Uint8Array()) !== 0);
  if (busy.length === 0) throw new Error('a guest that writes nothing');
  return busy;
}

async function guestOf(plan: GuestPlan, name: string, epochInstructions: number, client?: () => CheckingClient): Promise<StormGuest> {
  const machine = createMachine(plan, guestSeed, 'auto');
  const pages = machine.snapshot().usedPages();
  const addresses = [machine.pc, ...[1, 2, 3, 4, 8].map((register) => machine.getX(register)).filter((value) => value !== 0n)];
  const from = machine.retired;
  const busy = busyPages(machine, pages);
  const outside = client?.();
  const disk = plan.disks?.some(({ writable }) => writable) ? new StormDisk() : undefined;
  const reference = await runReference(planOf({ plan, epochInstructions }, { kind: 'none', isolation: 'none', seed: guestSeed, faults: [], maxInstructions: Number.MAX_SAFE_INTEGER }), undefined, undefined, 'auto', outside, disk);
  if (!reference || reference.exit !== 0) throw new Error(`${name}: the guest does not exit by itself with 0`);
  const seen = outside?.result;
  if (seen && (seen.wrong > 0 || seen.lost > 0 || seen.duplicate > 0 || seen.broken > 0)) throw new Error(`${name}: the client did not get what it asked for, without any fault`);
  return { name, plan, epochInstructions, from, to: reference.instructions, pages, busy, addresses, reference, ...(client && { client }), ...(disk && { image: disk.sha256 }) };
}

/** A run of a guest. `switches`: it is switched to another protection while it runs. */
export function planOf({ plan, epochInstructions }: Pick<StormGuest, 'plan' | 'epochInstructions'>, { kind, isolation, seed, faults, maxInstructions, switches = [] }: { kind: ProtectionKind; isolation: Isolation; seed: number; faults: FaultPlan[]; maxInstructions: number; switches?: SwitchPlan[] }): Plan {
  return {
    name: `storm of ${plan.name}`,
    chip: faults.some(needsCaches) ? { ...chip, timing: 'detailed' } : chip,
    guest: plan,
    protection: {
      kind,
      cores: [0, 1, 2].slice(0, replicaCount[kind]),
      isolation,
      epochInstructions,
      checkpointEpochs: 16,
      compareOutput: true,
      compareStateEpochs: 4,
      watchdogEpochs: 4,
      retry: 2,
      uncoordinated: [],
    },
    faults,
    ...(switches.length > 0 && { switches }),
    expectations: [],
    seed,
    maxInstructions,
  };
}
