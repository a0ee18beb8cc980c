import type { LangiumDocument } from 'langium';
import type { CodeLensProvider } from 'langium/lsp';
import type { CodeLens } from 'vscode-languageserver';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { decodeString } from '../values';

/** Run and Debug above every scenario; the commands are the extension's. */
export class CovertLenses implements CodeLensProvider {
  provideCodeLens(document: LangiumDocument): CodeLens[] {
    const uri = document.uri.toString();
    return (fileOf(document)?.items ?? []).filter(ast.isScenario).flatMap((scenario) => {
      const name = scenario.name === undefined ? undefined : decodeString(scenario.name).value;
      if (name === undefined || !scenario.$cstNode) return [];
      const { start } = scenario.$cstNode.range;
      const range = { start, end: start };
      return [
        { range, command: { title: '$(play) Run', tooltip: 'Run this scenario in a terminal', command: 'covert.runScenario', arguments: [uri, name] } },
        { range, command: { title: '$(debug-alt) Debug', tooltip: 'Debug both replicas of this scenario', command: 'covert.debugScenario', arguments: [uri, name] } },
      ];
    });
  }
}
