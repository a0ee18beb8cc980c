const separated = new Intl.NumberFormat('en-US');

/** 1234567 as `1,234,567`. */
export const count = (value: number): string => separated.format(Math.round(value));

/** `1 byte`, `1,234 bytes`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** 0.1234 as `12.3 %`; small ones with more digits, so that no cost looks like nothing. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  const digits = value !== 0 && Math.abs(value) < 0.1 ? 3 : 1;
  return `${value.toFixed(digits)} %`;
}
