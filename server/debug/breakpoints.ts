import { relative } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Debuggee } from './debuggee';

/** All breakpoints of a session: what the client set, and the addresses they come to. */
export class Breakpoints {
  readonly #source = new Map<string, bigint[]>();
  #function: bigint[] = [];
  #instruction: bigint[] = [];
  #all: ReadonlySet<bigint> = new Set();
  #nextId = 1;

  constructor(private readonly debuggee: Debuggee) {}

  /** Where the guest stops. The same set object until a breakpoint changes. */
  get addresses(): ReadonlySet<bigint> {
    return this.#all;
  }

  setSource(path: string, wanted: readonly DebugProtocol.SourceBreakpoint[]): DebugProtocol.Breakpoint[] {
    const addresses: bigint[] = [];
    const file = this.debuggee.symbols.files.find((name) => this.debuggee.sources.same(path, name));
    const answers = wanted.map(({ line }) => {
      if (file === undefined) return this.#refuse(`The guest has no code from ${path}.`, line);
      const actual = this.debuggee.symbols.nextLineWithCode(file, line);
      if (actual === undefined) return this.#refuse(`No code stands at or after line ${line}.`, line);
      const found = this.debuggee.symbols.breakpointAddresses(file, actual);
      if (found.length === 0) return this.#refuse(`No statement begins on line ${actual}.`, line);
      addresses.push(...found);
      return { ...this.#accept(found), line: actual, source: { path } };
    });
    this.#source.set(relative('', path), addresses);
    this.#gather();
    return answers;
  }

  setFunctions(wanted: readonly DebugProtocol.FunctionBreakpoint[]): DebugProtocol.Breakpoint[] {
    const { symbols } = this.debuggee;
    this.#function = [];
    const answers = wanted.map(({ name }) => {
      const symbol = symbols.find(name);
      if (!symbol) {
        const [nearest] = symbols.nearest(name, 1);
        return this.#refuse(`The guest has no function ${name}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`);
      }
      const address = symbols.afterPrologue(symbol);
      this.#function.push(address);
      const location = symbols.lineAt(address)?.location;
      return { ...this.#accept([address]), ...(location ? { line: location.line } : {}) };
    });
    this.#gather();
    return answers;
  }

  setInstructions(wanted: readonly DebugProtocol.InstructionBreakpoint[]): DebugProtocol.Breakpoint[] {
    this.#instruction = [];
    const answers = wanted.map(({ instructionReference, offset }) => {
      const address = parseAddress(instructionReference);
      if (address === undefined) return this.#refuse(`${instructionReference} is no address.`);
      const at = address + BigInt(offset ?? 0);
      this.#instruction.push(at);
      return this.#accept([at]);
    });
    this.#gather();
    return answers;
  }

  #gather(): void {
    this.#all = new Set([...[...this.#source.values()].flat(), ...this.#function, ...this.#instruction]);
  }

  #accept(addresses: readonly bigint[]): DebugProtocol.Breakpoint {
    const [first] = addresses;
    return {
      id: this.#nextId++,
      verified: true,
      ...(first === undefined ? {} : { instructionReference: `0x${first.toString(16)}` }),
    };
  }

  #refuse(message: string, line?: number): DebugProtocol.Breakpoint {
    return { id: this.#nextId++, verified: false, message, reason: 'failed', ...(line === undefined ? {} : { line }) };
  }
}

/** `0x…` or decimal; undefined where it is neither. */
export function parseAddress(text: string): bigint | undefined {
  return /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : undefined;
}
