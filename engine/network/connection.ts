import { mostPayload, tcpFlag, type Tcp } from './packets';

/** What a connection wants done outside. */
export type ConnectionAction =
  | { kind: 'open' }
  | { kind: 'data'; bytes: Uint8Array }
  /** The guest sends no more. */
  | { kind: 'end' }
  /** Nothing comes or goes any more; `failed` if it was cut off. */
  | { kind: 'closed'; failed: boolean };

const segmentMost = mostPayload - 20;
/** The largest window without scaling. */
const receiveWindow = 65_535;
/** Microseconds of guest time before the first retransmission; each further one waits twice as long. */
const firstTimeout = 250_000;
const longestTimeout = 8_000_000;
/** Retransmissions after which the wait is the longest. */
const longestWaits = Math.log2(longestTimeout / firstTimeout);
/** Retransmissions of one thing before the connection is given up. */
const mostTries = 12;

/** a - b of sequence numbers, which count modulo 2^32: RFC 9293, section 3.4. */
const distance = (a: number, b: number): number => (a - b) | 0;
const ahead = (sequence: number, by: number): number => (sequence + by) >>> 0;

/**
 * The network's end of a TCP connection that it opens to a port of the guest:
 * RFC 9293, without what only a lossy or long path needs. Segments that come out
 * of order are dropped and asked for again.
 */
export class Connection {
  #state: 'opening' | 'open' | 'closed' = 'opening';
  /** Oldest byte that the guest has not acknowledged, and next one to send. */
  #unacknowledged: number;
  #next: number;
  /** Furthest that was ever sent: an acknowledgment may be for more than is being sent again. */
  #furthest: number;
  /** Bytes from #unacknowledged on. */
  #waiting = Buffer.alloc(0);
  #ending: 'no' | 'wanted' | 'sent' | 'acknowledged' = 'no';
  #guestWindow = 0;
  #guestSegment = 536;
  /** Next byte expected of the guest. */
  #expected = 0;
  #guestEnded = false;
  /** Bytes handed outside that nobody there has taken yet. */
  #untaken = 0;
  #advertised = receiveWindow;
  /** Guest time at which `tick` has something to do. */
  #deadline = Infinity;
  #tries = 0;

  constructor(
    private readonly ports: { own: number; guest: number },
    initialSequence: number,
    private readonly send: (segment: Tcp) => void,
    private readonly act: (action: ConnectionAction) => void,
    now: number,
  ) {
    this.#unacknowledged = initialSequence >>> 0;
    this.#next = this.#unacknowledged;
    this.#furthest = this.#next;
    this.#sendSyn(now);
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }
  /** Guest time at which `tick` has something to do; Infinity if never. */
  get deadline(): number {
    return this.closed ? Infinity : this.#deadline;
  }
  /** Bytes that wait for being sent or acknowledged. */
  get backlog(): number {
    return this.#waiting.length;
  }

