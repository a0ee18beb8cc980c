const separated = new Intl.NumberFormat('en-US');

/** 1234567 as `1,234,567`. */
export const count = (value: number): string => separated.format(Math.round(value));

/** `1 byte`, `1,234 bytes`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const rounded = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** 1234.567 as `1,234.57`. */
export const decimal = (value: number): string => rounded.format(value);
