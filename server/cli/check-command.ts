import type { Command } from 'commander';
import type { Diagnostic } from '../language/compile';
import { expand, expandOptions, type ExpandFlags } from './expansion';
import { BadInput, exitCodes } from './failure';
import { counted } from './numbers';
import { compileScenarioFile, diagnosticLine } from './scenario-file';
import { printable, screenOf, write } from './terminal';

export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('Say what is wrong with scenario files, without running them.')
    .argument('<file...>', 'scenario files (.covert)')
    .option('--json', 'print an array of diagnostics instead of text')
    .addHelpText(
      'after',
      `
Prints one line a diagnostic: file:line:column: severity code: message.
Exits with 0 if there is no error (warnings do not count), else with 2.
With --expand diagnostics go to stderr, and the runs of campaigns to stdout; with
--json as an array that has one object a line.

Example:
  covert check examples/*/*.covert
  covert check examples/checksum/registers.covert --expand --from 1_001 --count 20`,
    )
    .action(async (files: string[], flags: ExpandFlags) => {
      process.exitCode = flags.expand ? await expand(files, flags) : await check(files, flags.json === true);
    });
  for (const option of expandOptions()) command.addOption(option);
}

async function check(files: string[], json: boolean): Promise<number> {
  const diagnostics: Diagnostic[] = [];
  let unread = 0;
  for (const file of files) {
    try {
      diagnostics.push(...(await compileScenarioFile(file)).diagnostics);
    } catch (error) {
      // The other files are looked at all the same.
      if (!(error instanceof BadInput)) throw error;
      unread += 1;
      process.stderr.write(`covert: ${printable(error.message)}\n`);
    }
  }
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (json) {
    const plain = diagnostics.map(({ file, range, severity, code, message }) => {
      const { line, column, endLine, endColumn } = range;
      return { file, line, column, endLine, endColumn, severity, code, message };
    });
    await write(process.stdout, `${JSON.stringify(plain, null, 2)}\n`);
  } else {
    const { colors } = screenOf(process.stdout);
    const tally = [
      counted(files.length - unread, 'file'),
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
