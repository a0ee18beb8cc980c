import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Transcript } from './transcript';

const scenario = 'test/oracles/smp/smp.covert';

let session: Transcript;
beforeEach(() => {
  session = Transcript.start();
});
afterEach(() => session.stop());

async function framesOf(threadId: number): Promise<DebugProtocol.StackFrame[]> {
  const body = (await session.send('stackTrace', { threadId })) as DebugProtocol.StackTraceResponse['body'];
  return body.stackFrames;
}

async function valueOf(threadId: number, expression: string): Promise<string> {
  const [frame] = await framesOf(threadId);
  const body = (await session.send('evaluate', { expression, frameId: frame?.id })) as DebugProtocol.EvaluateResponse['body'];
  return body.result;
}

it('has a thread for each hart of each replica, with registers of its own', async () => {
  await session.launch(scenario, { filters: [], stopOnEntry: true });
  const { threads } = (await session.send('threads')) as DebugProtocol.ThreadsResponse['body'];
  expect(threads.map(({ id, name }) => `${id} ${name}`)).toEqual([
    '1 Replica A · hart 0', '2 Replica A · hart 1', '3 Replica A · hart 2',
    '4 Replica B · hart 0', '5 Replica B · hart 1', '6 Replica B · hart 2',
  ]);
  expect(await Promise.all(threads.map(({ id }) => valueOf(id, 'mhartid')))).toEqual(['0x0', '0x1', '0x2', '0x0', '0x1', '0x2']);
});

it('stops at a breakpoint with the hart that stands there in focus', async () => {
  const stops = [await session.launch(scenario, { filters: [], functions: ['hart_main'] })];
  for (let i = 0; i < 2; i++) stops.push(await session.move('continue', { threadId: 1 }));
  expect(stops.map(([first]) => first?.threadId)).toEqual([1, 2, 3]);
  expect(stops.every((stop) => stop.length === 6 && stop.slice(1).every(({ preserveFocusHint }) => preserveFocusHint === true))).toBe(true);
  expect((await framesOf(3))[0]?.name).toBe('hart_main');
  expect((await framesOf(6))[0]?.name).toBe('hart_main');
});

it('steps the hart in focus, forwards and back, over what the others do', async () => {
  await session.launch(scenario, { filters: [], functions: ['hart_main'] });
  await session.move('continue', { threadId: 1 });
  await session.send('setFunctionBreakpoints', { breakpoints: [] });
  const lines: (number | undefined)[] = [];
  const look = async (): Promise<void> => void lines.push((await framesOf(2))[0]?.line);
  await look();
  for (let i = 0; i < 3; i++) {
    expect((await session.move('next', { threadId: 2 }))[0]).toMatchObject({ reason: 'step', threadId: 2 });
    await look();
  }
  expect(new Set(lines).size).toBeGreaterThan(2);
  for (let i = 0; i < 2; i++) expect((await session.move('stepBack', { threadId: 2 }))[0]).toMatchObject({ reason: 'step', threadId: 2 });
  expect((await framesOf(2))[0]?.line).toBe(lines[1]);
});

it('runs a hart that has not the turn to its turn, and then steps it', async () => {
  await session.launch(scenario, { filters: [], stopOnEntry: true });
  const step = async (): Promise<DebugProtocol.StoppedEvent['body'] | undefined> =>
    (await session.move('next', { threadId: 3, granularity: 'instruction' }))[0];
  const before = await valueOf(3, 'pc');
  expect(await step()).toMatchObject({ reason: 'step', threadId: 3 });
  expect([await valueOf(3, 'pc'), await valueOf(3, 'minstret')]).toEqual([before, '0x0']);
  expect(await step()).toMatchObject({ reason: 'step', threadId: 3 });
  expect(await valueOf(3, 'minstret')).toBe('0x1');
  expect(await valueOf(3, 'pc')).not.toBe(before);
});
