/**
 * A guest of random instructions: many cases in one ELF, each of which loads
 * random registers, runs a body of random units and sends all registers and
 * the memory it may touch to the console, where two machines can be compared.
 *
 * Encodings come from the instruction table; what they mean is for the
 * machines under comparison to say. Left out are: ebreak, after which
 * mtval may be 0 (qemu 7.2) or the pc (ours); unaligned amo instructions, which
 * qemu 7.2 reports as loads where the manual wants stores; ctzw, which in qemu
 * 7.2 looks at all 64 bits.
 */
import { compressedInstructions } from '../../engine/isa/compressed';
import { decodeInstruction } from '../../engine/isa/decode';
import { formats, instructions, type Extension } from '../../engine/isa/instructions';
import type { ImmediateLayout } from '../../engine/isa/layout';
import { Random } from '../../engine/isa/random.test-support';
import { makeElf } from './elf-writer';

/** Registers that bodies read but never write: they hold the address of the scratch memory. */
const reserved = new Set([2, 8, 31]);
const base = 31;
/** Offsets from the base: bodies touch [-256, 256), the rest is the dump's. */
const scratch = { from: -256, x: 256, f: 512, fcsr: 768, traps: 776, to: 784, save: 784 };
/** Bytes that a case sends. */
export const caseBytes = scratch.to - scratch.from;

const origin = 0x8000_0000;

/** Extensions that the oracle's default processor has, too. */
const covered: ReadonlySet<Extension> = new Set<Extension>(['I', 'M', 'A', 'F', 'D', 'Zicsr', 'Zifencei', 'Zba', 'Zbb', 'Zbs']);

const specialIntegers = [0n, 1n, 2n, 0xffffffffffffffffn, 0x8000000000000000n, 0x7fffffffffffffffn, 0x80000000n, 0x7fffffffn, 0xffffffffn, 0xffffffff80000000n];
const specialDoubles = [
  0n, 0x8000000000000000n, 0x3ff0000000000000n, 0xbff0000000000000n, 0x7ff0000000000000n, 0xfff0000000000000n,
  0x7ff8000000000000n, 0x7ff0000000000001n, 0xfff8000000000001n, 1n, 0x000fffffffffffffn, 0x0010000000000000n,
  0x7fefffffffffffffn, 0x43e0000000000000n, 0xc3e0000000000000n, 0x41dfffffffc00000n, 0x36a0000000000000n, 0x47efffffe0000000n,
];
const specialFloats = [
  0n, 0x80000000n, 0x3f800000n, 0xbf800000n, 0x7f800000n, 0xff800000n, 0x7fc00000n, 0x7f800001n, 1n, 0x007fffffn, 0x00800000n,
  0x7f7fffffn, 0x4f000000n, 0xcf000000n, 0x5f000000n,
];

interface Row {
  match: number;
  mask: number;
  immediate: ImmediateLayout | null;
}

/** Puts an immediate where the layout has it. */
function place(layout: ImmediateLayout, value: number): number {
  let raw = 0;
  for (const { source, width, target } of layout.pieces) {
    raw |= ((value >> target) & (2 ** width - 1)) << source;
  }
  return raw;
}

/** One of the table's rows with given fields; whatever else is free in it stays zero. */
function encode(mnemonic: string, fields: { rd?: number; rs1?: number; rs2?: number; immediate?: number }): number {
  const row = instructions.find((candidate) => candidate.mnemonic === mnemonic);
  if (!row) throw new Error(`no instruction "${mnemonic}"`);
  const { immediate: layout } = formats[row.format];
  const { rd = 0, rs1 = 0, rs2 = 0, immediate = 0 } = fields;
  return (row.match | (rd << 7) | (rs1 << 15) | (rs2 << 20) | (layout ? place(layout, immediate) : 0)) >>> 0;
}

const csr = { fflags: 1, frm: 2, fcsr: 3, mstatus: 0x300, mtvec: 0x305, mscratch: 0x340, mepc: 0x341, mcause: 0x342, mtval: 0x343 };

/** Instructions that stay together: nobody jumps between them. */
type Unit = (number | { jump: Row & { raw: number }; over: number })[];

const lengthOf = (raw: number): number => ((raw & 3) === 3 ? 4 : 2);
const bytesOf = (unit: Unit): number => unit.reduce<number>((sum, part) => sum + lengthOf(typeof part === 'number' ? part : part.jump.raw), 0);

