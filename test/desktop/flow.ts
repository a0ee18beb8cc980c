/**
 * The Mocha suite that runs inside VS Code's extension host: what the API can
 * see, where test/workbench looks at what a person sees.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';

const extensionId = 'covert.covert';
const folder = (): string => vscode.workspace.workspaceFolders![0]!.uri.fsPath;
const example = (...path: string[]): vscode.Uri => vscode.Uri.file(join(folder(), ...path));

/** Every protocol message that an adapter sent, with somebody waiting for the next one. */
class Listener implements vscode.Disposable {
  private readonly seen: { event?: string; body?: Record<string, unknown> }[] = [];
  private waiting: (() => void)[] = [];
  private readonly registration = vscode.debug.registerDebugAdapterTrackerFactory('covert', {
    createDebugAdapterTracker: () => ({
      onDidSendMessage: (message: { type: string; event?: string; body?: Record<string, unknown> }) => {
        if (message.type !== 'event') return;
        this.seen.push(message);
        this.waiting.splice(0).forEach((wake) => wake());
      },
    }),
  });

  /** The next event of that name; events before it are passed over. A stop is one `stopped` a replica, then `covert/moved`. */
  async next(event: string): Promise<Record<string, unknown>> {
    for (;;) {
      const message = this.seen.shift();
      if (message?.event === event) return message.body ?? {};
      if (!message) await new Promise<void>((wake) => this.waiting.push(wake));
    }
  }

  dispose(): void {
    this.registration.dispose();
  }
}

suite('extension', () => {
  test('is installed and activates for a scenario file', async () => {
    const document = await vscode.workspace.openTextDocument(example('checksum', 'checksum.covert'));
    await vscode.window.showTextDocument(document);
    assert.equal(document.languageId, 'covert');
    const extension = vscode.extensions.getExtension(extensionId);
    assert.ok(extension, `${extensionId} is not installed`);
    await extension.activate();
    const commands = await vscode.commands.getCommands(true);
    for (const command of ['covert.runScenario', 'covert.debugScenario']) assert.ok(commands.includes(command), command);
  });

  test('lists every scenario of the workspace as a task', async () => {
    const names = (await vscode.tasks.fetchTasks({ type: 'covert' })).map(({ name }) => name);
    const written = [...readFileSync(example('checksum', 'checksum.covert').fsPath, 'utf8').matchAll(/^scenario "(.+)"/gm)];
    assert.ok(written.length > 1);
    for (const [, name] of written) assert.ok(names.includes(name!), `${name} is not among ${names.join(', ')}`);
  });
});

suite('language', () => {
  test('reports an error and takes it back', async () => {
    const uri = example('checksum', 'broken.covert');
    const scenario = (guest: string): string =>
      `guest checksum { elf "checksum.elf" }\nchip duo { cores 2 at 1 GHz }\n` +
      `scenario "s" {\n  chip duo\n  guest ${guest}\n  protect dmr on core 0, core 1\n  expect exit 0\n}\n`;
    await vscode.workspace.fs.writeFile(uri, Buffer.from(scenario('nobody')));
    const errors = (): string[] =>
      vscode.languages
        .getDiagnostics(uri)
        .filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error)
        .map(({ message }) => message);
    const document = await vscode.workspace.openTextDocument(uri);
    const editor = await vscode.window.showTextDocument(document);
    await until(() => errors().some((message) => message.includes('nobody')));
    const whole = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
    await editor.edit((edit) => edit.replace(whole, scenario('checksum')));
    await until(() => errors().length === 0);
    await document.save();
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await vscode.workspace.fs.delete(uri);
  });
});

suite('debugger', () => {
  test('stops at the divergence, steps back, goes on to the detection and to the end', async () => {
    const listener = new Listener();
    const ended = new Promise<void>((done) => {
      const registration = vscode.debug.onDidTerminateDebugSession(() => {
        registration.dispose();
        done();
      });
    });
    try {
      const started = await vscode.debug.startDebugging(vscode.workspace.workspaceFolders![0], {
        type: 'covert',
        request: 'launch',
        name: 'the first scenario, by a title that is no scenario',
        scenario: 'checksum/checksum.covert',
        scenarioName: 'a bit flip in the checksum loop',
      });
      assert.ok(started);
      assert.equal((await listener.next('stopped'))['reason'], 'divergence');
      const session = vscode.debug.activeDebugSession!;
      const { threads } = (await session.customRequest('threads')) as { threads: { id: number; name: string }[] };
      assert.deepEqual(
        threads.map(({ name }) => name),
        ['Replica A · hart 0', 'Replica B · hart 0'],
      );
      const state = (await session.customRequest('covert/replicaState')) as {
        moment: number;
        differences: unknown[];
        replicas: { function?: string }[];
      };
      assert.ok(state.differences.length > 0);
      assert.deepEqual(
        state.replicas.map((replica) => replica.function),
        ['crc32_update', 'crc32_update'],
      );

      await listener.next('covert/moved');
      await session.customRequest('stepBack', { threadId: threads[1]!.id });
      assert.equal((await listener.next('stopped'))['reason'], 'step');
      await listener.next('covert/moved');
      const back = (await session.customRequest('covert/replicaState')) as { moment: number };
      assert.ok(back.moment < state.moment, `${back.moment} is not before ${state.moment}`);

      await session.customRequest('continue', { threadId: threads[0]!.id });
      assert.equal((await listener.next('stopped'))['reason'], 'divergence');
      await listener.next('covert/moved');
      await session.customRequest('continue', { threadId: threads[0]!.id });
      assert.equal((await listener.next('stopped'))['reason'], 'detection');
      await listener.next('covert/moved');
      await session.customRequest('continue', { threadId: threads[0]!.id });
      assert.equal((await listener.next('stopped'))['reason'], 'end');
      await listener.next('covert/moved');
      await session.customRequest('continue', { threadId: threads[0]!.id });
      await ended;
    } finally {
      listener.dispose();
      await vscode.debug.stopDebugging();
    }
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((wake) => setTimeout(wake, 100));
}
