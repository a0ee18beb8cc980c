import { setImmediate } from 'node:timers/promises';
import type { Machine } from '../../engine/machine/machine';
import type { Output } from '../../engine/machine/types';
import type { Cable } from '../network/cable';
import type { ConsoleInput } from './console-input';

export interface ExecuteOptions {
  /** Stop here at the latest. */
  limit: number;
  /** Counts at which to hash the state, ascending. */
  hashAt: number[];
  signal: AbortSignal;
  /** Go on where the guest reboots; else that is the end. */
  reboots: boolean;
  /** Called some tens of times a second with the instructions retired so far. */
  onProgress: (instructions: number) => void;
  /** Called with console bytes as they come; the guest waits until it resolves. */
  onOutput: (bytes: Uint8Array) => Promise<void>;
  /** What is typed at the guest's console. */
  input?: ConsoleInput;
  /** What the guest's network card is plugged into. */
  cable?: Cable;
}

/** How one guest alone ran. */
export interface Execution {
  /** The guest's exit code, or null if it did not end by itself. */
  exit: number | null;
  /** `left`: the user has left the console. `reboot`: the guest has asked for one, and was to end there. */
  ended: 'exit' | 'reboot' | 'limit' | 'idle' | 'stalled' | 'left';
  instructions: number;
  /** `sha256` is null where the guest did not get that far. */
  hashes: { instruction: number; sha256: string | null }[];
}

/** Instructions between two looks at signals and output: some hundredths of a second. */
const slice = 4_000_000;
/** The same while there is input to hand over, which takes many turns. */
const inputSlice = 200_000;

/** With a network, or with somebody at a terminal: while the guest is busy, and while it mostly sleeps. */
const pacedSlice = 1_000_000;
const sleepySlice = 20_000;
/** The number of the CSR `time`, which counts at 10 MHz, and its ticks in a millisecond. */
const timeCsr = 0xc01;
const ticksPerMillisecond = 10_000;

/** Milliseconds between two breaths of the event loop, and the longest that a sleeping guest waits for a socket at a time. */
const breath = 5;
const longestNap = 20;
/** The same where only keys are waited for, which end it. */
const longestSleep = 60_000;

/** Runs a guest to its end or its limit. Rejects with the signal's reason if it is aborted. */
export async function execute(machine: Machine, options: ExecuteOptions): Promise<Execution> {
  const { limit, hashAt, reboots, signal, onOutput, onProgress, input, cable } = options;
  const interactive = input?.interactive === true;
  const paced = cable !== undefined || interactive;
  const hashes: Execution['hashes'] = [];
  const pending = [...hashAt];
  let sleepy = false;
  let breathed = Date.now();
  for (;;) {
    signal.throwIfAborted();
    while (pending[0] === machine.retired) {
      hashes.push({ instruction: machine.retired, sha256: hashOf(machine) });
      pending.shift();
    }
    const typed = input?.take(machine.consoleRoom) ?? new Uint8Array();
    machine.receive(typed);
    cable?.exchange();
    const from = { retired: machine.retired, now: millisecondsOf(machine) };
    const length = sleepy ? sleepySlice : paced ? pacedSlice : slice;
    const target = Math.min(limit, machine.retired + (typed.length > 0 ? Math.min(inputSlice, length) : length), pending[0] ?? Infinity);
    const reason = machine.exitCode === null ? machine.run(target, { stopOnOutput: cable !== undefined }) : 'exit';
    const outputs = machine.takeOutputs();
    const bytes = consoleBytes(outputs);
    if (bytes.length > 0) await onOutput(bytes);
    // An instruction takes a nanosecond of the guest's time, and all else it has slept.
    const slept = millisecondsOf(machine) - from.now - (machine.retired - from.retired) / 1e6;
    sleepy = paced && slept > 0.1;
    // Nobody could type before a time-out that passes at once.
    if (interactive && !cable && sleepy && machine.exitCode === null) await input.wait(signal, Math.min(slept, longestSleep));
    if (cable) {
      cable.send(outputs.flatMap(({ kind, data }) => (kind === 'net' && data ? [data] : [])));
      // A guest that sleeps would race through its time; let the host's pass too, until something comes.
      if ((sleepy || reason === 'idle') && !cable.exchange()) await cable.forwards.wait(reason === 'idle' ? longestNap : Math.min(slept, longestNap), signal);
      if (reason === 'idle' && cable.forwards.listening && input?.left !== true) continue;
      if (reason === 'output' && Date.now() - breathed < breath) continue;
    }
    breathed = Date.now();
    if (reason === 'idle' && input && !input.left) {
      // What it has no room for cannot wake it either.
      const held = machine.consoleRoom > 0 ? 0 : input.waiting;
      if (input.open(held)) {
        await input.wait(signal, Infinity, held);
        continue;
      }
    }
    if (input?.left === true) return { exit: null, ended: 'left', instructions: machine.retired, hashes };
    const over = reason === 'exit' || reason === 'idle' || reason === 'stalled' || (reason === 'reboot' && !reboots);
    if (over || (reason === 'limit' && machine.retired >= limit && pending[0] !== limit)) {
      const ended = over ? reason : 'limit';
      for (const instruction of pending) {
        hashes.push({ instruction, sha256: instruction === machine.retired ? hashOf(machine) : null });
      }
      return { exit: ended === 'reboot' ? 0 : machine.exitCode, ended, instructions: machine.retired, hashes };
    }
    onProgress(machine.retired);
    await setImmediate();
  }
}

const millisecondsOf = (machine: Machine): number => Number(machine.getCsr(timeCsr) ?? 0n) / ticksPerMillisecond;

const hashOf = (machine: Machine): string => machine.snapshot().hash();

function consoleBytes(outputs: readonly Output[]): Uint8Array {
  return Uint8Array.from(outputs.filter(({ kind }) => kind === 'console'), ({ value }) => value);
}