export class RandomStream {
  readonly #random: Random;
  readonly #rows = instructions.filter(
    ({ extension, control, mnemonic }) =>
      covered.has(extension) && control !== 'return' && !['jalr', 'ebreak', 'ctzw'].includes(mnemonic),
  );

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** The guest: `cases` bodies of `units` units each. It exits with code 0. */
  image(cases: number, units: number): Uint8Array {
    const code: Code = new Code();
    const handler = code.hole(4); // jumps over the subroutines
    const dump = code.address;
    this.#emitDump(code);
    code.align(4);
    const trap = code.address;
    this.#emitTrapHandler(code);
    code.fill(handler, [encode('jal', { immediate: code.address - handler })]);
    code.loadAddress(5, trap);
    code.put(encode('csrrw', { rs1: 5, immediate: csr.mtvec }));
    code.put(encode('lui', { rd: 5, immediate: 0x2000 }), encode('csrrs', { rs1: 5, immediate: csr.mstatus })); // FS
    const datas: { at: number; values: bigint[] }[] = [];
    const bases: number[] = [];
    for (let number = 0; number < cases; number++) {
      const at = code.hole(8);
      datas.push({ at, values: this.#registerValues() });
      for (let f = 0; f < 32; f++) code.put(encode('fld', { rd: f, rs1: base, immediate: 8 * f }));
      for (let x = 1; x < 31; x++) code.put(encode('ld', { rd: x, rs1: base, immediate: 256 + 8 * x }));
      bases.push(code.hole(8));
      code.put(encode('addi', { rd: 2, rs1: base }), encode('addi', { rd: 8, rs1: base, immediate: -128 }));
      this.#emitBody(code, units);
      for (let x = 1; x < 31; x++) code.put(encode('sd', { rs1: base, rs2: x, immediate: scratch.x + 8 * x }));
      for (let f = 0; f < 32; f++) code.put(encode('fsd', { rs1: base, rs2: f, immediate: scratch.f + 8 * f }));
      code.put(encode('csrrw', { rd: 5, immediate: csr.fcsr }), encode('sd', { rs1: base, rs2: 5, immediate: scratch.fcsr }));
      code.put(encode('jal', { rd: 1, immediate: dump - code.address }));
    }
    // The end: 0x5555 to the board's power-off register.
    code.put(encode('lui', { rd: 5, immediate: 0x100000 }), encode('lui', { rd: 6, immediate: 0x5000 }));
    code.put(encode('addi', { rd: 6, rs1: 6, immediate: 0x555 }), encode('sw', { rs1: 5, rs2: 6 }), encode('jal', {}));
    code.align(8);
    for (const { at, values } of datas) {
      code.fillAddress(at, base, code.address);
      for (const value of values) code.putDouble(value);
    }
    const memory = code.address + 2048;
    for (const at of bases) code.fillAddress(at, base, memory);
    while (code.address < memory + 1024) code.putDouble(BigInt(this.#random.word()));
    return makeElf(BigInt(origin), code.bytes());
  }

  /** 32 floating-point values, then 32 integers. */
  #registerValues(): bigint[] {
    const pick = (values: readonly bigint[]): bigint => values[this.#random.below(values.length)] ?? 0n;
    const any = (): bigint => (BigInt(this.#random.word()) << 32n) | BigInt(this.#random.word());
    const boxed = (value: bigint): bigint => 0xffffffff00000000n | value;
    const floats = Array.from({ length: 32 }, () => {
      switch (this.#random.below(6)) {
        case 0: return pick(specialDoubles);
        case 1: return boxed(pick(specialFloats));
        case 2: return boxed(any() & 0xffffffffn);
        // Near each other in magnitude, so that sums and differences round and cancel.
        case 3: return (any() & 0x800fffffffffffffn) | (BigInt(1020 + this.#random.below(8)) << 52n);
        case 4: return boxed((any() & 0x807fffffn) | (BigInt(124 + this.#random.below(8)) << 23n));
        default: return any();
      }
    });
    const integers = Array.from({ length: 32 }, () => (this.#random.below(3) === 0 ? pick(specialIntegers) : any()));
    return [...floats, ...integers];
  }

  #emitBody(code: Code, count: number): void {
    const units = Array.from({ length: count }, () => this.#unit());
    const starts: number[] = [];
    let at = code.address;
    for (const unit of units) {
      starts.push(at);
      at += bytesOf(unit);
    }
    starts.push(at);
    units.forEach((unit, index) => {
      for (const part of unit) {
        if (typeof part === 'number') {
          code.put(part);
          continue;
        }
        const target = starts[Math.min(index + 1 + part.over, units.length)] ?? at;
        const { jump } = part;
        code.put((jump.raw | (jump.immediate ? place(jump.immediate, target - code.address) : 0)) >>> 0);
      }
    });
  }

  #unit(): Unit {
    switch (this.#random.below(20)) {
      case 0: case 1: case 2: case 3: case 4: case 5: return [this.#compressed()];
      case 6: return this.#jumpAndLinkRegister();
      case 7: return this.#reservation();
      case 8: return [this.#trapping()];
      case 9: return [this.#jump(compressedInstructions.filter(({ mnemonic }) => ['c.j', 'c.beqz', 'c.bnez'].includes(mnemonic)))];
      default: return this.#base();
    }
  }

  /** A register that a body may write. */
  #target(): number {
    for (;;) {
      const rd = this.#random.below(32);
      if (!reserved.has(rd)) return rd;
    }
  }

  #base(): Unit {
    const random = this.#random;
    for (;;) {
      const row = this.#rows[random.below(this.#rows.length)];
      if (!row || row.mnemonic.startsWith('lr.') || row.mnemonic.startsWith('sc.')) continue;
      const format = formats[row.format];
      if (row.control === 'branch' || row.control === 'jump') {
        const link = row.control === 'jump' ? this.#target() << 7 : random.below(1024) << 15;
        return [{ jump: { ...row, immediate: format.immediate, raw: (row.match | link) >>> 0 }, over: random.below(4) }];
      }
      let raw = ((random.word() & ~row.mask) | row.match) >>> 0;
      const set = (field: number, at: number, width: number): void => {
        raw = ((raw & ~((2 ** width - 1) << at)) | (field << at)) >>> 0;
      };
      if (format.rd && row.writes === 'x') set(this.#target(), 7, 5);
      if (format.rm && random.below(8) !== 0) set([0, 1, 2, 3, 4, 7][random.below(6)] ?? 0, 12, 3);
      if (row.format === 'csr' || row.format === 'csr-immediate') {
        set([csr.fflags, csr.frm, csr.fcsr, csr.mscratch][random.below(4)] ?? 0, 20, 12);
      }
      if (row.format === 'amo') {
        set(30, 15, 5);
        return [encode('addi', { rd: 30, rs1: base, immediate: random.below(64) * 8 - 256 }), raw];
      }
      if (row.loads || row.stores) {
        set(base, 15, 5);
        const offset = random.below(512 - row.accessBytes) - 256;
        const aligned = random.below(4) === 0 ? offset : offset & -row.accessBytes;
        if (row.format === 'load') set(aligned & 0xfff, 20, 12);
        else {
          set((aligned >> 5) & 0x7f, 25, 7);
          set(aligned & 0x1f, 7, 5);
        }
      }
      return [raw];
    }
  }

  /** A compressed instruction other than jumps. Memory is reached off sp and s0 only. */
  #compressed(): number {
    for (;;) {
      const row = compressedInstructions[this.#random.below(compressedInstructions.length)];
      if (!row) continue;
      const raw = (this.#random.word() & 0xffff & ~row.mask) | row.match;
      const decoded = decodeInstruction(raw);
      if (!decoded || decoded.mnemonic === 'ebreak') continue;
      if (decoded.flags.control === 'jump' || decoded.flags.control === 'branch') continue;
      if (decoded.flags.writes === 'x' && reserved.has(decoded.rd)) continue;
      const reaches = decoded.rs1 === 8 || (decoded.rs1 === 2 && decoded.imm < 256);
      if ((decoded.flags.loads || decoded.flags.stores) && !reaches) continue;
      return raw;
    }
  }

  #jump(rows: readonly Row[]): Unit[number] {
    const row = rows[this.#random.below(rows.length)];
    if (!row) throw new Error('no rows');
    const free = row.mask === 0xe003 && row.match !== 0xa001 ? this.#random.below(8) << 7 : 0;
    return { jump: { ...row, raw: row.match | free }, over: this.#random.below(4) };
  }

  /** auipc and a jalr to right behind itself, with an odd target half of the time: bit 0 is ignored. */
  #jumpAndLinkRegister(): Unit {
    return [
      encode('auipc', { rd: 30 }),
      encode('jalr', { rd: this.#target(), rs1: 30, immediate: 8 + this.#random.below(2) }),
    ];
  }

  /** lr and sc to the same place, or sc with no reservation after a pair. */
  #reservation(): Unit {
    const width = this.#random.below(2) === 0 ? 'w' : 'd';
    const slot = this.#random.below(64) * 8 - 256;
    const pair = [
      encode(`lr.${width}`, { rd: this.#lockTarget(), rs1: 30 }),
      encode(`sc.${width}`, { rd: this.#lockTarget(), rs1: 30, rs2: this.#random.below(32) }),
    ];
    const again = encode(`sc.${width}`, { rd: this.#target(), rs1: 30, rs2: this.#random.below(32) });
    return [encode('addi', { rd: 30, rs1: base, immediate: slot }), ...pair, ...(this.#random.below(2) === 0 ? [again] : [])];
  }

  /** Like {@link #target}, and not the register that holds the address. */
  #lockTarget(): number {
    for (;;) {
      const rd = this.#target();
      if (rd !== 30) return rd;
    }
  }

  /** An instruction that traps: illegal, a call, or an address where nothing is. */
  #trapping(): number {
    const random = this.#random;
    switch (random.below(5)) {
      case 0: return 0; // the defined illegal instruction, 16 bits
      case 1: return ((random.word() & ~0x7f) | 0x6b) >>> 0; // a reserved opcode
      case 2: return encode('ecall', {});
      case 3: return encode('ld', { rd: this.#target(), rs1: 0, immediate: -8 * (1 + random.below(256)) });
      default: return encode('sw', { rs1: 0, rs2: random.below(32), immediate: -4 * (1 + random.below(512)) });
    }
  }

  /** Sends [base + from, base + to) to the UART. Returns to ra. */
  #emitDump(code: Code): void {
    code.put(encode('addi', { rd: 5, rs1: base, immediate: scratch.from }), encode('addi', { rd: 6, rs1: base, immediate: scratch.to }));
    code.put(encode('lui', { rd: 7, immediate: 0x10000000 }));
    const next = code.address;
    code.put(encode('lbu', { rd: 9, rs1: 5 }));
    const wait = code.address;
    code.put(encode('lbu', { rd: 10, rs1: 7, immediate: 5 }), encode('andi', { rd: 10, rs1: 10, immediate: 0x20 }));
    code.put(encode('beq', { rs1: 10, immediate: wait - code.address }));
    code.put(encode('sb', { rs1: 7, rs2: 9 }), encode('addi', { rd: 5, rs1: 5, immediate: 1 }));
    code.put(encode('bne', { rs1: 5, rs2: 6, immediate: next - code.address }), encode('jalr', { rs1: 1 }));
  }

  /** traps = (traps * 31 + mcause) * 31 + mtval; goes on behind the instruction. Changes no register. */
  #emitTrapHandler(code: Code): void {
    const [a, b] = [29, 30];
    const times31 = [encode('slli', { rd: b, rs1: a, immediate: 5 }), encode('sub', { rd: a, rs1: b, rs2: a })];
    code.put(encode('csrrw', { rs1: b, immediate: csr.mscratch }), encode('sd', { rs1: base, rs2: a, immediate: scratch.save }));
    code.put(encode('ld', { rd: a, rs1: base, immediate: scratch.traps }));
    for (const number of [csr.mcause, csr.mtval]) {
      code.put(...times31, encode('csrrs', { rd: b, immediate: number }), encode('add', { rd: a, rs1: a, rs2: b }));
    }
    code.put(encode('sd', { rs1: base, rs2: a, immediate: scratch.traps }));
    code.put(encode('csrrs', { rd: b, immediate: csr.mepc }), encode('lbu', { rd: a, rs1: b }));
    code.put(encode('andi', { rd: a, rs1: a, immediate: 3 }), encode('addi', { rd: a, rs1: a, immediate: -3 }));
    code.put(encode('sltiu', { rd: a, rs1: a, immediate: 1 }), encode('slli', { rd: a, rs1: a, immediate: 1 }));
    code.put(encode('addi', { rd: a, rs1: a, immediate: 2 }), encode('add', { rd: b, rs1: b, rs2: a }));
    code.put(encode('csrrw', { rs1: b, immediate: csr.mepc }), encode('csrrs', { rd: b, immediate: csr.mscratch }));
    code.put(encode('ld', { rd: a, rs1: base, immediate: scratch.save }), encode('mret', {}));
  }
}

/** Code and data under construction, from {@link origin} up. */
class Code {
  #bytes: number[] = [];

  get address(): number {
    return origin + this.#bytes.length;
  }

  put(...instructions: number[]): void {
    for (const raw of instructions) this.#write(this.#bytes.length, raw, lengthOf(raw));
  }

  putDouble(value: bigint): void {
    for (let i = 0n; i < 64n; i += 8n) this.#bytes.push(Number((value >> i) & 0xffn));
  }

  align(bytes: number): void {
    while (this.#bytes.length % bytes !== 0) this.#bytes.push(0);
  }

  /** Room for instructions that are not known yet; returns its address. */
  hole(bytes: number): number {
    const at = this.address;
    for (let i = 0; i < bytes; i++) this.#bytes.push(0);
    return at;
  }

  fill(at: number, instructions: number[]): void {
    for (const raw of instructions) {
      this.#write(at - origin, raw, lengthOf(raw));
      at += lengthOf(raw);
    }
  }

  /** auipc and addi, 8 bytes. */
  fillAddress(at: number, rd: number, address: number): void {
    const distance = address - at;
    const low = (distance << 20) >> 20;
    this.fill(at, [encode('auipc', { rd, immediate: distance - low }), encode('addi', { rd, rs1: rd, immediate: low })]);
  }

  loadAddress(rd: number, address: number): void {
    this.fillAddress(this.hole(8), rd, address);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #write(at: number, raw: number, length: number): void {
    for (let i = 0; i < length; i++) this.#bytes[at + i] = (raw >>> (8 * i)) & 0xff;
  }
}
