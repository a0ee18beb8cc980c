/** What is said of a document after edits is what a fresh server says of its text. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TextDocument, URI, type LangiumDocument } from 'langium';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Analysis } from './analyzer';
import { compileFile } from './compile';
import { createCovertLspServices } from './lsp/lsp-services';

const root = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'covert-incremental-'));
const here = path.join(folder, 'here.covert');
const chips = path.join(folder, 'chips.covert');
for (const name of ['checksum.elf', 'checksum.c']) writeFileSync(path.join(folder, name), readFileSync(path.join(root, 'examples', 'checksum', name)));
writeFileSync(chips, 'chip octo { cores 8 at 2 GHz l2 8 banks of 512 KiB memory 4 controllers ring }\n');
afterAll(() => rmSync(folder, { recursive: true }));

const head = 'import "chips.covert"\n\nchip quad { cores 4 at 1 GHz ring }\n\nguest one { elf "checksum.elf" }\n\nguest two { elf "checksum.elf" ram 32 MiB }\n\n';
const scenario = (n: number): string => `// number ${n}
scenario "s${n}" {
  chip ${n % 2 ? 'octo' : 'quad'}
  guest ${n % 3 ? 'one' : 'two'}
  protect dmr on core 0, core 1 { epoch ${50_000 + n} instructions }
  fault one: flip a0 bit ${n} in replica B at crc32_update + 0x2a hit ${n + 1}
  fault flip x0 bit 1 in replica A at instruction ${n}
  expect detected
  expect exit 0
}

`;
const start = head + Array.from({ length: 6 }, (_, n) => scenario(n)).join('');

/** A document in an editor, which sends what is typed. */
class Typed {
  readonly #services = createCovertLspServices();
  readonly #uri = URI.file(here);
  #text: TextDocument;

  constructor(text: string) {
    this.#text = TextDocument.create(this.#uri.toString(), 'covert', 0, text);
  }

  get text(): string {
    return this.#text.getText();
  }

  /** What is said of the document now. */
  async analysis(): Promise<Analysis> {
    const { workspace } = this.#services.shared;
    workspace.TextDocuments.set(this.#text);
    await workspace.DocumentBuilder.update([this.#uri], []);
    const document = workspace.LangiumDocuments.getDocument(this.#uri) as LangiumDocument;
    return this.#services.covert.Analyzer.latest(document);
  }

  type(text: string): Promise<Analysis> {
    this.#text = TextDocument.create(this.#uri.toString(), 'covert', this.#text.version + 1, text);
    return this.analysis();
  }

  /** What is said when a file that it names has changed. */
  async touched(file: string): Promise<Analysis> {
    await this.#services.shared.workspace.DocumentBuilder.update([URI.file(file)], []);
    return this.analysis();
  }
}

/** Plans without the programs, which are the same bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, one: unknown) => (one instanceof Uint8Array ? one.length : typeof one === 'bigint' ? `${one}n` : one)));
}

async function expectFresh(analysis: Analysis, text: string): Promise<void> {
  const fresh = await compileFile(here, { text });
  const own = fresh.diagnostics.filter(({ file }) => file === here);
  expect(plain(analysis.diagnostics), text).toEqual(plain(own));
  expect(plain(analysis.plans), text).toEqual(plain(fresh.plans));
}

const words = fc.constantFrom('}', '{', '"', '/*', '*/', '//', '\n', '\r\n', ' ', '1__0', '`', 'octo', 'quad', 'one', 'three', 'seed 5\n', 'seed 5 seed 6\n', 'expect exit 1\n', 'fault one: flip a0 bit 70 in replica C at main\n', 'chip octo { cores 2 }\n', 'import "chips.covert"\n', scenario(1), scenario(9), 'scenaro "x" {\n', 'gest a-b {\n', ' at checksum.c:35\n', '# x\n', 'protect dmr on 0, 1 {\n', 'fault flip a0 bit 1 in replica B when a0 = 3\n');
const edits = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(15) }, fc.nat(700)), put: words }),
  { minLength: 1, maxLength: 6 },
);

describe('after edits', () => {
  test('diagnostics, plans and their places are those of a fresh reading', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (some) => {
        const typed = new Typed(start);
        await typed.analysis();
        for (const { at, cut, put } of some) {
          const { text } = typed;
          const offset = Math.floor(at * (text.length + 1));
          const analysis = await typed.type(text.slice(0, offset) + put + text.slice(offset + cut));
          await expectFresh(analysis, typed.text);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('what stands behind an edit is not looked at again, and moves', async () => {
    const typed = new Typed(start);
    const before = await typed.analysis();
    const after = await typed.type(start.replace('// number 1\n', '// number 1\n// and more\n\n'));
    await expectFresh(after, typed.text);
    // The same objects: nothing has been made anew. The edit is between the first two.
    for (const [n, plan] of before.plans.entries()) if (n > 1) expect(after.plans[n] === plan).toBe(true);
  });

  test('a chip, a guest and a name that many use concern all of them', async () => {
    const typed = new Typed(start);
    await typed.analysis();
    for (const [from, to] of [['cores 4', 'cores 1'], ['cores 1', 'cores 4'], ['elf "checksum.elf" }', 'elf "checksum.elf" ram 4 KiB }'], ['chip quad', 'chip quat'], ['chip quat', 'chip quad'], ['import "chips.covert"', '']] as const) {
      const analysis = await typed.type(typed.text.replace(from, to));
      await expectFresh(analysis, typed.text);
    }
  });

  test('files that are named may change, vanish and come back', async () => {
    const typed = new Typed(start);
    await expectFresh(await typed.analysis(), start);
    writeFileSync(chips, 'chip octo { cores 1 }\n');
    await expectFresh(await typed.touched(chips), start);
    writeFileSync(chips, 'chip octo { cores 8 at 2 GHz l2 8 banks of 512 KiB memory 4 controllers ring }\n');
    await expectFresh(await typed.touched(chips), start);
    const elf = path.join(folder, 'checksum.elf');
    writeFileSync(elf, 'no ELF');
    await expectFresh(await typed.type(`${start}\n`), `${start}\n`);
    rmSync(elf);
    await expectFresh(await typed.type(start), start);
    await copyFile(path.join(root, 'examples', 'sort', 'sort.elf'), elf);
    await expectFresh(await typed.type(`${start} `), `${start} `);
    await copyFile(path.join(root, 'examples', 'checksum', 'checksum.elf'), elf);
    await utimes(elf, 1, 1);
    await expectFresh(await typed.type(start), start);
  });
});
