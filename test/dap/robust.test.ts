import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeElf } from '../oracles/elf-writer';
import { Transcript } from './transcript';

/** A guest that runs for ever: `j .` in RAM's first bytes. */
const spin = makeElf(0x8000_0000n, Uint8Array.of(0x6f, 0, 0, 0));

describe('a session under a careless client', () => {
  let folder: string;
  let session: Transcript;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'covert-dap-'));
    writeFileSync(join(folder, 'spin.elf'), spin);
    writeFileSync(
      join(folder, 'spin.covert'),
      'guest g { elf "spin.elf" ram 4 MiB }\n' +
        'scenario "s" { guest g limit 1_000_000_000_000 instructions protect dmr on core 0, core 1 expect clean }\n',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    session = Transcript.start();
  });
  afterEach(() => session.stop());

  async function launchSpin(): Promise<void> {
    await session.send('initialize', { adapterID: 'covert', pathFormat: 'path' });
    await session.send('launch', { scenario: join(folder, 'spin.covert'), stopOnEntry: true });
    await session.move('configurationDone');
  }

  it('refuses a tier that there is not, and takes one that there is', async () => {
    await session.send('initialize', { adapterID: 'covert', pathFormat: 'path' });
    const scenario = join(folder, 'spin.covert');
    await expect(session.send('launch', { scenario, tier: 'fast' })).rejects.toThrow(/"tier" is "fast": it is one of interpreter, auto, translator\./);
    await session.send('launch', { scenario, stopOnEntry: true, tier: 'translator' });
  });

  it.each(['continue', 'reverseContinue', 'next', 'stepIn', 'stepOut', 'stepBack', 'restart', 'configurationDone'])(
    'refuses %s before a launch, and lives on',
    async (request) => {
      await session.send('initialize', { adapterID: 'covert', pathFormat: 'path' });
      await expect(session.send(request, { threadId: 1 })).rejects.toThrow(/No scenario has been launched/);
      await session.send('launch', { scenario: join(folder, 'spin.covert'), stopOnEntry: true });
      expect((await session.move('configurationDone'))[0]).toMatchObject({ reason: 'entry' });
    },
  );

  it('can be left while moves are under way and more are waiting', async () => {
    await launchSpin();
    for (let i = 0; i < 3; i++) await session.send('continue', { threadId: 1 });
    await session.send('disconnect', {});
  });

  it('pauses a step back that finds no line to stop at', async () => {
    await launchSpin();
    await session.send('continue', { threadId: 1 });
    expect((await session.move('pause', { threadId: 1 }))[0]).toMatchObject({ reason: 'pause' });
    await session.send('stepBack', { threadId: 1 });
    const stop = await session.move('pause', { threadId: 1 });
    // A short way back may have been searched through before the pause came.
    expect(['pause', 'step', 'entry']).toContain(stop[0]?.reason);
  });

  it('does not answer from the middle of a move', async () => {
    await launchSpin();
    await session.send('continue', { threadId: 1 });
    await expect(session.send('stackTrace', { threadId: 1 })).rejects.toThrow(/running/);
    await session.move('pause', { threadId: 1 });
    await session.send('stackTrace', { threadId: 1 });
  });

  it('obeys a breakpoint that is set while the guest runs', async () => {
    await launchSpin();
    await session.send('continue', { threadId: 1 });
    const stops = await session.move('setInstructionBreakpoints', {
      breakpoints: [{ instructionReference: '0x80000000' }],
    });
    expect(stops[0]).toMatchObject({ reason: 'breakpoint' });
  });
});
