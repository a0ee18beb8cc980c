// Integer arithmetic of M and Zbb that wasm has no instruction for.

export function mulhu(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const cross = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (cross >> 32);
}

export function mulh(a: i64, b: i64): i64 {
  // A negative factor counts as 2^64 too much.
  return <i64>mulhu(<u64>a, <u64>b) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
}

export function mulhsu(a: i64, b: u64): i64 {
  return <i64>mulhu(<u64>a, b) - (a < 0 ? <i64>b : 0);
}

// Division by zero gives all ones (remainder: the dividend), overflow the
// dividend (remainder: 0), without a trap: volume I, section 7.2.

export function div64(a: i64, b: i64): i64 {
  if (b == 0) return -1;
  if (b == -1) return -a;
  return a / b;
}

export function rem64(a: i64, b: i64): i64 {
  if (b == 0) return a;
  if (b == -1) return 0;
  return a % b;
}

export function divu64(a: u64, b: u64): i64 {
  return b == 0 ? -1 : <i64>(a / b);
}

export function remu64(a: u64, b: u64): i64 {
  return <i64>(b == 0 ? a : a % b);
}

export function div32(a: i32, b: i32): i64 {
  if (b == 0) return -1;
  if (b == -1) {
    // Wraps at 32 bits, and only then is extended.
    const negated: i32 = 0 - a;
    return <i64>negated;
  }
  return <i64>(a / b);
}

export function rem32(a: i32, b: i32): i64 {
  if (b == 0) return <i64>a;
  if (b == -1) return 0;
  return <i64>(a % b);
}

export function divu32(a: u32, b: u32): i64 {
  return b == 0 ? -1 : <i64><i32>(a / b);
}

export function remu32(a: u32, b: u32): i64 {
  return <i64><i32>(b == 0 ? a : a % b);
}

/** Every byte that is not zero becomes 0xff. */
export function orcb(value: u64): u64 {
  const low: u64 = 0x7f7f7f7f7f7f7f7f;
  const high = (((value & low) + low) | value) & ~low;
  return (high >> 7) * 0xff;
}
