import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Connection, type ConnectionAction } from './connection';
import { tcpFlag, type Tcp } from './packets';

/**
 * The guest's end as simple as TCP can be: takes what comes in order, and sends
 * all that is not acknowledged whenever it is its turn.
 */
class Peer {
  readonly received: number[] = [];
  ended = false;
  #expected: number | undefined;
  #acknowledged = 0;
  readonly #isn = 0xffff_ff00;
  #established = false;

  constructor(
    private readonly data: Uint8Array,
    private readonly send: (segment: Tcp) => void,
    private readonly window: number,
  ) {}

  get done(): boolean {
    return this.ended && this.#acknowledged > this.data.length;
  }

  receive(segment: Tcp): void {
    if ((segment.flags & tcpFlag.syn) !== 0) {
      this.#expected ??= (segment.sequence + 1) >>> 0;
      this.#reply(tcpFlag.syn | tcpFlag.ack, 0, new Uint8Array());
      return;
    }
    if (this.#expected === undefined) return;
    this.#established = true;
    const gained = (segment.acknowledgment - this.#isn - 1) | 0;
    this.#acknowledged = Math.max(this.#acknowledged, gained);
    const offset = (this.#expected - segment.sequence) | 0;
    if (offset < 0 || offset > segment.payload.length) return;
    this.received.push(...segment.payload.subarray(offset));
    const fin = (segment.flags & tcpFlag.fin) !== 0 && !this.ended;
    this.#expected = (this.#expected + segment.payload.length - offset + (fin ? 1 : 0)) >>> 0;
    this.ended ||= fin;
  }

  turn(): void {
    if (!this.#established) return;
    for (let at = this.#acknowledged; at < this.data.length; at += 700) {
      this.#reply(tcpFlag.ack, 1 + at, this.data.subarray(at, at + 700));
    }
    if (this.#acknowledged <= this.data.length) this.#reply(tcpFlag.ack | tcpFlag.fin, 1 + this.data.length, new Uint8Array());
    else this.#reply(tcpFlag.ack, 2 + this.data.length, new Uint8Array());
  }

  #reply(flags: number, offset: number, payload: Uint8Array): void {
    this.send({
      sourcePort: 80,
      destinationPort: 50_000,
      sequence: (this.#isn + offset) >>> 0,
      acknowledgment: this.#expected ?? 0,
      flags,
      window: this.window,
      payload,
    });
  }
}

const bytes = fc.uint8Array({ maxLength: 20_000, size: 'max' });
/** For each segment in turn: how often it arrives, and whether before the one sent before it. */
const fates = fc.array(fc.record({ copies: fc.constantFrom(0, 1, 1, 1, 2), early: fc.boolean() }), { minLength: 1, maxLength: 60 });

describe('a connection', () => {
  test('carries both streams whole and in order over a cable that loses, doubles and reorders', () => {
    fc.assert(
      fc.property(bytes, bytes, fates, fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 0, max: 0xffff_ffff }), (down, up, fate, window, isn) => {
        const received: number[] = [];
        const actions: ConnectionAction['kind'][] = [];
        let toPeer: Tcp[] = [];
        let toUs: Tcp[] = [];
        let sent = 0;
        const onto = (queue: Tcp[], segment: Tcp): void => {
          // Once the fates are used up the cable is a good one, so that there is an end.
          const { copies, early } = fate[sent++] ?? { copies: 1, early: false };
          for (let i = 0; i < copies; i++) queue.splice(early && queue.length > 0 ? queue.length - 1 : queue.length, 0, segment);
        };
        const connection = new Connection({ own: 50_000, guest: 80 }, isn, (segment) => onto(toPeer, segment), (action) => {
          actions.push(action.kind);
          if (action.kind === 'data') received.push(...action.bytes);
        }, 0);
        const peer = new Peer(up, (segment) => onto(toUs, segment), window);
        connection.write(down, 0);
        connection.end(0);
        for (let turn = 0; turn < 40_000 && !(connection.closed && peer.done); turn++) {
          const now = turn * 100_000;
          const [forPeer, forUs] = [toPeer, toUs];
          [toPeer, toUs] = [[], []];
          for (const segment of forPeer) peer.receive(segment);
          for (const segment of forUs) {
            const before = received.length;
            connection.receive(segment, now);
            connection.taken(received.length - before, now);
          }
          connection.tick(now);
          peer.turn();
        }
        expect({ closed: connection.closed, down: Buffer.from(peer.received).equals(down), up: Buffer.from(received).equals(up) }).toEqual({ closed: true, down: true, up: true });
        expect(actions.filter((kind) => kind !== 'data')).toEqual(['open', 'end', 'closed']);
      }),
      { numRuns: 60 },
    );
  });

  test('whatever segments come, nothing is thrown, and the window is never exceeded', () => {
    const flags = fc.integer({ min: 0, max: 31 });
    const near = fc.integer({ min: -3, max: 70_000 });
    fc.assert(
      fc.property(fc.array(fc.record({ flags, sequence: near, acknowledgment: near, window: fc.nat(65_535), length: fc.nat(3000) }), { maxLength: 60 }), (segments) => {
        let untaken = 0;
        const connection = new Connection({ own: 1, guest: 2 }, 0, () => undefined, (action) => {
          if (action.kind === 'data') untaken += action.bytes.length;
        }, 0);
        connection.write(new Uint8Array(5000), 0);
        segments.forEach(({ length, sequence, acknowledgment, ...rest }, i) => {
          connection.receive(
            { ...rest, sourcePort: 2, destinationPort: 1, sequence: sequence >>> 0, acknowledgment: acknowledgment >>> 0, payload: new Uint8Array(length) },
            i * 1000,
          );
          connection.tick(i * 300_000);
        });
        expect(untaken).toBeLessThanOrEqual(65_535);
      }),
    );
  });

  test('gives up where nobody answers', () => {
    const actions: ConnectionAction[] = [];
    let sent = 0;
    const connection = new Connection({ own: 1, guest: 2 }, 7, () => sent++, (action) => actions.push(action), 0);
    for (let now = 0; now < 200e6 && !connection.closed; now += 1e5) connection.tick(now);
    expect(actions).toEqual([{ kind: 'closed', failed: true }]);
    expect(sent).toBe(14);
  });

  test('waits as long as the guest keeps its window closed and answers probes', () => {
    const actions: ConnectionAction[] = [];
    const probes: Tcp[] = [];
    const connection = new Connection({ own: 1, guest: 2 }, 0, (segment) => probes.push(segment), (action) => actions.push(action), 0);
    const answer = (flags: number, acknowledgment: number, window: number, now: number): void =>
      connection.receive({ sourcePort: 2, destinationPort: 1, sequence: (flags & tcpFlag.syn) === 0 ? 101 : 100, acknowledgment, flags, window, payload: new Uint8Array() }, now);
    answer(tcpFlag.syn | tcpFlag.ack, 1, 0, 0);
    connection.write(Uint8Array.of(1, 2, 3), 0);
    const hour = 3600e6;
    for (let now = 0; now < hour; now += 1e6) {
      probes.length = 0;
      connection.tick(now);
      if (probes.length > 0) answer(tcpFlag.ack, 1, 0, now);
    }
    expect(actions).toEqual([{ kind: 'open' }]);
    probes.length = 0;
    answer(tcpFlag.ack, 1, 1000, hour);
    expect(Buffer.concat(probes.map(({ payload }) => payload))).toEqual(Buffer.of(1, 2, 3));
  });

  test('resets an older connection that the guest still has on its ports, and opens', () => {
    const actions: ConnectionAction[] = [];
    const sent: Tcp[] = [];
    const connection = new Connection({ own: 1, guest: 2 }, 7, (segment) => sent.push(segment), (action) => actions.push(action), 0);
    const segment = { sourcePort: 2, destinationPort: 1, window: 1000, payload: new Uint8Array() };
    // A SYN within a connection is answered with what is expected there (RFC 9293, section 3.10.7.4).
    connection.receive({ ...segment, flags: tcpFlag.ack, sequence: 500, acknowledgment: 9000 }, 0);
    expect(sent.at(-1)).toMatchObject({ flags: tcpFlag.rst, sequence: 9000 });
    connection.tick(1e6);
    expect(sent.at(-1)).toMatchObject({ flags: tcpFlag.syn, sequence: 7 });
    connection.receive({ ...segment, flags: tcpFlag.syn | tcpFlag.ack, sequence: 100, acknowledgment: 8 }, 1e6);
    expect(actions).toEqual([{ kind: 'open' }]);
  });
});
