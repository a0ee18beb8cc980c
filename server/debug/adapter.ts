import { InitializedEvent, LoggingDebugSession, OutputEvent, Event } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import PQueue from 'p-queue';
import type { EventKind } from '../../engine/covert/events';
import type { Rest } from '../../engine/history/types';
import type { Tier } from '../../engine/machine/tier';
import { Breakpoints, parseAddress } from './breakpoints';
import { capabilities } from './capabilities';
import { Debuggee, type Thread } from './debuggee';
import { disassembleAround } from './disassembly';
import { describeEvent, exceptionFilters } from './exception-filters';
import { planOf, type LaunchArguments } from './launch';
import { replicaState } from './replica-state';
import { protocolSource } from './sources';
import { Stepper, type Stops } from './stepping';
import { Variables, hex } from './variables';



/** What exists once a scenario has been launched. */
interface Launched {
  debuggee: Debuggee;
  breakpoints: Breakpoints;
  variables: Variables;
  stepper: Stepper;
}

/**
 * The debug adapter: one session over all replicas of a guest. Every step and
 * resume moves all replicas together; moves are queued, so that a client that
 * sends them faster than they can be carried out loses none.
 */
export class CovertDebugSession extends LoggingDebugSession {
  #launched: Launched | undefined;
  #stopOnEntry = false;
  #stopAt: ReadonlySet<EventKind> = new Set(exceptionFilters.filter((filter) => filter.default).map(({ filter }) => filter));
  readonly #moves = new PQueue({ concurrency: 1 });
  #abort = new AbortController();
  /** The moment up to which output and events have been shown: going back shows nothing twice. */
  #shown = -1;
  #atEnd = false;
  #lastRest: Rest = { why: 'start' };
  #decoder = new TextDecoder();

  /** `tier`: for a launch that names none. */
  constructor(private readonly tier: Tier) {
    super();
    this.setDebuggerLinesStartAt1(true);
    this.setDebuggerColumnsStartAt1(true);
  }

  protected override initializeRequest(response: DebugProtocol.InitializeResponse): void {
    response.body = capabilities;
    this.sendResponse(response);
  }

