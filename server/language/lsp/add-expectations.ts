import type { LangiumDocument } from 'langium';
import { CodeActionKind, type CodeAction, type Range } from 'vscode-languageserver';
import type { Plan } from '../../../engine/covert/plan';
import { lastResult } from '../../results/last-results';
import { planMark } from '../../results/plan-mark';
import { excludes } from '../expectations';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { addition } from '../mends';
import { decodeString } from '../values';
import { action, touches } from './edits';

/**
 * On a scenario whose last run is one of what stands there now: what that run
 * fulfilled and nobody expects yet, each by itself and all of it together.
 */
export async function addExpectations(document: LangiumDocument, range: Range, plans: readonly Plan[]): Promise<CodeAction[]> {
  const scenario = fileOf(document)?.items.filter(ast.isScenario).find(({ $cstNode }) => $cstNode && touches($cstNode.range, range));
  const name = scenario?.name === undefined ? undefined : decodeString(scenario.name).value;
  const plan = plans.find((each) => each.name === name);
  if (!scenario || !plan) return [];
  const result = await lastResult(document.uri.fsPath, plan.name);
  if (!result || result.mark !== planMark(plan)) return [];
  const there = plan.expectations.map(({ expectation }) => expectation.kind);
  const missing = result.fulfilled.filter(({ kind }) => !there.some((other) => other === kind || excludes(kind, other)));
  const offer = (title: string, texts: readonly string[]): CodeAction[] => {
    const edit = addition(scenario, texts.map((text) => `expect ${text}`));
    return edit ? [action(document, title, CodeActionKind.RefactorRewrite, [edit])] : [];
  };
  return [
    ...missing.flatMap(({ text }) => offer(`Add \`expect ${text}\`, as in the last run`, [text])),
    ...(missing.length > 1 ? offer(`Add all ${missing.length} expectations that the last run fulfils`, missing.map(({ text }) => text)) : []),
  ];
}
