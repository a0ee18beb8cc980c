import { basename } from 'node:path';
import type { Symbols, Variable } from '../../engine/symbols/types';
import { nearestNames } from '../../engine/symbols/nearest';
import type { Context } from './context';
import { part, rename } from './diagnostic';
import type * as ast from './generated/ast';
import { boundedInteger, integer, wide } from './measures';
import { guesses } from './mends';
import { decodeString } from './values';
import { elementsOf, globalOf, membersOf } from './variables';
import { words } from './words';

/** Where an address points, and what is known of the thing there. */
export interface Resolved {
  address: bigint;
  /** The symbol that it was made from. */
  symbol?: string;
}

/**
 * What an address means in a guest. Undefined where it is wrong, which is
 * reported, or where nothing is known of the guest (`symbols` is undefined),
 * which somebody else has reported.
 */
export function lowerAddress(address: ast.Address, symbols: Symbols | undefined, context: Context): Resolved | undefined {
  switch (address.$type) {
    case 'NumberAddress':
      return withOffset(wide(context, address, 'value'), address, context);
    case 'LineAddress': {
      const [first] = lineAddresses(address, symbols, context);
      return first === undefined ? undefined : { address: first };
    }
    case 'SymbolAddress': {
      const start = symbolPlace(address, symbols, context);
      const found = withOffset(start, address, context);
      return found && { ...found, symbol: address.symbol };
    }
  }
}

function withOffset(start: bigint | undefined, node: ast.SymbolAddress | ast.NumberAddress, context: Context): Resolved | undefined {
  if (start === undefined) return undefined;
  const written = node.offset;
  if (written === undefined) return { address: start };
  const offset = wide(context, node as ast.NumberAddress, 'offset');
  if (offset === undefined) return undefined;
  const address = node.sign === '-' ? start - offset : start + offset;
  if (address >= 0n && address < 1n << 64n) return { address };
  context.reporter.error('COV106', part(node as ast.NumberAddress, 'offset'), 'this leads out of the address space');
  return undefined;
}

function symbolPlace(node: ast.SymbolAddress, symbols: Symbols | undefined, context: Context): bigint | undefined {
  if (!symbols) return undefined;
  const symbol = symbols.find(node.symbol);
  if (!symbol) {
    unknownSymbol(node, 'symbol', symbols, context);
    return undefined;
  }
  return node.path.length === 0 ? symbol.address : elementPlace(node, symbols, context);
}

export function unknownSymbol<N extends ast.SymbolAddress | ast.Divergence>(
  node: N,
  property: keyof N & string,
  symbols: Symbols,
  context: Context,
): void {
  const place = part(node, property);
  const name = String(node[property]);
  const nearest = symbols.nearest(name, 1)[0];
  // One that is static has a symbol, with a number behind the name.
  if (symbols.isLocal(name) && !nearest?.startsWith(`${name}.`)) {
    context.reporter.error('COV208', place, `\`${name}\` is a parameter or a variable of a function, which has a place only while that runs: name a register, or a variable of the whole program`);
    return;
  }
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
  const nothing = symbols.symbols.length === 0 ? ': its program has no symbol table' : '';
  context.reporter.error('COV208', place, `the guest has no symbol \`${name}\`${nothing}${hint}`, guesses(rename(place, nearest && quoted(nearest))));
}

/** A symbol's name as an address has it: what is no plain word, or a word of the language, stands between backticks. */
export function quoted(name: string): string {
  return /^[a-zA-Z_][\w$]*$/.test(name) && !Object.hasOwn(words, name) ? name : `\`${name}\``;
}

/** Words that begin a statement; a name that is one of them always stands between backticks. */
const statements: ReadonlySet<string> = new Set([
  'beside', 'campaign', 'chip', 'expect', 'fault', 'guest', 'import', 'inject', 'optional', 'protect', 'scenario', 'switch',
]);

/** A chip's, guest's or fault's name as a declaration has it. */
export function declaredName(name: string): string {
  return /^[a-zA-Z_][\w$]*$/.test(name) && !statements.has(name) ? name : `\`${name}\``;
}

