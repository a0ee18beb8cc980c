import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianFiles, type DebianFiles } from '../../server/guest/debian';
import { initialDisk, onEngine, underQemu } from './debian';
import { needsQemu } from './qemu';

const found = debianFiles();
const files = found as DebianFiles;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-programs-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeInitialDisk(script: string): Promise<string> {
  const initrd = path.join(folder, 'initrd.cpio');
  await writeFile(initrd, initialDisk(files, script, true));
  return initrd;
}

/** What the real programs do, a line of their results each. */
const script = `
echo BEGIN
uname -m
cd /tmp
i=0; while [ $i -lt 2000 ]; do echo "line $i of a file that has a pattern"; i=$((i + 1)); done > text
for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512; do openssl dgst -$digest text; done
openssl enc -aes-256-cbc -pbkdf2 -S 0011223344556677 -k secret -in text | openssl dgst -sha256
openssl enc -chacha20 -K 00 -iv 00 -in text 2>/dev/null | openssl dgst -sha256
sqlite3 /root/test.db <<SQL
create table t(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) insert into t select i, 'name ' || (i * 7919 % 1009), sqrt(i) * sin(i) from n;
create index by_name on t(name);
select count(*), printf('%.12f', sum(value)), printf('%.12f', avg(value * value)), max(name) from t;
select name, count(*) from t group by name order by 2 desc, 1 limit 3;
pragma integrity_check;
SQL
xz -6 -T1 -k -c text > text.xz && sha256sum text.xz && xz -dc text.xz | sha256sum && sha256sum < text
7z a -bd -mmt1 archive.7z text > /dev/null && 7z t -bd -mmt1 archive.7z | grep -E '^(Everything|Size|Files)'
printf 'import { twice } from "./b.js";\\nconsole.log(twice(21));\\n' > a.js
printf 'export const twice = (x) => 2 * x;\\nexport const unused = 1;\\n' > b.js
/opt/esbuild/bin/esbuild a.js --bundle --minify
sysbench --version
exit 7
`;

const noDebian = 'missing' in found ? ` (skipped: no ${found.missing} of npm run guest:debian)` : '';

describe.skipIf(noDebian !== '')(`real programs of Debian${noDebian}`, () => {
  test.skipIf(needsQemu !== '')(`openssl, sqlite3, xz, 7z and esbuild say what they say under qemu${needsQemu}`, async () => {
    const initrd = await writeInitialDisk(script);
    const ours = await onEngine(files, initrd);
    const theirs = await underQemu(files, initrd);
    expect(theirs.output).toMatch(/text.xz[^]*Everything is Ok[^]*console\.log\(/);
    expect(ours).toEqual({ ...theirs, exit: 7 });
  });

  test('nginx serves 10 MB, and redis-server answers, over forwarded ports', async () => {
    const config = 'user root; daemon off; error_log stderr; pid /tmp/pid; events {} http { access_log off; server { listen 80; root /tmp; } }';
    const serve = `
      head -c 10000000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null > /tmp/big
      echo '${config}' > /tmp/nginx.conf
      redis-server --save '' --protected-mode no > /tmp/redis.log &
      nginx -c /tmp/nginx.conf &
      until redis-cli ping > /dev/null 2>&1; do sleep 0.1; done
      echo BEGIN; sha256sum < /tmp/big; echo READY
      redis-cli --raw blpop done 0
      exit 3`;
    const initrd = await writeInitialDisk(serve);
    const [web, redis] = [20_000 + (process.pid % 10_000), 30_000 + (process.pid % 10_000)];
    let served = '';
    let answered = '';
    const run = onEngine(files, initrd, {
      forwards: [`tcp:${web}:80`, `tcp:${redis}:6379`],
      meanwhile: (child, said) => {
        child.stdout?.on('data', () => {
          if (served !== '' || !said().includes('READY')) return;
          served = 'begun';
          const body = execFileSync('curl', ['--silent', '--show-error', '--fail', '--max-time', '120', `http://127.0.0.1:${web}/big`], { maxBuffer: 2 ** 25 });
          served = createHash('sha256').update(body).digest('hex');
          const client = connect(redis, '127.0.0.1');
          client.on('data', (bytes) => (answered += bytes.toString()));
          client.end('SET key value\r\nAPPEND key more\r\nGET key\r\nLPUSH done now\r\n');
        });
      },
    });
    const { exit, output } = await run;
    expect(exit).toBe(3);
    expect(served).toMatch(/^[0-9a-f]{64}$/);
    expect(output).toContain(served);
    expect(answered).toBe('+OK\r\n:9\r\n$9\r\nvaluemore\r\n:1\r\n');
  });
});
