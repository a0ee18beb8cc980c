import { createServer, type Server } from 'node:net';
import { defaultTier, type Tier } from '../../engine/machine/tier';
import { CovertDebugSession } from './adapter';

/**
 * Serves the Debug Adapter Protocol: on stdio, or with `port` on loopback, one
 * session a connection. Port 0 takes any free one. `tier`: for launches that name none.
 * Resolves when listening.
 */
export async function startDebugAdapter({ port, tier = defaultTier }: { port?: number; tier?: Tier } = {}): Promise<Server | undefined> {
  if (port === undefined) {
    const session = new CovertDebugSession(tier);
    session.start(process.stdin, process.stdout);
    return undefined;
  }
  const server = createServer((socket) => {
    const session = new CovertDebugSession(tier);
    session.setRunAsServer(true);
    session.start(socket, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
