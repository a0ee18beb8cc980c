import { readSymbols } from '../symbols';
import { ElfError, type FrameReader, type Variable } from '../types';

/** How much of an image is asked for. */
export interface Thoroughness {
  symbols: number;
  files: number;
}

/**
 * Asks an image for all sorts of things that it can be asked for. Says that it
 * was refused, and why, or what it had; throws for whatever must not happen.
 */
export function exercise(bytes: Uint8Array, most: Thoroughness = { symbols: 50, files: 5 }): { refused: string } | { frames: number; values: Set<string> } {
  let symbols;
  try {
    symbols = readSymbols(bytes);
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    if (!/^[^\n]+$/.test(error.message)) throw new Error(`not one line: ${error.message}`, { cause: error });
    return { refused: error.message };
  }
  const values = new Set<string>();
  let deepest = 0;
  const main = symbols.find('main');
  for (const symbol of symbols.symbols.slice(0, most.symbols)) {
    symbols.at(symbol.address);
    symbols.afterPrologue(symbol);
    symbols.declarationOf(symbol.name, ['next', 'key']);
    symbols.typeDeclarationOf(symbol.name);
    symbols.isLocal(symbol.name);
    const reader = anything(symbol.address + 8n);
    const frames = symbols.unwind(reader, 10);
    if (frames.length === 0) throw new Error('no frame at all');
    deepest = Math.max(deepest, frames.length);
    for (const index of frames.keys()) symbols.variables(reader, index).forEach((variable) => visit(variable, 2, values));
  }
  symbols.globals(anything(main?.address ?? 0n)).forEach((variable) => visit(variable, 2, values));
  for (const file of symbols.files.slice(0, most.files)) {
    for (let line = 1; line < 60; line += 7) {
      symbols.breakpointAddresses(file, line);
      symbols.rangesOf(file, line);
      symbols.nextLineWithCode(file, line);
    }
  }
  symbols.nearest('mian');
  return { frames: deepest, values };
}

/** A machine whose registers point into its stack and whose memory holds code addresses. */
function anything(pc: bigint): FrameReader {
  return {
    pc,
    x: (index) => 0x80010000n + BigInt(8 * index),
    f: () => 0n,
    read: (address, size) => Uint8Array.from({ length: size }, (_, index) => Number(((pc + 4n) >> (8n * ((address + BigInt(index)) % 8n))) & 0xffn)),
  };
}

function visit(variable: Variable, depth: number, values: Set<string>): void {
  if (typeof variable.value !== 'string') throw new Error(`${variable.name} has no value`);
  // What kind of a value, without numbers and names.
  values.add(variable.value.startsWith('<') ? variable.value.replace(/0x[0-9a-f]+/g, '') : variable.value.slice(0, 1).replace(/[0-9-]/, '0'));
  if (depth > 0) variable.children?.().slice(0, 20).forEach((child) => visit(child, depth - 1, values));
}
