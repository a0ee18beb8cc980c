import type { LangiumDocument } from 'langium';
import type { CodeLensProvider } from 'langium/lsp';
import type { CodeLens, Command } from 'vscode-languageserver';
import type { CampaignPlan } from '../../../engine/covert/campaign-plan';
import { exactRange } from '../../../engine/covert/campaign-ranges';
import { faultSpace } from '../../../engine/covert/campaign-runs';
import type { Plan } from '../../../engine/covert/plan';
import { lastResult, type LastResult } from '../../results/last-results';
import { expectedTexts, planMark } from '../../results/plan-mark';
import { foldedText } from '../context';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { decodeString } from '../values';
import type { CovertLspServices } from './lsp-services';

/**
 * Run, Debug and how it went last above every scenario; the commands are the extension's, and stand there for a client that says it has
 * them (`experimental.commands.commands`, as rust-analyzer's clients do). Above every campaign, how many runs it is.
 */
export class CovertLenses implements CodeLensProvider {
  #commands: readonly unknown[] = [];

  constructor(private readonly services: CovertLspServices) {
    services.shared.lsp.LanguageServer.onInitialize(({ capabilities }) => {
      const { commands } = ((capabilities.experimental as { commands?: { commands?: unknown } } | undefined)?.commands ?? {});
      this.#commands = Array.isArray(commands) ? commands : [];
    });
  }

  async provideCodeLens(document: LangiumDocument): Promise<CodeLens[]> {
    const uri = document.uri.toString();
    const { plans, campaigns } = await this.services.Analyzer.latest(document);
    const lenses: CodeLens[] = [];
    for (const campaign of (fileOf(document)?.items ?? []).filter(ast.isCampaign)) {
      const name = campaign.name === undefined ? undefined : decodeString(campaign.name).value;
      const plan = campaigns.find(({ base }) => base.name === name);
      if (!plan || !campaign.$cstNode) continue;
      const { start } = campaign.$cstNode.range;
      const command: Command & { tooltip: string } = { title: `$(list-ordered) ${runsOf(plan)}`, tooltip: '`covert check --expand` lists them', command: '' };
      lenses.push({ range: { start, end: start }, command: this.#shown(command) });
    }
    for (const scenario of (fileOf(document)?.items ?? []).filter(ast.isScenario)) {
      const name = scenario.name === undefined ? undefined : decodeString(scenario.name).value;
      if (name === undefined || !scenario.$cstNode) continue;
      const { start } = scenario.$cstNode.range;
      const add = (command: Command & { tooltip: string }): void => {
        if (command.command === '' || this.#commands.includes(command.command)) lenses.push({ range: { start, end: start }, command: this.#shown(command) });
      };
      add({ title: '$(play) Run', tooltip: 'Run this scenario in a terminal', command: 'covert.runScenario', arguments: [uri, name] });
      add({ title: '$(debug-alt) Debug', tooltip: 'Debug both replicas of this scenario', command: 'covert.debugScenario', arguments: [uri, name] });
      const result = await lastResult(document.uri.fsPath, name);
      // Without a command it is a text that cannot be clicked.
      if (result) add({ ...inWords(result, scenario, plans.find((plan) => plan.name === name)), command: '' });
    }
    return lenses;
  }

  /** Without an icon's code for who has not announced to be such an editor. */
  #shown<C extends Command>(command: C): C {
    return this.#commands.length > 0 ? command : { ...command, title: command.title.replace(/^\$\([\w-]+\) /, '') };
  }
}

/** How many runs a campaign expands to, as far as that is known without running its guest. */
function runsOf(campaign: CampaignPlan): string {
  const { injections, alternatives } = campaign;
  const runs = (size: number | bigint): string => `${size.toLocaleString('en-GB')} ${BigInt(size) === 1n ? 'run' : 'runs'}`;
  if (injections.kind === 'drawn') return `${runs(injections.count)}, seed ${injections.seed}`;
  const ranges = alternatives.map(({ trigger }) => (trigger.kind === 'any' ? exactRange(trigger) : undefined));
  const isKnown = alternatives.every(({ trigger }, i) => trigger.kind !== 'any' || ranges[i]);
  const size = isKnown ? faultSpace(campaign, ranges) : undefined;
  return size === undefined || size > BigInt(Number.MAX_SAFE_INTEGER) ? 'every fault, one run each' : `every fault, ${runs(size)}`;
}

function inWords(result: LastResult, scenario: ast.Scenario, plan: Plan | undefined): { title: string; tooltip: string } {
  const when = `${ago(Date.now() - Date.parse(result.at))}`;
  const isStale = !plan || planMark(plan) !== result.mark || expectedTexts(plan).join('\n') !== result.expected.join('\n');
  const tooltip = details(result);
  if (isStale) return { title: `$(history) ${result.passed ? 'passed' : 'failed'} ${when}, before the last change`, tooltip };
  if (result.passed) return { title: `$(pass) passed, ${when}`, tooltip };
  const { failure } = result;
  // Lines move; the expectation is known by its text.
  const node = scenario.items.find((item) => ast.isExpectation(item) && foldedText(item.condition) === failure?.text);
  const line = node?.$cstNode ? node.$cstNode.range.start.line + 1 : failure?.line;
  const what = failure === undefined ? '' : failure.text === undefined ? `: ${failure.why}` : `: line ${line}, expect ${failure.text} (${failure.why})`;
  return { title: `$(error) failed, ${when}${what}`, tooltip };
}

function details({ at, detections, recoveries, exit, overhead, output }: LastResult): string {
  const list = (kind: string, all: readonly string[]): string => (all.length === 0 ? `not ${kind}` : `${kind} by ${all.join(', ')}`);
  return [
    new Date(at).toLocaleString('en-GB'),
    list('detected', detections),
    list('recovered', recoveries),
    exit === null ? 'did not exit' : `exit ${exit}`,
    ...(overhead === null ? [] : [`overhead ${(overhead * 100).toFixed(1)} %`]),
    ...(output === '' ? [] : [`output:\n${output}`]),
  ].join('\n');
}

/** `2 hours ago`. */
export function ago(milliseconds: number): string {
  const units = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]] as const;
  for (const [unit, length] of units) {
    const count = Math.floor(milliseconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}
