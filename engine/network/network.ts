import { broadcast, gateway, guestAddress, nameServer } from './addresses';
import { Connection, type ConnectionAction } from './connection';
import { etherType, protocol, readFrame, readIp, readTcp, readUdp, tcpFlag, writeFrame, writeTcp, writeUdp, type Ip, type Tcp } from './packets';
import { answerArp, answerDhcp, answerEcho, answerName, dhcpServerPort, dnsPort, unreachable } from './services';

/** What the network wants done on the host's side. */
export type NetworkAction =
  | ({ connection: number } & ConnectionAction)
  /** A datagram of the guest's for whoever sent it one from this number. */
  | { connection: number; kind: 'datagram'; bytes: Uint8Array };

/** Ports that the network's end of connections and datagrams takes, one after the other. */
const firstPort = 49_152;
const ports = 16_384;
const mostConnections = 256;
/** Senders of datagrams that are remembered for their answers; a further one takes the oldest one's place. */
export const mostDatagramPeers = 256;

/**
 * The other end of the guest's ethernet cable: a router that answers ARP, DHCP,
 * names and echo, carries connections from the host to the guest, and refuses
 * what the guest opens to the outside. A state machine without clock or socket:
 * the same calls give the same frames and actions. Frames of a guest may hold
 * anything; what makes no sense is dropped and counted.
 */
export class Network {
  #frames: Uint8Array[] = [];
  #actions: NetworkAction[] = [];
  #now = 0;
  #opened = 0;
  #sequence = 1;
  /** By their ports here. */
  readonly #connections = new Map<number, Connection>();
  /** Of each connection, its port here. */
  readonly #numbers = new Map<number, number>();
  /** Of each datagram peer, its port here and the guest's port it speaks to. */
  readonly #peers = new Map<number, { own: number; guest: number }>();
  /** Frames that were no use. */
  dropped = 0;

