# The load of a soak: real programs in an order drawn from a seed, for ever.
# $1: the seed; $2: turns, if all kinds of work are to come in turn instead. Says a line a round: its number, what was done, what came out.
# Runs in Debian's root file system; everything has to come out right, so each
# kind of work checks itself, and says FAILED where it does not.
export LC_ALL=C HOME=/root
seed=$1
order=$2
round=0
umask 022

# A number below $1, in $drawn.
draw() {
  seed=$(( (seed * 1103515245 + 12345) & 0x7fffffff ))
  drawn=$(( (seed >> 16) % $1 ))
}

# The same text for the same number of lines.
text() {
  line=0
  while [ $line -lt "$1" ]; do echo "line $line of round $round, with a pattern"; line=$((line + 1)); done
}

brief() { sha256sum | cut -c 1-16; }

# True where standard input is what the file $1 has.
same() { [ "$(sha256sum)" = "$(sha256sum < "$1")" ]; }

processor() {
  draw 400
  sysbench cpu --cpu-max-prime=$((100 + drawn)) --events=30 --time=0 --threads=2 run | grep -c 'total number of events: *30'
}

# Processor, memory, disk and sync in processes side by side, for a second of the guest's time.
mixed() {
  (cd /root && stress --quiet --cpu 1 --io 1 --vm 1 --vm-bytes 24M --hdd 1 --hdd-bytes 4M --timeout 1) && echo done
}

digests() {
  text 300 > /tmp/digested
  draw 4
  for digest in sha1 sha512 sha3-256 blake2b512; do
    [ $drawn -eq 0 ] && openssl dgst -$digest -r /tmp/digested | cut -c 1-16
    drawn=$((drawn - 1))
  done
}

cipher() {
  text 400 > /tmp/plain
  openssl enc -aes-256-cbc -pbkdf2 -iter 10 -S 0011223344556677 -k "$round" -in /tmp/plain -out /tmp/secret
  openssl enc -d -aes-256-cbc -pbkdf2 -iter 10 -k "$round" -S 0011223344556677 -in /tmp/secret | same /tmp/plain && brief < /tmp/secret
}

# Written to the disk, forgotten by the page cache, and read again.
disk() {
  draw 24
  head -c $(( (drawn + 1) * 65536 )) /dev/urandom > /tmp/block
  draw 8
  dd if=/tmp/block of=/root/file.$drawn bs=64k conv=fsync 2>/dev/null
  echo 3 > /proc/sys/vm/drop_caches
  same /tmp/block < /root/file.$drawn && brief < /root/file.$drawn
}

database() {
  sqlite3 /root/soak.db <<SQL
create table if not exists t(id integer primary key, round integer, name text, value real);
create index if not exists by_name on t(name);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60)
  insert into t(round, name, value) select $round, 'name ' || ((i * 7919 + $round) % 1009), sqrt(i) * sin(i + $round) from n;
delete from t where round < $round - 40;
commit;
select count(*) || ' ' || printf('%.9f', sum(value)) from t where round = $round;
pragma integrity_check;
SQL
}

packing() {
  text 200 > /tmp/unpacked
  xz -1 -T1 -c /tmp/unpacked > /root/packed.xz && xz -dc /root/packed.xz | same /tmp/unpacked && brief < /root/packed.xz
}

# Processes and pipes.
pipes() {
  draw 8
  sum=0
  for i in 1 2 3 4 5 6; do
    sum=$((sum + $(text $((drawn + i)) | sed 's/pattern/other/' | grep -c other)))
  done
  [ $sum -eq $((drawn * 6 + 21)) ] && echo $sum
}

sleepers() {
  for i in 1 2 3 4 5; do (sleep 0.0$i; echo $i) & done | sort -n | tr -d '\n'
  wait
  echo
}

# A handler, a process that is killed, one that is stopped and goes on, one that an alarm ends.
signals() {
  sh -c '
    got=0
    trap "got=\$((got + 1))" USR1
    for i in 1 2 3 4 5; do kill -USR1 $$; done
    sleep 100 & kill -STOP $!; kill -CONT $!; kill -TERM $!; wait $!; killed=$?
    timeout 0.01 sh -c "while :; do :; done"; late=$?
    [ $got -eq 5 ] && [ $killed -eq 143 ] && [ $late -eq 124 ] && echo $got $killed $late
  ' 2> /dev/null
}

entropy() {
  head -c 1024 /dev/urandom > /tmp/random
  head -c 512 /dev/hwrng >> /tmp/random 2> /dev/null
  brief < /tmp/random
}

sorting() {
  draw 200
  text $((200 + drawn)) | sort -r | sort -n -k 2 > /tmp/sorted
  text $((200 + drawn)) | same /tmp/sorted && brief < /tmp/sorted
}

# Sockets on the guest's own loopback.
sockets() {
  redis-cli ping > /dev/null 2>&1 || {
    redis-server --save '' --dir /tmp --maxmemory 8mb --maxmemory-policy allkeys-lru > /dev/null 2>&1 &
    until redis-cli ping > /dev/null 2>&1; do sleep 0.02; done
  }
  { echo del sum; for i in 1 2 3 4 5 6 7 8 9; do echo incrby sum $((i * round)); echo set key:$i:$round $i; done; echo get sum; } | redis-cli | tail -n 1 > /tmp/sum
  [ "$(cat /tmp/sum)" -eq $((45 * round)) ] && cat /tmp/sum
}

bundling() {
  echo 'import { twice } from "./b.js"; console.log(twice('$round'));' > /tmp/a.js
  echo 'export const twice = (x) => 2 * x; export const unused = 1;' > /tmp/b.js
  (cd /tmp && /opt/esbuild/bin/esbuild a.js --bundle --minify | tr -d '\n' | grep -o "console.log(.*$round.*))")
}

all='processor mixed digests cipher disk database packing pipes sleepers signals entropy sorting sockets bundling'
for needed in sysbench stress openssl sqlite3 xz redis-server /opt/esbuild/bin/esbuild; do
  command -v $needed > /dev/null || { echo "SOAK missing $needed"; exit 2; }
done
echo "SOAK begins, seed $seed"

# Each kind of work once, then as the seed has it.
for work in $all; do
  round=$((round + 1))
  out=$($work 2>&1) && echo "$round $work:" $out || echo "$round $work: FAILED:" $out
done
while :; do
  round=$((round + 1))
  # What the work draws, it draws in a shell of its own.
  draw 3; draw 5; draw 14
  [ "$order" = turns ] && drawn=$((round % 14))
  set -- $all
  shift $drawn
  out=$($1 2>&1) && echo "$round $1:" $out || echo "$round $1: FAILED:" $out
done
