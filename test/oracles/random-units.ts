/**
 * Random units: instructions that stay together, from which bodies of random
 * instructions are made. What they mean is for the machines under comparison to say.
 *
 * Left out are: ebreak, after which mtval may be 0 (qemu 7.2) or the pc (ours);
 * unaligned amo instructions, which qemu 7.2 reports as loads where the manual
 * wants stores; ctzw, which in qemu 7.2 looks at all 64 bits.
 */
import { compressedInstructions } from '../../engine/isa/compressed';
import { decodeInstruction } from '../../engine/isa/decode';
import { formats, instructions, type Extension, type Instruction } from '../../engine/isa/instructions';
import type { Random } from '../../engine/isa/random.test-support';
import { csr, encode, lengthOf, place, type Code, type Row } from './assembler';

/** Extensions that the oracle's default processor has, too. */
const covered: ReadonlySet<Extension> = new Set<Extension>(['I', 'M', 'A', 'F', 'D', 'Zicsr', 'Zifencei', 'Zba', 'Zbb', 'Zbs']);

/** A jump to the start of the unit that stands `over` units behind the next one. */
interface Jump {
  jump: Row & { raw: number };
  over: number;
}

/** Instructions that stay together: nobody jumps between them. */
export type Unit = (number | Jump)[];

const bytesOf = (unit: Unit): number => unit.reduce<number>((sum, part) => sum + lengthOf(typeof part === 'number' ? part : part.jump.raw), 0);

export interface UnitOptions {
  /** Registers that hold addresses which loads and stores go to, [-256, 256) around each. */
  bases: readonly number[];
  /** Registers that no unit writes: the bases, and what the guest needs for itself. */
  reserved: ReadonlySet<number>;
  /** Takes the address of atomic instructions. */
  scratch: number;
  /** Whatever this engine has, for a comparison with itself: also what the oracle lacks or takes differently. Default false. */
  everything?: boolean;
}

export class RandomUnits {
  readonly #rows: readonly Instruction[];

