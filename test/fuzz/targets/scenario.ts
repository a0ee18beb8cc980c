import type { Plan } from '../../../engine/covert/plan';
import { run as runPlan } from '../../../engine/covert/run';
import { compileFile, type Diagnostic } from '../../../server/language/compile';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { isolate } from './isolation';
import { exampleCount, here, textOf } from './scenario-text';

/** What a scenario is run for, and the RAM beyond which it is not: that would measure the host. */
const mostInstructions = 20_000;
const mostRam = 16 * 2 ** 20;

/**
 * Scenario files: any bytes, examples with other words in them, and whatever the
 * grammar can make, and words over and over. What compiles is run for a while. The input: which of these,
 * and the bytes, changes or choices.
 */
export const scenarioTarget: FuzzTarget = {
  what: 'scenario files, compiled and run',
  runs: 150,
  seeds: () => [
    ...Array.from({ length: exampleCount }, (_, which) => Uint8Array.of(1, which)),
    Uint8Array.of(4, 20, 1, 7, 0, 9, 0),
    Uint8Array.of(0, ...Buffer.from('guest g { elf "checksum.elf" }\nscenario "s" { guest g expect exit 0 }')),
    Uint8Array.from({ length: 60 }, (_, i) => [2, 1, 3, 0, 2, 5, 1][i % 7] ?? 0),
    Uint8Array.from({ length: 60 }, (_, i) => [3, 1, 2, 7, 0, 1, 1, 4, 6][i % 9] ?? 0),
  ],
  async run(input) {
    isolate();
    const text = textOf(new ByteReader(input));
    const { plans, diagnostics } = await compileFile(here, { text });
    const again = await compileFile(here, { text });
    const told = JSON.stringify(diagnostics);
    if (told !== JSON.stringify(again.diagnostics) || plans.length !== again.plans.length) throw new Error(`the same text, and other diagnostics: ${told}`);
    for (const diagnostic of diagnostics) check(diagnostic, text);
    const happened = new Set(diagnostics.map(({ code }) => code as string));
    if (diagnostics.every(({ severity }) => severity !== 'error')) happened.add(plans.length > 0 ? 'a plan' : 'no plan');
    const [plan] = plans;
    if (plan && plan.guest.ramBytes <= mostRam) happened.add(await ran(plan));
    return [...happened].sort().join(', ');
  },
};

/** A scenario in which nothing is wrong can be run. */
async function ran(plan: Plan): Promise<string> {
  const { passed, guest } = await runPlan({ ...plan, maxInstructions: Math.min(plan.maxInstructions, mostInstructions) });
  return `ended by ${guest.ended} and ${passed ? 'passed' : 'failed'}`;
}

function check({ file, message, code, range, span }: Diagnostic, text: string): void {
  const what = `${code} ${message} at ${JSON.stringify(range)}`;
  if (/[\r\n]|undefined|NaN|\[object/.test(message) && !/undefined|NaN|\[object/.test(text)) throw new Error(`a message that says nothing: ${what}`);
  if (file !== here) return;
  if (!(span.offset >= 0 && span.end >= span.offset && span.end <= text.length)) throw new Error(`outside of the text: ${what}`);
  if (!(range.line >= 1 && range.column >= 1 && range.endLine >= range.line)) throw new Error(`no place: ${what}`);
}
