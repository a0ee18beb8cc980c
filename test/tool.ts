import process from 'node:process';
import { CommanderError, InvalidArgumentError, type Command } from 'commander';
import { Failure } from '../server/cli/failure';
import { parseCount } from '../server/cli/values';

/** A whole number from `least` on, for an option of a tool. Throws commander's InvalidArgumentError. */
export function countFrom(least: number): (text: string) => number {
  return (text) => {
    const count = parseCount(text);
    if (count < least) throw new InvalidArgumentError(`It has to be ${least} at least.`);
    return count;
  };
}

/**
 * Runs one of the project's own tools. What it returns is the exit code; that is 2 where an option is wrong, which commander says in a line, and
 * 3, or what a {@link Failure} has, where something else goes wrong, in a line that begins with the name.
 */
export async function runTool<Flags>(name: string, command: Command, action: (flags: Flags, ...words: string[]) => number | Promise<number>): Promise<void> {
  try {
    await command
      .exitOverride()
      .action(async (...given: unknown[]) => {
        const words = given.filter((word): word is string => typeof word === 'string');
        const flags = given.find((word) => typeof word === 'object' && word !== null) as Flags;
        process.exitCode = await action(flags, ...words);
      })
      .parseAsync();
  } catch (error) {
    // What is wrong with an option, commander has said itself.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = error instanceof Failure ? error.exitCode : 3;
    }
  }
}
