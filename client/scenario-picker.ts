import { posix } from 'node:path';
import * as vscode from 'vscode';
import { scenarioAt, scenariosIn } from './scenario-marks';

export interface ScenarioChoice {
  uri: vscode.Uri;
  name: string;
}

/** The `.covert` document in front of the user, if there is one. */
export function activeScenarioEditor(): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor?.document.languageId === 'covert' && editor.document.uri.scheme === 'file' ? editor : undefined;
}

/** The scenario that the cursor stands in, else the file's first. */
export function scenarioUnderCursor(editor: vscode.TextEditor): ScenarioChoice | undefined {
  const { document, selection } = editor;
  const marks = scenariosIn(document.getText());
  const mark = scenarioAt(marks, document.offsetAt(selection.active)) ?? marks[0];
  return mark && { uri: document.uri, name: mark.name };
}

/** All scenarios of one file. */
export async function scenariosOf(uri: vscode.Uri): Promise<ScenarioChoice[]> {
  const document = await vscode.workspace.openTextDocument(uri);
  return scenariosIn(document.getText()).map(({ name }) => ({ uri, name }));
}

/**
 * All scenarios of the workspace, at most those of 200 files: first those that
 * stand beside the file in the editor, then in the order of their paths.
 */
export async function scenariosOfWorkspace(): Promise<ScenarioChoice[]> {
  const files = await vscode.workspace.findFiles('**/*.covert', '**/node_modules/**', 200);
  const open = vscode.window.activeTextEditor?.document.uri;
  const isAway = (uri: vscode.Uri): number => (open && posix.dirname(uri.path) === posix.dirname(open.path) ? 0 : 1);
  files.sort((a, b) => isAway(a) - isAway(b) || (a.path < b.path ? -1 : 1));
  return (await Promise.all(files.map(scenariosOf))).flat();
}

/** Asks which one; does not ask where there is no choice. `undefined`: none, or the user gave up. */
export async function pickScenario(choices: readonly ScenarioChoice[]): Promise<ScenarioChoice | undefined> {
  if (choices.length < 2) return choices[0];
  const items = choices.map((choice) => ({
    label: choice.name,
    description: vscode.workspace.asRelativePath(choice.uri),
    choice,
  }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: 'Which scenario?', matchOnDescription: true });
  return picked?.choice;
}
