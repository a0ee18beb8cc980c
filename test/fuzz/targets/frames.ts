import { broadcast, gateway, guestAddress, nameServer } from '../../../engine/network/addresses';
import { Network } from '../../../engine/network/network';
import { checksum, etherType, protocol, readFrame, readIp, readTcp, readUdp, tcpFlag, writeFrame, writeTcp, writeUdp, type Tcp } from '../../../engine/network/packets';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { arp, dhcp, echo, ipFrame, mendSums, query } from './frames-of-guests';

const mostSteps = 300;
const mostConnections = 256;
/** The largest frame, and the most that one call may answer with: a whole window in the smallest segments, and a little. */
const mostFrame = 1514;
const mostAnswers = 65_535 / 64 + 16;

/**
 * A network between the worst guest and the worst clients: the input is a program
 * of frames, sound ones and others, of what clients do, and of time that passes.
 */
export const framesTarget: FuzzTarget = {
  what: "the guest's network, under any frames and clients",
  seeds: () => programs,
  run(input) {
    const label = new Exchange(new ByteReader(input)).run();
    const again = new Exchange(new ByteReader(input)).run();
    if (label !== again) throw new Error(`not deterministic: ${label}, then ${again}`);
    return label;
  },
};

/** What the guest knows of a connection, and what was told of it outside. */
interface Ends {
  port: number;
  /** Of the newest segment that it was sent: the next byte of the network's, and the one it expects. */
  next: number;
  expected: number;
  opened: boolean;
  ended: boolean;
  closed: boolean;
  untaken: number;
}

class Exchange {
  readonly #network = new Network();
  readonly #connections: { number: number; ends: Ends }[] = [];
  #peers: { number: number; port: number }[] = [];
  #now = 0;
  readonly #happened = new Set<string>();

  constructor(private readonly bytes: ByteReader) {}

