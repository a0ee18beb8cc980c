import * as vscode from 'vscode';
import { covertProcess } from './covert-process';
import { debugType, ScenarioConfigurationProvider, WorkspaceConfigurationProvider } from './debug-configuration';
import { ReplicaView } from './replica-view';
import { tierArguments } from './tier-setting';

/** The requests after which the replicas no longer stand where they are drawn. */
const moves = new Set(['continue', 'next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'goto', 'restart']);

/** Registers the debugger: how it is started, how a launch is completed, what is drawn while it runs. */
export function registerDebugging(context: vscode.ExtensionContext): void {
  const view = new ReplicaView();
  context.subscriptions.push(
    view,
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, {
      createDebugAdapterDescriptor: () => {
        const { command, args, env } = covertProcess(context, 'debug', ...tierArguments());
        return new vscode.DebugAdapterExecutable(command, args, { env });
      },
    }),
    vscode.debug.registerDebugConfigurationProvider(debugType, new ScenarioConfigurationProvider()),
    vscode.debug.registerDebugConfigurationProvider(
      debugType,
      new WorkspaceConfigurationProvider(),
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
    vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
      createDebugAdapterTracker: (session) => ({
        onWillReceiveMessage: (message: { command?: string }) => {
          if (moves.has(message.command ?? '')) view.leave(session);
        },
      }),
    }),
    vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event }) => {
      if (session.type === debugType && event === 'covert/moved') void view.refresh(session);
    }),
    vscode.debug.onDidTerminateDebugSession((session) => view.forget(session)),
  );
}
