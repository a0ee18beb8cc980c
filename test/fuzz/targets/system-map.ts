import { readSystemMap } from '../../../engine/symbols/system-map';
import type { FrameReader } from '../../../engine/symbols/types';
import type { FuzzTarget } from '../target';

/** Copies of an input are read as one file of up to this: what is slow only in long files shows. */
const mostText = 2 ** 20;

/** The list of a kernel's symbols: the input is the text, and its first byte how often it is there. */
export const systemMapTarget: FuzzTarget = {
  what: 'the names of a System.map',
  seeds: () => seeds.map((text) => Uint8Array.from([0, ...Buffer.from(text)])),
  run(input) {
    const copies = Math.min(2 ** ((input[0] ?? 0) & 15), Math.max(1, Math.floor(mostText / input.length)));
    const text = Buffer.concat(Array.from({ length: copies }, () => input.subarray(1)));
    const symbols = readSystemMap(text);
    let previous = 0n;
    for (const { address, size, name } of symbols.symbols) {
      if (address < previous) throw new Error(`0x${address.toString(16)} stands behind 0x${previous.toString(16)}`);
      if (!(size >= 0) || name === '') throw new Error(`"${name}" has ${size} bytes`);
      previous = address;
    }
    const happened = new Set([`${Math.min(symbols.symbols.length, 3)} symbols`]);
    // A few of them, from everywhere.
    for (let i = 0; i < symbols.symbols.length; i += Math.ceil(symbols.symbols.length / 20)) {
      const symbol = symbols.symbols[i];
      if (!symbol) continue;
      if (symbols.find(symbol.name)?.name !== symbol.name) throw new Error(`"${symbol.name}" is not found`);
      const found = symbols.at(symbol.address);
      if (found && found.address !== symbol.address) throw new Error(`"${found.name}" is told for the address of "${symbol.name}"`);
      if (!found && symbol.size > 0) throw new Error(`nothing is told for the address of "${symbol.name}"`);
      symbols.nearest(`${symbol.name.slice(0, 40)}x`);
      happened.add(symbol.kind).add(symbol.size > 0 ? 'a size' : 'no size').add(symbol.size > Number.MAX_SAFE_INTEGER ? 'a huge one' : 'none huge');
      happened.add(symbols.unwind(readerAt(symbol.address + 1n))[0]?.function === undefined ? 'a frame without a name' : 'a frame with a name');
    }
    return [...happened].sort().join(', ');
  },
};

const readerAt = (pc: bigint): FrameReader => ({ pc, x: () => 0n, f: () => 0n, read: () => undefined });

const seeds = [
  'ffffffff80000000 T _start\nffffffff80000000 t _text\nffffffff80000040 D data\nffffffff80000100 b more\n0000000000000010 A number\nffffffff80000200 W weak\n',
  '0 T zero\nffffffffffffffff R last\n',
  'ffffffff80000000 T a\r\nffffffff80000010 T b\tc\n80000020 ? d\n\n80000000 T',
];
