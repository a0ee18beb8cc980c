import type { DebugProtocol } from '@vscode/debugprotocol';
import { differingBits } from '../../engine/covert/place';
import { csrNames, fNames, xNames } from '../../engine/isa/registers';
import type { Variable } from '../../engine/symbols/types';
import { frameReader, type Debuggee, type Thread } from './debuggee';

type Produce = () => DebugProtocol.Variable[];

/** Differing places that the A≠B scope lists at most. */
const mostDifferences = 256;

/**
 * Scopes and variables of a stop. References are valid until the guest moves;
 * everything is read on demand, so that a stop reads nothing that is not shown.
 */
export class Variables {
  #producers: Produce[] = [];
  #frames: { thread: Thread; index: number }[] = [];

  constructor(private readonly debuggee: Debuggee) {}

  /** Forgets all references: the guest has moved. */
  reset(): void {
    this.#producers = [];
    this.#frames = [];
  }

  /** A frame id for the `index`-th frame (0 = innermost) of a thread. */
  frameId(thread: Thread, index: number): number {
    return this.#frames.push({ thread, index });
  }

  frame(id: number): { thread: Thread; index: number } | undefined {
    return this.#frames[id - 1];
  }

  scopes(frameId: number): DebugProtocol.Scope[] {
    const frame = this.frame(frameId);
    if (!frame) return [];
    const { thread, index } = frame;
    const { symbols } = this.debuggee;
    const reader = frameReader(thread.replica.computer, thread.hart);
    const scopes: DebugProtocol.Scope[] = [
      this.#scope('Locals', 'locals', () => symbols.variables(reader, index).map((variable) => this.#show(variable))),
      this.#scope('Registers', 'registers', () => this.#registers(thread)),
      this.#scope('Globals', undefined, () => symbols.globals(reader).map((variable) => this.#show(variable)), true),
    ];
    if (this.debuggee.replicas.length > 1) {
      scopes.splice(1, 0, this.#scope('A≠B', undefined, () => this.#differences()));
    }
    return scopes;
  }

  children(reference: number): DebugProtocol.Variable[] {
    return this.#producers[reference - 1]?.() ?? [];
  }

  /** A variable, register or difference by name, for hovers and the watch view. */
  evaluate(expression: string, frameId: number | undefined): DebugProtocol.Variable | undefined {
    const frame = frameId === undefined ? undefined : this.frame(frameId);
    const thread = frame?.thread ?? this.debuggee.threads[0];
    if (!thread) return undefined;
    const name = expression.trim();
    const reader = frameReader(thread.replica.computer, thread.hart);
    const named = (variable: Variable): boolean => variable.name === name;
    const variable =
      this.debuggee.symbols.variables(reader, frame?.index ?? 0).find(named) ??
      this.debuggee.symbols.globals(reader).find(named);
    if (variable) return this.#show(variable);
    const register = name.replace(/^\$/, '');
    return this.#registers(thread).find((shown) => shown.name === register);
  }

  #scope(
    name: string,
    presentationHint: 'locals' | 'registers' | undefined,
    produce: Produce,
    expensive = false,
  ): DebugProtocol.Scope {
    return { name, variablesReference: this.#keep(produce), expensive, ...(presentationHint ? { presentationHint } : {}) };
  }

  #keep(produce: Produce): number {
    return this.#producers.push(produce);
  }

  #show(variable: Variable): DebugProtocol.Variable {
    const { name, type, value, children, address } = variable;
    return {
      name,
      value,
      type,
      variablesReference: children ? this.#keep(() => children().map((child) => this.#show(child))) : 0,
      ...(address === undefined ? {} : { memoryReference: hex(address) }),
    };
  }

  #registers({ replica, hart }: Thread): DebugProtocol.Variable[] {
    const { computer } = replica;
    const pc = computer.getPc(hart);
    const plain = (name: string, value: bigint, type: string): DebugProtocol.Variable => ({
      name,
      value: hex(value),
      type,
      variablesReference: 0,
    });
    return [
      plain('pc', pc, this.debuggee.placeName(pc)),
      ...xNames.map((name, index) => plain(name, computer.getX(index, hart), `x${index}`)),
      ...fNames.map((name, index) => plain(name, computer.getF(index, hart), `f${index}`)),
      ...[...csrNames].flatMap(([number, name]) => {
        const value = computer.getCsr(number, hart);
        return value === undefined ? [] : [plain(name, value, `CSR 0x${number.toString(16)}`)];
      }),
    ];
  }

  #differences(): DebugProtocol.Variable[] {
    const { session } = this.debuggee;
    const differences = session.difference(mostDifferences);
    const [one = 'A', other = 'B'] = session.compared?.map(({ name }) => name) ?? [];
    if (differences.length === 0) return [{ name: 'equal', value: 'the replicas do not differ', variablesReference: 0 }];
    return differences.map(({ place, a, b }) => ({
      name: place,
      value: `${one}=${hex(a)} ${other}=${hex(b)}  ${bitList(a, b)}`,
      variablesReference: this.#keep(() => [
        { name: one, value: hex(a), variablesReference: 0 },
        { name: other, value: hex(b), variablesReference: 0 },
        { name: 'flipped', value: bitList(a, b), variablesReference: 0 },
      ]),
    }));
  }
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** `bit 17` or `bits 3, 4`; long lists are cut short. */
function bitList(a: bigint, b: bigint): string {
  const bits = differingBits(a, b);
  const most = 8;
  const shown = bits.slice(0, most).join(', ');
  return `${bits.length === 1 ? 'bit' : 'bits'} ${shown}${bits.length > most ? `, … (${bits.length})` : ''}`;
}
