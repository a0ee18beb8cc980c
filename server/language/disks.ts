import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DiskPlan } from '../../engine/covert/plan';
import { DiskImageError, imageOfFile, type DiskImage } from '../../engine/machine/virtio/disk-image';
import type { Context } from './context';
import { part } from './diagnostic';
import type * as ast from './generated/ast';
import { markOf, reasonOf } from './guest-files';
import { decodeString } from './values';

/** The guest's own disk: a raw image beside the scenario. Undefined where it cannot be used, which is reported. */
export function lowerDisk(disk: ast.Disk, { reporter, document }: Context): DiskPlan | undefined {
  const name = decodeString(disk.path).value;
  if (name === undefined) return undefined;
  try {
    const image = openedImage(resolve(dirname(document.uri.fsPath), name));
    return { image, ...(disk.writable && { writable: true }) };
  } catch (error) {
    reporter.error('COV203', part(disk, 'path'), `${name} ${error instanceof DiskImageError ? error.message : reasonOf(error)}`);
    return undefined;
  }
}

const images = new Map<string, { mark: string; image: DiskImage }>();

/** An image, opened once as long as the file stays as it is: an editor asks at every keystroke. */
export function openedImage(path: string): DiskImage {
  const mark = markOf(statSync(path));
  const before = images.get(path);
  if (before?.mark === mark) return before.image;
  const image = imageOfFile(path);
  images.set(path, { mark, image });
  return image;
}
