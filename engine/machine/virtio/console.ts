import type { DeviceContext, VirtioDevice } from './device';
import { QueueError, type Chain } from './queue';

const receiveQueue = 0;
/** More in one buffer is refused: each byte is an output of its own. */
const mostBytes = 2 ** 16;

/** A console of one port: VIRTIO 1.2, section 5.3. What the guest writes leaves as the UART's bytes do. */
export class ConsoleDevice implements VirtioDevice {
  readonly id = 3;
  readonly queues = 2;
  readonly features = 0;
  /** Size, number of ports, emergency write: nothing of it is offered. */
  readonly config = new Uint8Array(12);
  readonly receiveQueue = receiveQueue;
  readonly byteWork = 256;

  serve(chain: Chain, context: DeviceContext): number {
    if (chain.readable > mostBytes) throw new QueueError(`more than ${mostBytes} bytes for the console at once`);
    for (const value of chain.read(0, mostBytes)) context.output('console', { value });
    return 0;
  }
}
