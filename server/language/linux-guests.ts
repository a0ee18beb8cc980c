import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LinuxPlan } from '../../engine/covert/plan';
import { symbolsOf } from '../../engine/covert/guest';
import { LoadError } from '../../engine/machine/load-error';
import { readLinuxImage } from '../../engine/machine/linux-image';
import { debianFiles } from '../guest/debian';
import { startArchive } from '../guest/start-archive';
import type { Context } from './context';
import { part } from './diagnostic';
import type * as ast from './generated/ast';
import { reasonOf, type GuestFile } from './guest-files';
import { oneOf } from './measures';
import { decodeString } from './values';

/** Where the kernel is linked to run: the start of the kernel's mapping (Documentation/arch/riscv/vm-layout.rst of Linux). */
const kernelLink = 0xffff_ffff_8000_0000n;
const ramBase = 0x8000_0000n;
/** Room for the device tree, in the guest's RAM. */
const treeBytes = 2 ** 16;

/** The distributions that a set-up script fetches. */
const distributions = ['debian'] as const;

export interface LinuxGuest {
  file: GuestFile;
  plan: LinuxPlan;
  /** Bytes of RAM below which it does not fit. */
  leastRam: number;
}

/** A stock Linux guest of what `npm run guest:debian` has fetched. Undefined where something is wrong, which is reported. */
export async function lowerLinux(linux: ast.Linux, program: ast.Program | undefined, context: Context): Promise<LinuxGuest | undefined> {
  const { reporter } = context;
  if (!oneOf(context, part(linux, 'distribution'), linux.distribution, distributions, 'distribution')) return undefined;
  const files = debianFiles();
  if ('missing' in files) {
    reporter.error('COV203', linux.$cstNode, `${files.missing} does not exist: \`npm run guest:debian\` fetches it`);
    return undefined;
  }
  const command = program && (await lowerProgram(program, context));
  if (program && !command) return undefined;
  try {
    const [kernel, systemMap, ...archives] = await Promise.all(
      [files.kernel, files.systemMap, files.initialDisk, ...(command ? [files.modules] : [])].map(kept),
    );
    if (!kernel || !systemMap) return undefined;
    const start = startArchive({ ...command, root: command !== undefined });
    const plan: LinuxPlan = { initialDisk: Buffer.concat([...archives, start]), bootArguments: 'console=ttyS0 quiet', systemMap };
    const { textOffset, memoryBytes } = readLinuxImage(kernel);
    const symbols = symbolsOf({ image: kernel, linux: plan });
    const physical = (address: bigint): bigint => (address < kernelLink ? address : address - kernelLink + ramBase + BigInt(textOffset));
    return {
      file: { path: files.kernel, image: kernel, symbols, physical },
      plan,
      leastRam: textOffset + memoryBytes + plan.initialDisk.length + treeBytes,
    };
  } catch (error) {
    const reason = error instanceof LoadError ? `cannot be used: ${error.message}` : reasonOf(error);
    reporter.error('COV203', linux.$cstNode, `the Debian guest ${reason}; \`npm run guest:debian\` makes it anew`);
    return undefined;
  }
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
  if (name.startsWith('/') || !name.includes('/')) return { run };
  const path = resolve(dirname(context.document.uri.fsPath), name);
  try {
    return { run, program: await kept(path) };
  } catch (error) {
    context.reporter.error('COV203', program.$cstNode, `${name} ${reasonOf(error)}`);
    return undefined;
  }
}

const contents = new Map<string, Promise<Uint8Array>>();

/** A file, read once: an editor asks at every keystroke, and caches are keyed by the bytes' identity. */
function kept(path: string): Promise<Uint8Array> {
  let content = contents.get(path);
  if (!content) {
    content = readFile(path).then((bytes) => new Uint8Array(bytes));
    contents.set(path, content);
    content.catch(() => contents.delete(path));
  }
  return content;
}
