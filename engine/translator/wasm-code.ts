/** WebAssembly's binary format, as far as translated code needs it (WebAssembly Core Specification 2.0, chapter 5). */

export const i32 = 0x7f;
export const i64 = 0x7e;
const emptyBlock = 0x40;

/** Opcodes without immediates. */
export const op = {
  unreachable: 0x00, else: 0x05, end: 0x0b, return: 0x0f, drop: 0x1a, select: 0x1b,
  i32_eqz: 0x45, i32_eq: 0x46, i32_ne: 0x47, i32_and: 0x71, i32_or: 0x72, i32_add: 0x6a, i32_sub: 0x6b, i32_shl: 0x74, i32_shr_u: 0x76, i32_shr_s: 0x75,
  i32_clz: 0x67, i32_ctz: 0x68, i32_popcnt: 0x69, i32_rotl: 0x77, i32_rotr: 0x78, i32_mul: 0x6c,
  i64_eqz: 0x50, i64_eq: 0x51, i64_ne: 0x52, i64_lt_s: 0x53, i64_lt_u: 0x54, i64_gt_u: 0x56, i64_ge_s: 0x59, i64_ge_u: 0x5a,
  i64_clz: 0x79, i64_ctz: 0x7a, i64_popcnt: 0x7b, i64_add: 0x7c, i64_sub: 0x7d, i64_mul: 0x7e,
  i64_and: 0x83, i64_or: 0x84, i64_xor: 0x85, i64_shl: 0x86, i64_shr_s: 0x87, i64_shr_u: 0x88, i64_rotl: 0x89, i64_rotr: 0x8a,
  i32_wrap: 0xa7, i64_extend_s: 0xac, i64_extend_u: 0xad, i64_extend8_s: 0xc2, i64_extend16_s: 0xc3, i64_extend32_s: 0xc4,
} as const;

/** Opcodes of loads and stores. */
export const memory = {
  i32_load: 0x28, i32_load8_u: 0x2d, i64_load: 0x29, i64_load8_s: 0x30, i64_load8_u: 0x31, i64_load16_s: 0x32, i64_load16_u: 0x33, i64_load32_s: 0x34, i64_load32_u: 0x35,
  i32_store: 0x36, i64_store: 0x37, i64_store8: 0x3c, i64_store16: 0x3d, i64_store32: 0x3e,
} as const;

/** Instructions in the order in which they are written. */
export class WasmCode {
  #bytes = new Uint8Array(256);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + bytes));
    larger.set(this.bytes);
    this.#bytes = larger;
  }

  #put(byte: number): void {
    if (this.#length === this.#bytes.length) this.#room(1);
    this.#bytes[this.#length++] = byte;
  }

  plain(...opcodes: number[]): this {
    for (const opcode of opcodes) this.#put(opcode);
    return this;
  }

  append(other: Uint8Array): this {
    this.#room(other.length);
    this.#bytes.set(other, this.#length);
    this.#length += other.length;
    return this;
  }

  block(result?: number): this {
    return this.plain(0x02, result ?? emptyBlock);
  }
  loop(): this {
    return this.plain(0x03, emptyBlock);
  }
  if(result?: number): this {
    return this.plain(0x04, result ?? emptyBlock);
  }
  br(depth: number): this {
    this.#put(0x0c);
    return this.unsigned(depth);
  }
  brIf(depth: number): this {
    this.#put(0x0d);
    return this.unsigned(depth);
  }
  brTable(depths: readonly number[], otherwise: number): this {
    this.#put(0x0e);
    this.unsigned(depths.length);
    for (const depth of depths) this.unsigned(depth);
    return this.unsigned(otherwise);
  }
  call(index: number): this {
    this.#put(0x10);
    return this.unsigned(index);
  }
  get(local: number): this {
    this.#put(0x20);
    return this.unsigned(local);
  }
  set(local: number): this {
    this.#put(0x21);
    return this.unsigned(local);
  }
  tee(local: number): this {
    this.#put(0x22);
    return this.unsigned(local);
  }
  i32(value: number): this {
    this.#put(0x41);
    return this.signed(BigInt(value | 0));
  }
  i64(value: bigint | number): this {
    this.#put(0x42);
    return this.signed(BigInt.asIntN(64, BigInt(value)));
  }
  /** A load or store at the address on the stack plus an offset in bytes. Nothing is promised of its alignment. */
  access(opcode: number, offset = 0): this {
    this.#put(opcode);
    this.#put(0);
    return this.unsigned(offset);
  }

  unsigned(value: number): this {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.#put((rest & 0x7f) | 0x80);
    this.#put(rest);
    return this;
  }
  signed(value: bigint): this {
    if (value >= -(1n << 31n) && value < 1n << 31n) {
      let rest = Number(value);
      for (;;) {
        const byte = rest & 0x7f;
        rest >>= 7;
        if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
          this.#put(byte);
          return this;
        }
        this.#put(byte | 0x80);
      }
    }
    let rest = value;
    for (;;) {
      const byte = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0)) {
        this.#put(byte);
        return this;
      }
      this.#put(byte | 0x80);
    }
  }
}

export interface FunctionType {
  parameters: readonly number[];
  results: readonly number[];
}

export interface WasmFunction {
  type: FunctionType;
  /** Of its own, behind the parameters. */
  locals: readonly number[];
  code: WasmCode;
}

/** A module of functions, exported as `0`, `1` and so on, that imports `env.memory` and functions of `env`. */
export function wasmModule(imports: readonly { name: string; type: FunctionType }[], functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const out = new WasmCode().plain(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const section = (id: number, count: number, write: (into: WasmCode) => void): void => {
    const body = new WasmCode().unsigned(count);
    write(body);
    out.plain(id).unsigned(body.bytes.length);
    out.append(body.bytes);
  };
  const types = [...imports.map(({ type }) => type), ...functions.map(({ type }) => type)];
  section(1, types.length, (into) => {
    for (const { parameters, results } of types) {
      into.plain(0x60).unsigned(parameters.length).plain(...parameters).unsigned(results.length).plain(...results);
    }
  });
  section(2, imports.length + 1, (into) => {
    name(into, 'env');
    name(into, 'memory').plain(0x02, 0x00).unsigned(1);
    imports.forEach((each, index) => {
      name(into, 'env');
      name(into, each.name).plain(0x00).unsigned(index);
    });
  });
  section(3, functions.length, (into) => functions.forEach((_, index) => into.unsigned(imports.length + index)));
  section(7, functions.length, (into) => functions.forEach((_, index) => name(into, `${index}`).plain(0x00).unsigned(imports.length + index)));
  section(10, functions.length, (into) => {
    for (const { locals, code } of functions) {
      const body = new WasmCode().unsigned(locals.length);
      for (const type of locals) body.unsigned(1).plain(type);
      body.append(code.bytes);
      body.plain(op.end);
      into.unsigned(body.bytes.length);
      into.append(body.bytes);
    }
  });
  return new Uint8Array(out.bytes);
}

function name(into: WasmCode, text: string): WasmCode {
  return into.unsigned(text.length).plain(...Buffer.from(text, 'latin1'));
}
