import { resolve } from 'node:path';
import { URI } from 'langium';
import type { CampaignPlan } from '../../engine/covert/campaign-plan';
import { count } from '../../engine/covert/numbers';
import type { Plan } from '../../engine/covert/plan';
import { readWhole } from '../whole-file';
import type { Diagnostic } from './diagnostic';
import { visibleDocuments } from './imports';
import { decodeText, mostCharacters, withoutMark } from './scenario-text';
import { createCovertServices, type CovertServices } from './services';

export type { Diagnostic } from './diagnostic';

export interface CompileOptions {
  /** What to take for the file's content instead of what is on the disk. */
  text?: string;
}

export interface Compiled {
  plans: Plan[];
  campaigns: CampaignPlan[];
  diagnostics: Diagnostic[];
}

/**
 * Reads a scenario file and what it imports. `plans` has the scenarios of the
 * file itself in which nothing is wrong, in order, and `campaigns` its campaigns;
 * `diagnostics` what is wrong with it and then with the files it imports.
 *
 * @throws the file system's error, or {@link NoWholeFileError}, where the file itself cannot be read; nothing else is thrown on its account.
 */
export async function compileFile(path: string, options: CompileOptions = {}): Promise<Compiled> {
  const text = withoutMark(options.text ?? decodeText(await readWhole(path)));
  if (text.length > mostCharacters) return { plans: [], campaigns: [], diagnostics: [tooLong(resolve(path), text.length)] };
  const services = idle.pop() ?? createCovertServices();
  const { LangiumDocuments, LangiumDocumentFactory, DocumentBuilder } = services.shared.workspace;
  const document = LangiumDocumentFactory.fromString(text, URI.file(resolve(path)));
  LangiumDocuments.addDocument(document);
  await DocumentBuilder.build([document], { validation: false });
  const plans: Plan[] = [];
  const campaigns: CampaignPlan[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const one of visibleDocuments(document, LangiumDocuments)) {
    const analysis = await services.Analyzer.analyze(one);
    diagnostics.push(...analysis.diagnostics);
    if (one !== document) continue;
    plans.push(...analysis.plans);
    campaigns.push(...analysis.campaigns);
  }
  await DocumentBuilder.update([], LangiumDocuments.all.map(({ uri }) => uri).toArray());
  idle.push(services);
  return { plans, campaigns, diagnostics };
}

/** What is wrong with a file that the parser is not given. */
export function tooLong(file: string, length: number): Diagnostic {
  const message = `this file has ${count(length)} characters, and a scenario file at most ${count(mostCharacters)}: divide it`;
  return { code: 'COV203', severity: 'error', message, file, range: { file, line: 1, column: 1, endLine: 1, endColumn: 1 }, span: { offset: 0, end: 0 }, fixes: [] };
}

/**
 * Parsers are expensive to make and empty after use, so they are used again. One
 * that failed is not: it may still hold documents.
 */
const idle: CovertServices[] = [];
