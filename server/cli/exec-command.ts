import { Option, type Command } from 'commander';
import { LoadError, Machine } from '../../engine/machine/machine';
import type { Tier } from '../../engine/machine/tier';
import { slots as mostDevices } from '../../engine/machine/virtio/transport';
import { guestMac } from '../../engine/network/addresses';
import { readElf } from '../../engine/symbols/elf';
import { readSymbols } from '../../engine/symbols/symbols';
import { ElfError } from '../../engine/symbols/types';
import { Cable } from '../network/cable';
import { ForwardError, type Forward } from '../network/forwards';
import { readWhole } from '../whole-file';
import { ConsoleInput } from './console-input';
import { imagesOfState, openDisk } from './disk-files';
import { execute, type Execution } from './execute';
import { asUnreadable, BadInput, exitCodes, Failure } from './failure';
import { interruptible } from './interrupt';
import { count, counted } from './numbers';
import { checkWritable, writeWhole } from './output-file';
import { Progress } from './progress';
import { fromStateFile } from './state-input';
import { write } from './terminal';
import { tierOption } from './tier-option';
import { parseCount, parseCounts, parseForward, parseHarts, parseSize } from './values';

interface ExecFlags {
  ram?: number;
  harts: number;
  tier: Tier;
  maxInstructions: number;
  hashAt: number[];
  json?: true;
  save?: string;
  from?: string;
  linux?: true;
  initrd?: string;
  bios?: string;
  disk: string[];
  forward: Forward[];
  append: string;
  reboot: boolean;
}

/** About a minute of interpretation. */
const defaultLimit = 10_000_000_000;
/** All RAM is in one WebAssembly memory of at most 4 GiB, with room for the core's own. */
const mostRam = 2 ** 31;
const pageBytes = 4096;
const defaultRam = 64 * 2 ** 20;
/** Debian's kernel prints nothing at all where it has only 64 MiB. */
const defaultLinuxRam = 512 * 2 ** 20;
const mostKept = 64 * 2 ** 20;

