import type { LangiumDocument } from 'langium';
import { CodeActionKind, type CodeAction, type Range } from 'vscode-languageserver';
import { defaultChip } from '../defaults';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { freshName } from '../mends';
import { action, touches } from './edits';

/** Of a scenario that names no chip: writes the one that it runs on as a declaration in front of it. */
export function extractChip(document: LangiumDocument, range: Range): CodeAction[] {
  const items = fileOf(document)?.items ?? [];
  const scenario = items.filter(ast.isScenario).find(({ $cstNode }) => $cstNode && touches($cstNode.range, range));
  const whole = scenario?.$cstNode;
  const [first] = scenario?.items ?? [];
  if (!scenario || !whole || !first?.$cstNode || scenario.items.some(ast.isChipUse) || document.parseResult.parserErrors.length > 0) return [];
  const taken = new Set(items.filter(ast.isChip).map((chip) => chip.name));
  const name = taken.has('board') ? freshName('board', taken) : 'board';
  const text = document.textDocument.getText();
  const start = first.$cstNode.offset;
  const space = /\n[ \t]*$/.exec(text.slice(Math.max(0, start - 200), start))?.[0] ?? ' ';
  const offset = aboveComments(text, whole.offset);
  return [
    action(document, `Extract the default chip as chip \`${name}\``, CodeActionKind.RefactorExtract, [
      { span: { offset, end: offset }, text: declaration(name) },
      { span: { offset: start, end: start }, text: `chip ${name}${space}` },
    ]),
  ];
}

function declaration(name: string): string {
  const { cores, hertz, l2Banks, l2BankBytes, memoryControllers } = defaultChip;
  return `chip ${name} {
  cores ${cores} at ${hertz / 1e9} GHz
  l2 ${l2Banks} banks of ${l2BankBytes / 1024} KiB
  memory ${memoryControllers} controllers
  ring
}

`;
}

/** Where the lines of comments begin that stand right above a statement: they belong to it. */
function aboveComments(text: string, offset: number): number {
  let at = text.lastIndexOf('\n', offset - 1) + 1;
  if (offset === 0 || text.slice(at, offset).trim() !== '') return offset;
  while (at > 0) {
    const line = text.lastIndexOf('\n', at - 2) + 1;
    if (!text.slice(line, at).trimStart().startsWith('//')) break;
    at = line;
  }
  return at;
}
