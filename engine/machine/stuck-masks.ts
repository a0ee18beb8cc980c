const all = 0xffff_ffff_ffff_ffffn;

/** What becomes of a value: `(value & keep) | set`. */
export interface Masks {
  keep: bigint;
  set: bigint;
}

export const noMasks: Masks = { keep: all, set: 0n };

/** With these bits stuck, too; of two that want one bit, the later has it. */
export function forced(masks: Masks, bits: bigint, value: 0 | 1): Masks {
  return { keep: masks.keep & ~bits & all, set: (value === 1 ? masks.set | bits : masks.set & ~bits) & all };
}

/** Where the core finds them. */
export function putMasks(view: DataView, place: number, { keep, set }: Masks): void {
  view.setBigUint64(place, keep, true);
  view.setBigUint64(place + 8, set, true);
}
