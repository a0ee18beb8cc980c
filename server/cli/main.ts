import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { DiskImageError } from '../../engine/machine/virtio/disk-image';
import { addCheckCommand } from './check-command';
import { addDebugCommand } from './debug-command';
import { addDiffCommand } from './diff-command';
import { addExecCommand } from './exec-command';
import { BadInput, exitCodes, Failure } from './failure';
import { addFormatCommand } from './format-command';
import { addLspCommand } from './lsp-command';
import { addModelCommand } from './model-command';
import { addReplayCommand } from './replay-command';
import { addRunCommand } from './run-command';
import { printable } from './terminal';

function createProgram(): Command {
  const program = new Command('covert')
    .description(
      'Replicated RISC-V guests: run them with faults, see whether COVERT notices and recovers, and debug them.',
    )
    .version(version)
    .option('--verbose', 'show where in the tool an error came from')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(oneLine(text, 'covert')) })
    .exitOverride();
  addRunCommand(program);
  addReplayCommand(program);
  addCheckCommand(program);
  addFormatCommand(program);
  addExecCommand(program);
  addDiffCommand(program);
  addModelCommand(program);
  addDebugCommand(program);
  addLspCommand(program);
  for (const command of program.commands) command.configureOutput({ outputError: (text, write) => write(oneLine(text, `covert ${command.name()}`)) });
  return program.addHelpText(
    'after',
    `
Exit codes:
  0    all expectations held, nothing is wrong (exec: or the guest's own exit code)
  1    an expectation did not hold, or a file is not formatted
  2    bad input: a file, an option, a value
  3    a limit was reached, or the tool failed
  130  interrupted

Example:
  covert run examples/checksum/checksum.covert`,
  );
}

/** commander's message, perhaps with a suggestion on a second line, as one line of ours, which says where more stands if it does not say what to do. */
function oneLine(text: string, command: string): string {
  const words = printable(text.replace(/^error: /, '').trim().replace(/\s*\n\s*/g, ' '));
  const leadsOn = /^(unknown|missing|too many)|argument missing$/.test(words) && !words.includes('(Did you mean');
  return `covert: ${words}${leadsOn ? ` (\`${command} --help\` says what there is)` : ''}\n`;
}

/** What commander is to parse: for `--help` behind a command that there is not, it would show the general help and be content. */
function argumentsFor(program: Command, args: readonly string[]): string[] {
  const name = args.find((arg) => !arg.startsWith('-'));
  const isKnown = name === undefined || name === 'help' || program.commands.some((command) => command.name() === name);
  return args.filter((arg) => isKnown || (arg !== '--help' && arg !== '-h'));
}

function report(thrown: unknown, verbose: boolean): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.held : exitCodes.badInput;
  // An image that changed under a guest is the user's, whatever was being done.
  const error = thrown instanceof DiskImageError ? new BadInput(thrown.message, { cause: thrown }) : thrown;
  const known = error instanceof Failure;
  const message = error instanceof Error ? error.message : String(error);
  const line = printable(message.replace(/\s*\n\s*/g, ' '));
  process.stderr.write(known ? `covert: ${line}\n` : `covert: the tool failed: ${line} (--verbose shows where)\n`);
  if (verbose && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
    if (error.cause instanceof Error) process.stderr.write(`caused by ${error.cause.stack ?? ''}\n`);
  }
  return known ? error.exitCode : exitCodes.failed;
}

async function main(): Promise<void> {
  // Whoever reads our output may stop early (`covert run … | head`): no reason for a stack.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.held);
    process.stderr.write(`covert: stdout cannot be written to: ${error.message}\n`);
    process.exit(exitCodes.failed);
  });
  const program = createProgram();
  try {
    await program.parseAsync(argumentsFor(program, process.argv.slice(2)), { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, program.opts<{ verbose?: boolean }>().verbose === true);
  }
}

void main();
