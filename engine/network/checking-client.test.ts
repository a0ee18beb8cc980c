import { describe, expect, test } from 'vitest';
import { gateway, guestAddress } from './addresses';
import { CheckingClient, type ClientOptions } from './checking-client';
import { readFrame, readIp, readTcp, tcpFlag, writeFrame, writeTcp, type Tcp } from './packets';

/** A service in a guest, with as little of TCP as a cable that loses nothing takes. */
class Service {
  /** Connections by the client's port: next byte to send, next byte expected. */
  readonly #connections = new Map<number, { sequence: number; expected: number }>();
  isUp = true;

  constructor(
    private readonly client: CheckingClient,
    /** What it says to a request: pieces, `end` where it hangs up. */
    private readonly answer: (request: string) => readonly (Buffer | 'end')[],
  ) {}

  turn(now: number): void {
    for (const frame of this.client.take(now, 16)) {
      const ip = readIp(readFrame(frame)?.payload ?? new Uint8Array());
      const segment = ip && readTcp(ip);
      if (segment) this.#receive(segment);
    }
  }

  #receive({ sourcePort, destinationPort, flags, sequence, payload }: Tcp): void {
    const send = (what: { flags: number; sequence: number; acknowledgment: number }, bytes: Uint8Array = new Uint8Array()): void =>
      this.client.receive(writeFrame(0x0800, writeTcp(guestAddress, gateway, { sourcePort: destinationPort, destinationPort: sourcePort, window: 60_000, payload: bytes, ...what })));
    const { ack, syn, fin, rst } = tcpFlag;
    if ((flags & syn) !== 0) {
      if (this.isUp) this.#connections.set(sourcePort, { sequence: 1001, expected: sequence + 1 });
      send({ flags: this.isUp ? syn | ack : rst | ack, sequence: this.isUp ? 1000 : 0, acknowledgment: sequence + 1 });
      return;
    }
    const connection = this.#connections.get(sourcePort);
    if (!connection || sequence !== connection.expected) return;
    connection.expected += payload.length + ((flags & fin) !== 0 ? 1 : 0);
    for (const piece of payload.length > 0 ? this.answer(Buffer.from(payload).toString()) : []) {
      const [flag, bytes] = piece === 'end' ? [fin, Buffer.alloc(0)] : [0, piece];
      send({ flags: ack | flag, sequence: connection.sequence, acknowledgment: connection.expected }, bytes);
      connection.sequence += bytes.length + (piece === 'end' ? 1 : 0);
    }
    if ((flags & fin) !== 0) send({ flags: ack | fin, sequence: connection.sequence, acknowledgment: connection.expected });
  }
}

const exchange = { request: Buffer.from('what?'), answer: Buffer.from('that.') };
const two: ClientOptions = { visits: [{ port: 80, exchanges: [exchange, exchange] }, { port: 80, exchanges: [exchange] }] };

/** Until all is done, 100 microseconds a turn, or for so many of them. */
function served(options: ClientOptions, answer: (request: string) => readonly (Buffer | 'end')[], turns = 200): CheckingClient {
  const client = new CheckingClient(options);
  const service = new Service(client, answer);
  for (let turn = 0; turn < turns && !client.isDone; turn++) service.turn(turn * 100);
  return client;
}

describe('a client that knows all answers', () => {
  const none = { refused: 0, broken: 0, wrong: 0, lost: 0, duplicate: 0 };

  test('finds nothing wrong where nothing is', () => {
    const { result, isDone, isQuiet } = served(two, () => [Buffer.from('th'), Buffer.from('at.')]);
    expect(result).toEqual({ ...none, visits: 2, answered: 3, bytes: 15, longestPause: 100 });
    expect({ isDone, isQuiet }).toEqual({ isDone: true, isQuiet: true });
  });

  test('counts bytes that are wrong, that are missing, and that are too many', () => {
    expect(served(two, () => [Buffer.from('thXt!')]).result).toMatchObject({ ...none, answered: 3, wrong: 6 });
    expect(served(two, () => [Buffer.from('tha'), 'end']).result).toMatchObject({ ...none, visits: 2, answered: 0, lost: 2 + 5 + 2 });
    expect(served({ visits: two.visits.slice(1) }, () => [Buffer.from('that.that.')]).result).toMatchObject({ ...none, answered: 1, duplicate: 5 });
    // An answer that never comes is lost to whoever asks now, and missed for that long.
    expect(served(two, () => [], 100).result).toMatchObject({ ...none, visits: 0, lost: 10, longestPause: 9800 });
  });

  test('looks at what stands behind a header only', () => {
    const behind = Buffer.from('\n\n');
    const visits = [{ port: 80, exchanges: [{ ...exchange, behind }, { ...exchange, behind }] }];
    expect(served({ visits }, () => [Buffer.from('Date: today\n'), Buffer.from('\nth'), Buffer.from('at.')]).result).toMatchObject({ ...none, answered: 2, bytes: 10 });
  });

  test('tries again where nobody listens yet', () => {
    const client = new CheckingClient({ ...two, retry: 1000 });
    const service = new Service(client, () => [exchange.answer]);
    service.isUp = false;
    for (let now = 0; now < 5000; now += 100) service.turn(now);
    expect(client.result.refused).toBeGreaterThan(2);
    expect(client.isQuiet).toBe(false);
    service.isUp = true;
    for (let now = 5000; now < 20_000; now += 100) service.turn(now);
    expect(client.result).toMatchObject({ answered: 3, lost: 0, longestPause: 100 });
  });

  test('is at several places at once, and afresh does the same again', () => {
    const options = { visits: Array.from({ length: 20 }, () => two.visits[0]!), atOnce: 4 };
    const client = served(options, () => [exchange.answer]);
    expect(client.result).toMatchObject({ ...none, visits: 20, answered: 40 });
    const again = client.fresh();
    const service = new Service(again, () => [exchange.answer]);
    for (let turn = 0; turn < 200 && !again.isDone; turn++) service.turn(turn * 100);
    expect(again.result).toEqual(client.result);
  });
});
