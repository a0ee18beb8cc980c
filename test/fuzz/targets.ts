import type { FuzzTarget } from './target';
import { diskImageTarget } from './targets/disk-image';
import { framesTarget } from './targets/frames';
import { systemMapTarget } from './targets/system-map';
import { virtioTarget } from './targets/virtio';

/** All targets by name. One that is added here is fuzzed by the tests too. */
export const targets: Readonly<Record<string, FuzzTarget>> = {
  'system-map': systemMapTarget,
  'disk-image': diskImageTarget,
  frames: framesTarget,
  'virtio-block': virtioTarget('block'),
  'virtio-net': virtioTarget('net'),
  'virtio-entropy': virtioTarget('entropy'),
  'virtio-console': virtioTarget('console'),
};
