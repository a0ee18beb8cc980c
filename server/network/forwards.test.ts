import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { gateway, guestAddress } from '../../engine/network/addresses';
import { mostDatagramPeers, Network } from '../../engine/network/network';
import { etherType, readFrame, readIp, readUdp, writeFrame, writeUdp } from '../../engine/network/packets';
import { Forwards } from './forwards';

async function client(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What a guest does that sends back what it gets. */
function echo(network: Network): number {
  const frames = network.takeFrames();
  for (const frame of frames) {
    const ip = readIp(readFrame(frame)?.payload ?? new Uint8Array());
    const udp = ip && readUdp(ip);
    if (!udp) continue;
    const answer = { sourcePort: udp.destinationPort, destinationPort: udp.sourcePort, payload: udp.payload };
    network.receive(writeFrame(etherType.ipv4, writeUdp(guestAddress, gateway, answer)));
  }
  return frames.length;
}

test('any number of senders of datagrams is answered, and no more are remembered than the network knows', async () => {
  const probe = await client();
  const { port } = probe.address();
  probe.close();
  const network = new Network();
  const forwards = new Forwards(network);
  await forwards.listen([{ protocol: 'udp', host: '127.0.0.1', port, guestPort: 7 }]);
  const clients: Socket[] = [];
  const { signal } = new AbortController();
  try {
    // Each asks twice: the second time all have been forgotten for others.
    for (let i = 0; i < mostDatagramPeers + 20; i++) clients.push(await client());
    for (let i = 0; i < 2 * clients.length; i++) {
      const one = clients[i % clients.length] as Socket;
      const answer = once(one, 'message');
      one.send(`question ${i}`, port, '127.0.0.1');
      while (echo(network) === 0) await forwards.wait(1000, signal);
      forwards.pump();
      expect(String((await answer)[0])).toBe(`question ${i}`);
    }
    expect(forwards.senders).toBe(mostDatagramPeers);
  } finally {
    forwards.close();
    for (const one of clients) one.close();
  }
});
