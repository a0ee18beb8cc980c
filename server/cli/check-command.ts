import { Option, type Command } from 'commander';
import type { Diagnostic } from '../language/compile';
import { expand, expandOptions, type ExpandFlags } from './expansion';
import { BadInput, exitCodes } from './failure';
import { counted } from './numbers';
import { sarifLog } from './sarif';
import { compileScenarioFile, diagnosticLine } from './scenario-file';
import { scenarioFiles } from './scenario-files';
import { printable, screenOf, write } from './terminal';

export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('Say what is wrong with scenario files, without running them.')
    .argument('<path...>', 'scenario files (.covert), and folders to look for them in')
    .option('--json', 'print an array of diagnostics instead of text')
    .addOption(new Option('--sarif', 'print a SARIF 2.1.0 log instead of text').conflicts('json'))
    .addHelpText(
      'after',
      `
Prints one line a diagnostic: file:line:column: severity code: message.
Exits with 0 if there is no error (warnings do not count), else with 2.
With --expand diagnostics go to stderr, and the runs of campaigns to stdout; with
--json as an array that has one object a line.

Example:
  covert check examples
  covert check examples/checksum/registers.covert --expand --from 1_001 --count 20`,
    )
    .action(async (paths: string[], flags: ExpandFlags & { sarif?: true }) => {
      process.exitCode = flags.expand ? await expand(paths, flags) : await check(paths, flags.json ? 'json' : flags.sarif ? 'sarif' : 'text');
    });
  for (const option of expandOptions()) command.addOption(option);
}

async function check(paths: string[], form: 'text' | 'json' | 'sarif'): Promise<number> {
  const { files, problems } = await scenarioFiles(paths);
  const found: Diagnostic[] = [];
  const read: string[] = [];
  for (const file of files) {
    try {
      found.push(...(await compileScenarioFile(file)).diagnostics);
      read.push(file);
    } catch (error) {
      // The other files are looked at all the same.
      if (!(error instanceof BadInput)) throw error;
      problems.push(error);
    }
  }
  for (const { message } of problems) process.stderr.write(`covert: ${printable(message)}\n`);
  const diagnostics = eachOnce(found);
  const unread = problems.length;
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (form === 'sarif') {
    const log = sarifLog(diagnostics, { read, problems: problems.map(({ message }) => message) });
    await write(process.stdout, `${JSON.stringify(log, null, 2)}\n`);
  } else if (form === 'json') {
    const plain = diagnostics.map(({ file, range, severity, code, message }) => {
      const { line, column, endLine, endColumn } = range;
      return { file, line, column, endLine, endColumn, severity, code, message };
    });
    await write(process.stdout, `${JSON.stringify(plain, null, 2)}\n`);
  } else {
    const { colors } = screenOf(process.stdout);
    const tally = [
      counted(read.length, 'file'),
      ...(unread > 0 ? [`${unread} not read`] : []),
      counted(errors, 'error'),
      counted(diagnostics.length - errors, 'warning'),
    ].join(', ');
    const lines = diagnostics.map((diagnostic) => {
      const paint = diagnostic.severity === 'error' ? colors.red : colors.yellow;
      return diagnosticLine(diagnostic).replace(/ (error|warning) /, (word) => paint(word));
    });
    await write(process.stdout, `${[...lines, tally].join('\n')}\n`);
  }
  return errors + unread > 0 ? exitCodes.badInput : exitCodes.held;
}

/** What is wrong with a file that several others import comes with each of them. */
function eachOnce(diagnostics: Diagnostic[]): Diagnostic[] {
  const seen = new Map(diagnostics.map((one) => [JSON.stringify([one.file, one.range, one.code, one.message]), one]));
  return [...seen.values()];
}
