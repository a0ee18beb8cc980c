import type { Outside } from '../covert/outside';
import { Plug } from './plug';

/** A request, and the answer that is the right one. */
export interface Exchange {
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
  /** The answer begins behind the first place where this stands, as behind the header of HTTP. */
  readonly behind?: Uint8Array;
}

/** One connection to a port of the guest: requests, each sent when the one before has been answered. */
export interface Visit {
  readonly port: number;
  readonly exchanges: readonly Exchange[];
}

export interface ClientOptions {
  readonly visits: readonly Visit[];
  /** Connections that are open at the same time. Default 1. */
  readonly atOnce?: number;
  /** Microseconds of the guest's clock until the next try where a connection was refused. Default 100,000. */
  readonly retry?: number;
}

/** What a client has seen. */
export interface ClientResult {
  /** Visits that have come to their end, whatever that was. */
  visits: number;
  /** Requests that were answered whole. */
  answered: number;
  /** Connections that were refused, or cut off before all was answered. */
  refused: number;
  broken: number;
  /** Bytes of answers that have come; that were others than they ought to be; that did not come; that came behind the end of what was asked for. */
  bytes: number;
  wrong: number;
  lost: number;
  duplicate: number;
  /** Microseconds of the guest's clock for which nothing came while something was waited for. */
  longestPause: number;
}

/** A visit on its way. */
interface Way {
  readonly visit: Visit;
  readonly connection: number;
  isOpen: boolean;
  exchange: number;
  /** Bytes of the answer that have come; before that, what may be the end of what it stands behind. */
  position: number;
  head: Buffer | undefined;
  /** When something came last, or was asked for. */
  since: number;
}

/**
 * A client of a service in the guest that knows all answers, at the other end of
 * the guest's cable. It is a function of what the guest sends and of the guest's
 * clock alone, so that a run with it can be repeated.
 */
export class CheckingClient implements Outside {
  readonly #plug = new Plug();
  #now = 0;
  /** Visits that have been begun, or put off. */
  #begun = 0;
  readonly #putOff: { visit: Visit; due: number }[] = [];
  readonly #ways = new Map<number, Way>();
  /** The service has been there: from now on it is missed. */
  #met = false;
  readonly #result: ClientResult = { visits: 0, answered: 0, refused: 0, broken: 0, bytes: 0, wrong: 0, lost: 0, duplicate: 0, longestPause: 0 };

  constructor(private readonly options: ClientOptions) {}

  fresh(): CheckingClient {
    return new CheckingClient(this.options);
  }

  receive(frame: Uint8Array): void {
    this.#plug.receive(frame);
  }

  take(now: number, room: number): Uint8Array[] {
    this.#now = Math.max(this.#now, now);
    this.#pass();
    this.#begin();
    return this.#plug.take(room);
  }

  get isQuiet(): boolean {
    return this.#plug.isQuiet && this.#putOff.length === 0 && (this.#begun === this.options.visits.length || this.#ways.size >= this.#atOnce);
  }

  /** All visits have come to their end. */
  get isDone(): boolean {
    return this.#result.visits === this.options.visits.length;
  }

  /** Up to now; what is still being waited for counts as lost. */
  get result(): ClientResult {
    this.#pass();
    const result = { ...this.#result };
    for (const way of this.#ways.values()) {
      result.lost += missing(way);
      if (this.#waitsFor(way)) result.longestPause = Math.max(result.longestPause, this.#now - way.since);
    }
    return result;
  }

  get #atOnce(): number {
    return this.options.atOnce ?? 1;
  }

  /** Takes in what the guest has sent. */
  #pass(): void {
    const { network } = this.#plug;
    this.#plug.pass(this.#now);
    for (let actions = network.takeActions(); actions.length > 0; actions = network.takeActions()) {
      for (const action of actions) {
        const way = this.#ways.get(action.connection);
        if (!way) continue;
        if (action.kind === 'open') this.#opened(way);
        else if (action.kind === 'data') this.#read(way, action.bytes);
        else if (action.kind === 'end') network.end(way.connection);
        else if (action.kind === 'closed') this.#closed(way, action.failed);
      }
    }
  }

