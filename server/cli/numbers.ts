export { count, counted } from '../../engine/covert/numbers';

/** 0.1234 as `12.3 %`; small ones with more digits, so that no cost looks like nothing. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  const digits = value !== 0 && Math.abs(value) < 0.1 ? 3 : 1;
  return `${value.toFixed(digits)} %`;
}
