import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boardTree, flatten } from '../../engine/machine/device-tree';
import { qemuVersion } from './qemu';

const compiler = spawnSync('dtc', ['--version']).status === 0;
const missing = [...(qemuVersion ? [] : ['qemu-system-riscv64']), ...(compiler ? [] : ['dtc'])];
const reason = missing.length > 0 ? ` (skipped: ${missing.join(' and ')} not installed)` : '';

/** Properties by path of their node, as the device tree compiler writes them. */
type Tree = Map<string, Map<string, string>>;

function decompile(blob: Uint8Array): Tree {
  const { stdout } = spawnSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-'], { input: blob, encoding: 'utf8' });
  const tree: Tree = new Map();
  const path: string[] = [];
  for (const line of stdout.split('\n').map((text) => text.trim())) {
    const opened = /^(\S+) \{$/.exec(line)?.[1];
    if (opened !== undefined) {
      path.push(opened === '/' ? '' : opened);
      tree.set(path.join('/'), new Map());
    } else if (line === '};') {
      path.pop();
    } else {
      const [, name, value = ''] = /^([^ =]+)(?: = (.*))?;$/.exec(line) ?? [];
      if (name !== undefined) tree.get(path.join('/'))?.set(name, value);
    }
  }
  return tree;
}

function dumpOfQemu(harts: number): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'covert-tree-'));
  try {
    const path = join(folder, 'board.dtb');
    spawnSync('qemu-system-riscv64', ['-machine', `virt,dumpdtb=${path}`, '-smp', `${harts}`, '-m', '256', '-bios', 'none', '-display', 'none']);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Interrupt lines as processor and cause: handles are anybody's choice. */
function lines(tree: Tree, device: string): string[] {
  const owners = new Map([...tree].map(([path, properties]) => [properties.get('phandle')?.slice(1, -1), /cpu@\d+/.exec(path)?.[0]]));
  const cells = tree.get(`/soc/${device}`)?.get('interrupts-extended')?.slice(1, -1).split(' ') ?? [];
  return cells.map((cell, i) => (i % 2 === 0 ? `${owners.get(cell)}` : `${Number(cell)}`));
}

test.skipIf(missing.length > 0).each([1, 2, 3, 4])(`the board of %i harts is qemu's${reason}`, (harts) => {
  const ours = decompile(flatten(boardTree({ ramBytes: 2 ** 28, harts })));
  const theirs = decompile(dumpOfQemu(harts));
  const processors = (tree: Tree): string[] => [...tree.keys()].filter((path) => /\/cpu@\d+$/.test(path)).sort();
  expect(processors(ours)).toHaveLength(harts);
  expect(processors(ours)).toEqual(processors(theirs));
  for (const device of ['clint@2000000', 'plic@c000000']) {
    expect(lines(ours, device)).toHaveLength(4 * harts);
    expect(lines(ours, device)).toEqual(lines(theirs, device));
  }
  // Whatever we have stands where it stands there, and has its interrupt.
  for (const [path, properties] of ours) {
    if (!path.includes('@')) continue;
    expect([...theirs.keys()]).toContain(path);
    for (const name of ['reg', 'interrupts', 'interrupt-controller', '#interrupt-cells']) {
      if (properties.has(name)) expect([path, name, theirs.get(path)?.get(name)]).toEqual([path, name, properties.get(name)]);
    }
  }
});
