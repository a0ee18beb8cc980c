/** What stands at the other end of the cable besides forwarded connections: ARP, echo, DHCP, names. */
import { broadcast, gateway, gatewayMac, guestAddress, nameServer, netmask, type Address } from './addresses';
import { checksum, protocol, writeIp, writeUdp, type Ip, type Udp } from './packets';

const arpBytes = 28;
const arpRequest = 1;
const arpReply = 2;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The answer to a question for the gateway's or the name server's hardware address: RFC 826. */
export function answerArp(request: Uint8Array): Uint8Array | undefined {
  if (request.length < arpBytes) return undefined;
  const view = viewOf(request);
  const asked = view.getUint32(24);
  const forEthernet = view.getUint16(0) === 1 && view.getUint16(2) === 0x0800 && view.getUint16(4) === 0x0604;
  if (!forEthernet || view.getUint16(6) !== arpRequest || (asked !== gateway && asked !== nameServer)) return undefined;
  const reply = new Uint8Array(arpBytes);
  reply.set(request.subarray(0, 6));
  viewOf(reply).setUint16(6, arpReply);
  reply.set(gatewayMac, 8);
  viewOf(reply).setUint32(14, asked);
  reply.set(request.subarray(8, 18), 18);
  return reply;
}

/** The answer to an echo request: RFC 792. */
export function answerEcho({ source, destination, payload }: Ip): Uint8Array | undefined {
  if (payload.length < 8 || payload[0] !== 8 || checksum([payload]) !== 0) return undefined;
  const reply = payload.slice();
  reply[0] = 0;
  viewOf(reply).setUint16(2, 0);
  viewOf(reply).setUint16(2, checksum([reply]));
  return writeIp({ protocol: protocol.icmp, source: destination, destination: source, payload: reply });
}

/** Port unreachable, about a packet of the guest: RFC 792. */
export function unreachable(packet: Uint8Array, { source, destination }: Ip): Uint8Array {
  const quoted = packet.subarray(0, 28);
  const message = new Uint8Array(8 + quoted.length);
  message[0] = 3;
  message[1] = 3;
  message.set(quoted, 8);
  viewOf(message).setUint16(2, checksum([message]));
  return writeIp({ protocol: protocol.icmp, source: destination, destination: source, payload: message });
}

export const dhcpServerPort = 67;
const dhcpClientPort = 68;
const dhcpBytes = 240;
const dhcpCookie = 0x6382_5363;
const leaseSeconds = 86_400;

/** The answer of the DHCP server, which has one lease: RFC 2131, options of RFC 2132. */
export function answerDhcp({ payload }: Udp): Uint8Array | undefined {
  if (payload.length < dhcpBytes || payload[0] !== 1 || viewOf(payload).getUint32(236) !== dhcpCookie) return undefined;
  const asked = dhcpOption(payload, 53)?.[0];
  // Discover is offered, request is acknowledged.
  const kind = asked === 1 ? 2 : asked === 3 ? 5 : undefined;
  if (kind === undefined) return undefined;
  const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const options = [
    [53, 1, kind],
    [54, 4, ...word(gateway)],
    [51, 4, ...word(leaseSeconds)],
    [1, 4, ...word(netmask)],
    [3, 4, ...word(gateway)],
    [6, 4, ...word(nameServer)],
    [255],
  ].flat();
  const reply = new Uint8Array(dhcpBytes + options.length);
  reply.set(payload.subarray(0, 8));
  reply[0] = 2;
  const view = viewOf(reply);
  view.setUint16(10, viewOf(payload).getUint16(10));
  view.setUint32(16, guestAddress);
  view.setUint32(20, gateway);
  reply.set(payload.subarray(28, 44), 28);
  view.setUint32(236, dhcpCookie);
  reply.set(options, dhcpBytes);
  return writeUdp(gateway, broadcast, { sourcePort: dhcpServerPort, destinationPort: dhcpClientPort, payload: reply });
}

function dhcpOption(payload: Uint8Array, wanted: number): Uint8Array | undefined {
  for (let at = dhcpBytes; at < payload.length; ) {
    const kind = payload[at];
    if (kind === 255) return undefined;
    if (kind === 0) {
      at += 1;
      continue;
    }
    const length = payload[at + 1] ?? 0;
    if (kind === wanted) return payload.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return undefined;
}

export const dnsPort = 53;
const gatewayName = 'gateway.covert';
const noSuchName = 3;
const ipv4Type = 1;
const internetClass = 1;

/** The answer of the name server: one name is known, the gateway's, and no other (RFC 1035, section 4). */
export function answerName({ sourcePort, payload }: Udp, from: Address): Uint8Array | undefined {
  if (payload.length < 12) return undefined;
  const view = viewOf(payload);
  // A query with one question, not an answer.
  if ((view.getUint16(2) & 0xf800) !== 0 || view.getUint16(4) !== 1) return undefined;
  const question = readQuestion(payload);
  if (!question) return undefined;
  const known = question.name.toLowerCase() === gatewayName;
  const answers = known && question.type === ipv4Type && question.class === internetClass;
  const reply = new Uint8Array(question.end + (answers ? 16 : 0));
  reply.set(payload.subarray(0, question.end));
  const out = viewOf(reply);
  out.setUint16(2, 0x8180 | (known ? 0 : noSuchName));
  out.setUint16(6, answers ? 1 : 0);
  out.setUint32(8, 0);
  if (answers) {
    // The name is the question's, which stands at byte 12.
    out.setUint16(question.end, 0xc00c);
    out.setUint16(question.end + 2, ipv4Type);
    out.setUint16(question.end + 4, internetClass);
    out.setUint32(question.end + 6, leaseSeconds);
    out.setUint16(question.end + 10, 4);
    out.setUint32(question.end + 12, gateway);
  }
  return writeUdp(nameServer, from, { sourcePort: dnsPort, destinationPort: sourcePort, payload: reply });
}

function readQuestion(message: Uint8Array): { name: string; type: number; class: number; end: number } | undefined {
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > message.length) return undefined;
    labels.push(Buffer.from(message.subarray(at, at + length)).toString('latin1'));
    at += length;
  }
  if (at + 4 > message.length || at > 267) return undefined;
  const view = viewOf(message);
  return { name: labels.join('.'), type: view.getUint16(at), class: view.getUint16(at + 2), end: at + 4 };
}

