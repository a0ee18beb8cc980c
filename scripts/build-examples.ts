/**
 * Rebuilds the guests of examples/, test/bench/kernels/, test/oracles/smp/, test/oracles/frames/, test/oracles/disk/ and test/conformance/ (`npm run build:examples`).
 *
 * The ELFs are committed, because few machines have a RISC-V compiler, so this
 * must give the same bytes anywhere: with another compiler than the one below
 * it says so and leaves the committed files alone (exit code 0).
 *
 * Each guest is compiled inside its own folder with `.` for the compilation
 * directory: a debugger finds a source by resolving the name in the DWARF
 * (`checksum.c`, `../runtime/runtime.c`) against the folder of the ELF.
 *
 * With `--check` nothing is written and a difference ends with exit code 1.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';

/** What the committed ELFs were made with: Debian 12's gcc and binutils for riscv64-unknown-elf. */
const recorded = {
  'riscv64-unknown-elf-gcc': 'riscv64-unknown-elf-gcc (12.2.0-14+deb12u1+11+b2) 12.2.0',
  'riscv64-unknown-elf-ld': 'GNU ld (2.40-2+4+b1) 2.40',
};

interface Guest {
  /** Folder with the sources; the names below are relative to it. */
  folder: string;
  name: string;
  sources: string[];
  optimise: string;
}

const runtime = ['crt0.S', 'runtime.c'];
const examples = ['checksum', 'sort', 'ticker', 'inputs'].map((name) => guest(`examples/${name}`, name, '-Og'));
// The benchmarks are optimised, as what users run is.
const kernels = ['integer', 'pointers', 'floating', 'nothing'].map((name) => guest('test/bench/kernels', name, '-O2'));

// A guest of several harts, which begins otherwise.
const smp: Guest = { folder: 'test/oracles/smp', name: 'smp', sources: ['start.S', '../../../examples/runtime/runtime.c', 'smp.c'], optimise: '-Og' };

function guest(folder: string, name: string, optimise: string): Guest {
  const toRuntime = relative(folder, 'examples/runtime').replaceAll('\\', '/');
  return { folder, name, sources: [...runtime.map((source) => `${toRuntime}/${source}`), `${name}.c`], optimise };
}

// One that lives by its network card.
const frames = guest('test/oracles/frames', 'frames', '-Og');
// And one by its disk.
const disk = guest('test/oracles/disk', 'disk', '-Og');
// What the scenarios of the conformance folder strike.
const struck = [...['sums', 'paged'].map((name) => guest('test/conformance/guests', name, '-Og')), guest('test/conformance/page/guests', 'hello', '-Og')];

const root = resolve(import.meta.dirname, '..');

/** The first line that a tool says about itself, or undefined where there is none. */
function version(tool: string): string | undefined {
  try {
    return execFileSync(tool, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0];
  } catch {
    return undefined;
  }
}

function build(guest: Guest, objects: string): Buffer {
  const cwd = join(root, guest.folder);
  const gcc = (...args: string[]): void => {
    execFileSync('riscv64-unknown-elf-gcc', ['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', ...args], {
      cwd,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  };
  const compiled = guest.sources.map((source) => {
    const object = join(objects, `${guest.name}-${basename(source)}.o`);
    gcc(
      ...[guest.optimise, '-std=gnu11', '-ffreestanding', '-fno-tree-loop-distribute-patterns'],
      ...['-gdwarf-5', `-ffile-prefix-map=${cwd}=.`, `-Wa,--debug-prefix-map=${cwd}=.`, '-Wall', '-Wextra', '-Werror', '-c', source, '-o', object],
    );
    return object;
  });
  const elf = join(objects, `${guest.name}.elf`);
  const linkerScript = join(root, 'examples/runtime/guest.ld');
  gcc('-nostdlib', '-nostartfiles', '-static', '-Wl,--build-id=none', '-T', linkerScript, ...compiled, '-o', elf);
  return readFileSync(elf);
}

function main(): number {
  for (const [tool, expected] of Object.entries(recorded)) {
    const found = version(tool);
    if (found !== expected) {
      console.log(`examples: left as committed: they are built with "${expected}", here is ${found === undefined ? `no ${tool}` : `"${found}"`}`);
      return 0;
    }
  }
  const check = process.argv.includes('--check');
  const objects = mkdtempSync(join(tmpdir(), 'covert-examples-'));
  let stale = 0;
  try {
    for (const guest of [...examples, ...kernels, smp, frames, disk, ...struck]) {
      const path = `${guest.folder}/${guest.name}.elf`;
      const bytes = build(guest, objects);
      let committed: Buffer | undefined;
      try {
        committed = readFileSync(join(root, path));
      } catch {
        committed = undefined;
      }
      if (committed?.equals(bytes)) {
        console.log(`${path}: unchanged, ${bytes.length} bytes`);
      } else if (check) {
        console.log(`${path}: differs from what its source gives; run npm run build:examples`);
        stale++;
      } else {
        writeFileSync(join(root, path), bytes, { mode: 0o644 });
        console.log(`${path}: written, ${bytes.length} bytes`);
      }
    }
  } finally {
    rmSync(objects, { recursive: true });
  }
  return stale === 0 ? 0 : 1;
}

process.exitCode = main();