  /** Begins visits, as many as may be under way. */
  #begin(): void {
    const { visits, retry = 100_000 } = this.options;
    while (this.#ways.size < this.#atOnce) {
      const late = this.#putOff.findIndex(({ due }) => due <= this.#now);
      const visit = late >= 0 ? this.#putOff.splice(late, 1)[0]?.visit : this.#ways.size + this.#putOff.length < this.#atOnce ? visits[this.#begun] : undefined;
      if (!visit) return;
      if (late < 0) this.#begun += 1;
      const connection = this.#plug.network.connect(visit.port);
      if (connection === undefined) this.#putOff.push({ visit, due: this.#now + retry });
      else this.#ways.set(connection, { visit, connection, isOpen: false, exchange: 0, position: 0, head: undefined, since: this.#now });
    }
  }

  #opened(way: Way): void {
    way.isOpen = true;
    this.#progress(way);
    this.#met = true;
    this.#ask(way);
  }

  /** Sends the request that is next, or says that there are no more. */
  #ask(way: Way): void {
    const { network } = this.#plug;
    const exchange = way.visit.exchanges[way.exchange];
    way.since = this.#now;
    way.position = 0;
    way.head = exchange?.behind && Buffer.alloc(0);
    if (!exchange) {
      network.end(way.connection);
      return;
    }
    network.write(way.connection, exchange.request);
    this.#finish(way);
  }

  /** On to the next request, if this one's answer is whole. */
  #finish(way: Way): void {
    const exchange = way.visit.exchanges[way.exchange];
    if (!exchange || way.head || way.position < exchange.answer.length) return;
    this.#result.answered += 1;
    way.exchange += 1;
    this.#ask(way);
  }

  #read(way: Way, bytes: Uint8Array): void {
    this.#progress(way);
    this.#plug.network.taken(way.connection, bytes.length);
    for (let rest = bytes; rest.length > 0; ) {
      const exchange = way.visit.exchanges[way.exchange];
      if (!exchange) {
        this.#result.duplicate += rest.length;
        return;
      }
      if (way.head && exchange.behind) {
        const head = Buffer.concat([way.head, rest]);
        const end = head.indexOf(exchange.behind);
        way.head = end < 0 ? head : undefined;
        rest = end < 0 ? new Uint8Array() : head.subarray(end + exchange.behind.length);
      } else {
        const part = rest.subarray(0, exchange.answer.length - way.position);
        const { position } = way;
        this.#result.bytes += part.length;
        this.#result.wrong += part.reduce((wrong, byte, i) => (byte === exchange.answer[position + i] ? wrong : wrong + 1), 0);
        way.position += part.length;
        rest = rest.subarray(part.length);
      }
      this.#finish(way);
    }
  }

  #closed(way: Way, failed: boolean): void {
    this.#ways.delete(way.connection);
    if (!way.isOpen) {
      this.#result.refused += 1;
      if (this.#met) this.#progress(way);
      this.#putOff.push({ visit: way.visit, due: this.#now + (this.options.retry ?? 100_000) });
      return;
    }
    const isWhole = way.exchange === way.visit.exchanges.length;
    if (failed && !isWhole) this.#result.broken += 1;
    this.#result.lost += missing(way);
    this.#result.visits += 1;
  }

  /** Something has come. */
  #progress(way: Way): void {
    if (this.#waitsFor(way)) this.#result.longestPause = Math.max(this.#result.longestPause, this.#now - way.since);
    way.since = this.#now;
  }

  /** Something is missed: not what comes behind the last answer, nor a service that has never been there. */
  #waitsFor(way: Way): boolean {
    return this.#met && way.exchange < way.visit.exchanges.length;
  }
}

/** Bytes of answers that have not come. */
function missing({ visit, exchange, position }: Way): number {
  return visit.exchanges.slice(exchange).reduce((sum, { answer }) => sum + answer.length, 0) - (exchange < visit.exchanges.length ? position : 0);
}
