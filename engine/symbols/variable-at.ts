import type { FrameReader, Symbols, Variable } from './types';

/** Places and types of globals need no registers and no memory. */
const nothingRuns: FrameReader = { pc: 0n, x: () => 0n, f: () => 0n, read: () => undefined };

const globals = new WeakMap<Symbols, readonly Variable[]>();

/** The program's variables with their places and types, without values; read once. */
export function placedGlobals(symbols: Symbols): readonly Variable[] {
  let all = globals.get(symbols);
  if (!all) globals.set(symbols, (all = symbols.globals(nothingRuns)));
  return all;
}

/**
 * What the program calls the byte at an address, as the scenario language writes it: `sums[3]`, `header.length`, or `block + 0x24` where
 * only the symbol is known. Undefined where the address is in no variable.
 */
export function variableAt(symbols: Symbols, address: bigint): string | undefined {
  const global = placedGlobals(symbols).find((variable) => covers(variable, address));
  if (global) return pathIn(global, address).path;
  const symbol = symbols.at(address);
  if (symbol?.kind !== 'object' || address >= symbol.address + BigInt(symbol.size)) return undefined;
  return symbol.address === address ? symbol.name : `${symbol.name} + 0x${(address - symbol.address).toString(16)}`;
}

/** The variable, element or member that begins at an address, the largest one, as {@link variableAt} writes it. */
export function variableFrom(symbols: Symbols, address: bigint): string | undefined {
  const global = placedGlobals(symbols).find((variable) => covers(variable, address));
  if (!global) return undefined;
  const { path, start } = pathIn(global, address, address);
  return start === address ? path : undefined;
}

/** Into a variable as far as it goes, or to the first part that begins at `until`. */
function pathIn(global: Variable, address: bigint, until?: bigint): { path: string; start: bigint | undefined } {
  let path = global.name;
  let start = global.address;
  for (let part = global.address === until ? undefined : innerAt(global, address); part; part = part.address === until ? undefined : innerAt(part, address)) {
    path += part.name.startsWith('[') ? part.name : `.${part.name}`;
    start = part.address;
  }
  return { path, start };
}

/** The member or the element with an address. What a pointer leads to is not in it, and cannot be read. */
function innerAt({ children }: Variable, address: bigint): Variable | undefined {
  let inner = children?.() ?? [];
  // Long arrays are listed in groups, and groups of groups, which have no address of their own.
  while (inner[0] && rangeOf(inner[0])) {
    const first = firstElement(inner[0]);
    if (first?.address === undefined || !first.size) return undefined;
    const [begin = 0] = rangeOf(inner[0]) ?? [];
    const index = begin + Number((address - first.address) / BigInt(first.size));
    inner = inner.find((group) => (rangeOf(group)?.[1] ?? -1) >= index)?.children?.() ?? [];
  }
  return inner.find((part) => covers(part, address));
}

/** Of a group: its first and its last index. */
function rangeOf({ name }: Variable): [number, number] | undefined {
  const [, first, last] = /^\[(\d+)\.\.(\d+)\]$/.exec(name) ?? [];
  return first === undefined || last === undefined ? undefined : [Number(first), Number(last)];
}

function firstElement(group: Variable): Variable | undefined {
  let first: Variable | undefined = group;
  while (first && rangeOf(first)) first = first.children?.()[0];
  return first;
}

const covers = ({ address: start, size }: Variable, address: bigint): boolean => start !== undefined && size !== undefined && address >= start && address < start + BigInt(size);
