/**
 * Flattened device trees: the Devicetree Specification, release 0.4, chapter 5.
 */

/** A property is a list of 32-bit cells, one or more strings, or (true) just there. */
export type Property = number[] | string | string[] | true;

export interface TreeNode {
  name: string;
  properties: Record<string, Property>;
  children?: TreeNode[];
}

const beginNode = 1;
const endNode = 2;
const propertyToken = 3;
const endOfTree = 9;
const headerBytes = 40;
/** An empty list of reserved ranges: its terminator. */
const reservedBytes = 16;

/** Encodes a tree; `root.name` is ''. */
export function flatten(root: TreeNode): Uint8Array {
  const words: Buffer[] = [];
  const strings = new Map<string, number>();
  let stringBytes = 0;
  const word = (...values: number[]): void => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, i * 4));
    words.push(bytes);
  };
  const padded = (bytes: Buffer): void => {
    words.push(bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4));
  };
  const nameOffset = (name: string): number => {
    const known = strings.get(name);
    if (known !== undefined) return known;
    const offset = stringBytes;
    strings.set(name, offset);
    stringBytes += name.length + 1;
    return offset;
  };
  const visit = (node: TreeNode): void => {
    word(beginNode);
    padded(Buffer.from(`${node.name}\0`, 'latin1'));
    for (const [name, value] of Object.entries(node.properties)) {
      const bytes = encode(value);
      word(propertyToken, bytes.length, nameOffset(name));
      padded(bytes);
    }
    for (const child of node.children ?? []) visit(child);
    word(endNode);
  };
  visit(root);
  word(endOfTree);

  const structure = Buffer.concat(words);
  const names = Buffer.from([...strings.keys()].map((name) => `${name}\0`).join(''), 'latin1');
  const structureAt = headerBytes + reservedBytes;
  const total = structureAt + structure.length + names.length;
  const header = Buffer.alloc(structureAt);
  const fields = [0xd00dfeed, total, structureAt, structureAt + structure.length, headerBytes, 17, 16, 0, names.length, structure.length];
  fields.forEach((value, i) => header.writeUInt32BE(value, i * 4));
  return new Uint8Array(Buffer.concat([header, structure, names]));
}

function encode(value: Property): Buffer {
  if (value === true) return Buffer.alloc(0);
  if (typeof value === 'string') return Buffer.from(`${value}\0`, 'utf8');
  const bytes = Buffer.alloc(value.length * 4);
  if (value.every((item) => typeof item === 'number')) {
    value.forEach((cell, i) => bytes.writeUInt32BE(cell >>> 0, i * 4));
    return bytes;
  }
  return Buffer.from(value.map((text) => `${text}\0`).join(''), 'utf8');
}

export interface BoardOptions {
  ramBytes: number;
  /** Default 1. */
  harts?: number;
  bootArguments?: string;
  /** Physical range of an initial RAM disk. */
  initrd?: { address: number; bytes: number };
}

const ramBase = 0x8000_0000;

/** Handles that nodes refer to each other by. */
const handle = { plic: 1, syscon: 2, cpu: (hart: number) => 16 + hart };

const extensions = [
  'i', 'm', 'a', 'f', 'd', 'c', 'zicbom', 'zicboz', 'zicntr', 'zicond', 'zicsr', 'zifencei', 'zba', 'zbb', 'zbs', 'sstc', 'svadu',
];

