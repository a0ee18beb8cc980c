import type { Piece, Place } from './expression';
import { littleEndian } from './expression';

/** Where a value's bytes come from. */
export interface Storage {
  /** Bytes from an offset; undefined where they are unreadable or were optimised out. */
  read(offset: number, size: number): Uint8Array | undefined;
  /** Of the first byte, if all of it is in memory. */
  address?: bigint;
  /** DWARF number of the register that it is in. */
  register?: number;
  /** The value has neither place nor bytes. */
  absent?: boolean;
}

interface Sources {
  register(number: number): bigint | undefined;
  read(address: bigint, bytes: number): Uint8Array | undefined;
}

/** A limit on what is put together from pieces: registers and literals, never large. */
const MAX_COMPOSED_BYTES = 4096;

export const absent: Storage = { read: () => undefined, absent: true };

export function memory(sources: Sources, address: bigint): Storage {
  return { address, read: (offset, size) => sources.read(BigInt.asUintN(64, address + BigInt(offset)), size) };
}

export function fixed(bytes: Uint8Array): Storage {
  return { read: (offset, size) => (offset + size <= bytes.length ? bytes.subarray(offset, offset + size) : undefined) };
}

/** A part of a value, as a member of a structure. */
export function part(whole: Storage, offset: number): Storage {
  return {
    read: (from, size) => whole.read(offset + from, size),
    ...(whole.address !== undefined && { address: BigInt.asUintN(64, whole.address + BigInt(offset)) }),
    ...(whole.register !== undefined && offset === 0 && { register: whole.register }),
    ...(whole.absent && { absent: true }),
  };
}

/** What an expression located. */
export function storageOf(pieces: readonly Piece[], sources: Sources): Storage {
  const [only] = pieces;
  if (pieces.length === 1 && only && (only.bitSize === undefined || only.bitOffset === 0)) return placeStorage(only.place, sources);
  if (pieces.every(({ place }) => place.kind === 'unavailable')) return absent;
  return compose(pieces, sources);
}

function placeStorage(place: Place, sources: Sources): Storage {
  switch (place.kind) {
    case 'memory':
      return memory(sources, place.address);
    case 'register': {
      const value = sources.register(place.register);
      return value === undefined ? absent : { ...fixed(toBytes(value).subarray(0, 8)), register: place.register };
    }
    case 'value':
      return fixed(toBytes(place.bits));
    case 'bytes':
      return fixed(place.bytes);
    case 'unavailable':
      return absent;
  }
}

/** 64 bits as 16 bytes, sign-extended: no type that has such a value is longer. */
function toBytes(bits: bigint): Uint8Array {
  const bytes = new Uint8Array(16).fill(BigInt.asIntN(64, bits) < 0n ? 0xff : 0);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, bits), true);
  return bytes;
}

/** Pieces one after the other, bit by bit as they need not end at bytes; bytes with a lost bit are lost. */
function compose(pieces: readonly Piece[], sources: Sources): Storage {
  const total = pieces.reduce((sum, { bitSize }) => sum + (bitSize ?? 0), 0);
  if (!(total <= 8 * MAX_COMPOSED_BYTES)) return absent;
  const bytes = new Uint8Array(Math.ceil(total / 8));
  const known = new Uint8Array(bytes.length).fill(1);
  let position = 0;
  for (const { place, bitSize = 0, bitOffset } of pieces) {
    const source = placeStorage(place, sources).read(0, Math.ceil((bitOffset + bitSize) / 8));
    for (let bit = 0; bit < bitSize; bit++, position++) {
      const from = bitOffset + bit;
      if (!source) known[position >> 3] = 0;
      else bytes[position >> 3]! |= ((source[from >> 3]! >> (from & 7)) & 1) << (position & 7);
    }
  }
  return {
    read(offset, size) {
      if (offset + size > bytes.length || known.subarray(offset, offset + size).includes(0)) return undefined;
      return bytes.subarray(offset, offset + size);
    },
  };
}

/** A field of bits, counted from the storage's start; undefined where a byte is missing. */
export function readBits(storage: Storage, bitOffset: number, bitSize: number): bigint | undefined {
  const first = Math.floor(bitOffset / 8);
  const bytes = storage.read(first, Math.ceil((bitOffset + bitSize) / 8) - first);
  if (!bytes) return undefined;
  const low = littleEndian(bytes);
  // A field of up to 64 bits may reach into a ninth byte.
  const value = bytes.length > 8 ? low | (BigInt(bytes[8]!) << 64n) : low;
  return BigInt.asUintN(bitSize, value >> BigInt(bitOffset - 8 * first));
}
