import { Cancellation, DefaultDocumentValidator, interruptAndCheck, type LangiumCoreServices, type LangiumDocument, type ValidationOptions } from 'langium';
import { DiagnosticSeverity, DiagnosticTag, type Diagnostic as LspDiagnostic } from 'vscode-languageserver-types';
import type { Analyzer } from './analyzer';
import type { Diagnostic, Fix } from './diagnostic';

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

function toLsp({ code, severity, message, span, fixes }: Diagnostic, { textDocument }: LangiumDocument): LspDiagnostic {
  return {
    code,
    source: 'covert',
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    message,
    range: { start: textDocument.positionAt(span.offset), end: textDocument.positionAt(span.end) },
    ...(code === 'COV602' ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    data: { fixes } satisfies DiagnosticData,
  };
}
