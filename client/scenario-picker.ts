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
 * All scenarios of the workspace, at most those of 200 files: first those of the file that is called
 * as the one in the editor is, then of those beside it, then in the order of their paths.
 */
export async function scenariosOfWorkspace(): Promise<ScenarioChoice[]> {
  const files = await vscode.workspace.findFiles('**/*.covert', '**/node_modules/**', 200);
  const open = vscode.window.activeTextEditor?.document.uri;
  const distance = (uri: vscode.Uri): number => {
    const [own, other] = [uri, open].map((each) => each && posix.parse(each.path));
    return own?.dir !== other?.dir ? 2 : own?.name !== other?.name ? 1 : 0;
  };
  files.sort((a, b) => distance(a) - distance(b) || (a.path < b.path ? -1 : 1));
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
