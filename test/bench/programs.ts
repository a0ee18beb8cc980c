/**
 * The programs of Debian that are measured, and the script that runs them in a
 * guest. The work is fixed, or the program itself says how much it has done:
 * the guest's clock is no measure, since ours counts instructions.
 */

export interface Program {
  name: string;
  /** Programs that compute, or servers with a client in the same guest, over its loopback. */
  group: 'compute' | 'loads';
  what: string;
  /** Shell lines that run before the clock does. */
  prepare?: (quick: boolean) => string;
  /** Shell lines that are timed. */
  run: (quick: boolean) => string;
  /** Lines of the output between which it is timed; without them all of `run` is. */
  between?: { from: RegExp; to: RegExp };
  /** Captures in the output how much work was done; without it that is the same everywhere. */
  work?: RegExp;
  /** The output has to be the same on every machine. */
  same: boolean;
  /** It cannot be had for less than some seconds: not in the quick form. */
  long?: true;
}

/**
 * `openssl speed` works for a time of the guest's and says how often; a second is the least it takes. After what
 * is wanted it would go on with other operations.
 */
function openssl(name: string, what: string, algorithm: string, seconds: number): Program {
  return {
    name, group: 'compute', what, same: false,
    prepare: () => 'rm -f speed; mkfifo speed',
    run: (quick) => `openssl speed -mr -seconds ${quick ? 1 : seconds} ${algorithm} > speed 2>&1 &
sed -u '/^+R/q' speed
kill $!`,
    between: { from: /^\+DT/, to: /^\+R/ },
    work: /^\+R1?:(\d+):/,
  };
}

export const programs: readonly Program[] = [
  {
    name: 'sysbench cpu', group: 'compute', what: 'primes by trial division', same: true,
    run: (quick) => `sysbench cpu --cpu-max-prime=10000 --events=${quick ? 100 : 1600} --time=0 --threads=1 run | grep 'number of events'`,
  },
  openssl('openssl sha256', 'blocks of 8 KiB', '-bytes 8192 sha256', 6),
  openssl('openssl aes', 'aes-128-cbc, blocks of 8 KiB', '-bytes 8192 -evp aes-128-cbc', 6),
  openssl('openssl rsa', 'private operations, 1024 bits', 'rsa1024', 4),
  {
    name: '7z b', group: 'compute', what: 'LZMA both ways, dictionary of 256 KiB, one thread', same: false, long: true,
    // Told that the processor is this slow, it does the least and the same amount of work; before, it measures the processor, which is not timed.
    run: () => '7z b -mmt1 -md18 -mfreq=1 -mtime=1',
    between: { from: /^Dict /, to: /^18:/ },
  },
  {
    name: 'sqlite3', group: 'compute', what: 'a table with an index, aggregates, in memory', same: true,
    run: (quick) => `sqlite3 :memory: <<SQL
create table t(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < ${quick ? 15_000 : 150_000})
  insert into t select i, 'name ' || (i * 7919 % 1009), sqrt(i) * sin(i) from n;
create index by_name on t(name);
select count(*), printf('%.12f', sum(value)), printf('%.12f', avg(value * value)), max(name) from t;
select name, count(*) from t group by name order by 2 desc, 1 limit 3;
SQL`,
  },
  {
    name: 'xz', group: 'compute', what: 'level 6, the beginning of a program', same: true,
    prepare: (quick) => `head -c ${quick ? 250_000 : 2_500_000} /usr/bin/redis-check-rdb > plain`,
    run: () => 'xz -6 -T1 -c plain | sha256sum',
  },
  {
    name: 'redis', group: 'loads', what: 'redis-benchmark in the guest, ten clients, set and get', same: true,
    prepare: () => `redis-server --save '' --dir /tmp > redis.log 2>&1 &
until redis-cli ping > ping.log 2>&1; do sleep 0.05; done`,
    run: (quick) => `redis-benchmark -n ${quick ? 500 : 8000} -c 10 -t set,get --csv | cut -d , -f 1`,
  },
  {
    name: 'nginx', group: 'loads', what: 'a page of 10 KB over one connection, requests in a row', same: true,
    prepare: (quick) => `head -c 10000 /usr/bin/redis-check-rdb > page
echo 'user root; daemon off; error_log stderr; pid /tmp/pid; events {} http { access_log off; keepalive_requests 100000; server { listen 80; root /tmp; } }' > nginx.conf
request='GET /page HTTP/1.1\\r\\nHost: guest\\r\\n'
i=1; while [ $i -lt ${quick ? 500 : 12_000} ]; do printf "$request\\r\\n"; i=$((i + 1)); done > requests
printf "$request"'Connection: close\\r\\n\\r\\n' >> requests
nginx -c /tmp/nginx.conf &
until [ -s pid ]; do sleep 0.05; done`,
    run: () => `bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; cat requests >&3 & grep -ac "^HTTP/1.1 200 OK" <&3'`,
  },
];

export const begins = (name: string): string => `BENCH begins ${name}`;
export const ends = (name: string): string => `BENCH ends ${name}`;

/** Runs programs one after the other, with a line before and after each. */
export function scriptOf(chosen: readonly Program[], quick: boolean): string {
  const parts = chosen.map(({ name, prepare, run }) => `${prepare?.(quick) ?? ''}\necho '${begins(name)}'\n${run(quick)}\necho '${ends(name)}'`);
  return `export LC_ALL=C HOME=/root\ncd /tmp\nip link set lo up\n${parts.join('\n')}\nexit 0`;
}
