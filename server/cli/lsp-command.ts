import { Option, type Command } from 'commander';
import { startLanguageServer } from '../language/server';
import { BadInput } from './failure';

export function addLspCommand(program: Command): void {
  program
    .command('lsp')
    .description('Serve the Language Server Protocol for .covert files, for any editor that speaks it.')
    .option('--stdio', 'speak over stdin and stdout (the only way there is)')
    // Editors add it; the protocol library reads it from the command line itself.
    .addOption(new Option('--clientProcessId <id>', 'end when this process ends').hideHelp())
    .addHelpText(
      'after',
      `
Example:
  covert lsp --stdio`,
    )
    .action(({ stdio }: { stdio?: true }) => {
      if (!stdio) throw new BadInput('lsp: say --stdio, so that the server knows how it is spoken to');
      startLanguageServer();
    });
}
