/**
 * A guest of random instructions: many cases in one ELF, each of which loads
 * random registers, runs a body of random units and sends all registers and
 * the memory it may touch to the console, where two machines can be compared.
 */
import { Random } from '../../engine/isa/random.test-support';
import { Code, csr, encode } from './assembler';
import { makeElf } from './elf-writer';
import { emitUnits, RandomUnits } from './random-units';
import { floatValue, integerValue } from './random-values';

/** Holds the address of the scratch memory. */
const base = 31;
/** Offsets from the base: bodies touch [-256, 256), the rest is the dump's. */
const scratch = { from: -256, x: 256, f: 512, fcsr: 768, traps: 776, to: 784, save: 784 };
/** Bytes that a case sends. */
export const caseBytes = scratch.to - scratch.from;

const origin = 0x8000_0000;

export class RandomStream {
  readonly #random: Random;
  readonly #units: RandomUnits;

  constructor(seed: number) {
    this.#random = new Random(seed);
    // sp and s0 hold addresses in the same memory: compressed instructions reach it off them.
    this.#units = new RandomUnits(this.#random, { bases: [2, 8, base], reserved: new Set([2, 8, base]), scratch: 30 });
  }

  /** The guest: `cases` bodies of `units` units each. It exits with code 0. */
  image(cases: number, units: number): Uint8Array {
    const code = new Code(origin);
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
      emitUnits(code, Array.from({ length: units }, () => this.#units.any()));
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
    const floats = Array.from({ length: 32 }, () => floatValue(this.#random));
    return [...floats, ...Array.from({ length: 32 }, () => integerValue(this.#random))];
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
