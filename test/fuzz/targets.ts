import type { FuzzTarget } from './target';
import { diskImageTarget } from './targets/disk-image';
import { editorTarget } from './targets/editor';
import { elfTarget } from './targets/elf';
import { framesTarget } from './targets/frames';
import { kernelTarget } from './targets/kernel';
import { scenarioTarget } from './targets/scenario';
import { stateTarget } from './targets/state';
import { systemMapTarget } from './targets/system-map';
import { virtioTarget } from './targets/virtio';

/** All targets by name. One that is added here is fuzzed by the tests too. */
export const targets: Readonly<Record<string, FuzzTarget>> = {
  elf: elfTarget,
  kernel: kernelTarget,
  scenario: scenarioTarget,
  editor: editorTarget,
  state: stateTarget,
  'system-map': systemMapTarget,
  'disk-image': diskImageTarget,
  frames: framesTarget,
  'virtio-block': virtioTarget('block'),
  'virtio-net': virtioTarget('net'),
  'virtio-entropy': virtioTarget('entropy'),
  'virtio-console': virtioTarget('console'),
};
