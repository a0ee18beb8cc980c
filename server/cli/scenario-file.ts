import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Plan } from '../../engine/covert/plan';
import { nearestNames } from '../../engine/symbols/nearest';
import { compileFile, type Compiled, type Diagnostic } from '../language/compile';
import { asUnreadable, BadInput } from './failure';
import { counted } from './numbers';
import { printable, shownPath } from './terminal';

/** Compiles one file. A file that cannot be read is {@link BadInput}; what is wrong inside is in the diagnostics. */
export async function compileScenarioFile(file: string): Promise<Compiled> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    if (!file.endsWith('.covert')) throw new BadInput(`${file}: a scenario file's name ends in .covert`);
    return await compileFile(path.resolve(file));
  } catch (error) {
    throw asUnreadable(file, error);
  }
}

/** `sum.covert:12:7: error COV203: …`, the form that terminals and editors make a link of. */
export function diagnosticLine({ file, range, severity, code, message }: Diagnostic): string {
  return printable(`${shownPath(file)}:${range.line}:${range.column}: ${severity} ${code}: ${message}`);
}

/**
 * The scenarios of a file that can be run, or the one that is called `name`.
 * Diagnostics go to stderr, one a line, and so does that campaigns are left out; an error among them is {@link BadInput}.
 */
export async function loadPlans(file: string, name: string | undefined): Promise<Plan[]> {
  const { plans, campaigns, diagnostics } = await compileScenarioFile(file);
  for (const diagnostic of diagnostics) process.stderr.write(`${diagnosticLine(diagnostic)}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) throw new BadInput(`${file}: ${counted(errors, 'error')}, so nothing was run`);
  const left = `campaigns are not run yet (\`covert check --expand\` lists the runs of ${campaigns.length === 1 ? 'the one' : `the ${campaigns.length}`} in it)`;
  if (plans.length === 0) throw new BadInput(`${file}: it has no scenario to run${campaigns.length > 0 ? `, and ${left}` : ''}`);
  if (name === undefined) {
    if (campaigns.length > 0) process.stderr.write(printable(`covert: ${file}: ${left}\n`));
    return plans;
  }
  const plan = plans.find((candidate) => candidate.name === name);
  if (plan) return [plan];
  const nearest = nearestNames(name, plans.map((candidate) => candidate.name), 1)[0];
  const names = plans.map((candidate) => `"${candidate.name}"`).join(', ');
  const hint = nearest === undefined ? `, but ${names}` : `; did you mean "${nearest}"?`;
  throw new BadInput(`${file}: it has no scenario "${name}"${hint}`);
}
