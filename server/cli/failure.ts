import { NoWholeFileError } from '../whole-file';

/** What the command's exit code says. */
export const exitCodes = {
  /** Everything asked for holds. */
  held: 0,
  /** At least one expectation did not hold. */
  broken: 1,
  /** The input is wrong: a file, an option, a value. */
  badInput: 2,
  /** A limit was reached, or the tool itself failed. */
  failed: 3,
  /** Ctrl-C, as shells report it. */
  interrupted: 130,
} as const;

/** Ends the command with one line on stderr and an exit code. */
export class Failure extends Error {
  constructor(
    readonly exitCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The user's input is wrong; the message says what, where and what to do. */
export class BadInput extends Failure {
  constructor(message: string, options?: ErrorOptions) {
    super(exitCodes.badInput, message, options);
  }
}

const systemErrors: Record<string, string> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'no permission to read it',
  ENOTDIR: 'a part of the path is no folder',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links go round',
  EIO: 'it cannot be read',
};

/** A file the user named could not be read: {@link BadInput} that says why, else the error itself. */
export function asUnreadable(file: string, error: unknown): unknown {
  if (error instanceof NoWholeFileError) return new BadInput(`${file}: it ${error.message}`, { cause: error });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const why = code === undefined ? undefined : systemErrors[code];
  return why === undefined ? error : new BadInput(`${file}: ${why}`, { cause: error });
}