export function addExecCommand(program: Command): void {
  program
    .command('exec')
    .description('Run one guest alone, with no replicas and no faults; its console is stdout.')
    .argument('[image]', 'RISC-V ELF, 64 bits, bare metal; with --linux a kernel')
    .addOption(new Option('--ram <size>', 'RAM from 0x80000000 on, up to 2GiB (default: 64MiB, with --linux 512MiB)').argParser(parseSize))
    .addOption(new Option('--harts <count>', 'hardware threads, 1 to 4').argParser(parseHarts).default(1))
    .addOption(
      new Option('--max-instructions <count>', 'stop after this many retired instructions')
        .argParser(parseCount)
        .default(defaultLimit, '10_000_000_000'),
    )
    .addOption(
      new Option('--hash-at <counts>', 'print the hash of the whole state at these counts: N,N,…')
        .argParser(parseCounts)
        .default([], 'none'),
    )
    .option('--linux', 'the image is a flat RISC-V Linux kernel; the terminal is its console (Ctrl-A X leaves)')
    .option('--initrd <file>', 'with --linux: initial RAM disk')
    .addOption(
      new Option('--disk <file>', 'with --linux: a raw image as a virtio disk; FILE,readonly for one that cannot be written. Writes are kept in memory, and lost at the end but for --save. With --from: where the images are now. Repeatable')
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
    .addOption(
      new Option('--forward <ports>', 'with --linux: a port of 127.0.0.1 to one of the guest, as tcp:8080:80 or udp:5353:53; gives the guest a network card. Repeatable')
        .argParser((value: string, before: Forward[]) => [...before, parseForward(value)])
        .default([], 'none'),
    )
    .option('--bios <file>', 'with --linux: flat firmware, such as OpenSBI fw_jump.bin or fw_dynamic.bin, in place of the built-in SBI')
    .option('--append <arguments>', 'with --linux: the kernel command line', 'console=ttyS0')
    .addOption(tierOption())
    .option('--no-reboot', 'end the run where the guest asks for a reboot, with 0')
    .option('--save <file>', 'write the whole state to a file at the end, as at the limit')
    .option('--from <file>', 'go on from such a state, in place of an image')
    .option('--json', 'print one object with output, exit code, counts and hashes instead')
    .addHelpText(
      'after',
      `
Exits with the guest's own code (255 if that is larger), with 2 if the image is
no good, with 3 if the guest did not end by itself. Hashes go to stderr.

Example:
  covert exec examples/checksum/checksum.elf --hash-at 0,1_000_000
  covert exec --linux vmlinux --initrd initramfs.cpio
  covert exec guest.elf --max-instructions 1_000_000 --save middle.state
  covert exec --from middle.state`,
    )
    .action(async (image: string | undefined, flags: ExecFlags, command: Command) => {
      if ((image === undefined) === (flags.from === undefined)) throw new BadInput('give either an image or --from with a state');
      checkMeaning(command, flags);
      process.exitCode = await exec(image ?? flags.from ?? '', flags);
    });
}

async function exec(image: string, flags: ExecFlags): Promise<number> {
  const { maxInstructions, hashAt, json, linux } = flags;
  const machine = flags.from !== undefined ? await restored(image, flags) : linux ? await bootLinux(image, flags) : await boot(image, flags);
  if (flags.save !== undefined) await checkWritable('--save', flags.save);
  const passed = hashAt.find((at) => at < machine.retired);
  if (passed !== undefined) throw new BadInput(`--hash-at ${passed}: the state is at ${count(machine.retired)} instructions already`);
  const kept = new KeptOutput();
  const onOutput = json
    ? async (bytes: Uint8Array): Promise<void> => kept.add(bytes)
    : (bytes: Uint8Array): Promise<void> => write(process.stdout, bytes);
  const progress = new Progress(image);
  // On one terminal the guest's console and the progress would write into each other.
  const quiet = !json && process.stdout.isTTY;
  const onProgress = (instructions: number): void => {
    if (!quiet) progress.update(() => counted(instructions, 'instruction'));
  };
  const cable = machine.networked ? new Cable(machine) : undefined;
  await cable?.forwards.listen(flags.forward).catch((error: unknown) => {
    throw error instanceof ForwardError ? new BadInput(error.message, { cause: error }) : error;
  });
  const input = linux || flags.from !== undefined ? new ConsoleInput(process.stdin) : undefined;
  const options = { limit: maxInstructions, hashAt, reboots: flags.reboot, onOutput, onProgress, ...(input ? { input } : {}), ...(cable ? { cable } : {}) };
  const result = await interruptible((signal) => execute(machine, { ...options, signal })).finally(() => {
    progress.end();
    input?.close();
    cable?.forwards.close();
  });
  if (flags.save !== undefined) await writeWhole('--save', flags.save, stateOf(machine, flags.save));
  if (json) {
    const { exit, ended, ...others } = result;
    await write(process.stdout, `${JSON.stringify({ image, exit, ended, output: kept.text(), ...others }, null, 2)}\n`);
  } else process.stderr.write(closingLines(image, result));
  if (result.ended === 'left') return exitCodes.held;
  return result.exit === null ? exitCodes.failed : Math.min(result.exit, 255);
}

/** Throws {@link BadInput} for an option that would have no effect with the others. */
function checkMeaning(command: Command, { from, linux }: ExecFlags): void {
  const given = (option: string): boolean => command.getOptionValueSource(option) === 'cli';
  const useless = (options: readonly string[]): string | undefined => options.find(given);
  const ofKernel = ['initrd', 'bios', 'append'];
  const beside = from === undefined ? undefined : useless(['ram', 'harts', 'linux', ...ofKernel]);
  if (beside !== undefined) throw new BadInput(`--${beside}: a state that is gone on from has its own: leave it out`);
  const alone = linux || from !== undefined ? undefined : useless([...ofKernel, 'disk', 'forward']);
  if (alone !== undefined) throw new BadInput(`--${alone}: only a Linux guest has that: say --linux, too`);
}

/** What the guest printed, for `--json`. A guest that prints without end must not fill memory. */
class KeptOutput {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > mostKept) {
      throw new Failure(exitCodes.failed, 'the guest printed more than 64 MiB; without --json it may print any amount');
    }
    this.#parts.push(bytes);
  }

  /** As UTF-8; invalid bytes become U+FFFD. */
  text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}

