import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tiers } from '../../engine/machine/tier';
import { lineOf, Transcript } from './transcript';

const checksum = 'examples/checksum/checksum.covert';
const source = 'examples/checksum/checksum.c';

// The same transcripts: nothing that is said depends on what executes the guest.
describe.each(tiers)('a debug session over stdio, tier %s', (tier) => {
  let session: Transcript;
  beforeEach(() => {
    session = Transcript.start(['--tier', tier]);
  });
  afterEach(() => session.stop());

  it('goes from divergence to detection to the end, and back', async () => {
    const stops = await session.launch(checksum, { filters: ['fault', 'divergence', 'detection', 'recovery'] });
    // The replica in focus first, the other one keeps the focus where it is.
    expect(stops).toMatchObject([
      { reason: 'fault', threadId: 2 },
      { reason: 'fault', threadId: 1, preserveFocusHint: true },
    ]);
    await session.send('threads');
    expect((await session.move('continue', { threadId: 2 }))[0]).toMatchObject({ reason: 'divergence', threadId: 2 });
    const where = await session.where(2);
    expect(where).toMatch(/^crc32_update:\d+$/);
    const scopes = await session.scopes(1);
    expect([...scopes.keys()]).toEqual(['Locals', 'A≠B', 'Registers', 'Globals']);
    const differences = await session.variables(scopes.get('A≠B'));
    expect(differences.map(({ name }) => name)).toContain('a0');
    await session.send('covert/replicaState');

    expect((await session.move('continue', { threadId: 1 }))[0]).toMatchObject({ reason: 'detection', threadId: 1 });
    expect((await session.move('continue', { threadId: 1 }))[0]).toMatchObject({ reason: 'recovery' });
    const recovered = await session.variables((await session.scopes(1)).get('A≠B'));
    expect(recovered).toMatchObject([{ name: 'equal' }]);
    expect((await session.move('continue', { threadId: 1 }))[0]).toMatchObject({ reason: 'end' });

    for (const reason of ['recovery', 'detection', 'divergence', 'fault', 'entry']) {
      expect((await session.move('reverseContinue', { threadId: 1 }))[0]).toMatchObject({ reason });
    }
    session.check('there-and-back');
  });

  it('shows the one of three replicas that is outvoted, and who was given up', async () => {
    await session.launch('examples/checksum/vote.covert', { filters: ['detection', 'degradation'], scenarioName: 'a stuck bit that costs a replica' });
    expect(await session.variables((await session.scopes(1)).get('A≠B'))).toContainEqual(expect.objectContaining({ name: 'a0', value: expect.stringMatching(/^A=0x[0-9a-f]+ B=0x[0-9a-f]+ {2}/) as unknown }));
    await session.move('continue', { threadId: 1 });
    await session.move('continue', { threadId: 1 });
    expect((await session.move('continue', { threadId: 1 }))[0]).toMatchObject({ reason: 'degradation' });
    expect(await session.variables((await session.scopes(1)).get('A≠B'))).toMatchObject([{ name: 'equal' }]);
    expect(JSON.stringify(await session.send('threads'))).toContain('Replica B (given up)');
  });

  it('shows one guest of several, and what strikes it is the same whichever is asked for', async () => {
    const beside = 'examples/sort/beside.covert';
    expect((await session.launch(beside, { filters: ['recovery'], scenarioName: 'a spare for each', guest: 'checksum' }))[0]).toMatchObject({ reason: 'recovery' });
    expect((await session.move('continue', { threadId: 1 }))[0]).toMatchObject({ reason: 'end' });
    // Back through the neighbour's past, too.
    expect((await session.move('reverseContinue', { threadId: 1 }))[0]).toMatchObject({ reason: 'recovery' });
    expect((await session.move('reverseContinue', { threadId: 1 }))[0]).toMatchObject({ reason: 'entry' });
    expect((await session.move('continue', { threadId: 1 }))[0]).toMatchObject({ reason: 'recovery' });
  });

  it('ends when it is continued at the end', async () => {
    expect((await session.launch(checksum, { filters: [] }))[0]).toMatchObject({ reason: 'end' });
    expect(await session.move('continue', { threadId: 1 })).toEqual([]);
    session.check('to-the-end');
  });

  it('stops at lines and functions, and steps over, in, out and back', async () => {
    const loop = lineOf(source, '#BP2');
    const call = lineOf(source, '#BP3');
    const stops = await session.launch(checksum, { filters: [], breakpoints: { path: source, lines: [call] } });
    expect(stops[0]).toMatchObject({ reason: 'breakpoint' });
    expect([await session.where(1), await session.where(2)]).toEqual([`main:${call}`, `main:${call}`]);

    await session.setLines(source, []);
    await session.move('stepIn', { threadId: 1 });
    expect(await session.where(1)).toMatch(/^checksum:/);
    await session.move('stepIn', { threadId: 1 });
    expect(await session.where(2)).toMatch(/^crc32_update:/);
    await session.setLines(source, [loop]);
    await session.move('continue', { threadId: 1 });
    expect(await session.where(1)).toBe(`crc32_update:${loop}`);
    await session.setLines(source, []);

    await session.move('next', { threadId: 1 });
    const next = await session.where(1);
    expect(next).not.toBe(`crc32_update:${loop}`);
    await session.move('stepBack', { threadId: 1 });
    expect(await session.where(1)).toBe(`crc32_update:${loop}`);
    await session.move('next', { threadId: 1 });
    expect(await session.where(1)).toBe(next);

    await session.move('stepOut', { threadId: 1 });
    expect(await session.where(1)).toMatch(/^(checksum|main):/);
    session.check('stepping');
  });

  it('steps back over a call, to the line before it', async () => {
    const call = lineOf(source, '#BP3');
    await session.launch(checksum, { filters: [], breakpoints: { path: source, lines: [call] } });
    await session.setLines(source, []);
    await session.move('next', { threadId: 1 });
    expect(await session.where(1)).not.toBe(`main:${call}`);
    await session.move('stepBack', { threadId: 1 });
    expect(await session.where(1)).toBe(`main:${call}`);
    // fill_block is a leaf without a stack frame of its own.
    await session.move('stepBack', { threadId: 1 });
    expect(await session.where(1)).toBe(`main:${call - 1}`);
    await session.move('stepBack', { threadId: 1 });
    expect(await session.where(1)).toBe(`main:${call - 2}`);
  });

  it('sets function breakpoints, and says why one is not possible', async () => {
    const stops = await session.launch(checksum, { filters: [], functions: ['crc32_update', 'crc32_updat'] });
    expect(stops[0]).toMatchObject({ reason: 'breakpoint' });
    expect(await session.where(1)).toMatch(/^crc32_update:/);
    const [beyond] = await session.setLines(source, [100_000]);
    expect(beyond).toMatchObject({ verified: false, message: expect.stringContaining('line 100000') as string });
    session.check('function-breakpoints');
  });

  it('disassembles around the pc, forwards and backwards', async () => {
    await session.launch(checksum, { filters: ['divergence'] });
    const state = (await session.send('covert/replicaState')) as { replicas: { pc: string }[] };
    const pc = state.replicas[0]?.pc ?? '';
    const body = (await session.send('disassemble', {
      memoryReference: pc,
      instructionOffset: -5,
      instructionCount: 10,
    })) as { instructions: { address: string; instruction: string }[] };
    expect(body.instructions).toHaveLength(10);
    expect(body.instructions[5]?.address).toBe(pc);
    session.check('disassembly');
  });

  it('steps one instruction there and back', async () => {
    await session.launch(checksum, { stopOnEntry: true, filters: [] });
    const pc = async (): Promise<string> =>
      ((await session.send('covert/replicaState')) as { replicas: { pc: string }[] }).replicas.map((r) => r.pc).join();
    const start = await pc();
    await session.move('next', { threadId: 1, granularity: 'instruction' });
    expect(await pc()).not.toBe(start);
    await session.move('stepBack', { threadId: 1, granularity: 'instruction' });
    expect(await pc()).toBe(start);
  });
});

describe('a launch that cannot be', () => {
  it.each([
    ['a file that is not there', { scenario: 'nowhere.covert' }, /nowhere\.covert/],
    ['a scenario that is not there', { scenario: checksum, scenarioName: 'no such' }, /has no scenario "no such"; it has "/],
    ['no file at all', { scenario: '' }, /has no "scenario"/],
  ])('with %s says why in one line', async (_, args, message) => {
    const session = Transcript.start();
    try {
      await session.send('initialize', { adapterID: 'covert', pathFormat: 'path' });
      const error = await session.send('launch', args).then(
        () => '',
        (reason: unknown) => (reason as Error).message,
      );
      expect(error).toMatch(message);
      expect(error).not.toMatch(/\n|    at /);
    } finally {
      await session.stop();
    }
  });
});
