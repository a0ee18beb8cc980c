import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect } from 'vitest';

export const root = resolve(import.meta.dirname, '../..');
const command = join(root, 'dist/covert.cjs');

/** A message of a transcript, without sequence numbers and paths of this machine. */
type Line = { request: string; arguments?: unknown } | { response: string; body?: unknown; error?: string } | { event: string; body?: unknown };

/**
 * A client of the real debug adapter, in a process of its own on stdio, that
 * writes down all that is said. `check` compares it with the golden file of
 * that name; COVERT_UPDATE_GOLDENS=1 writes the file instead.
 */
export class Transcript {
  readonly #lines: Line[] = [];
  #stops: DebugProtocol.StoppedEvent['body'][] = [];
  #arrived: (() => void)[] = [];

  private constructor(readonly client: DebugClient) {
    // Messages are written down as they come in: promises settle later, in an order of their own.
    const inner = client as unknown as { dispatch(body: string): void };
    const dispatch = inner.dispatch.bind(client);
    inner.dispatch = (body) => {
      this.#hear(JSON.parse(body) as DebugProtocol.Event | DebugProtocol.Response);
      dispatch(body);
    };
  }

  #hear(message: DebugProtocol.Event | DebugProtocol.Response): void {
    const body = message.body === undefined ? {} : { body: clean(message.body) };
    if ('event' in message) {
      this.#lines.push({ event: message.event, ...body });
      if (message.event === 'stopped') this.#stops.push(message.body as DebugProtocol.StoppedEvent['body']);
      // The last message of every stop, and of the session.
      if (message.event === 'covert/moved' || message.event === 'terminated') {
        for (const arrive of this.#arrived.splice(0)) arrive();
      }
    } else {
      const error = message.success ? {} : { error: String(clean(message.message)) };
      this.#lines.push({ response: message.command, ...body, ...error });
    }
  }

  /** `options`: of `covert debug`. */
  static start(options: readonly string[] = []): Transcript {
    if (!existsSync(command)) throw new Error(`${command} is missing: run npm run build first`);
    const client = new DebugClient(process.execPath, command, 'covert', undefined, true);
    client.defaultTimeout = 60_000;
    startWithArguments(client, options);
    return new Transcript(client);
  }

  async send(request: string, args?: object): Promise<unknown> {
    this.#lines.push({ request, ...(args ? { arguments: clean(args) } : {}) });
    const { body } = (await this.client.send(request, args)) as { body?: unknown };
    return body;
  }

  /** Sends a request that moves the guest and waits for the stop; all replicas' stopped events, the focused first. */
  async move(request: string, args?: object): Promise<DebugProtocol.StoppedEvent['body'][]> {
    this.#stops = [];
    const arrived = new Promise<void>((resolve) => this.#arrived.push(resolve));
    await this.send(request, args);
    await arrived;
    return this.#stops;
  }

  /** Initializes, launches, sets breakpoints, and waits for the first stop. */
  async launch(
    scenario: string,
    options: { scenarioName?: string; guest?: string; stopOnEntry?: boolean; filters?: string[]; breakpoints?: { path: string; lines: number[] }; functions?: string[] } = {},
  ): Promise<DebugProtocol.StoppedEvent['body'][]> {
    await this.send('initialize', { adapterID: 'covert', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' });
    const { scenarioName, guest, stopOnEntry } = options;
    await this.send('launch', { scenario: join(root, scenario), ...(scenarioName ? { scenarioName } : {}), ...(guest ? { guest } : {}), ...(stopOnEntry ? { stopOnEntry } : {}) });
    if (options.breakpoints) await this.setLines(options.breakpoints.path, options.breakpoints.lines);
    if (options.functions) {
      await this.send('setFunctionBreakpoints', { breakpoints: options.functions.map((name) => ({ name })) });
    }
    if (options.filters) await this.send('setExceptionBreakpoints', { filters: options.filters });
    return this.move('configurationDone');
  }

  async setLines(path: string, lines: number[]): Promise<DebugProtocol.Breakpoint[]> {
    const body = (await this.send('setBreakpoints', {
      source: { path: join(root, path) },
      breakpoints: lines.map((line) => ({ line })),
    })) as DebugProtocol.SetBreakpointsResponse['body'];
    return body.breakpoints;
  }

  /** Top frame of a thread as `function:line`. */
  async where(threadId: number): Promise<string> {
    const body = (await this.send('stackTrace', { threadId, startFrame: 0, levels: 20 })) as DebugProtocol.StackTraceResponse['body'];
    const [frame] = body.stackFrames;
    return `${frame?.name}:${frame?.line}`;
  }

  async scopes(threadId: number): Promise<Map<string, number>> {
    const stack = (await this.send('stackTrace', { threadId, startFrame: 0, levels: 1 })) as DebugProtocol.StackTraceResponse['body'];
    const body = (await this.send('scopes', { frameId: stack.stackFrames[0]?.id })) as DebugProtocol.ScopesResponse['body'];
    return new Map(body.scopes.map(({ name, variablesReference }) => [name, variablesReference]));
  }

  async variables(reference: number | undefined): Promise<DebugProtocol.Variable[]> {
    const body = (await this.send('variables', { variablesReference: reference })) as DebugProtocol.VariablesResponse['body'];
    return body.variables;
  }

  async stop(): Promise<void> {
    await this.client.stop();
  }

  check(name: string): void {
    const path = join(import.meta.dirname, 'golden', `${name}.json`);
    const text = `[\n${this.#lines.map((line) => JSON.stringify(line)).join(',\n')}\n]\n`;
    if (process.env.COVERT_UPDATE_GOLDENS) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    expect(text, `golden transcript ${name}: COVERT_UPDATE_GOLDENS=1 writes it anew`).toBe(readFileSync(path, 'utf8'));
  }
}

/** The client's own `start` cannot pass arguments to the adapter. */
function startWithArguments(client: DebugClient, options: readonly string[]): void {
  const adapter = spawn(process.execPath, [command, 'debug', ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  Object.assign(client, { _adapterProcess: adapter });
  (client as unknown as { connect(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void }).connect(
    adapter.stdout,
    adapter.stdin,
  );
}

/** Replaces this machine's paths; everything else in the protocol is the same on every host. */
function clean(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(JSON.stringify(root).slice(1, -1), '<root>')) as unknown;
}

/** The 1-based line of a marker comment in an example's source. */
export function lineOf(path: string, marker: string): number {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const index = lines.findIndex((line) => line.includes(marker));
  if (index < 0) throw new Error(`${path} has no ${marker}`);
  return index + 1;
}
