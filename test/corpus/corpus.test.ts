import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { root } from '../cli/covert';
import { otherNode } from './other-node';

/** A guest, and the hashes of its whole state after so many retired instructions. */
interface Entry {
  /** SHA-256 of what the guest is made of: hashes are of this and no other. */
  inputs: string;
  hashes: Record<string, string>;
}

const record = path.join(import.meta.dirname, 'hashes.json');
const corpus = (existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {}) as Record<string, Entry>;
const updating = process.env['COVERT_UPDATE_GOLDENS'] === '1';

/** Where to look: densely at the start, then a few times in each power of ten. */
function countsUpTo(last: number): number[] {
  const counts = [0, 1, 2, 3, 5, 10, 100];
  for (let power = 1000; power <= last; power *= 10) for (const step of [1, 2.5, 5, 7.7]) counts.push(Math.round(step * power));
  return counts.filter((count) => count <= last);
}

const debian = debianFiles();
const debianGuests = (files: DebianFiles): Guest[] =>
  [1, 2].map((harts) => ({
    name: `Debian's boot, ${harts === 1 ? 'one hart' : `${harts} harts`}`,
    fetched: true,
    inputs: [files.kernel, files.initialDisk],
    args: ['--linux', '--ram', '256MiB', '--harts', String(harts), files.kernel, '--initrd', files.initialDisk, '--append', 'console=ttyS0 quiet'],
    last: 1e9,
  }));

interface Guest {
  name: string;
  /** It is made of what `npm run guest:debian` fetches. */
  fetched: boolean;
  inputs: string[];
  args: string[];
  last: number;
}

const guests: Guest[] = [
  ...['checksum', 'sort', 'ticker'].map((name) => {
    const image = path.join(root, `examples/${name}/${name}.elf`);
    return { name, fetched: false, inputs: [image], args: [image], last: 2_500_000 };
  }),
  ...('missing' in debian ? [] : debianGuests(debian)),
];

async function hashesOn(node: string, tier: string, { args, last }: Guest): Promise<Record<string, string>> {
  const command = [path.join(root, 'dist/covert.cjs'), 'exec', ...args, '--tier', tier, '--hash-at', countsUpTo(last).join(','), '--json', '--max-instructions', String(last)];
  // The limit is reached, which is exit code 3; what was printed by then is what counts.
  const { stdout } = await promisify(execFile)(node, command, { maxBuffer: 2 ** 26 }).catch((error: unknown) => error as { stdout: string });
  const { hashes } = JSON.parse(stdout) as { hashes: { instruction: number; sha256: string | null }[] };
  return Object.fromEntries(hashes.flatMap(({ instruction, sha256 }) => (sha256 === null ? [] : [[String(instruction), sha256]])));
}

function inputsOf({ inputs }: Guest): string {
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(file));
  return hash.digest('hex');
}

const other = otherNode();
const ways = [
  { name: `Node ${process.versions.node}`, binary: process.execPath, tier: 'interpreter' },
  { name: `Node ${process.versions.node}, with the translator`, binary: process.execPath, tier: 'auto' },
  ...('binary' in other ? [{ name: 'Node 24', binary: other.binary, tier: 'interpreter' }, { name: 'Node 24, with the translator', binary: other.binary, tier: 'auto' }] : []),
];

test.skipIf('missing' in debian)(`Debian's boot is in the corpus${'missing' in debian ? ` (skipped: no ${debian.missing} of npm run guest:debian)` : ''}`, () => {
  expect(guests.some(({ fetched }) => fetched)).toBe(true);
});

describe.each(ways)('$name', ({ binary, tier }) => {
  for (const guest of guests) {
    // Debian moves on: another kernel than the recorded one has other states. The examples are in the tree, beside the record.
    const known = !guest.fetched || corpus[guest.name]?.inputs === inputsOf(guest);
    test.skipIf(!known && !updating)(`${guest.name}: its states are the recorded ones${known ? '' : ' (skipped: recorded with other files; COVERT_UPDATE_GOLDENS=1 records these)'}`, async () => {
      if (!updating) expect(corpus[guest.name]?.inputs, 'another image than the recorded one: COVERT_UPDATE_GOLDENS=1 records it').toBe(inputsOf(guest));
      const hashes = await hashesOn(binary, tier, guest);
      expect(Object.keys(hashes).length).toBeGreaterThan(10);
      if (updating && binary === process.execPath && tier === 'interpreter') {
        corpus[guest.name] = { inputs: inputsOf(guest), hashes };
        writeFileSync(record, `${JSON.stringify(corpus, null, 2)}\n`);
      }
      expect(hashes).toEqual(corpus[guest.name]?.hashes);
    });
  }
});

test.skipIf('obstacle' in other)(`the corpus is checked on another Node${'obstacle' in other ? ` (skipped: ${other.obstacle})` : ''}`, async () => {
  const { stdout } = await promisify(execFile)((other as { binary: string }).binary, ['--version']);
  expect(stdout).toMatch(/^v24\./);
  expect(stdout.trim()).not.toBe(process.version);
});
