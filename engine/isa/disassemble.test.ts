import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeInstruction } from './decode';
import { disassemble } from './disassemble';
import { instructions } from './instructions';
import { Random } from './random.test-support';
import { csrNames, csrNumbers, fNames, fNumbers, xNames, xNumbers } from './registers';

function littleEndian(raw: number, bytes = 4): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (raw >>> (8 * index)) & 0xff);
}

describe('disassemble', () => {
  it.each<[number, string]>([
    [0xfe010113, 'addi sp,sp,-32'],
    [0x00008067, 'ret'],
    [0x00813023, 'sd s0,0(sp)'],
    [0x0000006f, 'j 0x80000000'],
    [0xff5ff0ef, 'jal 0x7ffffff4'],
    [0x00b50463, 'beq a0,a1,0x80000008'],
    [0x6ac59543, 'fmadd.d fa0,fa1,fa2,fa3,rtz'],
    [0x06b6252f, 'amoadd.w.aqrl a0,a1,(a2)'],
    [0xf14022f3, 'csrr t0,mhartid'],
    [0x0e735533, 'czero.eqz a0,t1,t2'],
    [0x0045200f, 'cbo.zero (a0)'],
    [0x00000505, 'addi a0,a0,1'],
    [0x00000000, 'unimp'],
    [0x00002001, '.2byte 0x2001'],
    [0x0000707f, '.4byte 0x707f'],
  ])('disassembles %i as %s', (raw, text) => {
    expect(disassemble(littleEndian(raw), 0x80000000n).text).toBe(text);
  });

  it('names targets', () => {
    const named = disassemble(littleEndian(0x0100006f), 0x80000000n, (address) => (address === 0x80000010n ? 'main' : undefined));
    expect(named).toMatchObject({ mnemonic: 'j', operands: '80000010 <main>', length: 4, raw: 0x0100006f });
  });

  it('wraps targets at 64 bits', () => {
    expect(disassemble(littleEndian(0xff5ff06f), 0n).text).toBe('j 0xfffffffffffffff4');
  });

  it('shows the half of an instruction that is cut off', () => {
    expect(disassemble(littleEndian(0x0113, 2), 0n)).toMatchObject({ text: '.2byte 0x113', length: 2 });
    expect(() => disassemble(littleEndian(0x13, 1), 0n)).toThrow(RangeError);
  });
});

describe('register names', () => {
  it('go both ways', () => {
    xNames.forEach((name, index) => expect([xNumbers.get(name), xNumbers.get(`x${index}`)]).toEqual([index, index]));
    fNames.forEach((name, index) => expect([fNumbers.get(name), fNumbers.get(`f${index}`)]).toEqual([index, index]));
    expect(csrNumbers.size).toBe(csrNames.size);
    expect(xNumbers.get('fp')).toBe(8);
  });
});

const assembler = 'riscv64-unknown-elf-as';
const objdump = 'riscv64-unknown-elf-objdump';
const missing = [assembler, objdump].filter((tool) => spawnSync(tool, ['--version']).status !== 0);