function checkRam(ram: number): void {
  if (ram === 0 || ram > mostRam || ram % pageBytes !== 0) {
    throw new BadInput('--ram: a multiple of 4KiB, at most 2GiB');
  }
}

async function read(file: string): Promise<Uint8Array> {
  return readWhole(file).catch((error: unknown) => {
    throw asUnreadable(file, error);
  });
}

/** A machine that is about to run a kernel. */
async function bootLinux(file: string, { ram = defaultLinuxRam, harts, tier, initrd, bios, disk: disks, forward, append }: ExecFlags): Promise<Machine> {
  checkRam(ram);
  const image = await read(file);
  const disk = initrd === undefined ? {} : { initrd: await read(initrd) };
  // The board has a source of random numbers, too.
  const mostDisks = mostDevices - 1 - (forward.length > 0 ? 1 : 0);
  if (disks.length > mostDisks) throw new BadInput(`--disk: there is room for ${mostDisks} of them, not for ${disks.length}`);
  const machine = Machine.create({ ramBytes: ram, harts, tier, disks: disks.map(openDisk), entropySeed: 1, ...(forward.length > 0 ? { network: { mac: guestMac } } : {}) });
  try {
    const firmware = bios === undefined ? {} : { firmware: await read(bios) };
    machine.loadKernel(image, { ...disk, ...firmware, bootArguments: append });
  } catch (error) {
    if (error instanceof LoadError) throw new BadInput(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
  return machine;
}

/** A machine that goes on from a state. */
async function restored(file: string, { disk, forward, tier }: ExecFlags): Promise<Machine> {
  const machine = await fromStateFile(file, (bytes) => Machine.fromState(bytes, imagesOfState(file, disk), tier));
  if (disk.length > machine.disks) throw new BadInput(`--disk: ${file} is of a guest with ${counted(machine.disks, 'disk')}, not with ${disk.length}`);
  if (forward.length > 0 && !machine.networked) throw new BadInput(`--forward: ${file} is of a guest without a network card`);
  return machine;
}

function stateOf(machine: Machine, file: string): Uint8Array {
  try {
    return machine.save();
  } catch (error) {
    if (error instanceof RangeError) throw new BadInput(`--save ${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function boot(file: string, { ram = defaultRam, harts, tier }: ExecFlags): Promise<Machine> {
  checkRam(ram);
  try {
    const bytes = await readWhole(file);
    const image = readElf(bytes);
    const machine = Machine.create({ ramBytes: ram, harts, tier });
    for (const { address, memoryBytes } of image.segments) checkFits(file, machine, address, memoryBytes);
    const tohost = readSymbols(bytes).find('tohost')?.address;
    machine.load(image, tohost === undefined ? {} : { tohost });
    return machine;
  } catch (error) {
    if (error instanceof ElfError) throw new BadInput(`${file}: ${error.message}`, { cause: error });
    throw asUnreadable(file, error);
  }
}

function checkFits(file: string, { ramBase, ramBytes }: Machine, address: bigint, bytes: number): void {
  const end = address + BigInt(bytes);
  if (bytes === 0 || (address >= ramBase && end <= ramBase + BigInt(ramBytes))) return;
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const advice = address < ramBase ? 'link it elsewhere, or run it in a Linux guest if it is a program for Linux' : 'give more with --ram or link it elsewhere';
  throw new BadInput(
    `${file}: it wants memory ${hex(address)} to ${hex(end)}, but RAM is ${hex(ramBase)} to ${hex(ramBase + BigInt(ramBytes))}; ${advice}`,
  );
}

const endings = {
  reboot: 'asked for a reboot, and --no-reboot makes that the end',
  limit: 'was stopped at the limit (--max-instructions)',
  idle: 'waits for an interrupt that nothing will raise',
  left: 'was left at its console',
  stalled: 'takes traps without end and runs no instruction',
};

function closingLines(image: string, { ended, instructions, hashes }: Execution): string {
  const lines = hashes.map(({ instruction, sha256 }) =>
    sha256 === null ? `hash at ${count(instruction)}: not reached` : `hash at ${count(instruction)}: ${sha256}`,
  );
  if (ended !== 'exit') lines.push(`covert: ${image}: the guest ${endings[ended]}, after ${counted(instructions, 'instruction')}`);
  return lines.map((line) => `${line}\n`).join('');
}
