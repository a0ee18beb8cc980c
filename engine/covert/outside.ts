/**
 * What is at the other end of the cable of a guest's network card. It is told what the guest has sent once that is released, and
 * asked for what it has for the guest; each only the first time that a run gets there, so that a rollback and a time traveller
 * are nothing to it.
 */
export interface Outside {
  /** A frame of the guest's: each once, in their order. */
  receive(frame: Uint8Array): void;
  /** The guest's clock stands at `now`, in microseconds, which is never before the last call's: frames that are due, oldest first, at most `room`. */
  take(now: number, room: number): Uint8Array[];
  /** True if nothing is going to come, however long one waits, until the guest has sent something. Of one with sockets: or until its `pace` has been called. */
  readonly isQuiet: boolean;
  /** Of one that does the same whenever it is told the same: another that has been told nothing. Without it a run cannot be repeated. */
  fresh?(): Outside;
  /** Of one with sockets: called now and then, so that they get their turn, `asleep` where the guest sleeps and need not go on at once. */
  pace?(asleep: boolean): Promise<void>;
}
