/** Frames, IPv4, UDP, TCP and ICMP: reading with every length checked, and writing. */
import { gatewayMac, guestMac, type Address } from './addresses';

export const etherType = { ipv4: 0x0800, arp: 0x0806 } as const;
export const protocol = { icmp: 1, tcp: 6, udp: 17 } as const;

const etherBytes = 14;
const ipBytes = 20;
const udpBytes = 8;
const tcpBytes = 20;
const timeToLive = 64;
/** What one IPv4 packet holds on an ethernet. */
export const mostPayload = 1500 - ipBytes;

export interface Ip {
  protocol: number;
  source: Address;
  destination: Address;
  payload: Uint8Array;
}

export interface Udp {
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

/** Bits of a TCP header's flags: RFC 9293, section 3.1. */
export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface Tcp {
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgment: number;
  flags: number;
  window: number;
  payload: Uint8Array;
  /** The maximum segment size option, of a SYN. */
  segmentMost?: number;
}

/** The ones' complement sum of 16-bit words: RFC 1071. */
export function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  let odd = false;
  for (const part of parts) {
    for (const byte of part) {
      sum += odd ? byte : byte << 8;
      odd = !odd;
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What a frame carries; undefined where it is too short to carry anything. */
export function readFrame(frame: Uint8Array): { type: number; payload: Uint8Array } | undefined {
  if (frame.length < etherBytes) return undefined;
  return { type: viewOf(frame).getUint16(12), payload: frame.subarray(etherBytes) };
}

export function writeFrame(type: number, payload: Uint8Array, to: Uint8Array = guestMac): Uint8Array {
  const frame = new Uint8Array(etherBytes + payload.length);
  frame.set(to, 0);
  frame.set(gatewayMac, 6);
  viewOf(frame).setUint16(12, type);
  frame.set(payload, etherBytes);
  return frame;
}

/** RFC 791. Undefined for anything malformed, and for fragments, which an ethernet neighbour has no need of. */
export function readIp(bytes: Uint8Array): Ip | undefined {
  if (bytes.length < ipBytes) return undefined;
  const view = viewOf(bytes);
  const header = (view.getUint8(0) & 15) * 4;
  const total = view.getUint16(2);
  if (view.getUint8(0) >> 4 !== 4 || header < ipBytes || total < header || total > bytes.length) return undefined;
  if (checksum([bytes.subarray(0, header)]) !== 0) return undefined;
  // More fragments to come, or not the first.
  if ((view.getUint16(6) & 0x3fff) !== 0) return undefined;
  return {
    protocol: view.getUint8(9),
    source: view.getUint32(12),
    destination: view.getUint32(16),
    payload: bytes.subarray(header, total),
  };
}

export function writeIp({ protocol: number, source, destination, payload }: Ip): Uint8Array {
  const bytes = new Uint8Array(ipBytes + payload.length);
  const view = viewOf(bytes);
  view.setUint8(0, 0x45);
  view.setUint16(2, bytes.length);
  // Do not fragment: no packet is larger than the cable's.
  view.setUint16(6, 0x4000);
  view.setUint8(8, timeToLive);
  view.setUint8(9, number);
  view.setUint32(12, source);
  view.setUint32(16, destination);
  view.setUint16(10, checksum([bytes.subarray(0, ipBytes)]));
  bytes.set(payload, ipBytes);
  return bytes;
}

/** What UDP and TCP sum besides their own bytes. */
function pseudoHeader(source: Address, destination: Address, number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = viewOf(bytes);
  view.setUint32(0, source);
  view.setUint32(4, destination);
  view.setUint8(9, number);
  view.setUint16(10, length);
  return bytes;
}

/** RFC 768. */
export function readUdp({ payload, source, destination }: Ip): Udp | undefined {
  if (payload.length < udpBytes) return undefined;
  const view = viewOf(payload);
  const length = view.getUint16(4);
  if (length < udpBytes || length > payload.length) return undefined;
  const whole = payload.subarray(0, length);
  // A sum of zero means that the sender made none.
  if (view.getUint16(6) !== 0 && checksum([pseudoHeader(source, destination, protocol.udp, length), whole]) !== 0) return undefined;
  return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), payload: whole.subarray(udpBytes) };
}

export function writeUdp(source: Address, destination: Address, { sourcePort, destinationPort, payload }: Udp): Uint8Array {
  const bytes = new Uint8Array(udpBytes + payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, udpBytes);
  view.setUint16(6, checksum([pseudoHeader(source, destination, protocol.udp, bytes.length), bytes]) || 0xffff);
  return writeIp({ protocol: protocol.udp, source, destination, payload: bytes });
}

/** RFC 9293. Of the options only the maximum segment size is read. */
export function readTcp({ payload, source, destination }: Ip): Tcp | undefined {
  if (payload.length < tcpBytes) return undefined;
  const view = viewOf(payload);
  const header = (view.getUint8(12) >> 4) * 4;
  if (header < tcpBytes || header > payload.length) return undefined;
  if (checksum([pseudoHeader(source, destination, protocol.tcp, payload.length), payload]) !== 0) return undefined;
  const segmentMost = readSegmentMost(payload.subarray(tcpBytes, header));
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: view.getUint8(13) & 31,
    window: view.getUint16(14),
    payload: payload.subarray(header),
    ...(segmentMost === undefined ? {} : { segmentMost }),
  };
}

function readSegmentMost(options: Uint8Array): number | undefined {
  for (let at = 0; at < options.length; ) {
    const kind = options[at];
    if (kind === 0) return undefined;
    if (kind === 1) {
      at += 1;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) return undefined;
    if (kind === 2 && length === 4) return viewOf(options).getUint16(at + 2);
    at += length;
  }
  return undefined;
}

export function writeTcp(source: Address, destination: Address, tcp: Tcp): Uint8Array {
  const header = tcp.segmentMost === undefined ? tcpBytes : tcpBytes + 4;
  const bytes = new Uint8Array(header + tcp.payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, tcp.sourcePort);
  view.setUint16(2, tcp.destinationPort);
  view.setUint32(4, tcp.sequence);
  view.setUint32(8, tcp.acknowledgment);
  view.setUint8(12, (header / 4) << 4);
  view.setUint8(13, tcp.flags);
  view.setUint16(14, tcp.window);
  if (tcp.segmentMost !== undefined) {
    view.setUint16(tcpBytes, 0x0204);
    view.setUint16(tcpBytes + 2, tcp.segmentMost);
  }
  bytes.set(tcp.payload, header);
  view.setUint16(16, checksum([pseudoHeader(source, destination, protocol.tcp, bytes.length), bytes]));
  return writeIp({ protocol: protocol.tcp, source, destination, payload: bytes });
}