if (missing.length > 0) {
  describe('against GNU objdump', () => {
    it.skip(`agrees over every row and all compressed encodings (skipped: no ${missing.join(', ')}; Debian package binutils-riscv64-unknown-elf)`, () => undefined);
  });
} else {
  describe('against GNU objdump', () => {
    const folder = mkdtempSync(join(tmpdir(), 'covert-objdump-'));
    let march = 'rv64gc_zba_zbb_zbs_zicbom_zicboz';
    let knowsZicond = false;

    beforeAll(() => {
      const withZicond = `${march}_zicond`;
      writeFileSync(join(folder, 'empty.s'), '');
      knowsZicond = spawnSync(assembler, [`-march=${withZicond}`, 'empty.s', '-o', 'empty.o'], { cwd: folder }).status === 0;
      if (knowsZicond) march = withZicond;
    });

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** What objdump prints for each encoding, placed one after the other from address 0. */
    function reference(raws: number[]): { address: bigint; raw: number; text: string }[] {
      writeFileSync(join(folder, 'all.s'), raws.map((raw) => `.insn 0x${raw.toString(16)}`).join('\n') + '\n');
      execFileSync(assembler, [`-march=${march}`, 'all.s', '-o', 'all.o'], { cwd: folder });
      const listing = execFileSync(objdump, ['-d', '-z', 'all.o'], { cwd: folder, maxBuffer: 1 << 28, encoding: 'utf8' });
      return listing.split('\n').filter((line) => /^ *[0-9a-f]+:\t/.test(line)).map((line, index) => {
        const [address = '', encoding = '', mnemonic = '', operands = ''] = line.split('\t');
        const raw = parseInt(encoding, 16);
        if (raw !== raws[index]) throw new Error(`objdump listed 0x${encoding} where 0x${raws[index]?.toString(16)} was assembled`);
        const plain = operands.replace(/\s*#.*/, '').replace(/([0-9a-f]+) <[^>]*>/, '0x$1');
        return { address: BigInt(`0x${address.trim().replace(':', '')}`), raw, text: `${mnemonic} ${plain}`.trim() };
      });
    }

    /** Everything that is neither equal nor a difference explained by `settled`. */
    function disagreements(raws: number[]): string[] {
      const lines = reference(raws);
      expect(lines.length).toBe(raws.length);
      return lines.flatMap(({ address, raw, text }) => {
        const ours = disassemble(littleEndian(raw), address).text;
        return ours === text || settled(raw, ours, text) ? [] : [`0x${raw.toString(16)}: ours "${ours}", objdump "${text}"`];
      });
    }

    /** The differences in which the specification is on our side, or which are a matter of naming. */
    function settled(raw: number, ours: string, theirs: string): boolean {
      const decoded = decodeInstruction(raw);
      const [ourMnemonic = '', ourOperands = ''] = ours.split(' ');
      const [theirMnemonic = '', theirOperands = ''] = theirs.split(' ');
      // Some binutils print the assembler's shorthand `add a0,a0,1` for addi, and likewise all instructions with an immediate.
      const unabbreviated = ourMnemonic.replace(/^(\w+)iw$/, '$1w').replace(/i$/, '');
      if (decoded === undefined) {
        // A reserved static rounding mode is illegal (volume I, "F", table of rounding modes).
        if (theirs.endsWith(',unknown') && ours.startsWith('.4byte')) return true;
        // c.addi16sp with a zero immediate is reserved (volume I, "C").
        return raw === 0x6101;
      }
      switch (decoded.flags.format) {
        case 'fence':
          // Implementations ignore the reserved fields of fence and fence.i (volume I, 2.7 and "Zifencei").
          return theirMnemonic === '.4byte';
        case 'csr':
        case 'csr-immediate':
          return [ourMnemonic, unabbreviated].includes(theirMnemonic) && sameButUnnamedCsr(decoded.imm, ourOperands, theirOperands);
        case 'fp-unary-rm':
          // Conversions that cannot round still have a rounding mode field, free to use (volume I, "D").
          return theirMnemonic === '.4byte' && ['fcvt.d.w', 'fcvt.d.wu', 'fcvt.d.s'].includes(decoded.mnemonic) && ((raw >>> 12) & 7) !== 0;
        case 'r':
          return theirMnemonic === '.4byte' && decoded.flags.extension === 'Zicond' && !knowsZicond;
        default:
          return theirMnemonic === unabbreviated && theirOperands === ourOperands;
      }
    }

    it('agrees over all compressed encodings', () => {
      const raws: number[] = [];
      for (let raw = 0; raw < 0x10000; raw++) if ((raw & 3) !== 3) raws.push(raw);
      expect(disagreements(raws)).toEqual([]);
    }, 60_000);

    it.each([1, 2])('agrees over random operands of every row, seed %i', (seed) => {
      const random = new Random(seed);
      const raws = instructions.flatMap((row) =>
        Array.from({ length: 200 }, () => {
          let operands = random.word();
          // x0 and equal registers are where the pseudo-instructions are.
          for (const field of [0xf80, 0xf8000, 0x1f00000]) if (random.below(3) === 0) operands &= ~field;
          if (random.below(4) === 0) operands = (operands & ~0x1f00000) | ((operands & 0xf8000) << 5);
          return ((operands & ~row.mask) | row.match) >>> 0;
        }),
      );
      expect(disagreements(raws)).toEqual([]);
    }, 60_000);

    it('agrees over random words', () => {
      const random = new Random(3);
      // Words whose low five bits are all ones belong to formats longer than 32 bits.
      const raws = Array.from({ length: 50_000 }, () => (random.word() | 3) >>> 0).filter((raw) => (raw & 0x1f) !== 0x1f);
      expect(disagreements(raws)).toEqual([]);
    }, 60_000);

    it('names CSRs alike', () => {
      const raws = [...csrNames.keys()].map((number) => ((number << 20) | 0x2573) >>> 0);
      expect(disagreements(raws)).toEqual([]);
    });
  });
}

/** objdump also names CSRs that this machine cannot have: of RV32, the hypervisor, AIA and V. */
function sameButUnnamedCsr(csr: number, ours: string, theirs: string): boolean {
  const other = theirs.split(',');
  const mine = ours.split(',');
  return mine.length === other.length && mine.every((operand, index) => operand === other[index] || (operand === `0x${csr.toString(16)}` && !csrNames.has(csr)));
}
