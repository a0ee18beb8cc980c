import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boardTree, flatten, type TreeNode } from './device-tree';
import { cellsOf, nodeAt, walkTree, type FlatNode } from './device-tree.test-support';

const compiler = spawnSync('dtc', ['--version']).status === 0;

/** The tree as source, by the device tree compiler, which checks it on the way. */
function decompile(tree: Uint8Array): { source: string; complaints: string } {
  const { stdout, stderr, status } = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts', '-'], { input: tree, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return { source: stdout, complaints: stderr };
}

describe.skipIf(!compiler)(`the device tree, read by dtc${compiler ? '' : ' (skipped: no dtc; Debian package device-tree-compiler)'}`, () => {
  it('of the board is well formed and complete', () => {
    const options = { ramBytes: 3 * 2 ** 29, bootArguments: 'console=ttyS0 quiet', initrd: { address: 0x9000_0000, bytes: 0x1234 } };
    const { source, complaints } = decompile(flatten(boardTree(options)));
    expect(complaints).toBe('');
    expect(source).toContain('bootargs = "console=ttyS0 quiet";');
    expect(source).toContain('linux,initrd-start = <0x00 0x90000000>;');
    expect(source).toContain('linux,initrd-end = <0x00 0x90001234>;');
    expect(source).toContain('reg = <0x00 0x80000000 0x00 0x60000000>;');
    for (const node of ['cpu@0', 'clint@2000000', 'plic@c000000', 'serial@10000000', 'rtc@101000', 'test@100000']) {
      expect(source).toContain(`${node} {`);
    }
  });

  it('has every hart, and its lines to the interrupt controllers', () => {
    const { source, complaints } = decompile(flatten(boardTree({ ramBytes: 2 ** 28, harts: 4 })));
    expect(complaints).toBe('');
    for (let hart = 0; hart < 4; hart++) expect(source).toContain(`cpu@${hart} {`);
    const lines = (compatible: string): string[] => {
      const node = source.slice(source.indexOf(compatible));
      return /interrupts-extended = <([^>]*)>/.exec(node)?.[1]?.split(' ') ?? [];
    };
    const handles = [...source.matchAll(/cpu-intc";\s*phandle = <(0x[0-9a-f]+)>/g)].map((match) => match[1]);
    expect(handles).toHaveLength(4);
    expect(lines('riscv,clint0')).toEqual(handles.flatMap((handle) => [handle, '0x03', handle, '0x07']));
    expect(lines('riscv,plic0')).toEqual(handles.flatMap((handle) => [handle, '0x0b', handle, '0x09']));
  });

  it('keeps strings, lists of strings, cells and flags apart', () => {
    const properties = { '#address-cells': [1], '#size-cells': [0], words: ['a', 'bc'], word: 'x', flag: true as const, cells: [0xffffffff, 1] };
    const { source } = decompile(flatten({ name: '', properties, children: [{ name: 'child', properties: {} }] }));
    expect(source).toContain('words = "a\\0bc";');
    expect(source).toContain('word = "x";');
    expect(source).toContain('flag;');
    expect(source).toContain('cells = <0xffffffff 0x01>;');
  });
});

describe('a flattened tree', () => {
  it('says its size in its header', () => {
    const tree = flatten(boardTree({ ramBytes: 2 ** 26 }));
    const view = new DataView(tree.buffer, tree.byteOffset, tree.byteLength);
    expect([view.getUint32(0), view.getUint32(4), view.getUint32(20), view.getUint32(24)]).toEqual([0xd00dfeed, tree.length, 17, 16]);
  });

  it('of any board says what the board has, and holds together', () => {
    const board = fc.record(
      {
        ramBytes: fc.integer({ min: 1, max: 2 ** 19 }).map((pages) => pages * 4096),
        harts: fc.integer({ min: 1, max: 4 }),
        bootArguments: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.replaceAll('\0', ' ')),
        initrd: fc.record({ address: fc.integer({ min: 0x8000_0000, max: 0xffff_f000 }), bytes: fc.nat(0x0fff) }),
      },
      { requiredKeys: ['ramBytes'] },
    );
    fc.assert(
      fc.property(board, (options) => {
        const { ramBytes, harts = 1, bootArguments, initrd } = options;
        const root = walkTree(flatten(boardTree(options)));
        expect(cellsOf(nodeAt(root, 'memory@80000000'), 'reg')).toEqual([0, 0x8000_0000, 0, ramBytes]);
        expect(nodeAt(root, 'cpus').children.map((cpu) => cellsOf(cpu, 'reg'))).toEqual(Array.from({ length: harts }, (_, hart) => [hart]));
        const chosen = nodeAt(root, 'chosen');
        const said = chosen.properties.get('bootargs');
        expect(said && Buffer.from(said).toString('utf8')).toBe(bootArguments === undefined ? undefined : `${Buffer.from(bootArguments).toString('utf8')}\0`);
        expect(chosen.properties.has('linux,initrd-start')).toBe(initrd !== undefined);
        if (initrd) {
          expect(cellsOf(chosen, 'linux,initrd-start')).toEqual([0, initrd.address]);
          expect(cellsOf(chosen, 'linux,initrd-end')).toEqual([0, initrd.address + initrd.bytes]);
        }
        checkHandles(root);
      }),
    );
  });

  it('of any nodes and properties is read back as it was', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9,._+?#-]{0,30}$/);
    const value = fc.oneof(fc.array(fc.nat(0xffff_ffff), { maxLength: 8 }), fc.string({ unit: 'grapheme-ascii' }), fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1, maxLength: 4 }), fc.constant(true as const));
    const { tree } = fc.letrec<{ tree: TreeNode }>((tie) => ({
      tree: fc.record({
        name,
        properties: fc.dictionary(name, value, { maxKeys: 5 }),
        children: fc.oneof({ depthSize: 'small' }, fc.constant<TreeNode[]>([]), fc.uniqueArray(tie('tree'), { maxLength: 4, selector: (node) => node.name })),
      }),
    }));
    const bytesOf = (property: TreeNode['properties'][string]): number[] => {
      if (property === true) return [];
      if (typeof property === 'string') return [...Buffer.from(`${property}\0`)];
      return property.flatMap((one) => (typeof one === 'number' ? [one >>> 24, (one >>> 16) & 255, (one >>> 8) & 255, one & 255] : [...Buffer.from(`${one}\0`)]));
    };
    const same = (flat: FlatNode, node: TreeNode): void => {
      expect(flat.name).toBe(node.name);
      expect([...flat.properties].map(([key, bytes]) => [key, [...bytes]])).toEqual(Object.entries(node.properties).map(([key, property]) => [key, bytesOf(property)]));
      expect(flat.children).toHaveLength(node.children?.length ?? 0);
      flat.children.forEach((child, i) => same(child, node.children?.[i] as TreeNode));
    };
    fc.assert(fc.property(tree, (root) => same(walkTree(flatten({ ...root, name: '' })), { ...root, name: '' })));
  });
});

/** Every handle that a node refers to belongs to one node. */
function checkHandles(root: FlatNode): void {
  const all: FlatNode[] = [root];
  for (const node of all) all.push(...node.children);
  const handles = all.filter(({ properties }) => properties.has('phandle')).flatMap((node) => cellsOf(node, 'phandle'));
  expect(new Set(handles).size).toBe(handles.length);
  const references = all.flatMap((node) => ['interrupt-parent', 'regmap'].flatMap((name) => (node.properties.has(name) ? cellsOf(node, name) : [])));
  // Pairs of a controller and its line.
  const lines = all.flatMap((node) => (node.properties.has('interrupts-extended') ? cellsOf(node, 'interrupts-extended').filter((_, i) => i % 2 === 0) : []));
  for (const handle of [...references, ...lines]) expect(handles).toContain(handle);
}
