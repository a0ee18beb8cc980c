import { symbolsOf } from '../../engine/covert/guest';
import type { Plan, ReplicaName } from '../../engine/covert/plan';
import { Session } from '../../engine/history/session';
import type { ReplicaView } from '../../engine/history/types';
import type { Computer } from '../../engine/machine/types';
import type { Frame, FrameReader, Symbols } from '../../engine/symbols/types';
import { SourceFinder } from './sources';

/** Frames that a stack trace shows at most: a wild stack pointer must not fill the view. */
const deepest = 200;

/** A replicated guest under the debugger, with its names and sources. */
export class Debuggee {
  readonly session: Session;
  readonly symbols: Symbols;
  readonly sources: SourceFinder;

  constructor(readonly plan: Plan) {
    this.session = Session.create(plan);
    this.symbols = symbolsOf(plan.guest);
    this.sources = new SourceFinder(plan.guest.path);
  }

  get replicas(): readonly ReplicaView[] {
    return this.session.replicas;
  }

  /** Thread ids count from 1 in replica order. */
  replicaOfThread(threadId: number): ReplicaView | undefined {
    return this.replicas[threadId - 1];
  }

  threadOf(name: ReplicaName): number {
    return this.replicas.findIndex((replica) => replica.name === name) + 1;
  }

  frames(replica: ReplicaView, limit = deepest): Frame[] {
    return this.symbols.unwind(frameReader(replica.computer), limit);
  }

  /** The function, or failing that the address, that a person would name. */
  placeName(pc: bigint): string {
    const symbol = this.symbols.at(pc);
    if (!symbol) return `0x${pc.toString(16)}`;
    const offset = pc - symbol.address;
    return offset === 0n ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
  }
}

/** What unwinding and variables read of a computer. Addresses are physical: bare metal. */
export function frameReader(computer: Computer): FrameReader {
  return {
    pc: computer.pc,
    x: (index) => computer.getX(index),
    f: (index) => computer.getF(index),
    csr: (number) => computer.getCsr(number),
    read: (address, bytes) => computer.readMemory(address, bytes),
  };
}