  constructor(
    private readonly random: Random,
    private readonly options: UnitOptions,
  ) {
    const { everything = false } = options;
    this.#rows = instructions.filter(
      ({ extension, control, mnemonic }) =>
        (everything || (covered.has(extension) && mnemonic !== 'ctzw')) && control !== 'return' && !['jalr', 'ebreak', 'wfi'].includes(mnemonic),
    );
  }

  any(): Unit {
    switch (this.random.below(20)) {
      case 0: case 1: case 2: case 3: case 4: case 5: return [this.compressed()];
      case 6: return this.jumpAndLinkRegister();
      case 7: return this.reservation();
      case 8: return [this.trapping()];
      case 9: return [this.#jump(compressedInstructions.filter(({ mnemonic }) => ['c.j', 'c.beqz', 'c.bnez'].includes(mnemonic)))];
      default: return this.base();
    }
  }

  /** A register that units may write. */
  target(): number {
    for (;;) {
      const rd = this.random.below(32);
      if (!this.options.reserved.has(rd)) return rd;
    }
  }

  #address(): number {
    const { bases } = this.options;
    return bases[this.random.below(bases.length)] ?? 0;
  }

  /** A row of the base table that the oracle has, with random fields. `all`: also amo instructions and unaligned addresses. */
  base(all = true): Unit {
    const { random } = this;
    for (;;) {
      const row = this.#rows[random.below(this.#rows.length)];
      if (!row || row.mnemonic.startsWith('lr.') || row.mnemonic.startsWith('sc.')) continue;
      const format = formats[row.format];
      if (row.control === 'branch' || row.control === 'jump') {
        const link = row.control === 'jump' ? this.target() << 7 : random.below(1024) << 15;
        return [{ jump: { ...row, immediate: format.immediate, raw: (row.match | link) >>> 0 }, over: random.below(4) }];
      }
      let raw = ((random.word() & ~row.mask) | row.match) >>> 0;
      const set = (field: number, at: number, width: number): void => {
        raw = ((raw & ~((2 ** width - 1) << at)) | (field << at)) >>> 0;
      };
      if (format.rd && row.writes === 'x') set(this.target(), 7, 5);
      if (format.rm && random.below(8) !== 0) set([0, 1, 2, 3, 4, 7][random.below(6)] ?? 0, 12, 3);
      if (row.format === 'csr' || row.format === 'csr-immediate') {
        set([csr.fflags, csr.frm, csr.fcsr, csr.mscratch][random.below(4)] ?? 0, 20, 12);
      }
      if (row.format === 'amo') {
        if (!all) continue;
        const { scratch } = this.options;
        set(scratch, 15, 5);
        return [this.#granule(), raw];
      }
      if (row.loads || row.stores) {
        set(this.#address(), 15, 5);
        if (!format.immediate) return [raw];
        const offset = random.below(512 - row.accessBytes) - 256;
        const aligned = all && random.below(4) === 0 ? offset : offset & -row.accessBytes;
        if (row.format === 'load') set(aligned & 0xfff, 20, 12);
        else {
          set((aligned >> 5) & 0x7f, 25, 7);
          set(aligned & 0x1f, 7, 5);
        }
      }
      return [raw];
    }
  }

  /** A compressed instruction other than jumps. Memory is reached off the bases only. */
  compressed(): number {
    const { reserved, bases } = this.options;
    for (;;) {
      const row = compressedInstructions[this.random.below(compressedInstructions.length)];
      if (!row) continue;
      const raw = (this.random.word() & 0xffff & ~row.mask) | row.match;
      const decoded = decodeInstruction(raw);
      if (!decoded || decoded.mnemonic === 'ebreak') continue;
      if (decoded.flags.control === 'jump' || decoded.flags.control === 'branch') continue;
      if (decoded.flags.writes === 'x' && reserved.has(decoded.rd)) continue;
      const reaches = bases.includes(decoded.rs1) && (decoded.rs1 !== 2 || decoded.imm < 256);
      if ((decoded.flags.loads || decoded.flags.stores) && !reaches) continue;
      return raw;
    }
  }

  #jump(rows: readonly Row[]): Jump {
    const row = rows[this.random.below(rows.length)];
    if (!row) throw new Error('no rows');
    const free = row.mask === 0xe003 && row.match !== 0xa001 ? this.random.below(8) << 7 : 0;
    return { jump: { ...row, raw: row.match | free }, over: this.random.below(4) };
  }

  /** auipc and a jalr to right behind itself, with an odd target half of the time: bit 0 is ignored. */
  jumpAndLinkRegister(): Unit {
    const { scratch } = this.options;
    return [
      encode('auipc', { rd: scratch }),
      encode('jalr', { rd: this.target(), rs1: scratch, immediate: 8 + this.random.below(2) }),
    ];
  }

  /** Leaves the address of a double word in the scratch register. */
  #granule(): number {
    return encode('addi', { rd: this.options.scratch, rs1: this.#address(), immediate: this.random.below(64) * 8 - 256 });
  }

  /**
   * lr and sc to the same place, and at times sc with no reservation after the pair.
   * `mark`: a register in which a handler of traps leaves something else than 0. Without the
   * reservation an sc may fault or fail, as it likes, so it is not tried then.
   */
  reservation(mark?: number): Unit {
    const { scratch } = this.options;
    const width = this.random.below(2) === 0 ? 'w' : 'd';
    const reserve = encode(`lr.${width}`, { rd: this.#lockTarget(mark), rs1: scratch });
    const store = encode(`sc.${width}`, { rd: this.#lockTarget(mark), rs1: scratch, rs2: this.random.below(32) });
    const again = encode(`sc.${width}`, { rd: this.target(), rs1: scratch, rs2: this.random.below(32) });
    const stores = this.random.below(2) === 0 ? [store, again] : [store];
    if (mark === undefined) return [this.#granule(), reserve, ...stores];
    const guarded = stores.flatMap((raw) => [encode('bne', { rs1: mark, immediate: 8 }), raw]);
    return [this.#granule(), encode('addi', { rd: mark }), reserve, ...guarded];
  }

  /** Like {@link target}, and not the register that holds the address, nor `besides`. */
  #lockTarget(besides?: number): number {
    for (;;) {
      const rd = this.target();
      if (rd !== this.options.scratch && rd !== besides) return rd;
    }
  }

  /** An instruction that traps: illegal, a call, or an address where nothing is. */
  trapping(): number {
    const { random } = this;
    switch (random.below(5)) {
      case 0: return 0; // the defined illegal instruction, 16 bits
      case 1: return ((random.word() & ~0x7f) | 0x6b) >>> 0; // a reserved opcode
      case 2: return encode('ecall');
      case 3: return encode('ld', { rd: this.target(), rs1: 0, immediate: -8 * (1 + random.below(256)) });
      default: return encode('sw', { rs1: 0, rs2: random.below(32), immediate: -4 * (1 + random.below(512)) });
    }
  }
}

/** Puts units behind one another; what jumps past the last one goes to its end. */
export function emitUnits(code: Code, units: readonly Unit[]): void {
  const starts: number[] = [];
  let at = code.address;
  for (const unit of units) {
    starts.push(at);
    at += bytesOf(unit);
  }
  units.forEach((unit, index) => {
    for (const part of unit) {
      if (typeof part === 'number') {
        code.put(part);
        continue;
      }
      const target = starts[index + 1 + part.over] ?? at;
      const { jump } = part;
      code.put((jump.raw | (jump.immediate ? place(jump.immediate, target - code.address) : 0)) >>> 0);
    }
  });
}
