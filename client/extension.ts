import type * as vscode from 'vscode';
import { tasks } from 'vscode';
import { registerCommands } from './commands';
import { registerDebugging } from './debugging';
import { startLanguageClient } from './language-client';
import { ScenarioTaskProvider, taskType } from './scenario-tasks';

/** Called by VS Code when a `.covert` file is opened or one of our features is first used. */
export function activate(context: vscode.ExtensionContext): void {
  registerCommands(context);
  registerDebugging(context);
  context.subscriptions.push(tasks.registerTaskProvider(taskType, new ScenarioTaskProvider(context)));
  startLanguageClient(context);
}
