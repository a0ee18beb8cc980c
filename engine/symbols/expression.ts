import { binary, convert, type BinaryOperation, type StackValue, type ValueType } from './expression-value';
import { Reader } from './reader';
import { ElfError } from './types';

/** What an expression may ask of the frame that it is evaluated in; undefined where that is not known. */
export interface ExpressionContext {
  readonly register: (number: number) => bigint | undefined;
  readonly read: (address: bigint, bytes: number) => Uint8Array | undefined;
  readonly frameBase: () => bigint | undefined;
  readonly cfa: () => bigint | undefined;
  /** The value that an expression had when the function was entered. */
  readonly entryValue: (expression: Uint8Array) => bigint | undefined;
  /** The address of an index into `.debug_addr`. */
  readonly indexedAddress: (index: number) => bigint | undefined;
  /** The base type at an offset in the unit. */
  readonly baseType: (offset: number) => ValueType | undefined;
}

/** Where an object, or a piece of it, is. */
export type Place =
  | { kind: 'memory'; address: bigint }
  | { kind: 'register'; register: number }
  /** It has no place, only a value. */
  | { kind: 'value'; bits: bigint }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'unavailable' };

export interface Piece {
  place: Place;
  /** Bits; absent for an object that is in one piece. */
  bitSize?: number;
  /** Bits from the place's start. */
  bitOffset: number;
}

/** Thrown inside to give up: what is asked for is not available here. */
class Unavailable extends Error {}

/** Damage may loop; no sound expression is that long. */
const MAX_STEPS = 1000;
const MAX_STACK = 256;

/**
 * Evaluates a location description (DWARF 5, 2.5 and 2.6). `start` is pushed first.
 * What is damaged, unknown or depends on a lost register is an unavailable piece.
 */
export function locate(expression: Uint8Array, context: ExpressionContext, start?: bigint): Piece[] {
  try {
    return new Evaluation(expression, context, start).pieces();
  } catch (error) {
    if (error instanceof ElfError || error instanceof Unavailable) return [{ place: { kind: 'unavailable' }, bitOffset: 0 }];
    throw error;
  }
}

/** The number that a DWARF expression computes, or undefined. */
export function evaluate(expression: Uint8Array, context: ExpressionContext, start?: bigint): bigint | undefined {
  const [piece, more] = locate(expression, context, start);
  if (!piece || more) return undefined;
  switch (piece.place.kind) {
    case 'memory':
      return piece.place.address;
    case 'value':
      return piece.place.bits;
    case 'register':
      return context.register(piece.place.register);
    default:
      return undefined;
  }
}

const binaryOperations = new Map<number, BinaryOperation>([
  [0x1a, 'and'],
  [0x1b, 'div'],
  [0x1c, 'minus'],
  [0x1d, 'mod'],
  [0x1e, 'mul'],
  [0x21, 'or'],
  [0x22, 'plus'],
  [0x24, 'shl'],
  [0x25, 'shr'],
  [0x26, 'shra'],
  [0x27, 'xor'],
  [0x29, 'eq'],
  [0x2a, 'ge'],
  [0x2b, 'gt'],
  [0x2c, 'le'],
  [0x2d, 'lt'],
  [0x2e, 'ne'],
]);

class Evaluation {
  private readonly reader: Reader;
  private readonly stack: StackValue[] = [];
  private readonly found: Piece[] = [];
  /** Set by the operations that end a location: registers and values. */
  private place: Place | undefined;

  constructor(
    expression: Uint8Array,
    private readonly context: ExpressionContext,
    start: bigint | undefined,
  ) {
    this.reader = new Reader(expression, 'a DWARF expression');
    if (start !== undefined) this.push(start);
  }

  pieces(): Piece[] {
    for (let steps = 0; !this.reader.atEnd; steps++) {
      if (steps === MAX_STEPS) throw new Unavailable();
      this.step(this.reader.u8());
    }
    if (this.found.length > 0) return this.found;
    return [{ place: this.takePlace(), bitOffset: 0 }];
  }

