/** WebAssembly's binary format, as far as translated code needs it (WebAssembly Core Specification 2.0, chapter 5). */

export const i32 = 0x7f;
export const i64 = 0x7e;
export const f64 = 0x7c;
const emptyBlock = 0x40;

/** Opcodes without immediates. */
export const op = {
  unreachable: 0x00, else: 0x05, end: 0x0b, return: 0x0f, drop: 0x1a, select: 0x1b,
  i32_eqz: 0x45, i32_eq: 0x46, i32_ne: 0x47, i32_lt_u: 0x49, i32_and: 0x71, i32_or: 0x72, i32_add: 0x6a, i32_sub: 0x6b, i32_shl: 0x74, i32_shr_u: 0x76, i32_shr_s: 0x75,
  i32_clz: 0x67, i32_ctz: 0x68, i32_popcnt: 0x69, i32_rotl: 0x77, i32_rotr: 0x78, i32_mul: 0x6c, i32_div_s: 0x6d, i32_div_u: 0x6e, i32_rem_s: 0x6f, i32_rem_u: 0x70,
  i64_eqz: 0x50, i64_eq: 0x51, i64_ne: 0x52, i64_lt_s: 0x53, i64_lt_u: 0x54, i64_gt_u: 0x56, i64_gt_s: 0x55, i64_ge_s: 0x59, i64_ge_u: 0x5a,
  i64_clz: 0x79, i64_ctz: 0x7a, i64_popcnt: 0x7b, i64_add: 0x7c, i64_sub: 0x7d, i64_mul: 0x7e, i64_div_s: 0x7f, i64_div_u: 0x80, i64_rem_s: 0x81, i64_rem_u: 0x82,
  i64_and: 0x83, i64_or: 0x84, i64_xor: 0x85, i64_shl: 0x86, i64_shr_s: 0x87, i64_shr_u: 0x88, i64_rotl: 0x89, i64_rotr: 0x8a,
  f32_lt: 0x5d, f32_le: 0x5f, f32_eq: 0x5b, f32_sqrt: 0x91, f32_add: 0x92, f32_sub: 0x93, f32_mul: 0x94, f32_div: 0x95, f32_min: 0x96, f32_max: 0x97,
  f32_abs: 0x8b, f32_demote: 0xb6, f32_convert_i32_s: 0xb2, f32_convert_i32_u: 0xb3, f32_convert_i64_s: 0xb4, f32_convert_i64_u: 0xb5,
  f64_eq: 0x61, f64_lt: 0x63, f64_le: 0x65, f64_ge: 0x66, f64_abs: 0x99, f64_neg: 0x9a, f64_copysign: 0xa6, f64_sqrt: 0x9f,
  f64_add: 0xa0, f64_sub: 0xa1, f64_mul: 0xa2, f64_div: 0xa3, f64_min: 0xa4, f64_max: 0xa5,
  f64_convert_i32_s: 0xb7, f64_convert_i32_u: 0xb8, f64_convert_i64_s: 0xb9, f64_convert_i64_u: 0xba, f64_promote: 0xbb,
  i32_trunc_f64_s: 0xaa, i32_trunc_f64_u: 0xab, i64_trunc_f64_s: 0xb0, i64_trunc_f64_u: 0xb1,
  i32_reinterpret: 0xbc, i64_reinterpret: 0xbd, f32_reinterpret: 0xbe, f64_reinterpret: 0xbf,
  i32_wrap: 0xa7, i64_extend_s: 0xac, i64_extend_u: 0xad, i64_extend8_s: 0xc2, i64_extend16_s: 0xc3, i64_extend32_s: 0xc4,
} as const;

/** Opcodes of loads and stores. */
export const memory = {
  i32_load: 0x28, i32_load8_u: 0x2d, i64_load: 0x29, i64_load8_s: 0x30, i64_load8_u: 0x31, i64_load16_s: 0x32, i64_load16_u: 0x33, i64_load32_s: 0x34, i64_load32_u: 0x35,
  f64_load: 0x2b, f64_store: 0x39, i32_store: 0x36, i64_store: 0x37, i64_store8: 0x3c, i64_store16: 0x3d, i64_store32: 0x3e,
} as const;

/** Instructions in the order in which they are written. */
export class WasmCode {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** Where conditions stand that hardly ever hold, and those that nearly always do. */
  readonly hints: { at: number; likely: boolean }[] = [];

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

