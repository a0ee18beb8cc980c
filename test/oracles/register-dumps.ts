/**
 * qemu's log of all registers before each instruction (`-d cpu`), and the same
 * text made of a machine's state, so that two states are compared as bytes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, hartFields, stateAt } from '../../engine/core/layout';
import type { Machine } from '../../engine/machine/machine';

/**
 * An RV64GC hart without the extensions that only one of the two has, and one
 * instruction a translated block, so that each is logged.
 */
const processor = 'rv64,h=false,v=false,zbc=false,debug=false,pmu-num=0,sstc=false';

/** What a dump may also hold: the f registers. */
export interface DumpOptions {
  float: boolean;
}

/** Bytes of the dumps, as qemu writes them. End the process by calling `end`. */
export function dumpsOf(image: Uint8Array, { float }: DumpOptions): { chunks: AsyncIterable<Buffer>; end: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'covert-dumps-'));
  const path = join(folder, 'guest.elf');
  writeFileSync(path, image);
  const args = ['-machine', 'virt', '-smp', '2', '-m', '32M', '-cpu', processor, '-bios', 'none', '-kernel', path];
  args.push('-display', 'none', '-serial', 'null', '-monitor', 'none');
  // qemu opens the log by name, which it cannot with a pipe that Node has made.
  const log = join(folder, 'log');
  if (spawnSync('mkfifo', [log]).status !== 0) throw new Error('cannot make a named pipe');
  args.push('-singlestep', '-d', float ? 'cpu,fpu,nochain' : 'cpu,nochain', '-D', log);
  const child = spawn('qemu-system-riscv64', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const chunks = createReadStream(log, { highWaterMark: 1 << 18 });
  return {
    chunks: chunks as AsyncIterable<Buffer>,
    end: () => {
      chunks.destroy();
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
}

/** A dump: a part of a chunk of qemu's output. */
export interface Dump {
  chunk: Buffer;
  from: number;
  to: number;
}

const beginning = Buffer.from(' pc ');
/** How the lines of the hart begin that is compared. */
const ours = Buffer.from(' mhartid  0000000000000000');
const oursAt = ' pc       0123456789abcdef\n'.length;
/** qemu looks at satp as the current privilege may, so a supervisor's dump lacks it under TVM. */
const satpLine = { name: '\n satp ', bytes: ' satp     0123456789abcdef\n'.length };

function begins(chunk: Buffer, at: number): boolean {
  return chunk.compare(beginning, 0, beginning.length, at, at + beginning.length) === 0;
}

/** Cuts what qemu writes into dumps of its first hart, a chunk's at a time. The last is not among them: none follows that says where it ends. */
export async function* dumpsIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Dump[]> {
  let rest: Buffer = Buffer.alloc(0);
  let bytes = 0;
  for await (const part of chunks) {
    const chunk = rest.length === 0 ? part : Buffer.concat([rest, part]);
    // The first is a whole one, of machine mode.
    if (bytes === 0) bytes = chunk.indexOf('\n pc ', 1) + 1;
    const dumps: Dump[] = [];
    let from = 0;
    while (bytes > 0 && from + bytes + beginning.length <= chunk.length) {
      const to = from + (begins(chunk, from + bytes) ? bytes : bytes - satpLine.bytes);
      if (!begins(chunk, to)) throw new Error(`qemu's log has something else than dumps: ${chunk.toString('latin1', from, to + bytes)}`);
      if (chunk.compare(ours, 0, ours.length, from + oursAt, from + oursAt + ours.length) === 0) dumps.push({ chunk, from, to });
      from = to;
    }
    if (dumps.length > 0) yield dumps;
    rest = chunk.subarray(from);
  }
}

const digits = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''));

interface Field {
  name: string;
  /** Where its 16 digits begin. */
  at: number;
  /** Which of the state's 64-bit words it is. */
  word: number;
  low: number;
  high: number;
}

