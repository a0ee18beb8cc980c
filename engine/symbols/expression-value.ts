/** A type that a DWARF stack value has, instead of being an address-sized integer (DWARF 5, 2.5.1). */
export interface ValueType {
  /** Bytes, 1 to 8. */
  size: number;
  encoding: 'signed' | 'unsigned' | 'float';
}

/** An entry of the DWARF stack: its bits, zero-extended to 64. */
export interface StackValue {
  bits: bigint;
  /** Absent for the generic type: 64 bits, signedness by operation. */
  type?: ValueType;
}

/** Arithmetic, logic and comparisons that take two operands of one type. */
export type BinaryOperation = 'and' | 'or' | 'xor' | 'plus' | 'minus' | 'mul' | 'div' | 'mod' | 'shl' | 'shr' | 'shra' | 'eq' | 'ge' | 'gt' | 'le' | 'lt' | 'ne';

const scratch = new DataView(new ArrayBuffer(8));

/** Bits of a floating-point type as a number. */
export function toFloat(bits: bigint, size: number): number {
  if (size === 4) {
    scratch.setUint32(0, Number(BigInt.asUintN(32, bits)));
    return scratch.getFloat32(0);
  }
  scratch.setBigUint64(0, BigInt.asUintN(64, bits));
  return scratch.getFloat64(0);
}

/** A number as the bits of a floating-point type of 4 or 8 bytes. */
export function fromFloat(value: number, size: number): bigint {
  if (size === 4) {
    scratch.setFloat32(0, value);
    return BigInt(scratch.getUint32(0));
  }
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

/** The result, or undefined for a division by zero and for what floats cannot do. */
export function binary(operation: BinaryOperation, left: StackValue, right: StackValue): StackValue | undefined {
  const { type } = left;
  if (type?.encoding === 'float') return floatBinary(operation, left, right, type);
  const width = type ? 8 * type.size : 64;
  const wrap = (bits: bigint): StackValue => ({ bits: BigInt.asUintN(width, bits), ...(type && { type }) });
  const a = BigInt.asUintN(width, left.bits);
  const b = BigInt.asUintN(width, right.bits);
  // The generic type is compared and divided as signed, other operations take it as unsigned (2.5.1.4).
  const signed = type?.encoding !== 'unsigned';
  const x = signed ? BigInt.asIntN(width, a) : a;
  const y = signed ? BigInt.asIntN(width, b) : b;
  switch (operation) {
    case 'and':
      return wrap(a & b);
    case 'or':
      return wrap(a | b);
    case 'xor':
      return wrap(a ^ b);
    case 'plus':
      return wrap(a + b);
    case 'minus':
      return wrap(a - b);
    case 'mul':
      return wrap(a * b);
    case 'div':
      return y === 0n ? undefined : wrap(x / y);
    case 'mod':
      if (b === 0n) return undefined;
      return wrap(type ? x % y : a % b);
    case 'shl':
      return wrap(b >= BigInt(width) ? 0n : a << b);
    case 'shr':
      return wrap(b >= BigInt(width) ? 0n : a >> b);
    case 'shra':
      return wrap(BigInt.asIntN(width, a) >> (b >= BigInt(width) ? BigInt(width - 1) : b));
    default:
      return { bits: compare(operation, x, y) ? 1n : 0n };
  }
}

function floatBinary(operation: BinaryOperation, left: StackValue, right: StackValue, type: ValueType): StackValue | undefined {
  const x = toFloat(left.bits, type.size);
  const y = toFloat(right.bits, type.size);
  const wrap = (value: number): StackValue => ({ bits: fromFloat(value, type.size), type });
  switch (operation) {
    case 'plus':
      return wrap(x + y);
    case 'minus':
      return wrap(x - y);
    case 'mul':
      return wrap(x * y);
    case 'div':
      return wrap(x / y);
    case 'eq':
    case 'ge':
    case 'gt':
    case 'le':
    case 'lt':
    case 'ne':
      return { bits: compare(operation, x, y) ? 1n : 0n };
    default:
      return undefined;
  }
}

function compare<T extends number | bigint>(operation: 'eq' | 'ge' | 'gt' | 'le' | 'lt' | 'ne', x: T, y: T): boolean {
  switch (operation) {
    case 'eq':
      return x === y;
    case 'ge':
      return x >= y;
    case 'gt':
      return x > y;
    case 'le':
      return x <= y;
    case 'lt':
      return x < y;
    case 'ne':
      return x !== y;
  }
}

/** DW_OP_convert: the same number in another type. Without a type: the generic one. */
export function convert({ bits, type: from }: StackValue, to: ValueType | undefined): StackValue {
  const width = from ? 8 * from.size : 64;
  const target = to ?? { size: 8, encoding: 'unsigned' as const };
  let result: bigint;
  if (from?.encoding === 'float') {
    const value = toFloat(bits, from.size);
    if (target.encoding === 'float') result = fromFloat(value, target.size);
    else result = Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
  } else {
    const value = from?.encoding === 'signed' ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits);
    result = target.encoding === 'float' ? fromFloat(Number(value), target.size) : value;
  }
  return { bits: BigInt.asUintN(8 * target.size, result), ...(to && { type: to }) };
}
