import { createSocket, type RemoteInfo, type Socket as Datagrams } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { ForwardPlan } from '../../engine/covert/plan';
import { mostDatagramPeers, type Network } from '../../engine/network/network';

export type Forward = ForwardPlan;

/** A port that cannot be listened at; the message is one line for the user. */
export class ForwardError extends Error {}

/** Bytes for the guest that wait in the network before a client is made to wait. */
const mostBacklog = 256 * 1024;

/**
 * The sockets of a guest's forwarded ports. What comes in at them is put into the
 * network as it comes; `pump` does what the network wants done, and is to be
 * called after the network was handed something of the guest's.
 */
export class Forwards {
  readonly #servers: (Server | Datagrams)[] = [];
  readonly #sockets = new Map<number, Socket>();
  /** Of each datagram peer, where its answers go. */
  readonly #peers = new Map<number, { socket: Datagrams; to: RemoteInfo; forget: () => void }>();
  #news = false;
  #wake: (() => void) | undefined;

  constructor(private readonly network: Network) {}

  /** True if sockets are open that may bring something. */
  get listening(): boolean {
    return this.#servers.length > 0;
  }

  /** Senders of datagrams that can be answered. */
  get senders(): number {
    return this.#peers.size;
  }

  /** Rejects with {@link ForwardError}. */
  async listen(forwards: readonly Forward[]): Promise<void> {
    try {
      for (const forward of forwards) await (forward.protocol === 'tcp' ? this.#listenTcp(forward) : this.#listenUdp(forward));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Does what the network wants done. */
  pump(): void {
    for (const action of this.network.takeActions()) {
      const socket = this.#sockets.get(action.connection);
      switch (action.kind) {
        case 'open':
          break;
        case 'data': {
          const { connection, bytes } = action;
          // The guest gets room again once the client has taken it.
          socket?.write(bytes, () => {
            this.network.taken(connection, bytes.length);
            this.#notice();
          });
          break;
        }
        case 'end':
          socket?.end();
          break;
        case 'closed':
          this.#sockets.delete(action.connection);
          if (action.failed) socket?.resetAndDestroy();
          break;
        case 'datagram': {
          const peer = this.#peers.get(action.connection);
          peer?.socket.send(action.bytes, peer.to.port, peer.to.address);
          break;
        }
      }
    }
    for (const [connection, socket] of this.#sockets) {
      if (socket.isPaused() && this.network.backlog(connection) < mostBacklog) socket.resume();
    }
  }

  /** Resolves when something has come in, after so many milliseconds, or when the signal is aborted. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#news && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        this.#wake = done;
        signal.addEventListener('abort', done);
      });
    }
    this.#news = false;
    this.#wake = undefined;
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#servers.length = 0;
    this.#sockets.clear();
  }

  #notice(): void {
    this.#news = true;
    this.#wake?.();
  }

  /** The network forgets the oldest sender where there are too many, and so does this. */
  #remember(peer: number, sender: { socket: Datagrams; to: RemoteInfo; forget: () => void }): void {
    this.#peers.set(peer, sender);
    const [oldest] = this.#peers;
    if (this.#peers.size <= mostDatagramPeers || !oldest) return;
    oldest[1].forget();
    this.#peers.delete(oldest[0]);
  }

  async #listenTcp(forward: Forward): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket, forward.guestPort));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(asForwardError(forward, error)));
      server.listen(forward.port, forward.host, resolve);
    });
    this.#servers.push(server);
  }

  #accept(socket: Socket, guestPort: number): void {
    const connection = this.network.connect(guestPort);
    if (connection === undefined) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.set(connection, socket);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.network.write(connection, bytes);
      if (this.network.backlog(connection) >= mostBacklog) socket.pause();
      this.#notice();
    });
    socket.on('end', () => {
      this.network.end(connection);
      this.#notice();
    });
    // A client that goes away is closed below, whatever its reason.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#sockets.delete(connection) && !(socket.readableEnded && socket.writableFinished)) this.network.reset(connection);
      this.#notice();
    });
    this.#notice();
  }

  async #listenUdp(forward: Forward): Promise<void> {
    const socket = createSocket('udp4');
    const known = new Map<string, number>();
    socket.on('message', (bytes, from) => {
      const key = `${from.address}:${from.port}`;
      const before = known.get(key);
      const peer = this.network.datagram(before, forward.guestPort, bytes);
      if (peer !== undefined && peer !== before) {
        if (before !== undefined) this.#peers.delete(before);
        known.set(key, peer);
        this.#remember(peer, { socket, to: from, forget: () => known.delete(key) });
      }
      this.#notice();
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => reject(asForwardError(forward, error)));
      socket.bind(forward.port, forward.host, resolve);
    });
    this.#servers.push(socket);
  }
}

function asForwardError({ host, port, protocol }: Forward, error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === 'EADDRINUSE' ? 'somebody listens there already: choose another port' : code === 'EACCES' ? 'ports below 1024 need more rights: choose a higher one' : error.message;
  return new ForwardError(`cannot forward ${protocol} ${host}:${port}: ${why}`, { cause: error });
}
