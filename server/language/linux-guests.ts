import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DiskPlan, LinuxPlan } from '../../engine/covert/plan';
import { symbolsOf } from '../../engine/covert/guest';
import { LoadError } from '../../engine/machine/load-error';
import { readLinuxImage, treeRoom } from '../../engine/machine/linux-image';
import { readWhole } from '../whole-file';
import { debianFiles, debianFolder } from '../guest/debian';
import { startArchive } from '../guest/start-archive';
import type { Context } from './context';
import { ramBase } from './defaults';
import { part } from './diagnostic';
import { openedImage } from './disks';
import type * as ast from './generated/ast';
import { markOf, reasonOf, type GuestFile } from './guest-files';
import { oneOf } from './measures';
import { decodeString } from './values';

/** Where the kernel is linked to run: the start of the kernel's mapping (Documentation/arch/riscv/vm-layout.rst of Linux). */
const kernelLink = 0xffff_ffff_8000_0000n;

/** The distributions that a set-up script fetches. */
const distributions = ['debian'] as const;

export interface LinuxGuest {
  file: GuestFile;
  plan: LinuxPlan;
  /** Those of the system itself, in front of the guest's own. */
  disks: DiskPlan[];
  /** Bytes of RAM below which it does not fit. */
  leastRam: number;
}

/** A stock Linux guest of what `npm run guest:debian` has fetched. Undefined where something is wrong, which is reported. */
export async function lowerLinux(
  linux: ast.Linux,
  settings: { program?: ast.Program | undefined; firmware?: ast.Firmware | undefined; hasDisk: boolean; networked: boolean },
  context: Context,
): Promise<LinuxGuest | undefined> {
  const { program, hasDisk } = settings;
  const { reporter } = context;
  if (!oneOf(context, part(linux, 'distribution'), linux.distribution, distributions, 'distribution')) return undefined;
  const files = debianFiles();
  if ('missing' in files) {
    reporter.error('COV203', linux.$cstNode, `${debianFolder()} has no ${files.missing}: \`npm run guest:debian\` makes what is missing`);
    return undefined;
  }
  const command = program && (await lowerProgram(program, context));
  const firmware = settings.firmware && (await readFirmware(settings.firmware, files.firmware, context));
  // All of them first, so that everything that is missing is named at once.
  if ((program && !command) || (settings.firmware && !firmware)) return undefined;
  try {
    const [kernel, systemMap, ...archives] = await Promise.all(
      [files.kernel, files.systemMap, files.initialDisk, ...(command || hasDisk || settings.networked ? [files.modules] : [])].map(kept),
    );
    if (!kernel || !systemMap) return undefined;
    const start = startArchive({ ...command, root: command !== undefined, disk: hasDisk });
    const plan: LinuxPlan = {
      initialDisk: Buffer.concat([...archives, start]),
      bootArguments: 'console=ttyS0 quiet',
      systemMap,
      ...(firmware ? { firmware } : {}),
    };
    const { textOffset, memoryBytes } = readLinuxImage(kernel);
    if (firmware && firmware.length > textOffset) {
      reporter.error('COV307', settings.firmware?.$cstNode, `this firmware has ${firmware.length} bytes, and below the kernel there is room for ${textOffset}`);
      return undefined;
    }
    return {
      file: kernelFile(files.kernel, kernel, systemMap),
      plan,
      disks: command ? [{ image: openedImage(files.programs) }] : [],
      leastRam: textOffset + memoryBytes + plan.initialDisk.length + treeRoom,
    };
  } catch (error) {
    const reason = error instanceof LoadError ? `cannot be used: ${error.message}` : reasonOf(error);
    reporter.error('COV203', linux.$cstNode, `the Debian guest ${reason}; \`npm run guest:debian\` makes it anew`);
    return undefined;
  }
}

/** True for the file that the kernel of stock Linux guests is. */
export function isStockKernel(path: string): boolean {
  const files = debianFiles();
  return !('missing' in files) && files.kernel === path;
}

/** The kernel of stock Linux guests with its names. Undefined where it has not been fetched. */
export async function stockKernel(): Promise<GuestFile | undefined> {
  const files = debianFiles();
  if ('missing' in files) return undefined;
  try {
    const [kernel, systemMap] = await Promise.all([kept(files.kernel), kept(files.systemMap)]);
    return kernelFile(files.kernel, kernel, systemMap);
  } catch {
    return undefined;
  }
}

function kernelFile(path: string, image: Uint8Array, systemMap: Uint8Array): GuestFile {
  const start = ramBase + BigInt(readLinuxImage(image).textOffset);
  return { path, image, symbols: symbolsOf({ image, linux: { systemMap } }), physical: (address) => (address < kernelLink ? address : address - kernelLink + start) };
}

/** OpenSBI as it was fetched, or a flat image beside the scenario. */
async function readFirmware(firmware: ast.Firmware, opensbi: string, context: Context): Promise<Uint8Array | undefined> {
  const { reporter, document } = context;
  if (firmware.path === undefined) {
    return oneOf(context, part(firmware, 'name'), firmware.name ?? '', ['opensbi'], 'firmware') && kept(opensbi);
  }
  const name = decodeString(firmware.path).value;
  if (name === undefined) return undefined;
  try {
    return await kept(resolve(dirname(document.uri.fsPath), name));
  } catch (error) {
    reporter.error('COV203', part(firmware, 'path'), `${name} ${reasonOf(error)}`);
    return undefined;
  }
}

/** True of a program of the user's own, as `./hello`; other names are those of the guest's files. */
export function isOwnProgram(name: string): boolean {
  return name.includes('/') && !name.startsWith('/');
}

/** The words of `run`; a first word such as `./hello` is a file of the user's own. */
async function lowerProgram(program: ast.Program, context: Context): Promise<{ run: string[]; program?: Uint8Array } | undefined> {
  const run = program.arguments.map((word) => decodeString(word).value);
  if (!run.every((word) => word !== undefined)) return undefined;
  const [name = ''] = run;
  if (name === '') {
    context.reporter.error('COV206', program.$cstNode, 'this runs nothing: say which program, as `run "/usr/bin/openssl" "version"`');
    return undefined;
  }
  if (!isOwnProgram(name)) return { run };
  const path = resolve(dirname(context.document.uri.fsPath), name);
  try {
    return { run, program: await kept(path) };
  } catch (error) {
    context.reporter.error('COV203', program.$cstNode, `${name} ${reasonOf(error)}`);
    return undefined;
  }
}

const contents = new Map<string, { mark: string; content: Promise<Uint8Array> }>();

/** A file, read once as long as it stays the same: an editor asks at every keystroke, and caches are keyed by the bytes' identity. */
async function kept(path: string): Promise<Uint8Array> {
  const mark = markOf(await stat(path));
  const before = contents.get(path);
  if (before?.mark === mark) return before.content;
  const content = readWhole(path).then((bytes) => new Uint8Array(bytes));
  contents.set(path, { mark, content });
  content.catch(() => contents.delete(path));
  return content;
}
