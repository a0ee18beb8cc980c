import * as vscode from 'vscode';

/** Arguments that make a command execute guests as the setting `covert.tier` says; none where it leaves that to the command. */
export function tierArguments(scope?: vscode.Uri): string[] {
  const tier = vscode.workspace.getConfiguration('covert', scope).get<string>('tier', 'default');
  return tier === 'default' ? [] : ['--tier', tier];
}