/** `table[3].key`: DWARF says how large an element is and where a member stands. */
function elementPlace(node: ast.SymbolAddress, symbols: Symbols, context: Context): bigint | undefined {
  let variable = globalOf(symbols, node.symbol);
  if (!variable || variable.address === undefined) {
    context.reporter.error('COV211', part(node, 'symbol'), `the debug information does not describe \`${node.symbol}\`: give its place as \`${node.symbol} + 0x…\``);
    return undefined;
  }
  // Elements are looked up in element 0 of their array, and their distance from it is added.
  let distance = 0n;
  for (const step of node.path) {
    if (step.member !== undefined) {
      const members: Variable[] = membersOf(variable);
      const member = members.find(({ name }) => name === step.member);
      if (member?.address === undefined) {
        const place = part(step, 'member');
        if (member) {
          context.reporter.error('COV211', place, `\`${step.member}\` is a bit-field, which has no address: name a member of whole bytes, or an address and its bits`);
          return undefined;
        }
        const nearest = nearestNames(step.member, members.map(({ name }) => name), 1)[0];
        const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
        context.reporter.error('COV211', place, `\`${variable.type}\` has no member \`${step.member}\`${hint}`, guesses(rename(place, nearest && quoted(nearest))));
        return undefined;
      }
      variable = member;
      continue;
    }
    const index = integer(context, step, 'index');
    if (index === undefined) return undefined;
    const elements: ReturnType<typeof elementsOf> = elementsOf(variable);
    if (elements?.first.size === undefined || elements.first.address === undefined) {
      context.reporter.error('COV211', step.$cstNode, `\`${variable.type}\` is no array whose elements are known`);
      return undefined;
    }
    const { first, length } = elements;
    if (length !== undefined && index >= length) {
      context.reporter.error('COV211', part(step, 'index'), `\`${variable.type}\` has elements 0 to ${length - 1}, no element ${index}`, length > 0 ? guesses(rename(part(step, 'index'), String(length - 1))) : []);
      return undefined;
    }
    distance += BigInt(index) * BigInt(elements.first.size);
    variable = first;
  }
  return variable.address === undefined ? undefined : variable.address + distance;
}

/** Where a statement of the source begins; empty, and reported, where no code stands in the line. */
export function lineAddresses(node: ast.LineAddress, symbols: Symbols | undefined, context: Context): bigint[] {
  const found = lineOf(node, symbols, context);
  return found ? found.symbols.breakpointAddresses(found.file, found.line) : [];
}

/** A source line that has code, and its file as written. */
export function lineOf(
  node: ast.LineAddress,
  symbols: Symbols | undefined,
  context: Context,
): { file: string; line: number; symbols: Symbols } | undefined {
  const file = decodeString(node.file).value;
  const line = boundedInteger(context, node.line, part(node, 'line'), { least: 1, what: 'a line' });
  if (file === undefined || line === undefined || !symbols) return undefined;
  const { reporter } = context;
  if (symbols.files.length === 0) {
    reporter.error('COV209', node.$cstNode, 'the guest has no line information: build it with debug information (-g)');
    return undefined;
  }
  if (symbols.rangesOf(file, line).length > 0) return { file, line, symbols };
  const known = symbols.nextLineWithCode(file, 1) !== undefined;
  if (!known) {
    const place = part(node, 'file');
    const nearest = nearestNames(basename(file), symbols.files.map((path) => basename(path)), 1)[0];
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    reporter.error('COV209', place, `the guest has no code from a file "${file}"${hint}`, guesses(rename(place, nearest && `"${nearest}"`)));
    return undefined;
  }
  const next = symbols.nextLineWithCode(file, line);
  const place = part(node, 'line');
  const hint = next === undefined ? '' : `; the next line with code is ${next}`;
  reporter.error('COV209', place, `no code stands in line ${line} of "${file}"${hint}`, guesses(rename(place, next?.toString())));
  return undefined;
}