  protected override async launchRequest(
    response: DebugProtocol.LaunchResponse,
    args: DebugProtocol.LaunchRequestArguments,
  ): Promise<void> {
    await this.#answer(response, async () => {
      const launch = args as LaunchArguments;
      const debuggee = new Debuggee(await planOf(launch), launch.tier ?? this.tier);
      this.#launched = {
        debuggee,
        breakpoints: new Breakpoints(debuggee),
        variables: new Variables(debuggee),
        stepper: new Stepper(debuggee),
      };
      this.#stopOnEntry = launch.stopOnEntry ?? false;
      this.sendEvent(new InitializedEvent());
      const { guest, neighbours = [] } = debuggee.plan;
      const others = neighbours.map((each) => each.guest.name).join(', ');
      if (others !== '') this.sendEvent(new OutputEvent(`Guest ${guest.name} is shown; on the same chip ${neighbours.length === 1 ? 'runs' : 'run'} ${others}.\n`, 'console'));
    });
  }

  protected override async configurationDoneRequest(response: DebugProtocol.ConfigurationDoneResponse): Promise<void> {
    if (await this.#accept(response)) this.#begin();
  }

  /** From the beginning to the first stop. */
  #begin(): void {
    if (this.#stopOnEntry) this.#stopped(1, { why: 'start' }, 'entry');
    else this.#move(1, (stops) => this.#debuggee.session.forward(stops));
  }

  protected override async disconnectRequest(response: DebugProtocol.DisconnectResponse): Promise<void> {
    await this.#settle();
    this.sendResponse(response);
    this.shutdown();
  }

  /** Also when the client has gone without a word: nobody is left to run the guest for. */
  override shutdown(): void {
    this.#moves.clear();
    this.#abort.abort();
    super.shutdown();
  }

  protected override async terminateRequest(response: DebugProtocol.TerminateResponse): Promise<void> {
    await this.#settle();
    this.sendResponse(response);
    this.sendEvent(new Event('terminated'));
  }

  /** Goes back to the beginning: everything that was learnt about the run is kept. */
  protected override async restartRequest(response: DebugProtocol.RestartResponse): Promise<void> {
    const restarted = await this.#answer(response, async () => {
      const { debuggee, variables } = this.#parts;
      await this.#settle();
      await debuggee.session.travel(0);
      variables.reset();
      this.#shown = -1;
      this.#decoder = new TextDecoder();
      this.#atEnd = false;
    });
    if (restarted) this.#begin();
  }

  // Breakpoints

  protected override async setBreakPointsRequest(
    response: DebugProtocol.SetBreakpointsResponse,
    args: DebugProtocol.SetBreakpointsArguments,
  ): Promise<void> {
    await this.#answer(response, () => {
      const { path } = args.source;
      const breakpoints = path === undefined ? [] : this.#parts.breakpoints.setSource(path, args.breakpoints ?? []);
      response.body = { breakpoints };
    });
  }

  protected override async setFunctionBreakPointsRequest(
    response: DebugProtocol.SetFunctionBreakpointsResponse,
    args: DebugProtocol.SetFunctionBreakpointsArguments,
  ): Promise<void> {
    await this.#answer(response, () => {
      response.body = { breakpoints: this.#parts.breakpoints.setFunctions(args.breakpoints) };
    });
  }

  protected override async setInstructionBreakpointsRequest(
    response: DebugProtocol.SetInstructionBreakpointsResponse,
    args: DebugProtocol.SetInstructionBreakpointsArguments,
  ): Promise<void> {
    await this.#answer(response, () => {
      response.body = { breakpoints: this.#parts.breakpoints.setInstructions(args.breakpoints) };
    });
  }

  protected override async setExceptionBreakPointsRequest(
    response: DebugProtocol.SetExceptionBreakpointsResponse,
    args: DebugProtocol.SetExceptionBreakpointsArguments,
  ): Promise<void> {
    await this.#answer(response, () => {
      const known = new Set<string>(exceptionFilters.map(({ filter }) => filter));
      this.#stopAt = new Set(args.filters.filter((filter): filter is EventKind => known.has(filter)));
      response.body = { breakpoints: args.filters.map((filter) => ({ verified: known.has(filter) })) };
    });
  }

  protected override async exceptionInfoRequest(response: DebugProtocol.ExceptionInfoResponse): Promise<void> {
    await this.#answer(response, () => {
      const rest = this.#lastRest;
      const event = 'event' in rest ? rest.event : undefined;
      response.body = {
        exceptionId: event?.kind ?? rest.why,
        breakMode: 'always',
        ...(event ? { description: this.#describe(event) } : {}),
      };
    });
  }

  // Moving

  protected override async continueRequest(
    response: DebugProtocol.ContinueResponse,
    args: DebugProtocol.ContinueArguments,
  ): Promise<void> {
    response.body = { allThreadsContinued: true };
    if (!(await this.#accept(response))) return;
    this.#move(args.threadId, (stops) => this.#debuggee.session.forward(stops), { resumes: true });
  }

  protected override async reverseContinueRequest(
    response: DebugProtocol.ReverseContinueResponse,
    args: DebugProtocol.ReverseContinueArguments,
  ): Promise<void> {
    if (!(await this.#accept(response))) return;
    this.#move(args.threadId, (stops) => this.#debuggee.session.backward(stops));
  }

  protected override async nextRequest(response: DebugProtocol.NextResponse, args: DebugProtocol.NextArguments): Promise<void> {
    await this.#step(response, args, (thread, stops) => this.#parts.stepper.over(thread, stops));
  }

  protected override async stepInRequest(
    response: DebugProtocol.StepInResponse,
    args: DebugProtocol.StepInArguments,
  ): Promise<void> {
    await this.#step(response, args, (thread, stops) => this.#parts.stepper.into(thread, stops));
  }

  protected override async stepOutRequest(
    response: DebugProtocol.StepOutResponse,
    args: DebugProtocol.StepOutArguments,
  ): Promise<void> {
    await this.#step(response, { threadId: args.threadId }, (thread, stops) => this.#parts.stepper.out(thread, stops));
  }

  protected override async stepBackRequest(
    response: DebugProtocol.StepBackResponse,
    args: DebugProtocol.StepBackArguments,
  ): Promise<void> {
    if (!(await this.#accept(response))) return;
    const { session } = this.#debuggee;
    this.#move(args.threadId, ({ signal }, thread) =>
      args.granularity === 'instruction'
        ? session.travel(session.moment - 1)
        : this.#parts.stepper.back(thread, signal),
    );
  }

  protected override async pauseRequest(response: DebugProtocol.PauseResponse): Promise<void> {
    await this.#answer(response, () => {
      this.#moves.clear();
      this.#abort.abort();
    });
  }

  // Looking

  protected override threadsRequest(response: DebugProtocol.ThreadsResponse): void {
    const threads = this.#launched?.debuggee.threads ?? [];
    response.body = { threads: threads.map(({ replica, hart }, i) => ({ id: i + 1, name: `Replica ${replica.name}${replica.isLost ? ' (given up)' : ''} · hart ${hart}` })) };
    this.sendResponse(response);
  }

  protected override async stackTraceRequest(
    response: DebugProtocol.StackTraceResponse,
    args: DebugProtocol.StackTraceArguments,
  ): Promise<void> {
    await this.#look(response, () => {
      const { debuggee, variables } = this.#parts;
      const thread = debuggee.thread(args.threadId);
      if (!thread) throw new Error(`There is no replica with thread id ${args.threadId}.`);
      const all = debuggee.frames(thread);
      const from = args.startFrame ?? 0;
      const wanted = all.slice(from, args.levels ? from + args.levels : undefined);
      response.body = {
        totalFrames: all.length,
        stackFrames: wanted.map((frame, i) => ({
          id: variables.frameId(thread, from + i),
          name: frame.function ?? debuggee.placeName(frame.pc),
          line: frame.location?.line ?? 0,
          column: frame.location?.column ?? 0,
          instructionPointerReference: hex(frame.pc),
          ...(frame.location ? { source: protocolSource(debuggee.sources, frame.location.file) } : {}),
        })),
      };
    });
  }

  protected override async scopesRequest(
    response: DebugProtocol.ScopesResponse,
    args: DebugProtocol.ScopesArguments,
  ): Promise<void> {
    await this.#look(response, () => {
      response.body = { scopes: this.#parts.variables.scopes(args.frameId) };
    });
  }

  protected override async variablesRequest(
    response: DebugProtocol.VariablesResponse,
    args: DebugProtocol.VariablesArguments,
  ): Promise<void> {
    await this.#look(response, () => {
      const all = this.#parts.variables.children(args.variablesReference);
      const from = args.start ?? 0;
      response.body = { variables: args.count ? all.slice(from, from + args.count) : all.slice(from) };
    });
  }

  protected override async evaluateRequest(
    response: DebugProtocol.EvaluateResponse,
    args: DebugProtocol.EvaluateArguments,
  ): Promise<void> {
    await this.#look(response, () => {
      const found = this.#parts.variables.evaluate(args.expression, args.frameId);
      if (!found) throw new Error(`There is no variable or register "${args.expression}" here.`);
      const { value, type, variablesReference, memoryReference } = found;
      response.body = {
        result: value,
        variablesReference,
        ...(type === undefined ? {} : { type }),
        ...(memoryReference === undefined ? {} : { memoryReference }),
      };
    });
  }

  protected override async disassembleRequest(
    response: DebugProtocol.DisassembleResponse,
    args: DebugProtocol.DisassembleArguments,
  ): Promise<void> {
    await this.#look(response, () => {
      const { debuggee } = this.#parts;
      const [replica] = debuggee.replicas;
      const base = parseAddress(args.memoryReference);
      if (base === undefined || !replica) throw new Error(`${args.memoryReference} is no address.`);
      response.body = {
        instructions: disassembleAround(debuggee, replica.computer, {
          address: base + BigInt(args.offset ?? 0),
          instructionOffset: args.instructionOffset ?? 0,
          count: args.instructionCount,
        }),
      };
    });
  }

  protected override async readMemoryRequest(
    response: DebugProtocol.ReadMemoryResponse,
    args: DebugProtocol.ReadMemoryArguments,
  ): Promise<void> {
    await this.#look(response, () => {
      const [replica] = this.#debuggee.replicas;
      const base = parseAddress(args.memoryReference);
      if (base === undefined || !replica) throw new Error(`${args.memoryReference} is no address.`);
      const address = base + BigInt(args.offset ?? 0);
      const data = replica.computer.readMemory(address, args.count);
      response.body = data
        ? { address: hex(address), data: Buffer.from(data).toString('base64') }
        : { address: hex(address), unreadableBytes: args.count };
    });
  }

  protected override async customRequest(command: string, response: DebugProtocol.Response): Promise<void> {
    await this.#look(response, () => {
      if (command !== 'covert/replicaState') throw new Error(`The COVERT debugger does not know the request "${command}".`);
      response.body = replicaState(this.#debuggee);
    });
  }

  // Inside

  get #parts(): Launched {
    if (!this.#launched) throw new Error('No scenario has been launched yet.');
    return this.#launched;
  }

  get #debuggee(): Debuggee {
    return this.#parts.debuggee;
  }

  /** Sends the response; whatever goes wrong on the way becomes its one-line error. */
  async #answer(response: DebugProtocol.Response, work: () => Promise<void> | void): Promise<boolean> {
    try {
      await work();
      this.sendResponse(response);
      return true;
    } catch (error) {
      const format = error instanceof Error ? error.message : String(error);
      this.sendErrorResponse(response, { id: 1, format, showUser: true });
      return false;
    }
  }

  /** Answers a request to move, which only a launched session can. */
  #accept(response: DebugProtocol.Response): Promise<boolean> {
    return this.#answer(response, () => {
      if (this.#parts.debuggee.replicas.length === 0) throw new Error('The guest has no replicas.');
    });
  }

  /** Answers a request to look; in the middle of a move the session stands wherever the search has taken it. */
  #look(response: DebugProtocol.Response, work: () => void): Promise<boolean> {
    return this.#answer(response, () => {
      if (this.#moves.pending > 0) throw new Error('The guest is running.');
      work();
    });
  }

  /** Ends the running move and forgets those that wait. */
  async #settle(): Promise<void> {
    this.#moves.clear();
    this.#abort.abort();
    await this.#moves.onIdle();
  }

  async #step(
    response: DebugProtocol.Response,
    args: { threadId: number; granularity?: DebugProtocol.SteppingGranularity },
    byLine: (thread: Thread, stops: Stops) => Promise<Rest>,
  ): Promise<void> {
    if (!(await this.#accept(response))) return;
    this.#move(args.threadId, (stops, thread) =>
      args.granularity === 'instruction' ? this.#parts.stepper.instruction(thread, stops) : byLine(thread, stops),
    );
  }

  /** Queues a move of all replicas on behalf of one thread. */
  #move(
    threadId: number,
    move: (stops: Stops, thread: Thread) => Promise<Rest>,
    { resumes = false }: { resumes?: boolean } = {},
  ): void {
    const { debuggee, breakpoints, variables } = this.#parts;
    const thread = debuggee.thread(threadId) ?? debuggee.threads[0];
    if (!thread) return;
    // A move that was asked for after a pause is not the one that was paused.
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
    const { signal } = this.#abort;
    const stopAt = (): ReadonlySet<EventKind> => this.#stopAt;
    // What the user sets while the guest runs counts from then on.
    const stops: Stops = {
      get stopAt() {
        return stopAt();
      },
      get breakpoints() {
        return breakpoints.addresses;
      },
      signal,
    };
    void this.#moves.add(async () => {
      const wasAtEnd = this.#atEnd;
      const from = debuggee.session.moment;
      try {
        const rest = await move(stops, thread);
        variables.reset();
        this.#showNews();
        this.#atEnd = rest.why === 'end';
        // Continuing at the end is how the session is left; a step there stays.
        if (wasAtEnd && this.#atEnd && resumes && debuggee.session.moment === from) this.sendEvent(new Event('terminated'));
        else this.#stopped(threadId, rest);
      } catch (error) {
        variables.reset();
        this.sendEvent(new OutputEvent(`${error instanceof Error ? error.message : String(error)}\n`, 'stderr'));
        this.#stopped(threadId, { why: 'interrupted' });
      }
    });
  }

  /** Tells the client that all replicas have stopped, the one in focus first. */
  #stopped(threadId: number, rest: Rest, reason = reasonOf(rest)): void {
    this.#lastRest = rest;
    const { debuggee } = this.#parts;
    const event = 'event' in rest ? rest.event : undefined;
    const text = event ? { text: this.#describe(event) } : {};
    const description = event ? { description: `Paused on ${event.kind === 'end' ? 'the end' : event.kind}` } : {};
    // At a divergence the replica that went wrong deserves the eye; of its harts, the one that goes on from here.
    const inFocus = debuggee.thread(threadId)?.replica.name ?? 'A';
    const culprit = debuggee.threadOf(event?.kind === 'divergence' || event?.kind === 'fault' ? (event.replica ?? inFocus) : inFocus);
    const others = debuggee.threads.map((_, i) => i + 1).filter((id) => id !== culprit);
    const body = { reason, ...description, ...text, allThreadsStopped: false };
    this.sendEvent(new Event('stopped', { ...body, threadId: culprit }));
    for (const id of others) this.sendEvent(new Event('stopped', { ...body, threadId: id, preserveFocusHint: true }));
    this.sendEvent(new Event('covert/moved', { moment: debuggee.session.moment }));
  }

  #describe(event: Parameters<typeof describeEvent>[0]): string {
    const { debuggee } = this.#parts;
    return describeEvent(
      event,
      (pc) => debuggee.placeName(pc),
      (index) => debuggee.plan.faults[index]?.name ?? `fault ${index + 1}`,
    );
  }

  /** Released bytes and events that are reached for the first time, in the order in which they happened. */
  #showNews(): void {
    const { moment, events } = this.#debuggee.session;
    let bytes: number[] = [];
    const flush = (): void => {
      const text = this.#decoder.decode(Uint8Array.from(bytes), { stream: true });
      bytes = [];
      if (text !== '') this.sendEvent(new OutputEvent(text, 'stdout'));
    };
    for (const event of events) {
      if (event.moment <= this.#shown || event.moment > moment) continue;
      if (event.kind === 'release') {
        bytes.push(...event.bytes);
        continue;
      }
      // Too many to read, unless somebody asked for them.
      if (event.kind === 'checkpoint' && !this.#stopAt.has('checkpoint')) continue;
      flush();
      this.sendEvent(new OutputEvent(`${this.#describe(event)}\n`, 'console'));
    }
    flush();
    this.#shown = Math.max(this.#shown, moment);
  }
}

/** The `stopped` reason; free strings show as they are in every client. */
function reasonOf(rest: Rest): string {
  switch (rest.why) {
    case 'event':
      return rest.event.kind;
    case 'breakpoint':
      return 'breakpoint';
    case 'step':
    case 'moment':
      return 'step';
    case 'start':
      return 'entry';
    case 'end':
      return 'end';
    case 'interrupted':
      return 'pause';
  }
}
