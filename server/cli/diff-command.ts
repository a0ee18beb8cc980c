import { Option, type Command } from 'commander';
import { readState } from '../../engine/machine/state-file';
import type { MachineSnapshot } from '../../engine/machine/snapshot';
import { imagesOfState } from './disk-files';
import { BadInput, exitCodes } from './failure';
import { table } from './layout';
import { counted } from './numbers';
import { fromStateFile } from './state-input';
import { write } from './terminal';
import { parseCount } from './values';

interface DiffFlags {
  limit: number;
  disk: string[];
  json?: true;
}

export function addDiffCommand(program: Command): void {
  program
    .command('diff')
    .description('List the places in which two saved states differ: registers, CSRs, devices, memory.')
    .argument('<a>', 'state that covert exec --save has written')
    .argument('<b>', 'another one')
    .addOption(new Option('--limit <count>', 'list at most so many places').argParser(parseCount).default(100))
    .addOption(
      new Option('--disk <file>', 'where the images of the disks are now, if not where they were. Repeatable')
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
    .option('--json', 'print an array of places instead')
    .addHelpText(
      'after',
      `
Exits with 0 if the states are equal, with 1 if they differ, with 2 if a file is
no state or the two are of machines that cannot be compared.

Example:
  covert diff before.state after.state`,
    )
    .action(async (a: string, b: string, flags: DiffFlags) => {
      process.exitCode = await diff(a, b, flags);
    });
}

async function diff(fileA: string, fileB: string, { limit, disk, json }: DiffFlags): Promise<number> {
  const [a, b] = [await read(fileA, disk), await read(fileB, disk)];
  if (a.ramBytes !== b.ramBytes || a.harts !== b.harts) {
    throw new BadInput(`${fileA} is of ${a.harts} harts and ${a.ramBytes} bytes of RAM, ${fileB} of ${b.harts} and ${b.ramBytes}: they cannot be compared`);
  }
  if (a.disks.length !== b.disks.length || a.disks.some(({ image }, i) => image.bytes !== b.disks[i]?.image.bytes)) {
    throw new BadInput(`${fileA} and ${fileB} are of guests with other disks: they cannot be compared`);
  }
  const found = a.difference(b, limit + 1);
  const shown = found.slice(0, limit).map(({ place, a: valueA, b: valueB }) => ({ place, a: `0x${valueA.toString(16)}`, b: `0x${valueB.toString(16)}` }));
  if (json) await write(process.stdout, `${JSON.stringify(shown, null, 2)}\n`);
  else if (found.length === 0) await write(process.stdout, 'the states are equal\n');
  else {
    const more = found.length > limit ? [`… and more: this is the first ${counted(limit, 'place')}`] : [];
    await write(process.stdout, `${[...table(shown.map(({ place, a: first, b: second }) => [place, first, second])), ...more].join('\n')}\n`);
  }
  return found.length === 0 ? exitCodes.held : exitCodes.broken;
}

const read = (file: string, disk: readonly string[]): Promise<MachineSnapshot> => fromStateFile(file, (bytes) => readState(bytes, imagesOfState(file, disk)).snapshot);
