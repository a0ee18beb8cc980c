import { symbolsOf } from '../../engine/covert/guest';
import type { Plan, ReplicaName } from '../../engine/covert/plan';
import { Session } from '../../engine/history/session';
import type { ReplicaView } from '../../engine/history/types';
import type { Tier } from '../../engine/machine/tier';
import type { Computer } from '../../engine/machine/types';
import type { Frame, FrameReader, Symbols } from '../../engine/symbols/types';
import { SourceFinder } from './sources';

/** Frames that a stack trace shows at most: a wild stack pointer must not fill the view. */
const deepest = 200;

/** One hart of one replica. */
export interface Thread {
  replica: ReplicaView;
  hart: number;
}

/** A replicated guest under the debugger, with its names and sources. */
export class Debuggee {
  readonly session: Session;
  readonly symbols: Symbols;
  readonly sources: SourceFinder;

  constructor(
    readonly plan: Plan,
    tier: Tier,
  ) {
    this.session = Session.create(plan, { tier });
    this.symbols = symbolsOf(plan.guest);
    this.sources = new SourceFinder(plan.guest.path);
  }

  get replicas(): readonly ReplicaView[] {
    return this.session.replicas;
  }

  /** A thread for each hart of each replica. Ids count from 1, in that order. */
  get threads(): Thread[] {
    return this.replicas.flatMap((replica) => Array.from({ length: replica.computer.harts }, (_, hart) => ({ replica, hart })));
  }

  thread(id: number): Thread | undefined {
    return this.threads[id - 1];
  }

  /** The thread of the hart that goes on next. */
  threadOf(name: ReplicaName): number {
    return this.threads.findIndex(({ replica, hart }) => replica.name === name && replica.computer.hart === hart) + 1;
  }

  frames({ replica, hart }: Thread, limit = deepest): Frame[] {
    return this.symbols.unwind(frameReader(replica.computer, hart), limit);
  }

  /** The function, or failing that the address, that a person would name. */
  placeName(pc: bigint): string {
    const symbol = this.symbols.at(pc);
    if (!symbol) return `0x${pc.toString(16)}`;
    const offset = pc - symbol.address;
    return offset === 0n ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
  }
}

/** What unwinding and variables read of a hart. Addresses are physical: bare metal. */
export function frameReader(computer: Computer, hart = computer.hart): FrameReader {
  return {
    pc: computer.getPc(hart),
    x: (index) => computer.getX(index, hart),
    f: (index) => computer.getF(index, hart),
    csr: (number) => computer.getCsr(number, hart),
    read: (address, bytes) => computer.readMemory(address, bytes),
  };
}
