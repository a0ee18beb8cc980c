import { gunzipSync } from 'node:zlib';
import { startArchive } from '../../server/guest/start-archive';
import { Machine } from '../../engine/machine/machine';
import { GuestError } from './apt';

const begin = 'COVERT-SYMBOLS-BEGIN';
const end = 'COVERT-SYMBOLS-END';
/** Several times what it takes. */
const mostInstructions = 20e9;

/**
 * The kernel's symbols as a `System.map`. Debian's kernel package has none; its
 * debugging package has, and is a thousand times larger. So the kernel is booted and
 * asked: /proc/kallsyms lists what it knows of itself, in the same form.
 */
export function kernelSymbols(kernel: Uint8Array, initialDisk: Uint8Array): Buffer {
  const script = `echo ${begin}; gzip -c /proc/kallsyms | base64; echo ${end}`;
  const machine = Machine.create({ ramBytes: 256 * 2 ** 20 });
  machine.loadKernel(kernel, {
    initrd: Buffer.concat([initialDisk, startArchive({ run: ['sh', '-c', script] })]),
    bootArguments: 'console=ttyS0 quiet',
  });
  const bytes: number[] = [];
  // The machine stops where it keeps as much output as it wants to.
  for (let stop = ''; stop === '' || stop === 'output'; ) {
    stop = machine.run(mostInstructions);
    for (const { kind, value } of machine.takeOutputs()) if (kind === 'console') bytes.push(value);
  }
  const said = Buffer.from(bytes).toString('latin1');
  const list = new RegExp(`${begin}\\s([A-Za-z0-9+/=\\s]*)${end}`).exec(said)?.[1];
  if (machine.exitCode !== 0 || list === undefined) throw new GuestError('the kernel did not boot to list its symbols');
  const lines = gunzipSync(Buffer.from(list, 'base64')).toString('latin1').split('\n');
  // Names of modules' symbols are followed by the module's; their addresses are another boot's.
  const own = lines.filter((line) => /^[0-9a-f]{16} \w \S+$/.test(line));
  if (own.length < 1000) throw new GuestError('the kernel lists hardly any symbols');
  return Buffer.from(`${own.join('\n')}\n`);
}
