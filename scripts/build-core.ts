/**
 * Builds the resident core: generates the decoder from the instruction table,
 * compiles engine/core/assembly with AssemblyScript, and writes the wasm bytes
 * as a TypeScript module, so that every bundler and test runner can load them.
 * Does nothing when no input has changed since the last build.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generateDecoder } from '../engine/isa/generate-decoder';

const root = resolve(__dirname, '..');
const assembly = join(root, 'engine/core/assembly');
const target = join(root, 'engine/core/core.generated.ts');

const options = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  // Replicas may run on other threads than what looks after them.
  '--enable',
  'threads',
  '--sharedMemory',
  '--exportTable',
  '--initialMemory',
  '64',
  '--maximumMemory',
  '65536',
  // Static data of the compiler's own stays below what layout.ts lays out.
  '--memoryBase',
  '1024',
];

/** Written whole or not at all. */
function write(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

/** It is an ES module only. */
const compiler = () => import('assemblyscript/asc');

async function main(): Promise<void> {
  const asc = await compiler();
  const decoder = join(assembly, 'decode.generated.ts');
  const text = generateDecoder();
  if (!existsSync(decoder) || readFileSync(decoder, 'utf8') !== text) write(decoder, text);

  const hash = createHash('sha256').update(asc.version).update(options.join(' '));
  const sources = readdirSync(assembly).filter((name) => name.endsWith('.ts')).sort();
  for (const name of sources) hash.update(name).update(readFileSync(join(assembly, name)));
  const stamp = `// Inputs: ${hash.digest('hex')}`;
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(stamp)) return;

  const variants = [await compile(asc, 'index.ts', false), await compile(asc, 'detailed.ts', true)] as const;
  const [plain, detailed] = variants.map((wasm) => Buffer.from(wasm).toString('base64'));
  const [bytes, detailedBytes] = variants.map(({ length }) => length);
  write(
    target,
    `${stamp}\n/** The resident core, ${bytes} bytes of WebAssembly. */\nexport const coreWasm = '${plain}';\n` +
      `/** The variant with caches, for \`detailed\` timing, ${detailedBytes} bytes. */\nexport const detailedWasm = '${detailed}';\n`,
  );
}

/** One of the variants that assembly/variant.ts tells apart. */
async function compile(asc: Awaited<ReturnType<typeof compiler>>, entry: string, detailed: boolean): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [join(assembly, entry), ...options, '--outFile', 'core.wasm', '--baseDir', '/'],
    {
      readFile: (name, baseDir) => {
        const path = resolve(baseDir, name);
        if (!existsSync(path)) return null;
        const text = readFileSync(path, 'utf8');
        return detailed && path === join(assembly, 'variant.ts') ? text.replace('DETAILED: bool = false', 'DETAILED: bool = true') : text;
      },
      writeFile: (name, contents) => {
        if (name.endsWith('core.wasm')) wasm = contents as Uint8Array;
      },
    },
  );
  if (error || !wasm) throw new Error(`the resident core does not compile:\n${(stderr as { toString(): string }).toString()}`);
  return wasm;
}

main().catch((error: unknown) => {
  console.error(`build-core: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
