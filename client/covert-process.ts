import * as vscode from 'vscode';

/** How to start the bundled `covert` command with the editor's own Node. */
export interface CovertProcess {
  command: string;
  args: string[];
  /** Added to the environment: without it Electron would open a window. */
  env: { [name: string]: string };
}

export function covertProcess(context: vscode.ExtensionContext, ...args: string[]): CovertProcess {
  const script = vscode.Uri.joinPath(context.extensionUri, 'dist', 'covert.cjs').fsPath;
  return { command: process.execPath, args: [script, ...args], env: { ELECTRON_RUN_AS_NODE: '1' } };
}
