import type { DebugProtocol } from '@vscode/debugprotocol';
import { disassemble } from '../../engine/isa/disassemble';
import type { Computer } from '../../engine/machine/types';
import type { Debuggee } from './debuggee';
import { protocolSource } from './sources';
import { hex } from './variables';

/** Instructions that one request may ask for, and how far away: a client's number must not fill the host. */
const mostInstructions = 10_000;
/** The longest instruction in bytes. */
const longest = 4;

/**
 * Instructions around an address. RISC-V has two lengths, so going backwards
 * starts from the enclosing function's first instruction where that is near,
 * else from a point that is twice as far back as can be needed: decoding falls
 * into step with the real boundaries within a few instructions.
 */
export function disassembleAround(
  debuggee: Debuggee,
  computer: Computer,
  args: { address: bigint; instructionOffset: number; count: number },
): DebugProtocol.DisassembledInstruction[] {
  const { address } = args;
  const instructionOffset = Math.max(-mostInstructions, Math.min(mostInstructions, args.instructionOffset));
  const count = Math.min(mostInstructions, args.count);
  const before: DebugProtocol.DisassembledInstruction[] = [];
  if (instructionOffset < 0) {
    const needed = -instructionOffset;
    const far = address - BigInt(longest * 2 * needed);
    const symbol = debuggee.symbols.at(address);
    let at = symbol && symbol.address >= far && symbol.address < address ? symbol.address : far;
    // Where the function begins later than asked for, its predecessor's code fills the gap.
    if (at !== far && address - at < BigInt(2 * needed)) at = debuggee.symbols.at(at - 1n)?.address ?? far;
    for (; at < address; at += BigInt(lengthOf(before.at(-1)))) before.push(decode(debuggee, computer, at));
    while (before.length < needed) before.unshift(invalid(address - BigInt(2 * (before.length + 1))));
    before.splice(0, before.length - needed);
  }
  const listing = before.slice(0, count);
  let at = address;
  for (let skip = Math.max(0, instructionOffset); skip > 0; skip--) at += BigInt(lengthOf(decode(debuggee, computer, at)));
  while (listing.length < count) {
    const instruction = decode(debuggee, computer, at);
    listing.push(instruction);
    at += BigInt(lengthOf(instruction));
  }
  return listing;
}

function lengthOf(instruction: DebugProtocol.DisassembledInstruction | undefined): number {
  return instruction?.instructionBytes?.length === 11 ? 4 : 2;
}

function decode(debuggee: Debuggee, computer: Computer, address: bigint): DebugProtocol.DisassembledInstruction {
  const bytes = computer.readMemory(address, longest) ?? computer.readMemory(address, 2);
  if (!bytes) return invalid(address);
  const { symbols, sources } = debuggee;
  const { length, text } = disassemble(bytes, address, (target) => debuggee.placeName(target));
  const symbol = symbols.at(address);
  const location = symbols.lineAt(address)?.location;
  return {
    address: hex(address),
    instructionBytes: [...bytes.slice(0, length)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    instruction: text,
    ...(symbol?.address === address ? { symbol: symbol.name } : {}),
    ...(location ? { location: protocolSource(sources, location.file), line: location.line } : {}),
  };
}

function invalid(address: bigint): DebugProtocol.DisassembledInstruction {
  return { address: hex(address < 0n ? 0n : address), instruction: 'no memory', presentationHint: 'invalid' };
}
