import { InvalidArgumentError } from 'commander';
import { mostHarts } from '../../engine/core/layout';
import type { Forward } from '../network/forwards';

const unitBytes: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `64MiB`, `64 MiB`, `1_024 B`: bytes. Throws commander's InvalidArgumentError. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^([\d_]+)\s*(B|KiB|MiB|GiB)$/.exec(text.trim()) ?? [];
  const factor = unitBytes[unit ?? ''];
  if (digits === undefined || factor === undefined) {
    throw new InvalidArgumentError('A size is a number and B, KiB, MiB or GiB: 64MiB.');
  }
  return parseCount(digits) * factor;
}

/** `1000000`, `1_000_000`: a whole number from 0 to 2^53 - 1. Throws commander's InvalidArgumentError. */
export function parseCount(text: string): number {
  const digits = text.trim();
  const count = /^\d[\d_]*$/.test(digits) ? Number(digits.replaceAll('_', '')) : NaN;
  if (!Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('A count is a whole number from 0 to 2^53 - 1: 1_000_000.');
  }
  return count;
}

/** `1`, `1_000`: a whole number from 1 to 2^53 - 1. Throws commander's InvalidArgumentError. */
export function parsePositive(text: string): number {
  const value = /^\d[\d_]*$/.test(text.trim()) ? Number(text.trim().replaceAll('_', '')) : 0;
  if (value < 1 || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It is a whole number from 1 on: 1_000.');
  return value;
}

/** `1000,2000`: ascending, each once. Throws commander's InvalidArgumentError. */
export function parseCounts(text: string): number[] {
  return [...new Set(text.split(',').map(parseCount))].sort((a, b) => a - b);
}

/** Hardware threads. Throws commander's InvalidArgumentError. */
export function parseHarts(text: string): number {
  const harts = parseCount(text);
  if (harts < 1 || harts > mostHarts) throw new InvalidArgumentError(`A guest has 1 to ${mostHarts} harts.`);
  return harts;
}

/** Threads of the host. Throws commander's InvalidArgumentError. */
export function parseThreads(text: string): number {
  const threads = /^\d[\d_]*$/.test(text.trim()) ? parseCount(text) : 0;
  if (threads < 1) throw new InvalidArgumentError('It takes one thread at least.');
  return threads;
}

/** A TCP port; 0 lets the system choose. Throws commander's InvalidArgumentError. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : Infinity;
  if (port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}

/** `tcp:127.0.0.1:8080:80`, `udp:5353:53`: a port of this machine's loopback, and one of the guest. Throws commander's InvalidArgumentError. */
export function parseForward(text: string): Forward {
  const [, protocol, host = '127.0.0.1', port = '', guestPort = ''] = /^(tcp|udp):(?:([\d.]+):)?(\d+):(\d+)$/.exec(text.trim()) ?? [];
  if (protocol === undefined) throw new InvalidArgumentError('A forward is tcp or udp, a port of this machine and a port of the guest: tcp:8080:80.');
  if (!/^127\.\d+\.\d+\.\d+$/.test(host)) throw new InvalidArgumentError('Only addresses of the loopback, 127.x.x.x, can be forwarded.');
  if (Number(guestPort) === 0) throw new InvalidArgumentError('A guest listens at a port from 1 to 65535.');
  return { protocol: protocol as 'tcp' | 'udp', host, port: parsePort(port), guestPort: parsePort(guestPort) };
}
