import type { LangiumDocument, Lexer } from 'langium';
import type { SignatureHelpProvider } from 'langium/lsp';
import type { SignatureHelp, SignatureHelpOptions, SignatureHelpParams, SignatureInformation } from 'vscode-languageserver';
import { forms, slots, type Form, type FormKind } from '../forms';
import { words as wordMeanings } from '../words';
import { partAt, partsOf, type Part } from './form-match';
import type { CovertLspServices } from './lsp-services';
import { textBefore } from './near-text';
import { statementAt } from './statement-at';

/** What may follow a part of a fault that is whole. */
const followers: Readonly<Partial<Record<FormKind, readonly FormKind[]>>> = {
  effect: ['target', 'trigger'],
  target: ['trigger'],
  trigger: ['lifetime'],
};

/** The forms of the statement that is being written, and which part of them comes next. */
export class CovertSignatureHelp implements SignatureHelpProvider {
  readonly #lexer: Lexer;

  constructor(services: CovertLspServices) {
    this.#lexer = services.parser.Lexer;
  }

  get signatureHelpOptions(): SignatureHelpOptions {
    return { triggerCharacters: [' '], retriggerCharacters: [',', '[', ']', '"'] };
  }

  provideSignatureHelp(document: LangiumDocument, { position, context }: SignatureHelpParams): SignatureHelp | undefined {
    const { textDocument } = document;
    // A new line is a new statement until something else stands there.
    if (textDocument.getText({ start: { line: position.line, character: 0 }, end: position }).trim() === '') return undefined;
    const text = textBefore(document, textDocument.offsetAt(position));
    const { tokens, hidden } = this.#lexer.tokenize(text);
    const isOpen = tokens.at(-1)?.endOffset === text.length - 1;
    const comment = hidden.findLast(({ tokenType }) => tokenType.name !== 'WS');
    if (comment?.endOffset === text.length - 1 && !comment.image.endsWith('*/')) return undefined;
    const statement = statementAt(tokens.map(({ image }) => image));
    // Before the first word nobody has asked for anything in particular.
    if (!statement || (statement.words.length === 0 && statement.kind !== 'effect')) return undefined;
    const { kind, words } = statement;
    const begun = fitting(kind, words, isOpen);
    const isWhole = begun.length > 0 && begun.every(({ part, parts }) => part >= parts.length);
    const next = isWhole ? (followers[kind] ?? []).flatMap((each) => fitting(each, [], false)) : [];
    const shown = next.length > 0 ? next : begun;
    if (shown.length === 0) return undefined;
    const signatures = shown.map(toSignature);
    // Whoever has chosen one of several keeps it.
    const chosen = context?.activeSignatureHelp;
    const kept = chosen ? signatures.findIndex(({ label }) => label === chosen.signatures[chosen.activeSignature ?? 0]?.label) : -1;
    const active = Math.max(0, kept);
    return { signatures, activeSignature: active, activeParameter: signatures[active]?.activeParameter ?? 0 };
  }
}

interface Fitting {
  form: Form;
  parts: readonly Part[];
  /** The part that is being written. */
  part: number;
}

function fitting(kind: FormKind, words: readonly string[], isOpen: boolean): Fitting[] {
  const all = (forms[kind] as readonly Form[]).flatMap((form): Fitting[] => {
    const parts = partsOf(form.form);
    const part = partAt(parts, words, isOpen);
    return part === undefined ? [] : [{ form, parts, part }];
  });
  // Those that still lack something come first.
  return all.toSorted((a, b) => Number(a.part >= a.parts.length) - Number(b.part >= b.parts.length));
}

function toSignature({ form, parts, part }: Fitting): SignatureInformation {
  return {
    label: form.form,
    documentation: { kind: 'markdown', value: `${form.means}\n\n\`${form.example}\`` },
    parameters: parts.map(({ text, start, end }) => {
      const means = slots[text] ?? text.split('|').map((word) => wordMeanings[word]).find((meaning) => meaning !== undefined);
      return { label: [start, end], ...(means !== undefined && { documentation: { kind: 'markdown' as const, value: means } }) };
    }),
    activeParameter: part,
  };
}
