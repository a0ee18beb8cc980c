import * as vscode from 'vscode';
import { configurationOf } from './debug-configuration';
import {
  activeScenarioEditor,
  pickScenario,
  scenariosOf,
  scenariosOfWorkspace,
  scenarioUnderCursor,
  type ScenarioChoice,
} from './scenario-picker';
import { scenarioAt, scenariosIn } from './scenario-marks';
import { taskOf } from './scenario-tasks';

/**
 * Registers `covert.runScenario` and `covert.debugScenario`. Both take
 * `[uri, name]`, as code lenses give it; a menu gives the file alone, the
 * command palette nothing.
 */
export function registerCommands(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.commands.registerCommand('covert.runScenario', async (uri?: vscode.Uri | string, name?: unknown) => {
      const choice = await chooseScenario(uri, name);
      if (!choice) return;
      await saveOpen(choice.uri);
      await vscode.tasks.executeTask(taskOf(context, choice.uri, choice.name));
    }),
    vscode.commands.registerCommand('covert.debugScenario', async (uri?: vscode.Uri | string, name?: unknown) => {
      const choice = await chooseScenario(uri, name);
      if (!choice) return;
      await saveOpen(choice.uri);
      await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(choice.uri), configurationOf(choice));
    }),
  );
}

/** What the command is about; asks only where that is open. */
async function chooseScenario(target: vscode.Uri | string | undefined, name: unknown): Promise<ScenarioChoice | undefined> {
  const uri = typeof target === 'string' ? vscode.Uri.parse(target, true) : target;
  // A menu's second argument is its context, not a name.
  if (uri && typeof name === 'string') return { uri, name };
  const editor = activeScenarioEditor();
  if (editor && (!uri || editor.document.uri.toString() === uri.toString())) {
    const cursor = editor.document.offsetAt(editor.selection.active);
    if (scenarioAt(scenariosIn(editor.document.getText()), cursor)) return scenarioUnderCursor(editor);
  }
  const file = uri ?? editor?.document.uri;
  const choices = file ? await scenariosOf(file) : await scenariosOfWorkspace();
  if (choices.length === 0)
    void vscode.window.showErrorMessage(
      file ? `${vscode.workspace.asRelativePath(file)} has no scenario.` : 'There is no .covert file with a scenario here.',
    );
  return pickScenario(choices);
}

/** The command line and the debug adapter read the file, not the editor. */
async function saveOpen(uri: vscode.Uri): Promise<void> {
  await vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString())?.save();
}
