/**
 * The core is compiled twice: with this as it stands for `fast` timing, in which caches cost nothing because they are not there, and as `true` for `detailed`.
 * scripts/build-core.ts puts the other value in.
 */
export const DETAILED: bool = false;
