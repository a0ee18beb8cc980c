import { exitCodes, Failure } from './failure';

/**
 * Runs work that Ctrl-C stops at its next safe point. A second Ctrl-C ends the
 * process at once. Throws a {@link Failure} with exit code 130 once it was interrupted.
 */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) throw new Failure(exitCodes.interrupted, 'interrupted', { cause: error });
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
