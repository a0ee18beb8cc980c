import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readElf, readElfFile } from './elf';
import { header, makeElf, type Segment } from './test/make-elf';
import { ElfError } from './types';

const code: Segment = { address: 0x80000000n, data: Uint8Array.of(0x13, 0, 0, 0), flags: 5 };

describe('a sound image', () => {
  test('entry and segments', () => {
    const bytes = makeElf({ segments: [code, { address: 0x80001000n, data: Uint8Array.of(1, 2), memoryBytes: 100n, flags: 6 }] });
    expect(readElf(bytes)).toEqual({
      entry: 0x80000000n,
      segments: [
        { address: 0x80000000n, virtual: 0x80000000n, data: Uint8Array.of(0x13, 0, 0, 0), memoryBytes: 4, executable: true, writable: false },
        { address: 0x80001000n, virtual: 0x80001000n, data: Uint8Array.of(1, 2), memoryBytes: 100, executable: false, writable: true },
      ],
    });
  });

  test('a virtual entry is given as the physical address that it is loaded at', () => {
    const virtual = 0xffffffff80000000n;
    expect(readElf(makeElf({ entry: virtual, segments: [{ ...code, virtual }] })).entry).toBe(0x80000000n);
  });

  test('a compressed section', () => {
    const text = new TextEncoder().encode('debug '.repeat(100));
    const packed = deflateSync(text);
    const raw = new Uint8Array(24 + packed.length);
    new DataView(raw.buffer).setUint32(0, 1, true);
    new DataView(raw.buffer).setBigUint64(8, BigInt(text.length), true);
    raw.set(packed, 24);
    const sections = [{ name: '.debug_str', type: 1, flags: 0x800, data: raw }];
    expect([...readElfFile(makeElf({ segments: [code], sections })).section('.debug_str')!]).toEqual([...text]);
    new DataView(raw.buffer).setBigUint64(8, 1n << 40n, true);
    expect(readElfFile(makeElf({ segments: [code], sections })).section('.debug_str')).toBeUndefined();
  });
});

describe('what is refused, in one clear line', () => {
  const sound = makeElf({ segments: [code] });
  const patched = (offset: number, ...values: number[]): Uint8Array => {
    const bytes = sound.slice();
    bytes.set(values, offset);
    return bytes;
  };

  test.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'not an ELF file: it is empty'],
    ['text', new TextEncoder().encode('#!/bin/sh\n'), 'not an ELF file (its first bytes are not 7f 45 4c 46)'],
    ['half a header', sound.slice(0, 40), 'truncated ELF: 40 bytes, its header alone has 64'],
    ['32 bits', patched(4, 1), 'a 32-bit ELF; the guest must be 64-bit (riscv64)'],
    ['big endian', patched(5, 2), 'a big-endian ELF; the guest must be little-endian'],
    ['x86-64', patched(18, 62), 'an ELF for x86-64, not for RISC-V (build the guest with a riscv64 compiler)'],
    ['an unknown machine', patched(18, 0xee, 0xee), 'an ELF for machine 61166, not for RISC-V (build the guest with a riscv64 compiler)'],
    ['an object file', patched(16, 1), 'an object file, not an executable (link it first)'],
    ['a core dump', patched(16, 4), 'an ELF of type 4, not an executable'],
    ['program headers past the end', patched(header.programCount, 200), `truncated ELF: its program headers end at byte ${64 + 200 * 56}, the file at ${sound.length}`],
    ['no segments', patched(header.programCount, 0), 'an ELF with nothing to load (no PT_LOAD segment)'],
    ['a segment past the end', makeElf({ segments: [{ ...code, fileBytes: 1000n, memoryBytes: 1000n }] }), 'truncated ELF: segment 0 at 0x80000000 ends at byte'],
    ['less memory than file', makeElf({ segments: [{ ...code, memoryBytes: 2n }] }), 'damaged ELF: segment 0 at 0x80000000 has 4 bytes in the file but 2 in memory'],
    ['more memory than there is', makeElf({ segments: [{ ...code, memoryBytes: 1n << 50n }] }), 'damaged ELF: segment 0 at 0x80000000 has 0x4000000000000 bytes, more than there can be'],
    ['a segment past 2^64', makeElf({ segments: [{ ...code, address: (1n << 64n) - 2n }] }), 'more than there can be'],
    ['overlapping segments', makeElf({ segments: [code, { ...code, address: 0x80000002n }] }), 'damaged ELF: the segments at 0x80000000 and 0x80000002 overlap'],
  ])('%s', (_, bytes, message) => {
    expect(() => readElf(bytes)).toThrow(ElfError);
    expect(() => readElf(bytes)).toThrow(message);
  });

  test('a file cut anywhere', () => {
    const whole = makeElf({ segments: [code], sections: [{ name: '.text', type: 1, flags: 6, data: code.data }] });
    for (let length = 0; length < whole.length; length++) {
      let message = '';
      try {
        readElf(whole.slice(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(ElfError);
        message = (error as Error).message;
      }
      expect(message, `cut to ${length} bytes`).toMatch(/^(truncated|not an) ELF[^\n]*$/);
    }
  });
});
