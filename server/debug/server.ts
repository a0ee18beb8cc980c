import { createServer, type Server } from 'node:net';
import { CovertDebugSession } from './adapter';

/**
 * Serves the Debug Adapter Protocol: on stdio, or with `port` on loopback, one
 * session a connection. Port 0 takes any free one. Resolves when listening.
 */
export async function startDebugAdapter(options: { port?: number } = {}): Promise<Server | undefined> {
  if (options.port === undefined) {
    const session = new CovertDebugSession();
    session.start(process.stdin, process.stdout);
    return undefined;
  }
  const server = createServer((socket) => {
    const session = new CovertDebugSession();
    session.setRunAsServer(true);
    session.start(socket, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return server;
}
