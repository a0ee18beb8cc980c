import type { LineTable, Row } from './line-table';
import type { LineRange, Symbol } from './types';

/**
 * One address for each place where the line's statement begins. The lowest
 * row of a function (or inlined copy) decides, by its column, which statement of the line
 * that is; code that the compiler doubled, as when it unrolls a loop, begins the same statement again.
 * @param scopeOf something equal for all addresses of one function or inlined copy.
 * @param skipPrologue the address itself, or where it starts a function, the one after its prologue.
 */
export function breakpointAddresses(
  rows: readonly Row[],
  scopeOf: (address: bigint) => unknown,
  skipPrologue: (address: bigint) => bigint,
): bigint[] {
  if (!rows.some(({ empty }) => !empty)) return [];
  // Statements count even where an other line's row covers their first address, as in optimised code.
  const statements = rows.filter(({ isStatement }) => isStatement);
  const beginnings = statements.length > 0 ? statements : rows.filter(({ empty }) => !empty);
  const scopes = new Map<unknown, Row[]>();
  for (const row of beginnings) {
    const scope = scopeOf(row.start);
    const group = scopes.get(scope);
    if (group) group.push(row);
    else scopes.set(scope, [row]);
  }
  const addresses = new Set<bigint>();
  for (const group of scopes.values()) {
    const first = group.reduce((lowest, row) => (row.start < lowest.start ? row : lowest));
    for (const row of group) {
      if (row === first || (row.isStatement && !row.continues && row.location.column === first.location.column)) addresses.add(skipPrologue(row.start));
    }
  }
  return [...addresses].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * First address after a function's prologue: where the compiler marks it, else the
 * function's second row. Where optimised code begins with rows of two lines at one
 * address there is no prologue to skip: variables are described from the first instruction on.
 */
export function afterPrologue(lines: LineTable, symbol: Symbol): bigint {
  const end = symbol.address + BigInt(symbol.size > 0 ? symbol.size : 4096);
  const rows = lines.rowsIn(symbol.address, end);
  const first = rows[0];
  if (!first || first.start !== symbol.address) return symbol.address;
  const marked = rows.find(({ prologueEnd }) => prologueEnd);
  if (marked) return marked.start;
  const second = rows.slice(1).find((row) => row.isStatement && (row.location.line !== first.location.line || !row.empty));
  return second?.start ?? symbol.address;
}

/** A row without what only this folder needs. */
export function toRange({ start, end, isStatement, location }: Row): LineRange {
  return { start, end, isStatement, location };
}