  run(): string {
    for (let steps = 0; !this.bytes.done && steps < mostSteps; steps++) {
      this.#step();
      this.#look();
    }
    return [...this.#happened].sort().join(', ');
  }

  #step(): void {
    const { bytes } = this;
    const network = this.#network;
    const kind = bytes.byte() % 16;
    const one = this.#connections[bytes.byte() % Math.max(1, this.#connections.length)];
    switch (kind) {
      case 0:
        network.receive(bytes.take(bytes.byte()));
        break;
      case 1:
        network.receive(this.#damaged(writeFrame(etherType.arp, arp(bytes.byte() & 3))));
        break;
      case 2:
        network.receive(this.#damaged(ipFrame({ protocol: protocol.icmp, source: this.#address(), destination: this.#address(), payload: echo(bytes.byte()) })));
        break;
      case 3:
        network.receive(this.#damaged(this.#udp(68, 67, dhcp(bytes.byte() % 9))));
        break;
      case 4:
        network.receive(this.#damaged(this.#udp(4000, 53, query(bytes.byte() & 3))));
        break;
      case 5: {
        const peer = this.#peers[bytes.byte() % Math.max(1, this.#peers.length)];
        network.receive(this.#damaged(this.#udp(80, peer?.port ?? bytes.half(), bytes.take(bytes.byte() & 15))));
        break;
      }
      case 6:
      case 7:
      case 8:
        network.receive(this.#damaged(this.#segment(one?.ends)));
        break;
      case 9:
        for (let count = (bytes.byte() & 7) === 7 ? 300 : 1; count > 0; count--) this.#connect();
        break;
      case 10:
        if (one) network.write(one.number, new Uint8Array([0, 1, 100, 1460, 5000, 70_000][bytes.byte() % 6] ?? 0));
        break;
      case 11:
        if (one) network.end(one.number);
        break;
      case 12:
        if (one && (bytes.byte() & 3) === 0) network.reset(one.number);
        break;
      case 13:
        if (one) {
          const count = Math.min(one.ends.untaken, bytes.half());
          network.taken(one.number, count);
          one.ends.untaken -= count;
        }
        break;
      case 14:
        this.#datagram();
        break;
      default:
        this.#now += bytes.byte() * [1, 1000, 100_000, 2 ** 40][bytes.byte() & 3]!;
        network.tick(this.#now);
    }
  }

  #connect(): void {
    const number = this.#network.connect(this.bytes.byte());
    const live = this.#connections.filter(({ ends }) => !ends.closed).length;
    if ((number === undefined) !== (live >= mostConnections)) throw new Error(`with ${live} connections another is ${number === undefined ? 'refused' : 'opened'}`);
    if (number === undefined) this.#happened.add('refused');
    else this.#connections.push({ number, ends: { port: 0, next: 0, expected: 0, opened: false, ended: false, closed: false, untaken: 0 } });
  }

  #datagram(): void {
    const known = this.#peers[this.bytes.byte() % (this.#peers.length + 1)]?.number;
    const number = this.#network.datagram(known, 80, this.bytes.take(this.bytes.byte() & 31));
    if (number === undefined) throw new Error('a datagram without a number');
    this.#peers = [...this.#peers.filter((peer) => peer.number !== number), { number, port: 0 }].slice(-mostConnections);
  }

  /** What has come of a step: sound frames, and actions that make sense. */
  #look(): void {
    const frames = this.#network.takeFrames();
    const actions = this.#network.takeActions();
    if (frames.length > mostAnswers * Math.max(1, this.#connections.length)) throw new Error(`${frames.length} frames at once`);
    for (const frame of frames) this.#readAnswer(frame);
    for (const action of actions) {
      this.#happened.add(action.kind);
      if (action.kind === 'datagram') continue;
      const ends = this.#connections.find(({ number }) => number === action.connection)?.ends;
      if (!ends || ends.closed) throw new Error(`${action.kind} of a connection that is not there`);
      if (action.kind === 'open' ? ends.opened : !ends.opened && action.kind !== 'closed') throw new Error(`${action.kind} of a connection that is ${ends.opened ? '' : 'not '}open`);
      if (ends.ended && (action.kind === 'data' || action.kind === 'end')) throw new Error(`${action.kind} behind the end`);
      if (action.kind === 'data') ends.untaken += action.bytes.length;
      if (ends.untaken > 65_535) throw new Error(`${ends.untaken} bytes that nobody has taken`);
      ends.opened ||= action.kind === 'open';
      ends.ended ||= action.kind === 'end';
      ends.closed ||= action.kind === 'closed';
    }
  }

  /** The guest remembers what it is told. */
  #readAnswer(frame: Uint8Array): void {
    const read = readFrame(frame);
    if (!read || frame.length > mostFrame) throw new Error(`a frame of ${frame.length} bytes`);
    if (read.type === etherType.arp) {
      this.#happened.add('arp');
      return;
    }
    const ip = readIp(read.payload);
    const tcp = ip?.protocol === protocol.tcp ? readTcp(ip) : undefined;
    const udp = ip?.protocol === protocol.udp ? readUdp(ip) : undefined;
    const sound = tcp ?? udp ?? (ip?.protocol === protocol.icmp && checksum([ip.payload]) === 0);
    if (!ip || !sound) throw new Error(`a malformed answer: ${Buffer.from(frame).toString('hex')}`);
    this.#happened.add(tcp ? ((tcp.flags & tcpFlag.rst) !== 0 ? 'rst' : 'tcp') : udp ? `udp ${udp.sourcePort < 1024 ? udp.sourcePort : ''}` : `icmp ${ip.payload[0]}`);
    if (udp && udp.sourcePort >= 1024) this.#peers.filter(({ port }) => port === 0).forEach((peer) => (peer.port = udp.sourcePort));
    if (!tcp || ip.source !== gateway) return;
    const fresh = (tcp.flags & tcpFlag.syn) !== 0;
    const ends = this.#connections.find(({ ends: each }) => !each.closed && each.port === (fresh ? 0 : tcp.sourcePort))?.ends;
    if (!ends) return;
    ends.port = tcp.sourcePort;
    ends.next = tcp.sequence + tcp.payload.length + ((tcp.flags & (tcpFlag.syn | tcpFlag.fin)) !== 0 ? 1 : 0);
    ends.expected = tcp.acknowledgment;
  }

  /** A segment about a connection, near what is expected next. */
  #segment(ends: Ends | undefined): Uint8Array {
    const { bytes } = this;
    const near = (): number => [0, 0, 0, 0, 1, -1, 100, -100, 65_535, 0x7fff_ffff][bytes.byte() % 12] ?? bytes.word();
    const flags = [tcpFlag.ack, tcpFlag.ack, tcpFlag.syn | tcpFlag.ack, tcpFlag.ack | tcpFlag.fin, tcpFlag.rst, tcpFlag.syn][bytes.byte() % 8] ?? bytes.byte();
    const tcp: Tcp = {
      sourcePort: 80,
      destinationPort: ends?.port ?? bytes.half(),
      sequence: ((ends?.expected ?? 0) + near()) >>> 0,
      acknowledgment: ((ends?.next ?? 0) + near()) >>> 0,
      flags: flags & 31,
      window: [0, 1, 63, 1000, 65_535][bytes.byte() % 5] ?? 0,
      payload: new Uint8Array([0, 0, 1, 100, 1460][bytes.byte() % 5] ?? 0),
      ...((bytes.byte() & 3) === 0 ? { segmentMost: bytes.half() } : {}),
    };
    return writeFrame(etherType.ipv4, writeTcp(guestAddress, (bytes.byte() & 15) === 15 ? this.#address() : gateway, tcp));
  }

  #udp(from: number, to: number, payload: Uint8Array): Uint8Array {
    return writeFrame(etherType.ipv4, writeUdp(this.#address(), this.#address(), { sourcePort: from, destinationPort: to, payload }));
  }

  #address(): number {
    return [guestAddress, gateway, nameServer, broadcast, 0][this.bytes.byte() % 6] ?? this.bytes.word();
  }

  /** One frame in four is changed or cut; one in eight has right sums all the same. */
  #damaged(frame: Uint8Array): Uint8Array {
    const { bytes } = this;
    const how = bytes.byte() & 7;
    if (how < 6) return frame;
    for (let changes = 1 + (bytes.byte() & 3); changes > 0; changes--) frame[14 + (bytes.byte() % (frame.length - 14))] = bytes.byte();
    if (how === 6) mendSums(frame);
    return frame.subarray(0, frame.length - (bytes.byte() >> 5));
  }
}

// A connection that is opened, carries data both ways and is ended; and one of each service.
const [connect, segment, write, end, datagram] = [9, 6, 10, 11, 14];
const ack = (flags: number, payload: number): number[] => [segment, 0, 0, flags, 0, 0, 4, payload, 1, 0, 0];
const programs: readonly Uint8Array[] = [
  Uint8Array.of(connect, 0, 0, 80, ...ack(2, 0), write, 0, 4, ...ack(0, 3), 13, 0, 255, 255, end, 0, ...ack(0, 0), ...ack(3, 2), ...ack(0, 0), 15, 0, 9, 2),
  Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 1, 9, 0, 3, 0, 4, 3, 1, 0, 4, 0, 0, 2, 0, 0, datagram, 0, 0, 3, 1, 2, 3, 5, 0, 0, 0, 1, 2, 1, 0),
];
