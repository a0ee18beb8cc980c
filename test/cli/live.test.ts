import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
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
  folder = await mkdtemp(path.join(tmpdir(), 'covert-live-'));
});
afterAll(() => rm(folder, { recursive: true }));

const lines = 60_000;
const numbers = Array.from({ length: lines }, (_, i) => `${i + 1}\n`).join('');
/** Serves a file on every connection, and says how often it has, until it has been asked for enough. */
const serve = [
  `seq 1 ${lines} > /tmp/numbers; echo bye > /tmp/bye`,
  "echo 'user root; error_log stderr; pid /tmp/pid; events {} http { access_log /tmp/log; server { listen 80; root /tmp; } }' > /tmp/nginx.conf",
  'nginx -c /tmp/nginx.conf',
  'for n in 1 2 3 4 5 6 7 8; do until [ $(wc -l < /tmp/log) -ge $n ]; do sleep 0.02; done; echo "SERVED $n"; done',
].join('; ');

interface Seen {
  bodies: string[];
  /** Connections that were refused or cut off after the first answer. */
  broken: number;
  longestPause: number;
}

/** Asks one after the other on new connections; what is sent is waited for however long it takes. */
async function client(port: number, lives: () => boolean): Promise<Seen> {
  const seen: Seen = { bodies: [], broken: 0, longestPause: 0 };
  while (lives() && seen.bodies.length < 8) {
    const body = await new Promise<string | undefined>((resolve) => {
      let text = '';
      let last = performance.now();
      const socket = new Socket().setEncoding('utf8').connect(port, '127.0.0.1', () => socket.write('GET /numbers HTTP/1.0\r\n\r\n'));
      socket.on('data', (part: string) => {
        const now = performance.now();
        if (seen.bodies.length > 0) seen.longestPause = Math.max(seen.longestPause, now - last);
        last = now;
        text += part;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text.includes('\r\n\r\n') ? text.slice(text.indexOf('\r\n\r\n') + 4) : undefined));
    });
    if (body !== undefined) seen.bodies.push(body);
    else if (seen.bodies.length > 0) seen.broken += 1;
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return seen;
}

test.skipIf(noDebian !== '')(`Debian under load goes from none to dmr, loses a core, gets a spare, and its client notices nothing but a pause${noDebian}`, { timeout: 1_200_000 }, async () => {
  const port = await freePort();
  const file = path.join(folder, 'live.covert');
  await writeFile(
    file,
    `chip six { cores 6 at 2 GHz  l2 6 banks of 512 KiB  memory 6 controllers  ring  spare core 5 }
    guest server { linux debian  run "sh" "-c" ${JSON.stringify(serve)}  forward tcp 127.0.0.1:${port} to 80 }
    scenario "live" {
      chip six
      guest server
      protect none on core 0
      switch to dmr on core 0, core 1 at console "SERVED 2"
      fault kill core 1 at console "SERVED 4"
      fault flip pc bit 21 in replica A at console "SERVED 6"
      expect detected by machine check
      expect recovered by failover
      expect redundancy restored
      expect exit 0
    }`,
  );
  let seen: Promise<Seen> | undefined;
  const { exit, stdout, stderr } = await covert(['run', file, '--json'], { meanwhile: (child) => void (seen = client(port, () => child.exitCode === null)) });
  expect(exit, stderr + stdout.slice(0, 3000)).toBe(0);
  const result = await seen;
  expect(result?.bodies.map((body) => body === numbers)).toEqual(Array.from({ length: 8 }, () => true));
  expect(result?.broken).toBe(0);
  const [report] = JSON.parse(stdout) as Report[];
  expect(report).toMatchObject({ passed: true, switches: [{ to: 'dmr' }], clones: [{ replica: 'B', core: 1 }, { replica: 'B', core: 5 }], recoveries: [{ by: 'failover' }, { by: 'rollback' }], protection: { start: 'none', wanted: 'dmr', end: 'dmr' } });
  // For so long the guest stood still to be copied: in cycles of its chip.
  for (const { cycles } of report?.clones ?? []) expect(cycles).toBeGreaterThan(1_000_000);
  console.log(`the client waited for ${Math.round(result?.longestPause ?? 0)} ms at most, of the host's time; the guest stood still for ${report?.clones?.map(({ cycles }) => `${(cycles / 2e6).toFixed(1)} ms`).join(' and ')} of its chip's`);
});
