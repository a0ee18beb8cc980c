import type { LangiumDocument } from 'langium';
import type { CodeActionProvider } from 'langium/lsp';
import { CodeActionKind, type CodeAction, type CodeActionParams, type Range } from 'vscode-languageserver';
import type { DiagnosticData } from '../validator';

/** The mends that diagnostics carry. */
export class CovertQuickFixes implements CodeActionProvider {
  getCodeActions(document: LangiumDocument, params: CodeActionParams): CodeAction[] {
    const { textDocument, uri } = document;
    return (document.diagnostics ?? []).filter(({ range }) => touches(range, params.range)).flatMap((diagnostic) => {
      const { fixes = [] } = (diagnostic.data ?? {}) as Partial<DiagnosticData>;
      return fixes.map(({ title, span, text }): CodeAction => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: fixes.length === 1,
        edit: {
          changes: {
            [uri.toString()]: [
              { range: { start: textDocument.positionAt(span.offset), end: textDocument.positionAt(span.end) }, newText: text },
            ],
          },
        },
      }));
    });
  }
}

function touches(a: Range, b: Range): boolean {
  const before = (x: Range, y: Range): boolean =>
    x.end.line < y.start.line || (x.end.line === y.start.line && x.end.character < y.start.character);
  return !before(a, b) && !before(b, a);
}
