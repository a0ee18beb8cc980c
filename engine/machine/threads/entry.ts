/**
 * What other threads than the main one start with: a bundle of its own, dist/replica-thread.cjs.
 * The watch makes the threads that execute code and says when one is no more, since
 * the main thread hears of nothing while it waits.
 */
import { parentPort, receiveMessageOnPort, Worker, workerData, type MessagePort } from 'node:worker_threads';
import { instantiateCore } from '../../core/core';
import { pageBytes, ramHostAddress } from '../../core/layout';
import { Execution } from './execution';
import type { Machinery, Start, WatchMessage } from './messages';
import { PageComparison } from './page-comparison';
import { turn, word, Words } from './words';

/** The owner's device has thrown. */
class Refused extends Error {}

function watch(port: MessagePort, file: string): void {
  const workers = new Map<number, Worker>();
  port.on('message', (message: WatchMessage) => {
    if (message.kind === 'stop') {
      for (const [number, worker] of workers) if (number === (message.number ?? number)) void worker.terminate();
      return;
    }
    const { shared, port: own, number } = message;
    const start: Start = { role: 'execute', shared, port: own };
    const worker = new Worker(file, { workerData: start, transferList: [own], execArgv: [] });
    workers.set(number, worker);
    let why: string | undefined;
    worker.on('error', (error: unknown) => (why = error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => {
      workers.delete(number);
      new Words(shared).die(why ?? `it ended with code ${code}`);
    });
  });
}

function execute(words: Words, port: MessagePort): void {
  let execution: Execution | undefined;
  let compare: (() => void) | undefined;

  const access = (write: boolean, slot: number, offset: number, size: number, value: number): number => {
    words.set(word.write, write ? 1 : 0);
    words.set(word.slot, slot);
    words.set(word.offset, offset);
    words.set(word.size, size);
    words.set(word.value, value);
    words.pass(turn.running, turn.asking);
    const answer = words.wait(turn.asking);
    words.pass(answer, turn.running);
    if (answer === turn.refused) throw new Refused();
    return words.get(word.value);
  };

  const prepare = (machinery: Machinery | undefined): void => {
    // Of the last machine nothing is kept, so that its memory can be freed.
    execution = undefined;
    compare = undefined;
    if (!machinery) return;
    const { module, memory, ramBytes, tier, translations, comparison } = machinery;
    if (comparison) {
      const pages = new PageComparison(ramBytes / pageBytes, comparison.shared);
      const [own, peer] = [memory, comparison.peer].map(({ buffer }) => Buffer.from(buffer, ramHostAddress(ramBytes), ramBytes)) as [Buffer, Buffer];
      compare = () => pages.work(own, peer);
    }
    const core = instantiateCore(
      memory,
      {
        virtioRead: (slot, offset, size) => access(false, slot, offset, size, 0),
        virtioWrite: (slot, offset, size, value) => void access(true, slot, offset, size, value),
      },
      module,
    );
    execution = new Execution(core, memory, ramBytes, tier, translations);
  };

  const run = (): void => {
    if (!execution) throw new Error('there is no machine to run');
    try {
      words.set(word.reason, execution.run(words.get(word.over) === 1));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    words.set(word.functions, execution.functions);
    words.set(word.instructions, execution.instructions);
    words.set(word.evictions, execution.evictions);
  };

  // It leaves only with the thread.
  for (let now = words.turn; ; now = words.turn) {
    if (now === turn.preparing) prepare((receiveMessageOnPort(port) as { message: Machinery | undefined } | undefined)?.message);
    else if (now === turn.running) run();
    else if (now === turn.comparing) compare?.();
    else {
      words.wait(now);
      continue;
    }
    words.pass(now, turn.resting);
  }
}

const start = workerData as Start;
if (start.role === 'execute') execute(new Words(start.shared), start.port);
else if (parentPort) watch(parentPort, start.file);
