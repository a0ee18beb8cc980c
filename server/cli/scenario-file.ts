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

/** What a command that runs scenarios takes from a file. */
export interface Loaded {
  plans: Plan[];
  /** Names of the campaigns that were asked for with the scenarios, and are not run. */
  campaigns: string[];
}

/** Why a campaign is not run, and what can be done with it. */
export const campaignsLeft = (file: string): string => `campaigns are not run yet; \`covert check --expand ${file}\` lists their runs`;

/**
 * The scenarios of a file that can be run, or the one that is called `name`.
 * Diagnostics go to stderr, one a line; an error among them is {@link BadInput}, and so is a file, or a name, of campaigns alone.
 */
export async function loadPlans(file: string, name: string | undefined): Promise<Loaded> {
  const { plans, diagnostics, ...compiled } = await compileScenarioFile(file);
  for (const diagnostic of diagnostics) process.stderr.write(`${diagnosticLine(diagnostic)}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) throw new BadInput(`${file}: ${counted(errors, 'error')}, so nothing was run`);
  const campaigns = compiled.campaigns.map(({ base }) => base.name);
  if (name !== undefined && campaigns.includes(name)) throw new BadInput(`${file}: "${name}" is a campaign: ${campaignsLeft(file)}`);
  if (plans.length === 0) throw new BadInput(`${file}: it has no scenario to run${campaigns.length > 0 ? ` but ${counted(campaigns.length, 'campaign')}: ${campaignsLeft(file)}` : ''}`);
  if (name === undefined) return { plans, campaigns };
  const plan = plans.find((candidate) => candidate.name === name);
  if (plan) return { plans: [plan], campaigns: [] };
  const nearest = nearestNames(name, plans.map((candidate) => candidate.name), 1)[0];
  const names = plans.map((candidate) => `"${candidate.name}"`).join(', ');
  const hint = nearest === undefined ? `, but ${names}` : `; did you mean "${nearest}"?`;
  throw new BadInput(`${file}: it has no scenario "${name}"${hint}`);
}
