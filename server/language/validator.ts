import { Cancellation, DefaultDocumentValidator, interruptAndCheck, type LangiumCoreServices, type LangiumDocument, type ValidationOptions } from 'langium';
import { DiagnosticSeverity, DiagnosticTag, type Diagnostic as LspDiagnostic, type Range } from 'vscode-languageserver-types';
import type { Analyzer } from './analyzer';
import type { Diagnostic, Fix, Span } from './diagnostic';
import { manualUri } from './manual';

/** What a diagnostic carries to the code actions made of it. */
export interface DiagnosticData {
  fixes: Fix[];
}

/** Shows in the editor what the analysis finds. */
export class AnalysisValidator extends DefaultDocumentValidator {
  readonly #analyzer: () => Analyzer;

  constructor(services: LangiumCoreServices & { Analyzer: Analyzer }) {
    super(services);
    this.#analyzer = () => services.Analyzer;
  }

  /** Gives up when the text has changed meanwhile, so that what is published is about the newest text. */
  override async validateDocument(
    document: LangiumDocument,
    _options?: ValidationOptions,
    cancelToken = Cancellation.CancellationToken.None,
  ): Promise<LspDiagnostic[]> {
    await interruptAndCheck(cancelToken);
    const { diagnostics } = await this.#analyzer().analyze(document, cancelToken);
    await interruptAndCheck(cancelToken);
    return diagnostics.map((diagnostic) => toLsp(diagnostic, document));
  }
}

function toLsp({ code, severity, message, span, fixes, earlier }: Diagnostic, { textDocument }: LangiumDocument): LspDiagnostic {
  const rangeOf = ({ offset, end }: Span): Range => ({ start: textDocument.positionAt(offset), end: textDocument.positionAt(end) });
  const manual = manualUri(code);
  return {
    code,
    source: 'covert',
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    message,
    range: rangeOf(span),
    ...(manual !== undefined && { codeDescription: { href: manual } }),
    ...(earlier && { relatedInformation: [{ location: { uri: textDocument.uri, range: rangeOf(earlier.span) }, message: 'here' }] }),
    ...(code === 'COV602' ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    data: { fixes } satisfies DiagnosticData,
  };
}
