import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { boardTree, flatten } from './device-tree';

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
});
