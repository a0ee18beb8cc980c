/** Something that takes bytes from strangers. */
export interface FuzzTarget {
  /** What it is, in a line. */
  readonly what: string;
  /** Sound inputs, to be mutated. */
  seeds(): readonly Uint8Array[];
  /**
   * Feeds it one input. Throws if the subject does what it must not, whatever the
   * input. Otherwise says in a word what happened: an input that makes something
   * happen that no other did is worth keeping. Must be a function of the input alone.
   */
  run(input: Uint8Array): string;
}
