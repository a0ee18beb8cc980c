import { nearestNames } from './nearest';
import type { Frame, FrameReader, LineRange, Symbol, Symbols, Variable } from './types';

/**
 * The names in a `System.map`, the list of symbols that a Linux kernel's build
 * leaves: a line a symbol, with its address and nm's letter for its kind. There
 * are no lines, frames or variables; a symbol reaches to the next one.
 */
export function readSystemMap(bytes: Uint8Array): Symbols {
  return new SystemMap(new TextDecoder('latin1').decode(bytes));
}

/** nm's letters for code, and for data of all sorts. */
const kinds: ReadonlyMap<string, Symbol['kind']> = new Map([
  ['t', 'function'],
  ['w', 'function'],
  ['d', 'object'],
  ['b', 'object'],
  ['r', 'object'],
  ['v', 'object'],
]);

class SystemMap implements Symbols {
  readonly symbols: readonly Symbol[];
  readonly files: readonly string[] = [];
  readonly #byName = new Map<string, Symbol>();

  constructor(text: string) {
    const found: Symbol[] = [];
    for (const [, address = '', letter = '', name = ''] of text.matchAll(/^([0-9a-f]{1,16}) (\w) (\S+)$/gim)) {
      const kind = kinds.get(letter.toLowerCase()) ?? 'other';
      // Absolute symbols are numbers rather than places.
      if (letter.toLowerCase() !== 'a') found.push({ name, address: BigInt(`0x${address}`), size: 0, kind });
    }
    found.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    // From the last on, as any number of names may stand for one address.
    let next: bigint | undefined;
    let own: bigint | undefined;
    for (const symbol of found.toReversed()) {
      if (symbol.address !== own) [next, own] = [own, symbol.address];
      symbol.size = Number((next ?? symbol.address) - symbol.address);
      this.#byName.set(symbol.name, symbol);
    }
    this.symbols = found;
  }

  find(name: string): Symbol | undefined {
    return this.#byName.get(name);
  }

  at(address: bigint): Symbol | undefined {
    let low = 0;
    let high = this.symbols.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.symbols[middle] as Symbol).address <= address) low = middle + 1;
      else high = middle;
    }
    const nearest = this.symbols[low - 1];
    if (!nearest || address >= nearest.address + BigInt(nearest.size)) return undefined;
    // Of several names for one place a function's says most.
    for (let i = low - 1; this.symbols[i]?.address === nearest.address; i--) {
      if (this.symbols[i]?.kind === 'function') return this.symbols[i];
    }
    return nearest;
  }

  nearest(name: string, limit = 3): string[] {
    return nearestNames(name, this.#byName.keys(), limit);
  }

  /** What a map of names cannot say: nothing is known of lines, frames and variables. */
  lineAt(): LineRange | undefined {
    return undefined;
  }
  rangesOf(): LineRange[] {
    return [];
  }
  linesWithCode(): [] {
    return [];
  }
  nextLineWithCode(): number | undefined {
    return undefined;
  }
  breakpointAddresses(): bigint[] {
    return [];
  }
  afterPrologue(symbol: Symbol): bigint {
    return symbol.address;
  }
  /** The innermost frame alone. */
  unwind(reader: FrameReader): Frame[] {
    const name = this.at(reader.pc)?.name;
    return [{ pc: reader.pc, cfa: reader.x(2), inlined: false, ...(name === undefined ? {} : { function: name }) }];
  }
  variables(): Variable[] {
    return [];
  }
  globals(): Variable[] {
    return [];
  }
  isLocal(): boolean {
    return false;
  }
  declarationOf(): undefined {
    return undefined;
  }
  typeDeclarationOf(): undefined {
    return undefined;
  }
}