  plain(a: number, b?: number, c?: number, d?: number): this {
    this.#put(a);
    if (b !== undefined) this.#put(b);
    if (c !== undefined) this.#put(c);
    if (d !== undefined) this.#put(d);
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
  /** One that is known to go one way: what is on the other costs the rest no registers, where the host takes hints (branch-hints.ts). */
  ifLikely(likely: boolean, result?: number): this {
    this.hints.push({ at: this.#length, likely });
    return this.if(result);
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
    return this.signed(value | 0);
  }
  /** A whole number that a double holds exactly, or any as a bigint. */
  i64(value: number | bigint): this {
    this.#put(0x42);
    return typeof value === 'number' ? this.signed(value) : this.#signedWide(value);
  }
  f64(value: number): this {
    this.#put(0x44);
    doubles.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.#put(doubles.getUint8(i));
    return this;
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
  #signedWide(value: bigint): this {
    let rest = value;
    for (; rest < -64n || rest > 63n; rest >>= 7n) this.#put(Number(rest & 0x7fn) | 0x80);
    this.#put(Number(rest & 0x7fn));
    return this;
  }
  signed(value: number): this {
    let rest = value;
    if (rest !== (rest | 0)) {
      // Shifts have 32 bits only.
      for (; rest !== (rest | 0); rest = Math.floor(rest / 128)) this.#put((((rest % 128) + 128) % 128) | 0x80);
    }
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
}

const doubles = new DataView(new ArrayBuffer(8));

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

/** 4 GiB, all that there are addresses for. */
const mostMemoryPages = 65_536;

/** A module of functions, exported as `0`, `1` and so on, that imports `env.memory` and functions of `env`. */
export function wasmModule(imports: readonly { name: string; type: FunctionType }[], functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const out = new WasmCode().plain(0x00, 0x61, 0x73, 0x6d).plain(1, 0, 0, 0);
  const section = (id: number, count: number, write: (into: WasmCode) => void): void => {
    const body = new WasmCode().unsigned(count);
    write(body);
    out.plain(id).unsigned(body.bytes.length);
    out.append(body.bytes);
  };
  const types: FunctionType[] = [];
  const typeOf = new Map<string, number>();
  const numberOf = (type: FunctionType): number => {
    const key = `${type.parameters.join()}:${type.results.join()}`;
    const number = typeOf.get(key) ?? types.push(type) - 1;
    typeOf.set(key, number);
    return number;
  };
  const [importTypes, ownTypes] = [imports.map(({ type }) => numberOf(type)), functions.map(({ type }) => numberOf(type))];
  section(1, types.length, (into) => {
    for (const { parameters, results } of types) {
      into.plain(0x60).unsigned(parameters.length).append(Uint8Array.from(parameters));
      into.unsigned(results.length).append(Uint8Array.from(results));
    }
  });
  section(2, imports.length + 1, (into) => {
    name(into, 'env');
    // Shared, with a maximum, which has to be no less than the real one's.
    name(into, 'memory').plain(0x02, 0x03).unsigned(1).unsigned(mostMemoryPages);
    imports.forEach((each, index) => {
      name(into, 'env');
      name(into, each.name).plain(0x00).unsigned(importTypes[index] ?? 0);
    });
  });
  section(3, functions.length, (into) => ownTypes.forEach((type) => into.unsigned(type)));
  section(7, functions.length, (into) => functions.forEach((_, index) => name(into, `${index}`).plain(0x00).unsigned(imports.length + index)));
  const bodies = functions.map(({ locals, code }) => {
    const body = new WasmCode().unsigned(locals.length);
    for (const type of locals) body.unsigned(1).plain(type);
    return { body, codeAt: body.bytes.length, code };
  });
  // Branch hints stand before the code, by offsets in the bodies (WebAssembly proposal "branch hinting").
  const all = name(new WasmCode(), 'metadata.code.branch_hint').unsigned(bodies.length);
  bodies.forEach(({ codeAt, code: { hints } }, index) => {
    all.unsigned(imports.length + index).unsigned(hints.length);
    for (const { at, likely } of hints) all.unsigned(codeAt + at).unsigned(1).plain(likely ? 1 : 0);
  });
  out.plain(0).unsigned(all.bytes.length);
  out.append(all.bytes);
  section(10, functions.length, (into) => {
    for (const { body, code } of bodies) {
      body.append(code.bytes);
      body.plain(op.end);
      into.unsigned(body.bytes.length);
      into.append(body.bytes);
    }
  });
  return new Uint8Array(out.bytes);
}

function name(into: WasmCode, text: string): WasmCode {
  return into.unsigned(text.length).append(Buffer.from(text, 'latin1'));
}
