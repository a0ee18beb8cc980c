import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { debianFiles } from '../../server/guest/debian';
import { covert } from './covert';
import { freePort } from './free-port';

const files = debianFiles();
const noDebian = 'missing' in files ? ` (skipped: no ${files.missing} of npm run guest:debian)` : '';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-network-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The body of an answer of the guest's; undefined where there is none. */
function fetched(port: number, name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let body = '';
    get({ host: '127.0.0.1', port, path: `/${name}`, agent: false }, (answer) => {
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('error', () => resolve(undefined)).on('end', () => resolve(answer.statusCode === 200 ? body : undefined));
    }).on('error', () => resolve(undefined));
  });
}

/** Asks until there is an answer, as long as the guest lives. */
async function answered(port: number, name: string, lives: () => boolean): Promise<string | undefined> {
  while (lives()) {
    const body = await fetched(port, name);
    if (body !== undefined) return body;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return undefined;
}

const serve = [
  'seq 1 40000 > /tmp/numbers; echo bye > /tmp/bye',
  "echo 'user root; error_log stderr; pid /tmp/pid; events {} http { access_log /tmp/log; server { listen 80; root /tmp; } }' > /tmp/nginx.conf",
  'nginx -c /tmp/nginx.conf',
  'until grep -q /numbers /tmp/log; do sleep 0.05; done; echo HALF',
  'until grep -q /bye /tmp/log; do sleep 0.05; done; echo SERVED',
].join('; ');

test.skipIf(noDebian !== '')(`nginx in two replicas serves a client of this machine, through a rollback${noDebian}`, { timeout: 900_000 }, async () => {
  const port = await freePort();
  const file = path.join(folder, 'server.covert');
  await writeFile(
    file,
    `guest server { linux debian  run "sh" "-c" ${JSON.stringify(serve)}  forward tcp 127.0.0.1:${port} to 80 }
    scenario "a web server" {
      guest server
      protect dmr on core 0, core 1
      fault flip pc bit 21 in replica B at console "HALF"
      expect recovered by rollback
      expect output contains "SERVED"
      expect exit 0
    }`,
  );
  const bodies: (string | undefined)[] = [];
  const { exit, stdout, stderr } = await covert(['run', file, '--threads', '2', '--json'], {
    meanwhile: (child) => {
      const lives = (): boolean => child.exitCode === null;
      const ask = async (): Promise<void> => {
        bodies.push(await answered(port, 'numbers', lives));
        // Once it has answered, it does so always.
        for (const name of ['numbers', 'bye']) bodies.push(await fetched(port, name));
      };
      void ask();
    },
  });
  expect(exit, stderr).toBe(0);
  const numbers = Array.from({ length: 40_000 }, (_, i) => `${i + 1}\n`).join('');
  expect(bodies).toEqual([numbers, numbers, 'bye\n']);
  const [report] = JSON.parse(stdout) as Report[];
  expect(report).toMatchObject({
    passed: true,
    released: { ofBytes: null, corrupt: null, network: { corrupt: null } },
    cycles: { unprotected: null, overhead: null },
    recoveries: [{ by: 'rollback' }],
  });
});

test.skipIf(noDebian !== '')(`a port that somebody has is one line that says so${noDebian}`, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const file = path.join(folder, 'taken.covert');
  await writeFile(file, `guest g { linux debian  forward tcp 127.0.0.1:${port} to 80 }\nscenario "s" { guest g  expect exit 0 }\n`);
  const { exit, stderr } = await covert(['run', file]);
  server.close();
  expect(exit).toBe(2);
  expect(stderr).toContain(`s: cannot forward tcp 127.0.0.1:${port}: somebody listens there already: choose another port`);
});
