import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debianFiles } from '../../server/guest/debian';
import { initialDisk } from '../oracles/debian';
import { covert } from './covert';
import { freePort } from './free-port';

const files = debianFiles();
const noDebian = 'missing' in files ? ` (skipped: no ${files.missing} of npm run guest:debian)` : '';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-state-network-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Says something to a port until it is said back. */
async function echoed(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const answer = await new Promise<string>((resolve) => {
      socket.on('error', () => resolve('')).on('close', () => resolve('')).on('data', (bytes) => resolve(bytes.toString()));
      socket.write('hello');
    });
    // That of the first guest stays open until its run is over.
    if (answer === 'hello') return;
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test.skipIf(noDebian !== '')(`a guest's connections of before are reset, and new ones open${noDebian}`, async () => {
  if ('missing' in files) return;
  const [initrd, state] = [path.join(folder, 'initrd'), path.join(folder, 'state')];
  await writeFile(initrd, initialDisk(files, 'echo READY; nc -ll -p 7000 -e /bin/cat'));
  const [before, after] = [await freePort(), await freePort()];
  const boot = ['exec', '--linux', '--ram', '256MiB', files.kernel, '--initrd', initrd, '--append', 'console=ttyS0 quiet'];
  const first = covert([...boot, '--forward', `tcp:${before}:7000`, '--max-instructions', '2_200_000_000', '--save', state]);
  await echoed(before);
  expect((await first).stdout).toContain('READY');
  const { stderr } = await covert(['exec', '--from', state, '--forward', `tcp:${after}:7000`], {
    meanwhile: (child) => void echoed(after).then(() => child.kill('SIGINT')),
  });
  // It is interrupted once the guest has answered on a new connection, and by nothing else.
  expect(stderr).toMatch(/covert: interrupted\n$/);
});
