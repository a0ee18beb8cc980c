/** Reads a text by the TextMate grammar as an editor does: the same engine, with the same regular expressions. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';
import { root } from './language-client';

const scopeName = 'source.covert';

export interface Colored {
  text: string;
  /** From the start of the text. */
  offset: number;
  /** Without the language's own and its suffix: `string.quoted.double constant.character.escape`. */
  scopes: string;
}

export async function loadGrammar(): Promise<(text: string) => Colored[]> {
  const wasm = createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm');
  await oniguruma.loadWASM(readFileSync(wasm));
  const file = path.join(root, 'syntaxes', 'covert.tmLanguage.json');
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({ createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns), createOnigString: (text) => new oniguruma.OnigString(text) }),
    loadGrammar: async (name) => (name === scopeName ? textmate.parseRawGrammar(readFileSync(file, 'utf8'), file) : null),
  });
  const grammar = await registry.loadGrammar(scopeName);
  if (!grammar) throw new Error(`${file}: no grammar`);
  return (text) => {
    const all: Colored[] = [];
    let state = textmate.INITIAL;
    let start = 0;
    for (const line of text.split('\n')) {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
      state = ruleStack;
      for (const { startIndex, endIndex, scopes } of tokens) {
        all.push({ text: line.slice(startIndex, endIndex), offset: start + startIndex, scopes: scopes.slice(1).join(' ').replaceAll('.covert', '') });
      }
      start += line.length + 1;
    }
    return all;
  };
}
