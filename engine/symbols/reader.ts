import { ElfError } from './types';

const utf8 = new TextDecoder();

/**
 * A cursor over little-endian bytes, with LEB128 as DWARF 5 section 7.6 has it.
 * Every read checks its bounds, so damaged input ends in an {@link ElfError}
 * and never in a RangeError; no read allocates more than the input's own size.
 */
export class Reader {
  private readonly view: DataView;

  /** `what` names the input in errors, e.g. `.debug_line`. */
  constructor(
    readonly bytes: Uint8Array,
    readonly what: string,
    public position = 0,
    readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (position < 0 || end > bytes.length || !(position <= end)) {
      throw new ElfError(`${what} is damaged: 0x${position.toString(16)}..0x${end.toString(16)} lies outside of its ${bytes.length} bytes`);
    }
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  /** A cursor over `length` bytes from here; this one moves past them. */
  take(length: number): Reader {
    const start = this.advance(length);
    return new Reader(this.bytes, this.what, start, start + length);
  }

  /** A cursor over the same bytes from `position` to this one's end. */
  from(position: number): Reader {
    return new Reader(this.bytes, this.what, position, this.end);
  }

  /** Moves on by `length` bytes and returns the position before. */
  advance(length: number): number {
    const start = this.position;
    if (!(length >= 0) || start + length > this.end) {
      throw new ElfError(`${this.what} is damaged: it ends at 0x${this.end.toString(16)}, ${length} bytes are needed at 0x${start.toString(16)}`);
    }
    this.position = start + length;
    return start;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  i8(): number {
    return this.view.getInt8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u24(): number {
    return this.u16() | (this.u8() << 16);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  /** An offset or a length: 4 or 8 bytes. Beyond 2^53 it is damage, since no section is that long. */
  offset(wide: boolean): number {
    if (!wide) return this.u32();
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ElfError(`${this.what} is damaged: offset 0x${value.toString(16)} at 0x${(this.position - 8).toString(16)}`);
    }
    return Number(value);
  }

  /** An unsigned number of 1, 2, 3, 4 or 8 bytes. */
  unsigned(size: number): bigint {
    switch (size) {
      case 1:
        return BigInt(this.u8());
      case 2:
        return BigInt(this.u16());
      case 3:
        return BigInt(this.u24());
      case 4:
        return BigInt(this.u32());
      case 8:
        return this.u64();
      default:
        throw new ElfError(`${this.what} is damaged: a number of ${size} bytes at 0x${this.position.toString(16)}`);
    }
  }

  /** ULEB128 as a number: an index, a size or a code, which beyond 2^53 is damage. */
  uleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      // Zero bytes may pad without end; scale then has no finite value, and must not be multiplied with.
      if ((byte & 0x7f) !== 0) value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new ElfError(`${this.what} is damaged: a number too large at 0x${this.position.toString(16)}`);
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** SLEB128 as a number: a distance, which beyond 2^53 is damage. */
  sleb(): number {
    const value = Number(this.slebBig());
    if (!Number.isSafeInteger(value)) throw new ElfError(`${this.what} is damaged: a number too large at 0x${this.position.toString(16)}`);
    return value;
  }

  /** ULEB128 modulo 2^64. */
  ulebBig(): bigint {
    return BigInt.asUintN(64, this.lebBig(false));
  }

  /** SLEB128 as a signed 64-bit number. */
  slebBig(): bigint {
    return BigInt.asIntN(64, this.lebBig(true));
  }

  private lebBig(signed: boolean): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      // Bits past 64 cannot matter; ignoring them keeps a long run of 0x80 linear.
      if (shift < 70n) value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return signed && byte & 0x40 && shift < 63n ? value - (1n << (shift + 7n)) : value;
      }
    }
  }

  /** Bytes up to a NUL, which is consumed, as UTF-8. */
  string(): string {
    const start = this.position;
    const stop = this.bytes.indexOf(0, start);
    if (stop < 0 || stop >= this.end) {
      throw new ElfError(`${this.what} is damaged: the string at 0x${start.toString(16)} has no end`);
    }
    this.position = stop + 1;
    return utf8.decode(this.bytes.subarray(start, stop));
  }

  /** The next `length` bytes, not copied. */
  slice(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }
}

/** Longer names are cut: in damaged input any number of them may share one string of any length. */
const MAX_STRING_BYTES = 4096;
/** How often each byte of a string section may be part of a name. Linkers let a name be the end of another. */
const MAX_OVERLAP = 16;

interface Strings {
  /** By their offsets: a name that is asked for again costs nothing. */
  known: Map<number, string>;
  /** Bytes that may still be made into names. */
  left: number;
}

const tables = new WeakMap<Uint8Array, Strings>();

/**
 * The string at an offset of a string section, or '' where there is none. In damaged
 * input every offset may be a name's, each of them long; then only the first have one.
 */
export function stringAt(section: Uint8Array | undefined, offset: number): string {
  if (!section || !(offset >= 0 && offset < section.length)) return '';
  let strings = tables.get(section);
  if (!strings) tables.set(section, (strings = { known: new Map(), left: MAX_OVERLAP * section.length + MAX_STRING_BYTES }));
  let found = strings.known.get(offset);
  if (found === undefined) {
    const bytes = section.subarray(offset, offset + MAX_STRING_BYTES);
    const stop = bytes.indexOf(0);
    const length = stop < 0 ? bytes.length : stop;
    strings.left -= length;
    found = strings.left < 0 ? '' : utf8.decode(bytes.subarray(0, length));
    strings.known.set(offset, found);
  }
  return found;
}
