import { TextDocument, URI } from 'langium';
import { tooLong } from './compile';
import { Reporter, type Diagnostic } from './diagnostic';
import { lineEndOf, mostCharacters } from './scenario-text';
import { CovertFormatter } from './lsp/formatter';
import { createCovertServices, type CovertServices } from './services';
import { reportSyntax } from './syntax-errors';

/** What a text becomes, or the first mistake on whose account it is left as it is. */
export type Formatted = { text: string; problem?: undefined } | { text?: undefined; problem: Diagnostic };

/** Mistakes after which nobody can say where the words of a text begin and end. */
const unreadable: ReadonlySet<string> = new Set(['COV100', 'COV101', 'COV102']);

/**
 * Formats the text of a file as the language server does, two spaces deep. A
 * byte order mark stays, and so do line ends: all become as most of them were.
 */
export function formatText(file: string, text: string): Formatted {
  if (text.length > mostCharacters) return { problem: tooLong(file, text.length) };
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const body = text.slice(mark.length);
  const lineEnd = lineEndOf(body);
  services ??= createCovertServices();
  const document = services.shared.workspace.LangiumDocumentFactory.fromString(body.replace(/\r+\n/g, '\n'), anywhere);
  const reporter = new Reporter(file, document.textDocument);
  reportSyntax(document, services.Grammar, reporter);
  const [problem] = reporter.diagnostics.filter(({ code }) => unreadable.has(code)).toSorted((a, b) => a.span.offset - b.span.offset);
  if (problem) return { problem };
  const edits = new CovertFormatter(services.parser).formatDocument(document, { textDocument: { uri: '' }, options: { tabSize: 2, insertSpaces: true } });
  return { text: mark + TextDocument.applyEdits(document.textDocument, edits).replaceAll('\n', lineEnd) };
}

/** What a document is called that is only parsed. */
const anywhere = URI.file('/format.covert');

/** Made with the first text, since a parser is expensive. */
let services: CovertServices | undefined;