  /** Bytes for the guest. */
  write(bytes: Uint8Array, now: number): void {
    if (this.closed || this.#ending !== 'no') return;
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#push(now);
  }

  /** Nothing more will be written. */
  end(now: number): void {
    if (this.closed || this.#ending !== 'no') return;
    this.#ending = 'wanted';
    this.#push(now);
  }

  /** The outside has taken bytes, and has room for so many more. */
  taken(bytes: number, now: number): void {
    this.#untaken = Math.max(0, this.#untaken - bytes);
    // Tell the guest only where it makes a difference.
    if (this.#state === 'open' && !this.#guestEnded && this.#window() - this.#advertised >= segmentMost) this.#acknowledge();
    this.#arm(now);
  }

  /** Cuts the connection off. */
  reset(): void {
    if (this.closed) return;
    this.#transmit(tcpFlag.rst | tcpFlag.ack, this.#next, new Uint8Array());
    this.#close(true);
  }

  tick(now: number): void {
    if (now < this.#deadline || this.closed) return;
    this.#tries += 1;
    this.#deadline = Infinity;
    if (this.#tries > mostTries) {
      this.reset();
      return;
    }
    if (this.#state === 'opening') {
      this.#sendSyn(now);
      return;
    }
    // Everything that is not acknowledged is sent anew; into a closed window one byte, as a probe.
    this.#goBack();
    if (this.#guestWindow === 0 && this.#waiting.length > 0) this.#sendData(1);
    else this.#push(now);
    this.#arm(now);
  }

  /** All that is not acknowledged counts as not sent. */
  #goBack(): void {
    this.#next = this.#unacknowledged;
    if (this.#ending === 'sent') this.#ending = 'wanted';
  }

  receive(segment: Tcp, now: number): void {
    if (this.closed) return;
    if (this.#state === 'opening') this.#receiveOpening(segment, now);
    else this.#receiveOpen(segment, now);
  }

  #receiveOpening({ flags, acknowledgment, sequence, window, segmentMost: most }: Tcp, now: number): void {
    const answers = (flags & tcpFlag.ack) !== 0 && acknowledgment === this.#next;
    if ((flags & tcpFlag.rst) !== 0) {
      if (answers) this.#close(true);
      return;
    }
    if ((flags & tcpFlag.ack) !== 0 && !answers) {
      // The guest means an older connection of these ports, as after its state was loaded from a file (RFC 9293, section 3.10.7.3).
      this.#transmit(tcpFlag.rst, acknowledgment, new Uint8Array());
      return;
    }
    if (!answers || (flags & tcpFlag.syn) === 0) return;
    this.#state = 'open';
    this.#unacknowledged = acknowledgment;
    this.#expected = ahead(sequence, 1);
    this.#guestWindow = window;
    this.#guestSegment = Math.min(segmentMost, Math.max(64, most ?? 536));
    this.#tries = 0;
    this.#acknowledge();
    this.act({ kind: 'open' });
    this.#push(now);
  }

  #receiveOpen(segment: Tcp, now: number): void {
    const { flags, sequence, payload } = segment;
    const offset = distance(sequence, this.#expected);
    if ((flags & tcpFlag.rst) !== 0) {
      // Anywhere else it is somebody's guess (RFC 9293, section 3.10.7.4).
      if (offset >= 0 && offset <= this.#window()) this.#close(true);
      return;
    }
    if ((flags & tcpFlag.syn) !== 0) {
      // The answer to our SYN again: its acknowledgment was lost.
      this.#acknowledge();
      return;
    }
    if ((flags & tcpFlag.ack) === 0) return;
    this.#takeAcknowledgment(segment, now);
    if (this.closed) return;
    this.#takePayload(offset, payload, (flags & tcpFlag.fin) !== 0);
    this.#push(now);
    this.#finishIfDone();
  }

  #takeAcknowledgment({ acknowledgment, window }: Tcp, now: number): void {
    const gained = distance(acknowledgment, this.#unacknowledged);
    if (gained < 0 || distance(acknowledgment, this.#furthest) > 0) return;
    const opens = this.#guestWindow === 0 && window > 0;
    this.#guestWindow = window;
    if (gained === 0) {
      // A guest that answers probes lives, however long it takes nothing in (RFC 9293, section 3.8.6.1).
      if (window === 0) this.#tries = Math.min(this.#tries, longestWaits);
      // What was sent into the closed window was refused.
      if (opens) this.#goBack();
      return;
    }
    const bytes = Math.min(gained, this.#waiting.length);
    this.#waiting = this.#waiting.subarray(bytes);
    // What is acknowledged beyond the data is the end.
    if (gained > bytes) this.#ending = 'acknowledged';
    this.#unacknowledged = acknowledgment;
    if (distance(this.#next, acknowledgment) < 0) this.#next = acknowledgment;
    this.#tries = 0;
    this.#deadline = Infinity;
    this.#arm(now);
  }

  #takePayload(offset: number, payload: Uint8Array, fin: boolean): void {
    const bytes = payload.length;
    if (bytes === 0 && !fin) {
      // A keep-alive probe stands one byte back, and wants an answer.
      if (offset < 0) this.#acknowledge();
      return;
    }
    if (offset > 0 || offset + bytes < 0 || this.#guestEnded) {
      this.#acknowledge();
      return;
    }
    const fresh = payload.subarray(-offset, -offset + this.#window());
    const whole = -offset + fresh.length === bytes;
    if (fresh.length > 0) {
      this.#expected = ahead(this.#expected, fresh.length);
      this.#untaken += fresh.length;
      this.act({ kind: 'data', bytes: fresh.slice() });
    }
    if (fin && whole) {
      this.#expected = ahead(this.#expected, 1);
      this.#guestEnded = true;
      this.act({ kind: 'end' });
    }
    this.#acknowledge();
  }

  #finishIfDone(): void {
    if (this.#guestEnded && this.#ending === 'acknowledged') this.#close(false);
  }

  /** Sends what the guest's window has room for. */
  #push(now: number): void {
    if (this.#state !== 'open') return;
    for (;;) {
      const inFlight = distance(this.#next, this.#unacknowledged);
      const left = this.#waiting.length - inFlight;
      const room = this.#guestWindow - inFlight;
      if (left <= 0 || room <= 0) break;
      this.#sendData(Math.min(left, room, this.#guestSegment));
    }
    const sentAll = distance(this.#next, this.#unacknowledged) === this.#waiting.length;
    if (this.#ending === 'wanted' && sentAll) {
      this.#transmit(tcpFlag.fin | tcpFlag.ack, this.#next, new Uint8Array());
      this.#advance(1);
      this.#ending = 'sent';
    }
    this.#arm(now);
  }

  #sendData(bytes: number): void {
    const from = distance(this.#next, this.#unacknowledged);
    this.#transmit(tcpFlag.ack | tcpFlag.psh, this.#next, this.#waiting.subarray(from, from + bytes));
    this.#advance(bytes);
  }

  #advance(by: number): void {
    this.#next = ahead(this.#next, by);
    if (distance(this.#next, this.#furthest) > 0) this.#furthest = this.#next;
  }

  #sendSyn(now: number): void {
    this.#next = this.#unacknowledged;
    this.send({ ...this.#head(tcpFlag.syn, this.#next), acknowledgment: 0, segmentMost, payload: new Uint8Array() });
    this.#advance(1);
    this.#arm(now);
  }

  #acknowledge(): void {
    this.#transmit(tcpFlag.ack, this.#next, new Uint8Array());
  }

  #transmit(flags: number, sequence: number, payload: Uint8Array): void {
    this.send({ ...this.#head(flags, sequence), payload });
  }

  #head(flags: number, sequence: number): Omit<Tcp, 'payload'> {
    this.#advertised = this.#window();
    return {
      sourcePort: this.ports.own,
      destinationPort: this.ports.guest,
      sequence,
      acknowledgment: this.#expected,
      flags,
      window: this.#advertised,
    };
  }

  #window(): number {
    return Math.max(0, receiveWindow - this.#untaken);
  }

  /** Sets the retransmission timer while something is unanswered. */
  #arm(now: number): void {
    const unanswered = this.#state === 'opening' || this.#unacknowledged !== this.#next || this.#waiting.length > 0;
    if (!unanswered) this.#deadline = Infinity;
    // A deadline that has passed stays: only `tick` may have met it, or arrivals could put it off for ever.
    else if (this.#deadline === Infinity) this.#deadline = now + Math.min(longestTimeout, firstTimeout * 2 ** this.#tries);
  }

  #close(failed: boolean): void {
    this.#state = 'closed';
    this.#deadline = Infinity;
    this.act({ kind: 'closed', failed });
  }
}