  private takePlace(): Place {
    const place = this.place;
    this.place = undefined;
    if (place) return place;
    const top = this.stack.pop();
    // An empty description says that the object is not there (2.6.1.1.4).
    return top ? { kind: 'memory', address: top.bits } : { kind: 'unavailable' };
  }

  private push(bits: bigint | undefined, type?: ValueType): void {
    if (bits === undefined || this.stack.length === MAX_STACK) throw new Unavailable();
    this.stack.push({ bits: BigInt.asUintN(type ? 8 * type.size : 64, bits), ...(type && { type }) });
  }

  private pop(): StackValue {
    const top = this.stack.pop();
    if (!top) throw new Unavailable();
    return top;
  }

  private peek(depth: number): StackValue {
    const value = this.stack[this.stack.length - 1 - depth];
    if (!value) throw new Unavailable();
    return value;
  }

  private load(address: bigint, size: number, type?: ValueType): void {
    const bytes = size >= 1 && size <= 8 ? this.context.read(address, size) : undefined;
    if (!bytes || bytes.length < size) throw new Unavailable();
    this.push(littleEndian(bytes), type);
  }

  private step(op: number): void {
    const { reader, context } = this;
    const operation = binaryOperations.get(op);
    if (operation) {
      const right = this.pop();
      const result = binary(operation, this.pop(), right);
      if (!result) throw new Unavailable();
      this.stack.push(result);
    } else if (op >= 0x30 && op <= 0x4f) this.push(BigInt(op - 0x30)); // DW_OP_lit
    else if (op >= 0x50 && op <= 0x6f) this.place = { kind: 'register', register: op - 0x50 }; // DW_OP_reg
    else if (op >= 0x70 && op <= 0x8f) this.pushRegister(op - 0x70, reader.slebBig()); // DW_OP_breg
    else this.stepOther(op, context);
  }

  private pushRegister(number: number, offset: bigint, type?: ValueType): void {
    const value = this.context.register(number);
    this.push(value === undefined ? undefined : value + offset, type);
  }

