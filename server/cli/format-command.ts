import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { formatText } from '../language/format';
import { decodeText, mostCharacters, NoTextError } from '../language/scenario-text';
import { readWhole } from '../whole-file';
import { asUnreadable, BadInput, exitCodes } from './failure';
import { count, counted } from './numbers';
import { replaceFile } from './replace-file';
import { diagnosticLine } from './scenario-file';
import { scenarioFiles } from './scenario-files';
import { printable, write } from './terminal';

const streamName = 'standard input';

export function addFormatCommand(program: Command): void {
  program
    .command('format')
    .description('Format scenario files, as the editor does.')
    .argument('[path...]', 'scenario files (.covert), and folders to look for them in; - for standard input')
    .option('--check', 'change nothing: list the files that are not formatted')
    .option('--stdin', 'format standard input to standard output, as the path - does')
    .addHelpText(
      'after',
      `
Lists the files that it changes. A file with syntax errors is left as it is.
Exits with 0 if all went well, with 1 if --check found a file that is not
formatted, and with 2 if a file could not be formatted.

Example:
  covert format --check examples`,
    )
    .action(async (paths: string[], { check = false, stdin = false }: { check?: boolean; stdin?: boolean }) => {
      const isStream = stdin || paths.includes('-');
      if (isStream && paths.some((one) => one !== '-')) throw new BadInput('standard input is formatted alone: name no files beside it');
      if (!isStream && paths.length === 0) throw new BadInput('what is to be formatted? Name files or folders, or - for standard input');
      process.exitCode = isStream ? await formatStream(check) : await formatFiles(paths, check);
    });
}

async function formatStream(check: boolean): Promise<number> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // A character has at most four bytes.
    if (bytes > 4 * mostCharacters) throw new BadInput(`${streamName}: a scenario file has at most ${count(mostCharacters)} characters`);
  }
  const text = decoded(streamName, Buffer.concat(chunks));
  const formatted = formattedText(streamName, text);
  const differs = formatted !== text;
  if (!check) await write(process.stdout, formatted);
  else if (differs) await write(process.stdout, '-\n');
  return check && differs ? exitCodes.broken : exitCodes.held;
}

async function formatFiles(paths: string[], check: boolean): Promise<number> {
  const { files, problems } = await scenarioFiles(paths);
  const differing: string[] = [];
  let read = 0;
  for (const file of files) {
    try {
      if (await formatFile(file, check)) differing.push(file);
      read++;
    } catch (error) {
      // The other files are formatted all the same.
      if (!(error instanceof BadInput)) throw error;
      problems.push(error);
    }
  }
  for (const { message } of problems) process.stderr.write(`covert: ${printable(message)}\n`);
  const tally = [
    counted(read, 'file'),
    `${differing.length} ${check ? 'not formatted' : 'changed'}`,
    ...(problems.length > 0 ? [counted(problems.length, 'problem')] : []),
  ].join(', ');
  await write(process.stdout, `${[...differing.map(printable), tally].join('\n')}\n`);
  if (problems.length > 0) return exitCodes.badInput;
  return check && differing.length > 0 ? exitCodes.broken : exitCodes.held;
}

/** Formats one file, or only looks at it. True if it was not formatted. */
async function formatFile(file: string, check: boolean): Promise<boolean> {
  if (!file.endsWith('.covert')) throw new BadInput(`${file}: a scenario file's name ends in .covert`);
  try {
    const found = await lstat(file);
    // Another file in the place of the link would part it from what it leads to.
    if (found.isSymbolicLink()) throw new BadInput(`${file}: it is a symbolic link: name the file that it leads to`);
    const text = decoded(file, await readWhole(file));
    const formatted = formattedText(file, text);
    if (formatted === text) return false;
    if (!check) await replaceFile(file, found, formatted);
    return true;
  } catch (error) {
    throw asUnreadable(file, error);
  }
}

function formattedText(name: string, text: string): string {
  const { text: formatted, problem } = formatText(name === streamName ? name : path.resolve(name), text);
  if (problem) throw new BadInput(`${diagnosticLine(problem)} (left as it is)`);
  return formatted;
}

function decoded(name: string, bytes: Buffer): string {
  try {
    return decodeText(bytes);
  } catch (error) {
    throw error instanceof NoTextError ? new BadInput(`${name}:${error.line}: this line is no UTF-8 (left as it is)`) : error;
  }
}
