/** The time that states take: in memory, and from a file to the guest's next instruction. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Machine } from '../../engine/machine/machine';
import { debianFiles } from '../../server/guest/debian';
import { root } from '../cli/covert';
import { summary, type Summary } from './statistics';

/** Times in milliseconds. */
export interface StateTimes {
  ramBytes: number;
  dirtyPages: number;
  snapshot: Summary;
  restore: Summary;
  /** From the start of `covert exec --from` of a booted Debian to its end one instruction later; null where Debian is not there, or it was not asked for. */
  fromFile: (Summary & { fileBytes: number }) | null;
}

const ramBytes = 256 * 2 ** 20;
const ramBase = 0x8000_0000;
const pageBytes = 4096;
const pages = ramBytes / pageBytes;
const dirtyPages = Math.round(pages / 100);
/** Debian's shell waits for its first line by then. */
const booted = 1_500_000_000;

function timed(action: () => void): number {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** A generator of page numbers that is the same each time (Numerical Recipes' constants). */
function* scattered(): Generator<number, never> {
  for (let value = 1; ; ) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    yield (value >>> 8) % pages;
  }
}

export function measureStates(rounds: number, withStart: boolean): StateTimes {
  const machine = Machine.create({ ramBytes });
  const page = new Uint8Array(pageBytes);
  const write = (index: number, value: number): void => {
    new DataView(page.buffer).setFloat64(0, value);
    machine.writeMemory(BigInt(ramBase + index * pageBytes), page);
  };
  for (let index = 0; index < pages; index++) write(index, index + 1);
  const places = scattered();
  const [snapshots, restores]: [number[], number[]] = [[], []];
  let before = machine.snapshot();
  for (let round = 0; round < rounds * 5; round++) {
    for (let i = 0; i < dirtyPages; i++) write(places.next().value, -round - i / dirtyPages);
    let after = before;
    snapshots.push(timed(() => (after = machine.snapshot())));
    restores.push(timed(() => machine.restore(before)));
    // Each round begins with the state that the one before has made.
    machine.restore(after);
    before = after;
  }
  return { ramBytes, dirtyPages, snapshot: summary(snapshots), restore: summary(restores), fromFile: withStart ? measureStart(rounds) : null };
}

function measureStart(rounds: number): StateTimes['fromFile'] {
  const files = debianFiles();
  if ('missing' in files) return null;
  const machine = Machine.create({ ramBytes, entropySeed: 1 });
  machine.loadKernel(readFileSync(files.kernel), { initrd: readFileSync(files.initialDisk), bootArguments: 'console=ttyS0 quiet' });
  while (machine.retired < booted && machine.run(booted) !== 'idle') machine.takeOutputs();
  const folder = mkdtempSync(path.join(tmpdir(), 'covert-bench-'));
  try {
    const file = path.join(folder, 'booted.state');
    const state = machine.save();
    writeFileSync(file, state);
    const args = [path.join(root, 'dist/covert.cjs'), 'exec', '--from', file, '--max-instructions', String(machine.retired + 1)];
    const times = Array.from({ length: rounds }, () =>
      timed(() => {
        const { status, stderr } = spawnSync(process.execPath, args, { input: '' });
        if (status !== 3) throw new Error(`covert exec --from ended with ${status}: ${stderr.toString()}`);
      }),
    );
    return { ...summary(times), fileBytes: state.length };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
