import type { FuzzTarget } from './target';
import { virtioTarget } from './targets/virtio';

/** All targets by name. One that is added here is fuzzed by the tests too. */
export const targets: Readonly<Record<string, FuzzTarget>> = {
  'virtio-block': virtioTarget('block'),
  'virtio-net': virtioTarget('net'),
  'virtio-entropy': virtioTarget('entropy'),
  'virtio-console': virtioTarget('console'),
};