/** Field UXL and SXL of mstatus: 64 bits, which no state stores. */
const widths = 0xa;
/** FS of mstatus: SD says that it is 3. */
const floatState = 3 << 13;
const mip = 0x344;

/** A machine's state as the text that qemu would write. */
export class OwnDump {
  /** Changes with each {@link render}. */
  readonly text: Buffer;
  readonly #fields: Field[] = [];
  readonly #state: Uint32Array;
  readonly #mip: number;
  readonly #satp: number;

  constructor(
    private readonly machine: Machine,
    /** Any of qemu's dumps: it says where each register stands. */
    sample: Buffer,
  ) {
    this.text = Buffer.from(sample);
    this.#state = machine.liveState();
    const offsets = new Map<string, number>(hartFields.map(({ name, offset }) => [name, offset]));
    let mipAt = -1;
    for (const { 1: name = '', index, 0: match } of sample.toString('latin1').matchAll(/(\S+) +[0-9a-f]{16}/g)) {
      const start = index + match.length - 16;
      const [, bank, number] = /^([xf])(\d+)\//.exec(name) ?? [];
      const offset = bank === undefined ? offsets.get(name) : (bank === 'x' ? at.x : at.f) - stateAt + Number(number) * 8;
      if (name === 'mip') mipAt = start;
      else if (name === 'mhartid' || name === 'x0/zero') this.#write(start, 0, 0);
      else if (offset === undefined) throw new Error(`a dump has a register "${name}"`);
      else this.#fields.push({ name, at: start, word: offset / 4, low: -1, high: -1 });
    }
    if (mipAt < 0 || this.#fields.length < 47) throw new Error('a dump has too few registers');
    this.#mip = mipAt;
    this.#satp = sample.indexOf(satpLine.name) + 1;
  }

  /** Brings the text up to the machine's state. */
  render(): void {
    const state = this.#state;
    for (const field of this.#fields) {
      const low = state[field.word] ?? 0;
      let high = state[field.word + 1] ?? 0;
      if (field.name === 'mstatus') high |= widths | ((low & floatState) === floatState ? 0x8000_0000 : 0);
      if (low === field.low && high === field.high) continue;
      field.low = low;
      field.high = high;
      this.#write(field.at, low, high);
    }
    this.#write(this.#mip, Number(this.machine.getCsr(mip) ?? 0n), 0);
  }

  /** True if a dump says of each register that it has what it has in `text`, which {@link render} has made. */
  equals(text: Buffer, { chunk, from, to }: Dump): boolean {
    const missing = text.length - (to - from);
    if (missing === 0) return text.compare(chunk, from, to) === 0;
    const [here, there] = [this.#satp, from + this.#satp];
    if (missing !== satpLine.bytes || text.compare(chunk, from, there, 0, here) !== 0) return false;
    return text.compare(chunk, there, to, here + satpLine.bytes) === 0;
  }

  #write(start: number, low: number, high: number): void {
    for (let i = 0; i < 8; i++) {
      const byte = ((i < 4 ? high >>> (24 - 8 * i) : low >>> (56 - 8 * i)) & 0xff) * 2;
      this.text[start + 2 * i] = digits[byte] ?? 0;
      this.text[start + 2 * i + 1] = digits[byte + 1] ?? 0;
    }
  }

  /** `register ours theirs`, for each that differs. */
  static differences(ours: Buffer, { chunk, from, to }: Dump): string[] {
    const registers = (dump: Buffer): Map<string, string> =>
      new Map([...dump.toString('latin1').matchAll(/(\S+) +([0-9a-f]{16})/g)].map(({ 1: name = '', 2: value = '' }) => [name, value]));
    const other = registers(chunk.subarray(from, to));
    return [...registers(ours)].filter(([name, value]) => (other.get(name) ?? value) !== value).map(([name, value]) => `${name} ${value} ${other.get(name) ?? ''}`);
  }
}
