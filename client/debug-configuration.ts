import * as vscode from 'vscode';
import {
  activeScenarioEditor,
  pickScenario,
  scenariosOf,
  scenariosOfWorkspace,
  scenarioUnderCursor,
  type ScenarioChoice,
} from './scenario-picker';

export const debugType = 'covert';

/** A whole launch configuration for one scenario. */
export function configurationOf({ uri, name }: ScenarioChoice): vscode.DebugConfiguration {
  return { type: debugType, request: 'launch', name, scenario: uri.fsPath, scenarioName: name };
}

/**
 * Completes what the user started: nothing at all (F5 without a launch.json),
 * a configuration without a scenario name, or a whole one.
 */
export class ScenarioConfigurationProvider implements vscode.DebugConfigurationProvider {
  async resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    config: Partial<vscode.DebugConfiguration>,
  ): Promise<vscode.DebugConfiguration | undefined> {
    if (config.type !== undefined && config.type !== '') return config as vscode.DebugConfiguration;
    const editor = activeScenarioEditor();
    const choice = editor ? scenarioUnderCursor(editor) : await pickScenario(await scenariosOfWorkspace());
    if (choice) return { ...config, ...configurationOf(choice) };
    if (editor) void vscode.window.showErrorMessage('This file has no scenario yet: write one, then press F5 again.');
    else if ((await scenariosOfWorkspace()).length === 0)
      void vscode.window.showErrorMessage('There is no .covert file with a scenario here: open a folder that has one.');
    return undefined;
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    const scenario: unknown = config['scenario'];
    // The adapter says what is wrong with it, in the same words for every editor.
    if (typeof scenario !== 'string' || scenario === '') return config;
    const base = folder?.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
    const isAbsolute = scenario.startsWith('/') || /^[A-Za-z]:[\\/]/.test(scenario) || scenario.startsWith('\\\\');
    const uri = isAbsolute || !base ? vscode.Uri.file(scenario) : vscode.Uri.joinPath(base, scenario);
    const resolved = { ...config, scenario: uri.fsPath };
    if (config['scenarioName'] !== undefined) return resolved;
    const choices = await scenariosOf(uri).catch(() => []);
    if (choices.length === 0) return resolved;
    const choice = await pickScenario(choices);
    return choice && { ...resolved, scenarioName: choice.name };
  }
}

/** What the drop-down of the Run and Debug view lists under "COVERT…". */
export class WorkspaceConfigurationProvider implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(): Promise<vscode.DebugConfiguration[]> {
    return (await scenariosOfWorkspace()).map((choice) => ({
      ...configurationOf(choice),
      name: `${choice.name} (${vscode.workspace.asRelativePath(choice.uri)})`,
    }));
  }
}
