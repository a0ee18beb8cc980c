import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SystemEvent } from '../../engine/covert/events';
import type { FaultPlan, Plan } from '../../engine/covert/plan';
import type { ReleasedData } from '../../engine/covert/release-log';
import { Session } from '../../engine/history/session';
import { CheckingClient, type ClientOptions, type ClientResult } from '../../engine/network/checking-client';
import { debianFiles } from '../../server/guest/debian';
import { compileFile } from '../../server/language/compile';
import { root } from '../cli/covert';

const files = debianFiles();
const noDebian = 'missing' in files ? ` (skipped: no ${files.missing} of npm run guest:debian)` : '';

/** Serves two files, until the second of them is asked for. */
const serve = [
  'seq 1 60000 > /tmp/numbers; echo bye > /tmp/bye',
  "echo 'user root; error_log stderr; pid /tmp/pid; events {} http { access_log /tmp/log; server { listen 80; root /tmp; } }' > /tmp/nginx.conf",
  'nginx -c /tmp/nginx.conf',
  'until grep -q /bye /tmp/log; do sleep 0.05; done',
  'echo SERVED',
].join('; ');

async function planOf(): Promise<Plan> {
  const text = `
    chip five { cores 5 at 2 GHz  l2 8 banks of 512 KiB  memory 4 controllers  ring  spare core 4 }
    guest server { linux debian  run "sh" "-c" ${JSON.stringify(serve)}  forward tcp 127.0.0.1:8080 to 80 }
    scenario "a web server" { chip five  guest server  protect dmr on core 0, core 1  expect exit 0 }`;
  const { plans, diagnostics } = await compileFile(path.join(root, 'examples', 'here.covert'), { text });
  expect(diagnostics).toEqual([]);
  const [plan] = plans;
  if (!plan) throw new Error('no plan');
  return plan;
}

const numbers = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${i + 1}\n`).join(''));
const get = (name: string, answer: Buffer): { request: Buffer; answer: Buffer; behind: Buffer } => ({
  request: Buffer.from(`GET /${name} HTTP/1.1\r\nHost: guest\r\n\r\n`),
  answer,
  behind: Buffer.from('\r\n\r\n'),
});
const visit = { port: 80, exchanges: [get('numbers', numbers), get('numbers', numbers)] };
const client: ClientOptions = { visits: [visit, visit, { port: 80, exchanges: [get('bye', Buffer.from('bye\n'))] }] };

interface Outcome {
  result: ClientResult;
  events: readonly SystemEvent[];
  console: string;
  network: ReleasedData;
}

async function outcomeOf(plan: Plan, faults: FaultPlan[] = []): Promise<Outcome> {
  const outside = new CheckingClient(client);
  const session = Session.create({ ...plan, faults }, { outside, findDivergences: false, threads: 2 });
  try {
    const rest = await session.forward({ stopAt: new Set(), breakpoints: new Set() });
    expect(rest).toMatchObject({ why: 'end', event: { how: 'exit', exitCode: 0 } });
    return { result: outside.result, events: session.events, console: Buffer.from(session.released).toString(), network: session.releasedData('net') };
  } finally {
    session.close();
  }
}

const recoveries = ({ events }: Outcome): string[] => events.flatMap((event) => (event.kind === 'recovery' ? [event.by] : []));

describe.skipIf(noDebian !== '')(`Debian's nginx in two replicas${noDebian}`, () => {
  test('gives a client every byte once, whatever strikes it meanwhile', { timeout: 1_800_000 }, async () => {
    const plan = await planOf();
    const sound = await outcomeOf(plan);
    expect(sound.console).toContain('SERVED');
    expect(sound.result).toMatchObject({ visits: 3, answered: 5, broken: 0, bytes: 4 * numbers.length + 4, wrong: 0, lost: 0, duplicate: 0 });
    expect(recoveries(sound)).toEqual([]);

    // Where half of all frames have been sent, in the middle of a transfer.
    const frames = sound.events.filter((event) => event.kind === 'release' && event.bytes.length === 0);
    const { instruction = 0 } = frames[Math.floor(frames.length / 2)] ?? {};
    const at = { kind: 'instruction', count: instruction } as const;
    const common = { name: 'fault', text: 'a fault under test', trigger: at, optional: false };
    const flipped = await outcomeOf(plan, [{ ...common, effect: { kind: 'flip', place: { kind: 'pc' }, bits: [21] }, target: { kind: 'replica', replica: 'B' } }]);
    expect(recoveries(flipped)).toEqual(['rollback']);
    const killed = await outcomeOf(plan, [{ ...common, effect: { kind: 'die', how: 'stops' }, target: { kind: 'component', component: 'core 1' } }]);
    expect(recoveries(killed)).toEqual(['failover']);
    for (const { result, console, network } of [flipped, killed]) {
      expect({ result, console, network }).toEqual({ result: sound.result, console: sound.console, network: sound.network });
    }
  });
});
