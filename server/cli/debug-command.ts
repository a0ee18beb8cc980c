import type { Command } from 'commander';
import type { Tier } from '../../engine/machine/tier';
import { startDebugAdapter } from '../debug/server';
import { BadInput } from './failure';
import { tierOption } from './tier-option';
import { parsePort } from './values';

export function addDebugCommand(program: Command): void {
  program
    .command('debug')
    .description('Serve the Debug Adapter Protocol, for any editor that speaks it.')
    .addOption(tierOption())
    .option('--port <number>', 'listen on this loopback port instead of using stdin and stdout', parsePort)
    .addHelpText(
      'after',
      `
A launch request needs no more than { "type": "covert", "scenario": "FILE" }. Its "tier"
goes before --tier.

Example:
  covert debug --port 4711`,
    )
    .action(async ({ port, tier }: { port?: number; tier: Tier }) => {
      if (port === undefined) await startDebugAdapter({ tier });
      else await listen(port, tier);
    });
}

async function listen(port: number, tier: Tier): Promise<void> {
  try {
    const server = await startDebugAdapter({ port, tier });
    const address = server?.address();
    const chosen = typeof address === 'object' && address !== null ? address.port : port;
    process.stderr.write(`covert: listening on 127.0.0.1:${chosen}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new BadInput(`debug: port ${port} is in use; --port 0 takes a free one`);
    if (code === 'EACCES') throw new BadInput(`debug: no permission to listen on port ${port}; take one above 1023`);
    throw error;
  }
}
