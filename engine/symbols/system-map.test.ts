import { expect, test } from 'vitest';
import { readSystemMap } from './system-map';

const map = readSystemMap(
  new TextEncoder().encode(
    [
      'ffffffff80002000 T _start',
      'ffffffff80002000 T _text',
      'ffffffff80002040 t setup_vm',
      'ffffffff80002100 T do_trap_ecall_u',
      'ffffffff81000000 D jiffies',
      'ffffffff81000008 D end_of_it',
      '0000000000000007 A some_number',
      'no line of a map',
      '',
    ].join('\n'),
  ),
);

test('finds names, and the name that covers an address up to the next one', () => {
  expect(map.find('setup_vm')).toEqual({ name: 'setup_vm', address: 0xffffffff80002040n, size: 0xc0, kind: 'function' });
  expect(map.find('some_number')).toBeUndefined();
  expect(map.at(0xffffffff800020ffn)?.name).toBe('setup_vm');
  expect(map.at(0xffffffff80002100n)?.name).toBe('do_trap_ecall_u');
  expect(map.at(0xffffffff81000004n)).toMatchObject({ name: 'jiffies', size: 8, kind: 'object' });
  expect(map.at(0xffffffff80001fffn)).toBeUndefined();
  expect(map.at(0xffffffff81000008n)).toBeUndefined();
  expect(map.nearest('do_trap_ecal_u', 1)).toEqual(['do_trap_ecall_u']);
});

test('anything may stand in the file', () => {
  expect(readSystemMap(Uint8Array.of(0xff, 0x00, 0x0a, 0x20)).symbols).toEqual([]);
});

test('any number of names for one place', () => {
  const many = readSystemMap(new TextEncoder().encode(`${'10 T here\n'.repeat(200_000)}10 d too\n20 T there\n`));
  expect(many.symbols).toHaveLength(200_002);
  expect(many.at(0x1fn)).toEqual({ name: 'here', address: 0x10n, size: 0x10, kind: 'function' });
});