  private stepOther(op: number, context: ExpressionContext): void {
    const { reader } = this;
    switch (op) {
      case 0x03: // DW_OP_addr
        return this.push(reader.u64());
      case 0x06: // DW_OP_deref
        return this.load(this.pop().bits, 8);
      case 0x08: // DW_OP_const1u
        return this.push(reader.unsigned(1));
      case 0x09: // DW_OP_const1s
        return this.push(BigInt(reader.i8()));
      case 0x0a: // DW_OP_const2u
        return this.push(reader.unsigned(2));
      case 0x0b: // DW_OP_const2s
        return this.push(BigInt.asIntN(16, reader.unsigned(2)));
      case 0x0c: // DW_OP_const4u
        return this.push(reader.unsigned(4));
      case 0x0d: // DW_OP_const4s
        return this.push(BigInt.asIntN(32, reader.unsigned(4)));
      case 0x0e: // DW_OP_const8u
      case 0x0f: // DW_OP_const8s
        return this.push(reader.u64());
      case 0x10: // DW_OP_constu
        return this.push(reader.ulebBig());
      case 0x11: // DW_OP_consts
        return this.push(reader.slebBig());
      case 0x12: // DW_OP_dup
        return void this.stack.push(this.peek(0));
      case 0x13: // DW_OP_drop
        return void this.pop();
      case 0x14: // DW_OP_over
        return void this.stack.push(this.peek(1));
      case 0x15: // DW_OP_pick
        return void this.stack.push(this.peek(reader.u8()));
      case 0x16: // DW_OP_swap
        return void this.stack.push(...[this.pop(), this.pop()]);
      case 0x17: { // DW_OP_rot: the top becomes the third
        const [first, second, third] = [this.pop(), this.pop(), this.pop()];
        return void this.stack.push(first, third, second);
      }
      case 0x19: { // DW_OP_abs
        const { bits, type } = this.pop();
        const signed = BigInt.asIntN(type ? 8 * type.size : 64, bits);
        return this.push(signed < 0n ? -signed : signed, type);
      }
      case 0x1f: { // DW_OP_neg
        const { bits, type } = this.pop();
        return this.push(-bits, type);
      }
      case 0x20: { // DW_OP_not
        const { bits, type } = this.pop();
        return this.push(~bits, type);
      }
      case 0x23: { // DW_OP_plus_uconst
        const { bits, type } = this.pop();
        return this.push(bits + reader.ulebBig(), type);
      }
      case 0x28: { // DW_OP_bra
        const distance = Number(BigInt.asIntN(16, reader.unsigned(2)));
        return this.pop().bits === 0n ? undefined : this.jump(distance);
      }
      case 0x2f: // DW_OP_skip
        return this.jump(Number(BigInt.asIntN(16, reader.unsigned(2))));
      case 0x90: // DW_OP_regx
        return void (this.place = { kind: 'register', register: reader.uleb() });
      case 0x91: { // DW_OP_fbreg
        const offset = reader.slebBig();
        const base = context.frameBase();
        return this.push(base === undefined ? undefined : base + offset);
      }
      case 0x92: // DW_OP_bregx
        return this.pushRegister(reader.uleb(), reader.slebBig());
      case 0x93: // DW_OP_piece
        return this.addPiece(8 * reader.uleb(), 0);
      case 0x94: // DW_OP_deref_size
        return this.load(this.pop().bits, reader.u8());
      case 0x96: // DW_OP_nop
        return;
      case 0x9c: // DW_OP_call_frame_cfa
        return this.push(context.cfa());
      case 0x9d: // DW_OP_bit_piece
        return this.addPiece(reader.uleb(), reader.uleb());
      case 0x9e: // DW_OP_implicit_value
        return void (this.place = { kind: 'bytes', bytes: reader.slice(reader.uleb()) });
      case 0x9f: // DW_OP_stack_value
        return void (this.place = { kind: 'value', bits: this.pop().bits });
      case 0xa1: // DW_OP_addrx
      case 0xa2: // DW_OP_constx
        return this.push(context.indexedAddress(reader.uleb()));
      case 0xa3: // DW_OP_entry_value
      case 0xf3: // DW_OP_GNU_entry_value
        return this.push(context.entryValue(reader.slice(reader.uleb())));
      case 0xa4: // DW_OP_const_type
      case 0xf4: { // DW_OP_GNU_const_type
        const type = this.type(reader.uleb());
        return this.push(littleEndian(reader.slice(reader.u8())), type);
      }
      case 0xa5: // DW_OP_regval_type
      case 0xf5: // DW_OP_GNU_regval_type
        return this.pushRegister(reader.uleb(), 0n, this.type(reader.uleb()));
      case 0xa6: // DW_OP_deref_type
      case 0xf6: { // DW_OP_GNU_deref_type
        const size = reader.u8();
        return this.load(this.pop().bits, size, this.type(reader.uleb()));
      }
      case 0xa8: // DW_OP_convert
      case 0xf7: // DW_OP_GNU_convert
        return void this.stack.push(convert(this.pop(), this.type(reader.uleb())));
      case 0xa9: // DW_OP_reinterpret
      case 0xf9: // DW_OP_GNU_reinterpret
        return this.push(this.pop().bits, this.type(reader.uleb()));
      default:
        throw new Unavailable();
    }
  }

  /** Offset 0 stands for the generic type. */
  private type(offset: number): ValueType | undefined {
    if (offset === 0) return undefined;
    const type = this.context.baseType(offset);
    if (!type) throw new Unavailable();
    return type;
  }

  private jump(distance: number): void {
    const target = this.reader.position + distance;
    if (target < 0 || target > this.reader.end) throw new Unavailable();
    this.reader.position = target;
  }

  private addPiece(bitSize: number, bitOffset: number): void {
    this.found.push({ place: this.takePlace(), bitSize, bitOffset });
  }
}

/** Up to 8 bytes as an unsigned number. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = Math.min(bytes.length, 8) - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!);
  return value;
}
