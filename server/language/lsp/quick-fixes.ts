import type { LangiumDocument } from 'langium';
import type { CodeActionProvider } from 'langium/lsp';
import { CodeActionKind, type CodeAction, type CodeActionParams, type Range } from 'vscode-languageserver';
import type { Diagnostic, Fix, Span } from '../diagnostic';
import { addExpectations } from './add-expectations';
import { action, rangeOf, touches, workspaceEdit } from './edits';
import { extractChip } from './extract-chip';
import type { CovertLspServices } from './lsp-services';
import { organizedImports } from './organize-imports';

/** The kinds of code actions that there are, as clients are told. */
export const codeActionKinds = [
  CodeActionKind.QuickFix,
  CodeActionKind.RefactorExtract,
  CodeActionKind.RefactorRewrite,
  CodeActionKind.SourceFixAll,
  CodeActionKind.SourceOrganizeImports,
] as const;

/** The mends that diagnostics carry, one by one and all at once, and changes that keep what a file means. */
export class CovertQuickFixes implements CodeActionProvider {
  constructor(private readonly services: CovertLspServices) {}

  async getCodeActions(document: LangiumDocument, { range, context }: CodeActionParams): Promise<CodeAction[]> {
    const wants = (kind: string): boolean => !context.only || context.only.some((only) => only === '' || kind === only || kind.startsWith(`${only}.`));
    const { diagnostics, plans } = await this.services.Analyzer.latest(document);
    const actions: CodeAction[] = [];
    if (wants(CodeActionKind.QuickFix)) actions.push(...quickFixes(document, diagnostics, range, context.diagnostics));
    if (wants(CodeActionKind.RefactorExtract)) actions.push(...extractChip(document, range));
    if (wants(CodeActionKind.RefactorRewrite)) actions.push(...(await addExpectations(document, range, plans)));
    if (wants(CodeActionKind.SourceFixAll)) actions.push(...fixAll(document, diagnostics));
    if (wants(CodeActionKind.SourceOrganizeImports)) {
      const edits = organizedImports(document, diagnostics, this.services.shared.workspace.LangiumDocuments);
      if (edits.length > 0) actions.push(action(document, 'Sort imports, and remove those that are not used', CodeActionKind.SourceOrganizeImports, edits));
    }
    return actions;
  }
}

function quickFixes(document: LangiumDocument, diagnostics: readonly Diagnostic[], range: Range, shown: CodeActionParams['context']['diagnostics']): CodeAction[] {
  return diagnostics.flatMap(({ code, span, fixes }) => {
    const place = rangeOf(document, span);
    if (!touches(place, range)) return [];
    // A client knows a diagnostic again by the one that it was sent.
    const same = shown.filter((one) => one.code === code && JSON.stringify(one.range) === JSON.stringify(place));
    return fixes.map((fix): CodeAction => ({
      title: fix.title,
      kind: CodeActionKind.QuickFix,
      diagnostics: same,
      isPreferred: fixes.length === 1 && !fix.careful,
      edit: workspaceEdit(document, [fix]),
    }));
  });
}

/** All mends of a file after which it says what it was meant to say: one for its diagnostic, that takes nothing away and guesses nothing. */
function fixAll(document: LangiumDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  const chosen: Fix[] = [];
  const only = diagnostics.flatMap(({ fixes }) => (fixes.length === 1 && !fixes[0]?.careful && !fixes[0]?.isGuess ? fixes : []));
  for (const fix of only.toSorted((a, b) => a.span.offset - b.span.offset)) {
    // What meets another one is left for the next time.
    if (isBehind(fix.span, chosen.at(-1)?.span)) chosen.push(fix);
  }
  if (chosen.length === 0) return [];
  const title = `Fix all of this file that can only be meant one way (${chosen.length})`;
  return [action(document, title, CodeActionKind.SourceFixAll, chosen)];
}

/** True if a change does not meet the one before it; where both begin at one place nobody could say which comes first. */
function isBehind({ offset, end }: Span, last: Span | undefined): boolean {
  return !last || offset > last.end || (offset === last.end && end > offset && last.end > last.offset);
}
