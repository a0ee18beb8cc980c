/** What guests send: sound, to be damaged. */
import { gateway, guestAddress, guestMac, nameServer } from '../../../engine/network/addresses';
import { checksum, etherType, protocol, writeFrame, writeIp, type Ip } from '../../../engine/network/packets';

/** Makes the sum of an IPv4 header right, and says of UDP that it has none. */
export function mendSums(frame: Uint8Array): void {
  const header = frame.subarray(14, 34);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < 42) return;
  view.setUint16(24, 0);
  view.setUint16(24, checksum([header]));
  if (header[9] === protocol.udp) view.setUint16(40, 0);
}

export const ipFrame = (ip: Ip): Uint8Array => writeFrame(etherType.ipv4, writeIp(ip));

/** A question for an address of the network, or of nobody. */
export function arp(which: number): Uint8Array {
  const target = [gateway, nameServer, guestAddress, 0][which] ?? 0;
  return Uint8Array.from([0, 1, 8, 0, 6, 4, 0, 1, ...guestMac, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, target >>> 24, (target >> 16) & 255, (target >> 8) & 255, target & 255]);
}

export function echo(length: number): Uint8Array {
  const message = new Uint8Array(8 + length);
  message[0] = 8;
  new DataView(message.buffer).setUint16(2, checksum([message]));
  return message;
}

/** Option 53 with this value: 1 is discover, 3 request. */
export function dhcp(kind: number): Uint8Array {
  const message = new Uint8Array(250);
  message.set([1, 1, 6, 0]);
  message.set(guestMac, 28);
  message.set([0x63, 0x82, 0x53, 0x63, 0, 12, 1, 65, 53, 1, kind, 255], 236);
  return message;
}

/** A question for one of four names: known, unknown, empty, long. */
export function query(which: number): Uint8Array {
  const name = ['gateway.covert', 'example.org', '', `${'a'.repeat(63)}.`.repeat(3)][which] ?? '';
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}
