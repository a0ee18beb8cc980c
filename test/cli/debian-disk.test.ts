import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../engine/covert/report';
import { debianFiles } from '../../server/guest/debian';
import { covert } from './covert';

const files = debianFiles();
const tools = ((): string => {
  try {
    execFileSync('mke2fs', ['-V'], { stdio: 'ignore' });
    execFileSync('e2fsck', ['-V'], { stdio: 'ignore' });
    return '';
  } catch {
    return ' (skipped: no mke2fs and e2fsck, of the package e2fsprogs)';
  }
})();
const missing = 'missing' in files ? ` (skipped: no ${files.missing} of npm run guest:debian)` : tools;

let folder = '';
const at = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-debian-disk-'));
});
afterAll(() => rm(folder, { recursive: true }));

const database = [
  'cd /disk',
  'echo BEGIN',
  `sqlite3 t.db "create table t(id integer primary key, name text, v integer); begin; with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) insert into t(name, v) select 'name ' || ((i * 7919) % 1009), i * i from n; commit; update t set v = v + 1 where id % 3 = 0; select count(*) || ' ' || sum(v) from t;"`,
  'sync',
  'echo END',
].join('; ');
const check = "cd /disk; sqlite3 t.db 'pragma integrity_check; select count(*), sum(v) from t;'";

const fileOf = (image: string): string => `chip six { cores 6 at 2 GHz  l2 6 banks of 512 KiB  memory 6 controllers  ring  spare core 5 }
guest writer { linux debian  run "sh" "-c" ${JSON.stringify(database)}  disk "${image}" writable }
guest reader { linux debian  run "sh" "-c" ${JSON.stringify(check)}  disk "${image}" writable }
scenario "sound" { chip six  guest writer  protect none on core 0  expect exit 0 }
scenario "struck" {
  chip six
  guest writer
  protect dmr on core 0, core 1
  fault flip pc bit 21 in replica A at console "BEGIN"
  fault kill core 1 at console "END"
  expect recovered by rollback, failover
  expect exit 0
  expect no corruption
}
scenario "read" { chip six  guest reader  protect none on core 0  expect exit 0 }
`;

test.skipIf(missing !== '')(`a database on Debian's disk outlasts a flip and a dead core, and the image is the fault-free one${missing}`, { timeout: 900_000 }, async () => {
  const id = '11111111-2222-3333-4444-555555555555';
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-U', id, '-E', `hash_seed=${id}`, at('sound.img'), '16M']);
  copyFileSync(at('sound.img'), at('struck.img'));
  for (const name of ['sound', 'struck']) {
    writeFileSync(at(`${name}.covert`), fileOf(`${name}.img`));
    const { exit, stdout } = await covert(['run', at(`${name}.covert`), '-s', name, '--json']);
    const [report] = JSON.parse(stdout) as [Report];
    expect({ exit, failed: report.expectations.filter(({ held }) => !held) }).toEqual({ exit: 0, failed: [] });
    expect(report.guest.output).toMatch(/^BEGIN\r\n300 9045150\r\nEND\r\n/);
    expect(report.released.disk?.writes).toBeGreaterThan(20);
  }
  expect(readFileSync(at('struck.img')).equals(readFileSync(at('sound.img')))).toBe(true);
  execFileSync('e2fsck', ['-fn', at('struck.img')], { stdio: 'ignore' });
  const { exit, stdout } = await covert(['run', at('struck.covert'), '-s', 'read', '--json']);
  expect(exit).toBe(0);
  expect((JSON.parse(stdout) as [Report])[0].guest.output).toMatch(/^ok\r\n300\|9045150\r\n/);
});
