/** Something that takes bytes from strangers. */
export interface FuzzTarget {
  /** What it is, in a line. */
  readonly what: string;
  /** Sound inputs, to be mutated. */
  seeds(): readonly Uint8Array[];
  /**
   * Feeds it one input. Throws if the subject does what it must not, whatever the
   * input. Otherwise says what happened, in words with commas between them: an input
   * with another combination is mutated further, and one with a word of its own
   * is worth keeping. Must be a function of the input alone.
   */
  run(input: Uint8Array): string | Promise<string>;
  /** How many mutated inputs the tests try, of a slow one. Default 300. */
  readonly runs?: number;
}
