import * as vscode from 'vscode';
import { covertProcess } from './covert-process';
import { scenariosOfWorkspace, type ScenarioChoice } from './scenario-picker';
import { tierArguments } from './tier-setting';

export const taskType = 'covert';

interface ScenarioTaskDefinition extends vscode.TaskDefinition {
  /** Path of the file, absolute or relative to the workspace folder. */
  scenario: string;
  /** The scenario's name; all of the file if left out. */
  scenarioName?: string;
}

/** A task that runs a scenario, or a whole file, in a terminal. */
export function taskOf(context: vscode.ExtensionContext, uri: vscode.Uri, name?: string): vscode.Task {
  const definition: ScenarioTaskDefinition = {
    type: taskType,
    scenario: vscode.workspace.asRelativePath(uri, false),
    ...(name === undefined ? {} : { scenarioName: name }),
  };
  return executable(context, definition, uri);
}

function executable(context: vscode.ExtensionContext, definition: ScenarioTaskDefinition, uri: vscode.Uri): vscode.Task {
  const { scenarioName } = definition;
  const { command, args, env } = covertProcess(
    context,
    'run',
    uri.fsPath,
    ...tierArguments(uri),
    ...(scenarioName === undefined ? [] : ['--scenario', scenarioName]),
  );
  const task = new vscode.Task(
    definition,
    vscode.workspace.getWorkspaceFolder(uri) ?? vscode.TaskScope.Workspace,
    scenarioName ?? definition.scenario,
    'COVERT',
    new vscode.ProcessExecution(command, args, { env }),
  );
  task.presentationOptions = { clear: true, focus: false, panel: vscode.TaskPanelKind.Shared };
  return task;
}

/** Lists every scenario of the workspace under "Run Task…", and completes those of a tasks.json. */
export class ScenarioTaskProvider implements vscode.TaskProvider {
  constructor(private readonly context: vscode.ExtensionContext) {}

  async provideTasks(): Promise<vscode.Task[]> {
    const choices: ScenarioChoice[] = await scenariosOfWorkspace();
    return choices.map(({ uri, name }) => taskOf(this.context, uri, name));
  }

  resolveTask(task: vscode.Task): vscode.Task | undefined {
    const definition = task.definition as Partial<ScenarioTaskDefinition>;
    const { scenario } = definition;
    const folder = typeof task.scope === 'object' ? task.scope : vscode.workspace.workspaceFolders?.[0];
    if (typeof scenario !== 'string' || !folder) return undefined;
    return executable(this.context, { ...definition, type: taskType, scenario }, vscode.Uri.joinPath(folder.uri, scenario));
  }
}