  /** Frames for the guest since the last call, oldest first. */
  takeFrames(): Uint8Array[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  takeActions(): NetworkAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** Guest time has come to this, in microseconds. */
  tick(now: number): void {
    this.#now = Math.max(this.#now, now);
    for (const connection of this.#connections.values()) connection.tick(this.#now);
  }

  /** Opens a TCP connection to a port of the guest. Undefined where there are too many. */
  connect(guestPort: number): number | undefined {
    if (this.#connections.size >= mostConnections) return undefined;
    const number = this.#opened++;
    const own = this.#freePort();
    const send = (segment: Tcp): void => this.#emit(writeTcp(gateway, guestAddress, segment));
    const act = (action: ConnectionAction): void => {
      if (action.kind === 'closed') {
        this.#connections.delete(own);
        this.#numbers.delete(number);
      }
      this.#actions.push({ connection: number, ...action });
    };
    this.#sequence = (this.#sequence + 64_000) >>> 0;
    this.#numbers.set(number, own);
    this.#connections.set(own, new Connection({ own, guest: guestPort }, this.#sequence, send, act, this.#now));
    return number;
  }

  #freePort(): number {
    for (let i = this.#opened; ; i++) {
      const port = firstPort + (i % ports);
      if (!this.#connections.has(port) && ![...this.#peers.values()].some(({ own }) => own === port)) return port;
    }
  }

  #connection(number: number): Connection | undefined {
    const own = this.#numbers.get(number);
    return own === undefined ? undefined : this.#connections.get(own);
  }

  write(number: number, bytes: Uint8Array): void {
    this.#connection(number)?.write(bytes, this.#now);
  }
  end(number: number): void {
    this.#connection(number)?.end(this.#now);
  }
  reset(number: number): void {
    this.#connection(number)?.reset();
  }
  taken(number: number, bytes: number): void {
    this.#connection(number)?.taken(bytes, this.#now);
  }
  /** Bytes written and not yet acknowledged by the guest. */
  backlog(number: number): number {
    return this.#connection(number)?.backlog ?? 0;
  }

  /** Sends a datagram to a port of the guest; answers come back as actions of the same number. */
  datagram(number: number | undefined, guestPort: number, bytes: Uint8Array): number | undefined {
    let peer = number === undefined ? undefined : this.#peers.get(number);
    let known = number;
    if (!peer || known === undefined) {
      const [oldest] = this.#peers.keys();
      if (this.#peers.size >= mostDatagramPeers && oldest !== undefined) this.#peers.delete(oldest);
      known = this.#opened++;
      peer = { own: this.#freePort(), guest: guestPort };
      this.#peers.set(known, peer);
    }
    this.#emit(writeUdp(gateway, guestAddress, { sourcePort: peer.own, destinationPort: guestPort, payload: bytes }));
    return known;
  }

  /** True if nothing waits to be taken, and no connection waits for anything but the guest. */
  get isQuiet(): boolean {
    return this.#frames.length === 0 && this.#actions.length === 0 && [...this.#connections.values()].every(({ deadline }) => deadline === Infinity);
  }

  /** A frame that the guest has sent, by the time that its clock shows in microseconds. */
  receive(frame: Uint8Array, now = this.#now): void {
    this.#now = Math.max(this.#now, now);
    const read = readFrame(frame);
    if (read?.type === etherType.arp) {
      const answer = answerArp(read.payload);
      if (answer) this.#frames.push(writeFrame(etherType.arp, answer));
      else this.dropped += 1;
      return;
    }
    const ip = read?.type === etherType.ipv4 ? readIp(read.payload) : undefined;
    if (!read || !ip || !this.#receiveIp(ip, read.payload)) this.dropped += 1;
  }

  /** False where nothing could be made of it. */
  #receiveIp(ip: Ip, packet: Uint8Array): boolean {
    switch (ip.protocol) {
      case protocol.icmp: {
        const ours = ip.destination === gateway || ip.destination === nameServer;
        const answer = ours ? answerEcho(ip) : undefined;
        if (answer) this.#emit(answer);
        return answer !== undefined;
      }
      case protocol.udp:
        return this.#receiveUdp(ip, packet);
      case protocol.tcp:
        return this.#receiveTcp(ip);
      default:
        return false;
    }
  }

  #receiveUdp(ip: Ip, packet: Uint8Array): boolean {
    const udp = readUdp(ip);
    if (!udp) return false;
    if (udp.destinationPort === dhcpServerPort && (ip.destination === gateway || ip.destination === broadcast)) {
      const answer = answerDhcp(udp);
      if (answer) this.#emit(answer);
      return answer !== undefined;
    }
    if (ip.source !== guestAddress) return false;
    if (ip.destination === nameServer && udp.destinationPort === dnsPort) {
      const answer = answerName(udp, ip.source);
      if (answer) this.#emit(answer);
      return answer !== undefined;
    }
    const peer = [...this.#peers].find(([, { own, guest }]) => own === udp.destinationPort && guest === udp.sourcePort);
    if (peer && ip.destination === gateway) {
      this.#actions.push({ connection: peer[0], kind: 'datagram', bytes: udp.payload.slice() });
      return true;
    }
    this.#emit(unreachable(packet, ip));
    return true;
  }

  #receiveTcp(ip: Ip): boolean {
    const segment = readTcp(ip);
    if (!segment || ip.source !== guestAddress) return false;
    const connection = ip.destination === gateway ? this.#connections.get(segment.destinationPort) : undefined;
    if (connection) connection.receive(segment, this.#now);
    else if ((segment.flags & tcpFlag.rst) === 0) this.#refuse(ip, segment);
    return true;
  }

  /** Nobody is there: RFC 9293, section 3.5.2. */
  #refuse({ source, destination }: Ip, { sourcePort, destinationPort, flags, sequence, acknowledgment, payload }: Tcp): void {
    const acknowledges = (flags & tcpFlag.ack) !== 0;
    const length = payload.length + ((flags & tcpFlag.syn) !== 0 ? 1 : 0) + ((flags & tcpFlag.fin) !== 0 ? 1 : 0);
    this.#emit(
      writeTcp(destination, source, {
        sourcePort: destinationPort,
        destinationPort: sourcePort,
        sequence: acknowledges ? acknowledgment : 0,
        acknowledgment: acknowledges ? 0 : (sequence + length) >>> 0,
        flags: acknowledges ? tcpFlag.rst : tcpFlag.rst | tcpFlag.ack,
        window: 0,
        payload: new Uint8Array(),
      }),
    );
  }

  #emit(packet: Uint8Array): void {
    this.#frames.push(writeFrame(etherType.ipv4, packet));
  }
}
