/**
 * What executes code: the interpreter; with it the translator, for what runs much; or the
 * translator for all that it can translate, at once. Never visible to the guest, so it is
 * an option of a run, and no part of what is run.
 */
export type Tier = 'interpreter' | 'auto' | 'translator';

export const tiers: readonly Tier[] = ['interpreter', 'auto', 'translator'];

/** What runs guests where nobody says otherwise: commands, scenarios, the debugger. */
export const defaultTier: Tier = 'auto';
