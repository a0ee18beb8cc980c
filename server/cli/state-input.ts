import { StateFileError } from '../../engine/machine/state-file';
import { readWhole } from '../whole-file';
import { asUnreadable, BadInput } from './failure';

/** What `decode` makes of a state that `covert exec --save` has written. A file that is none is {@link BadInput}. */
export async function fromStateFile<T>(file: string, decode: (bytes: Uint8Array) => T): Promise<T> {
  try {
    return decode(await readWhole(file));
  } catch (error) {
    if (error instanceof StateFileError) throw new BadInput(`${file}: ${error.message}`, { cause: error });
    throw asUnreadable(file, error);
  }
}
