import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Plan } from '../../../engine/covert/plan';
import { run as runPlan } from '../../../engine/covert/run';
import { debianFolder } from '../../../server/guest/debian';
import { compileFile, type Diagnostic } from '../../../server/language/compile';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { derived, vocabulary } from './grammar-text';

const root = join(import.meta.dirname, '../../..');
const here = join(root, 'examples/checksum/here.covert');
const examples = ['checksum/checksum', 'sort/sort', 'ticker/ticker', 'debian/boot', 'boards/common'];
/** What a scenario is run for, and the RAM beyond which it is not: that would measure the host. */
const mostInstructions = 20_000;
const mostRam = 16 * 2 ** 20;

/**
 * Scenario files: any bytes, examples with other words in them, and whatever the
 * grammar can make. What compiles is run for a while. The input: which of these,
 * and the bytes, changes or choices.
 */
export const scenarioTarget: FuzzTarget = {
  what: 'scenario files, compiled and run',
  runs: 150,
  seeds: () => [
    ...examples.map((_, which) => Uint8Array.of(1, which)),
    Uint8Array.of(0, ...Buffer.from('guest g { elf "checksum.elf" }\nscenario "s" { guest g expect exit 0 }')),
    Uint8Array.from({ length: 60 }, (_, i) => [2, 1, 3, 0, 2, 5, 1][i % 7] ?? 0),
    Uint8Array.from({ length: 60 }, (_, i) => [3, 1, 2, 7, 0, 1, 1, 4, 6][i % 9] ?? 0),
  ],
  async run(input) {
    isolate();
    const text = textOf(new ByteReader(input), input);
    const { plans, diagnostics } = await compileFile(here, { text });
    const again = await compileFile(here, { text });
    const told = JSON.stringify(diagnostics);
    if (told !== JSON.stringify(again.diagnostics) || plans.length !== again.plans.length) throw new Error(`the same text, and other diagnostics: ${told}`);
    for (const diagnostic of diagnostics) check(diagnostic, text);
    const happened = new Set(diagnostics.map(({ code }) => code as string));
    if (diagnostics.every(({ severity }) => severity !== 'error')) happened.add(plans.length > 0 ? 'a plan' : 'no plan');
    const [plan] = plans;
    if (plan && plan.guest.ramBytes <= mostRam) happened.add(await ran(plan));
    return [...happened].sort().join(', ');
  },
};

/** A scenario in which nothing is wrong can be run. */
async function ran(plan: Plan): Promise<string> {
  const { passed, guest } = await runPlan({ ...plan, maxInstructions: Math.min(plan.maxInstructions, mostInstructions) });
  return `ended by ${guest.ended} and ${passed ? 'passed' : 'failed'}`;
}

function check({ file, message, code, range, span }: Diagnostic, text: string): void {
  const what = `${code} ${message} at ${JSON.stringify(range)}`;
  if (/[\r\n]|undefined|NaN|\[object/.test(message) && !/undefined|NaN|\[object/.test(text)) throw new Error(`a message that says nothing: ${what}`);
  if (file !== here) return;
  if (!(span.offset >= 0 && span.end >= span.offset && span.end <= text.length)) throw new Error(`outside of the text: ${what}`);
  if (!(range.line >= 1 && range.column >= 1 && range.endLine >= range.line)) throw new Error(`no place: ${what}`);
}

function textOf(program: ByteReader, input: Uint8Array): string {
  switch (program.byte() % 4) {
    case 0:
      return Buffer.from(input.subarray(1)).toString('utf8');
    case 1: {
      let text = readFileSync(join(root, 'examples', `${examples[program.byte() % examples.length]}.covert`), 'utf8');
      for (let changes = 0; !program.done && changes < 16; changes++) {
        const at = program.half() % (text.length + 1);
        const words = Array.from({ length: program.byte() & 3 }, () => vocabulary[program.half() % vocabulary.length]);
        text = `${text.slice(0, at)}${words.join(' ')}${text.slice(at + (program.byte() & 63))}`;
      }
      return text;
    }
    case 2:
      return derived('File', program);
    default: {
      const items = Array.from({ length: 1 + (program.byte() & 3) }, () => derived('ScenarioItem', program));
      return `guest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" { guest g protect dmr on core 0, core 1 expect exit 0\n${items.join('\n')}\n}`;
    }
  }
}

let isolated = false;

/** Instead of what this host may have of Debian: small files of the same names, with a kernel that does nothing. */
function isolate(): void {
  if (isolated) return;
  isolated = true;
  const cache = mkdtempSync(join(tmpdir(), 'covert-fuzz-'));
  process.env.COVERT_CACHE = cache;
  process.on('exit', () => rmSync(cache, { recursive: true, force: true }));
  const kernel = Buffer.alloc(4096);
  kernel.writeBigUInt64LE(0x20_0000n, 8);
  kernel.writeUInt32LE(0x05435352, 56);
  const files = { vmlinux: kernel, 'System.map': 'ffffffff80000000 T _start\n', 'initramfs.cpio': 'disk', 'modules.cpio': 'more', 'programs.ext4': Buffer.alloc(4096), 'fw_dynamic.bin': Buffer.alloc(64) };
  mkdirSync(debianFolder(), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(debianFolder(), name), content);
}
