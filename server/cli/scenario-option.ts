import { InvalidArgumentError, Option } from 'commander';

/** `--scenario`, where one scenario of a file can be asked for. */
export function scenarioOption(description: string): Option {
  return new Option('-s, --scenario <name>', description).argParser((name: string, before: string | undefined) => {
    if (before !== undefined) throw new InvalidArgumentError(`"${before}" has been asked for already. Leave it out for all scenarios of the file, or name one of them.`);
    return name;
  });
}
