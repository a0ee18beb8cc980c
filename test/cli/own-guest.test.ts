import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './covert';
import { freePort } from './free-port';

/**
 * docs/own-guest.md as a newcomer follows it: its files are written into an empty folder, its commands are given there, and what it shows is
 * compared with what comes. COVERT_UPDATE_GOLDENS=1 writes that into the page.
 */
const page = path.join(root, 'docs', 'own-guest.md');
const command = path.join(root, 'dist', 'covert.cjs');

/** What the page's figures are of: another compiler makes other addresses and counts. */
const compiler = '12.2.0';
const found = spawnSync('riscv64-unknown-elf-gcc', ['-dumpversion'], { encoding: 'utf8' }).stdout?.trim();
const obstacle = found === undefined ? 'no riscv64-unknown-elf-gcc' : found === compiler ? undefined : `the page is made with gcc ${compiler}, here is ${found}`;

let folder = '';
let text = '';
/** By name. */
let files = new Map<string, string>();

beforeAll(async () => {
  text = await readFile(page, 'utf8');
  files = new Map([...text.matchAll(/^\*\*`([\w.-]+)`\*\*:.*\n\n```\w+\n([^]*?)^```$/gm)].map(([, name = '', content = '']) => [name, content]));
  folder = await mkdtemp(path.join(tmpdir(), 'covert-own-guest-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(obstacle !== undefined)(`a guest of one's own, from the page about it${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  test('its files and its commands give what it shows', async () => {
    await writeFiles();
    const shown = blocks('console');
    // One session of a shell, in which `npx covert` is this clone's; a mark after each block.
    const mark = '-- end of block --';
    const lines = shown.flatMap((block) => [...block.matchAll(/^\$ (.*)$/gm)].map(([, line = '']) => line).flatMap((line) => [`say ${quoted(`$ ${line}`)}`, `(exit $status); ${line}`, 'status=$?']).concat(`say ${quoted(mark)}`));
    const { stdout, status } = inShell(['npx() { shift; "$COVERT_NODE" "$COVERT_COMMAND" "$@"; }', "say() { printf '%s\\n' \"$1\"; }", 'status=0', ...lines, 'exit $status'].join('\n'));
    const came = stdout.split(`${mark}\n`).slice(0, -1);
    expect(status).toBe(0);
    expect(came).toHaveLength(shown.length);
    await agree('console', came);
  });

  test('its debugger stops where it says', async () => {
    await writeFiles();
    expect(inShell('sh build.sh').status).toBe(0);
    const [line = ''] = blocks('sh').filter((block) => block.startsWith('npx covert debug'));
    const [launch = ''] = blocks('json');
    const port = await freePort();
    const [, , ...args] = line.trim().replace('4711', String(port)).split(' ');
    const adapter = spawn(process.execPath, [command, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      expect(await firstLine(adapter)).toBe(/It says `(.*?)`/.exec(text)?.[1]?.replace('4711', String(port)));
      const session = await Session.open(port, JSON.parse(launch) as DebugProtocol.LaunchRequestArguments);
      const lines: string[] = [];
      for (let stop = await session.move('configurationDone'); ; stop = await session.move('continue')) {
        const { reason, text: what = '' } = stop;
        lines.push(`${reason.padEnd(11)} ${what}\n`);
        if (reason === 'end') break;
        for (const line of await session.look(stop)) lines.push(`${' '.repeat(11)} ${line}\n`);
      }
      await agree('text', [lines.join('')]);
      for (const way of ['reverseContinue', 'reverseContinue', 'stepBack'] as const) await session.move(way);
      expect(await session.look(await session.move('stepBack'))).toEqual([expect.stringMatching(/^main sum\.c:32 </), expect.stringContaining('the replicas do not differ')]);
      await session.close();
    } finally {
      adapter.kill();
      await once(adapter, 'close');
    }
  });

  const float = (source: string): string => source.replace('int main(void) {', 'static volatile double half = 0.5;\nint main(void) {\n  half *= 3;');
  const wild = (source: string): string => source.replace('int main(void) {', 'int main(void) {\n  *(volatile int *)16 = 1;');
  const without = (part: RegExp) => (source: string): string => source.replace(part, '');
  const zeroing = (source: string): string => source.replace('int main(void) {', 'int main(void) {\n  char line[500] = {0};\n  print(line);');

  test.each<[symptom: string, run: string, changes: Record<string, (content: string) => string>, end?: string]>([
    ['it wants memory 0x10000 to …, but RAM is 0x80000000 to …', 'exec sum.elf', { 'guest.ld': (script) => script.replace('0x80000000', '0x10000') }],
    ['relocation truncated to fit: R_RISCV_HI20 …', '', { 'build.sh': without(/-mcmodel=medany/) }],
    ["unrecognized opcode …, extension …zicsr' required", '', { 'build.sh': (script) => script.replace('rv64gc', 'rv64imac').replace('lp64d', 'lp64') }],
    ['undefined reference to …memset', '', { 'sum.c': zeroing }],
    ['the guest takes traps without end and runs no instruction', 'exec sum.elf', { 'start.S': without(/^.*mtvec,.*$/m), 'sum.c': wild }],
    ['exit code 66', 'exec sum.elf', { 'start.S': without(/^.*csrs.*$/m), 'sum.c': float }],
    ['exit code 0', 'exec sum.elf', { 'sum.c': float }],
    ['exit code 69 or 71', 'exec sum.elf', { 'sum.c': wild }],
    ['the guest was stopped at the limit (--max-instructions)', 'exec sum.elf --max-instructions 1_000_000', { 'build.sh': (script) => script.replace('-static', '-static -s') }, 'end-tohost.S'],
    ['the guest has no line information: build it with debug information (-g)', 'check sum.covert', { 'build.sh': without(/-gdwarf-5/) }],
    ['the guest has no symbol `totl`; did you mean `total`?', 'check sum.covert', { 'sum.covert': (scenario) => scenario.replace('&total', '&totl') }],
  ])('what it says of what goes wrong: %s', async (symptom, run, changes, end = 'end.S') => {
    await writeFiles(changes);
    const built = inShell(`sh build.sh ${end}`);
    const { stdout, stderr, status } = run === '' || built.status !== 0 ? built : inShell(`"$COVERT_NODE" "$COVERT_COMMAND" ${run}`);
    const exit = /^exit code (\d+)(?: or (\d+))?$/.exec(symptom);
    if (exit) expect(exit.slice(1)).toContain(String(status));
    else expect((stdout + stderr).replaceAll('‘', "'").replaceAll('’', "'")).toMatch(new RegExp(symptom.split('…').map(escaped).join('.*')));
    if (status !== 0) expect(text).toContain(symptom);
  });
});

/** Writes the page's files into the folder, all of them anew. */
async function writeFiles(changes: Record<string, (content: string) => string> = {}): Promise<void> {
  expect([...files.keys()]).toEqual(expect.arrayContaining(['build.sh', 'sum.covert', ...Object.keys(changes)]));
  for (const [name, content] of files) {
    const changed = changes[name]?.(content) ?? content;
    if (changes[name]) expect(changed).not.toBe(content);
    await writeFile(path.join(folder, name), changed);
  }
}

/** What a shell makes of a script in the folder. */
function inShell(script: string): { stdout: string; stderr: string; status: number | null } {
  return spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C', COVERT_NODE: process.execPath, COVERT_COMMAND: command } });
}

/** Contents of the page's fenced blocks of a kind. */
function blocks(kind: string): string[] {
  return [...text.matchAll(fence(kind))].map(([, , content = '']) => content);
}

function fence(kind: string): RegExp {
  return new RegExp(`^(\`\`\`${kind}\\n)([^]*?)(?=^\`\`\`$)`, 'gm');
}

/** The page's blocks of a kind are these, or become these. */
async function agree(kind: string, contents: readonly string[]): Promise<void> {
  const left = [...contents];
  const current = text.replace(fence(kind), (_, head: string) => head + (left.shift() ?? ''));
  if (process.env['COVERT_UPDATE_GOLDENS']) await writeFile(page, (text = current));
  else expect(text).toBe(current);
}

async function firstLine({ stderr }: ChildProcess): Promise<string> {
  let heard = '';
  for await (const chunk of stderr ?? []) if ((heard += String(chunk)).includes('\n')) break;
  return heard.split('\n')[0] ?? '';
}

/** A client of the debugger that has been asked for the scenario, and nothing more. */
class Session {
  readonly #client = new DebugClient('', '', 'covert');
  #stops: DebugProtocol.StoppedEvent['body'][] = [];

  private constructor() {
    this.#client.on('stopped', ({ body }: DebugProtocol.StoppedEvent) => this.#stops.push(body));
  }

  static async open(port: number, launch: DebugProtocol.LaunchRequestArguments): Promise<Session> {
    const session = new Session();
    const client = session.#client;
    await client.start(port);
    await client.initializeRequest();
    await Promise.all([client.waitForEvent('initialized'), client.launchRequest(launch)]);
    await client.setExceptionBreakpointsRequest({ filters: ['divergence', 'detection'] });
    return session;
  }

  /** Waits until all replicas have stopped: the one in focus. */
  async move(request: 'configurationDone' | 'continue' | 'reverseContinue' | 'stepBack'): Promise<DebugProtocol.StoppedEvent['body']> {
    this.#stops = [];
    await Promise.all([this.#client.waitForEvent('covert/moved'), this.#client.send(request, { threadId: 1 })]);
    const [stop] = this.#stops;
    if (!stop) throw new Error('nobody has stopped');
    return stop;
  }

  /** The place, its callers, and what differs there, a line each. */
  async look({ threadId = 1 }: DebugProtocol.StoppedEvent['body']): Promise<string[]> {
    const { stackFrames } = (await this.#client.stackTraceRequest({ threadId })).body;
    const { scopes } = (await this.#client.scopesRequest({ frameId: stackFrames[0]?.id ?? 0 })).body;
    const variablesReference = scopes.find(({ name }) => name === 'A≠B')?.variablesReference ?? 0;
    const { variables } = (await this.#client.variablesRequest({ variablesReference })).body;
    return [stackFrames.map(({ name, source, line }) => `${name} ${source?.name}:${line}`).join(' < '), ...variables.map(({ name, value }) => `${name}  ${value}`)];
  }

  close(): Promise<void> {
    return this.#client.stop();
  }
}

function quoted(line: string): string {
  return `'${line.replaceAll("'", "'\\''")}'`;
}

function escaped(part: string): string {
  return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