/** The tree of the board that the machine is: names and addresses of the `virt` board. */
export function boardTree(options: BoardOptions): TreeNode {
  const { ramBytes, harts = 1, bootArguments, initrd } = options;
  const numbers = Array.from({ length: harts }, (_, hart) => hart);
  const range = (address: number, bytes: number): number[] => [Math.floor(address / 2 ** 32), address, Math.floor(bytes / 2 ** 32), bytes];
  const chosen: Record<string, Property> = { 'stdout-path': '/soc/serial@10000000' };
  if (bootArguments !== undefined) chosen.bootargs = bootArguments;
  if (initrd) {
    chosen['linux,initrd-start'] = [0, initrd.address];
    chosen['linux,initrd-end'] = [0, initrd.address + initrd.bytes];
  }
  return {
    name: '',
    properties: { '#address-cells': [2], '#size-cells': [2], compatible: 'riscv-virtio', model: 'riscv-virtio,covert' },
    children: [
      { name: 'chosen', properties: chosen },
      { name: `memory@${ramBase.toString(16)}`, properties: { device_type: 'memory', reg: range(ramBase, ramBytes) } },
      { name: 'cpus', properties: { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [10_000_000] }, children: numbers.map(cpu) },
      {
        name: 'poweroff',
        properties: { compatible: 'syscon-poweroff', regmap: [handle.syscon], offset: [0], value: [0x5555] },
      },
      { name: 'reboot', properties: { compatible: 'syscon-reboot', regmap: [handle.syscon], offset: [0], value: [0x7777] } },
      {
        name: 'soc',
        properties: { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true },
        children: devices(range, numbers),
      },
    ],
  };
}

function cpu(hart: number): TreeNode {
  return {
    name: `cpu@${hart}`,
    properties: {
      device_type: 'cpu',
      reg: [hart],
      status: 'okay',
      compatible: 'riscv',
      'riscv,isa': `rv64imafdc_${extensions.filter((name) => name.length > 1).join('_')}`,
      'riscv,isa-base': 'rv64i',
      'riscv,isa-extensions': extensions,
      'riscv,cbom-block-size': [64],
      'riscv,cboz-block-size': [64],
      'mmu-type': 'riscv,sv48',
    },
    children: [
      {
        name: 'interrupt-controller',
        properties: {
          '#address-cells': [0],
          '#interrupt-cells': [1],
          'interrupt-controller': true,
          compatible: 'riscv,cpu-intc',
          phandle: [handle.cpu(hart)],
        },
      },
    ],
  };
}

function devices(range: (address: number, bytes: number) => number[], harts: readonly number[]): TreeNode[] {
  const toEach = (...causes: number[]): number[] => harts.flatMap((hart) => causes.flatMap((cause) => [handle.cpu(hart), cause]));
  return [
    {
      name: 'test@100000',
      properties: { compatible: ['sifive,test1', 'sifive,test0', 'syscon'], reg: range(0x100000, 0x1000), phandle: [handle.syscon] },
    },
    {
      name: 'rtc@101000',
      properties: {
        compatible: 'google,goldfish-rtc',
        reg: range(0x101000, 0x1000),
        'interrupt-parent': [handle.plic],
        interrupts: [11],
      },
    },
    {
      name: 'clint@2000000',
      properties: {
        compatible: ['sifive,clint0', 'riscv,clint0'],
        reg: range(0x2000000, 0x10000),
        'interrupts-extended': toEach(3, 7),
      },
    },
    {
      name: 'plic@c000000',
      properties: {
        compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
        reg: range(0xc000000, 0x600000),
        '#address-cells': [0],
        '#interrupt-cells': [1],
        'interrupt-controller': true,
        'interrupts-extended': toEach(11, 9),
        'riscv,ndev': [63],
        phandle: [handle.plic],
      },
    },
    ...Array.from({ length: 8 }, (_, slot): TreeNode => {
      const address = 0x10001000 + slot * 0x1000;
      return {
        name: `virtio_mmio@${address.toString(16)}`,
        properties: { compatible: 'virtio,mmio', reg: range(address, 0x1000), 'interrupt-parent': [handle.plic], interrupts: [1 + slot] },
      };
    }),
    {
      name: 'serial@10000000',
      properties: {
        compatible: 'ns16550a',
        reg: range(0x10000000, 0x100),
        'clock-frequency': [3_686_400],
        'interrupt-parent': [handle.plic],
        interrupts: [10],
      },
    },
  ];
}
