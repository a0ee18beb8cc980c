import { join } from 'node:path';

const checksum = join(import.meta.dirname, '../../examples/checksum');

/** Where the long file stands, so that its guests' paths lead to the example. */
export const longFile = join(checksum, 'long.covert');

const faults: readonly ((n: number) => string)[] = [
  (n) => `fault flip a0 bit ${n % 64} in replica B at crc32_update + 0x2a hit ${1 + (n % 1000)}`,
  (n) => `fault flip memory[&table + ${4 * (n % 256)}].w bits 3, ${8 + (n % 20)} in replica B at instruction ${1000 + 7 * n}`,
  (n) => `fault stick alu bit ${n % 32} at 1 on core 1 from ${1 + (n % 9)} ms for 100 us`,
  (n) => `fault set t1 to ${n} in replica A at "checksum.c":35 hit ${1 + (n % 50)}`,
  (n) => `optional fault flip 2 random bits of x1..x31, f0..f31 in replica B at cycle ${5000 + n}`,
  (n) => `fault flip store bit ${n % 8} in replica B when write &sums[${n % 8}] hit 2`,
];

const expectations = ['expect detected by output, state within 16 epochs', 'expect recovered by rollback', 'expect output contains "crc="', 'expect exit 0', 'expect no corruption'];

/** A file of about so many lines in which nothing is wrong: chips, guests, and scenarios with faults of every kind. */
export function longScenarios(lines: number): string {
  const written: string[] = ['// Made to measure the language server.'];
  for (let i = 0; i < 4; i++) written.push(`chip octo${i} {`, `  cores ${8 + i} at 2 GHz`, '  l2 8 banks of 512 KiB', '  memory 4 controllers', '  ring', '}', '');
  for (let i = 0; i < 8; i++) written.push(`guest checksum${i} {`, '  elf "checksum.elf"', `  ram ${16 + i} MiB`, '}', '');
  for (let n = 0; written.length < lines; n++) {
    written.push(`// What comes of fault number ${n}.`, `scenario "scenario ${n}" {`, `  chip octo${n % 4}`, `  guest checksum${n % 8}`, '');
    written.push('  protect dmr on core 0, core 1 {', '    isolation full', `    epoch ${10_000 + n} instructions`, '    checkpoint every 16 epochs', '  }', '');
    for (let i = 0; i < 4; i++) written.push(`  ${faults[(n + i) % faults.length]?.(13 * n + i)}`);
    written.push('', ...expectations.map((line) => `  ${line}`), '}', '');
  }
  return written.join('\n');
}
