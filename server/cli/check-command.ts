import type { Command } from 'commander';
import type { Diagnostic } from '../language/compile';
import { BadInput, exitCodes } from './failure';
import { counted } from './numbers';
import { compileScenarioFile, diagnosticLine } from './scenario-file';
import { printable, screenOf, write } from './terminal';

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('Say what is wrong with scenario files, without running them.')
    .argument('<file...>', 'scenario files (.covert)')
    .option('--json', 'print an array of diagnostics instead of text')
    .addHelpText(
      'after',
      `
Prints one line a diagnostic: file:line:column: severity code: message.
Exits with 0 if there is no error (warnings do not count), else with 2.

Example:
  covert check examples/*/*.covert`,
    )
    .action(async (files: string[], flags: { json?: true }) => {
      process.exitCode = await check(files, flags.json === true);
    });
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
