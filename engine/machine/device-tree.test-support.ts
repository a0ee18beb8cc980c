/** A node of a tree as it stands in a flattened one. */
export interface FlatNode {
  name: string;
  properties: Map<string, Uint8Array>;
  children: FlatNode[];
}

const beginNode = 1;
const endNode = 2;
const property = 3;
const nothing = 4;
const end = 9;

/**
 * Walks a flattened device tree by the Devicetree Specification, release 0.4,
 * chapter 5, on its own terms: every length is checked. Throws where it is malformed.
 */
export function walkTree(tree: Uint8Array): FlatNode {
  const bytes = Buffer.from(tree.buffer, tree.byteOffset, tree.length);
  const check = (sound: boolean, what: string): void => {
    if (!sound) throw new Error(`a malformed device tree: ${what}`);
  };
  check(bytes.length >= 40, 'no header');
  const [magic, total, structureAt, stringsAt, reservedAt, version, compatible, , stringBytes, structureBytes] = Array.from({ length: 10 }, (_, i) => bytes.readUInt32BE(i * 4)) as [
    number, number, number, number, number, number, number, number, number, number,
  ];
  check(magic === 0xd00dfeed && version === 17 && compatible === 16, 'magic number or version');
  check(total <= bytes.length && reservedAt % 8 === 0 && structureAt % 4 === 0 && structureBytes % 4 === 0, 'size or alignment');
  check(reservedAt >= 40 && reservedAt + 16 <= structureAt && structureAt + structureBytes <= stringsAt && stringsAt + stringBytes <= total, 'blocks that overlap');
  for (let at = reservedAt; bytes.readBigUInt64BE(at + 8) !== 0n; at += 16) check(at + 32 <= structureAt, 'reserved ranges without an end');

  let at = structureAt;
  const last = structureAt + structureBytes;
  const word = (): number => {
    check(at + 4 <= last, 'a structure without an end');
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const text = (from: number, limit: number): string => {
    const stop = bytes.indexOf(0, from);
    check(from < limit && stop >= 0 && stop < limit, 'a name without an end');
    return bytes.toString('latin1', from, stop);
  };
  const align = (): void => {
    at = Math.ceil(at / 4) * 4;
  };
  const node = (): FlatNode => {
    const found: FlatNode = { name: text(at, last), properties: new Map(), children: [] };
    at += found.name.length + 1;
    align();
    for (;;) {
      const token = word();
      if (token === endNode) return found;
      if (token === beginNode) {
        const child = node();
        check(!found.children.some(({ name }) => name === child.name), `two nodes ${child.name}`);
        found.children.push(child);
      } else if (token === property) {
        const [length, nameAt] = [word(), word()];
        const name = text(stringsAt + nameAt, stringsAt + stringBytes);
        check(at + length <= last, `property ${name} without an end`);
        check(found.children.length === 0, `property ${name} behind nodes`);
        check(!found.properties.has(name), `property ${name} twice`);
        found.properties.set(name, bytes.subarray(at, at + length));
        at += length;
        align();
      } else check(token === nothing, `token ${token}`);
    }
  };
  check(word() === beginNode, 'no root');
  const root = node();
  check(root.name === '' && word() === end && at === last, 'something behind the root');
  return root;
}

/** The node of a path such as `soc/serial@10000000`. */
export function nodeAt(root: FlatNode, path: string): FlatNode {
  let found = root;
  for (const name of path.split('/')) {
    const child = found.children.find((one) => one.name === name);
    if (!child) throw new Error(`no node ${path}`);
    found = child;
  }
  return found;
}

/** A property as cells of 32 bits. */
export function cellsOf(node: FlatNode, name: string): number[] {
  const value = node.properties.get(name);
  if (!value) throw new Error(`no property ${name}`);
  const bytes = Buffer.from(value);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32BE(i * 4));
}
