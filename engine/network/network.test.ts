import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gateway, guestAddress, guestMac, nameServer } from './addresses';
import { Network } from './network';
import { checksum, protocol, readFrame, readIp, readTcp, readUdp, tcpFlag, writeFrame, writeIp, writeTcp, writeUdp, type Ip } from './packets';

/** The packets that the network answers a frame with. */
function answers(frame: Uint8Array, network = new Network()): Ip[] {
  network.receive(frame);
  return network.takeFrames().map((answer) => {
    const ip = readIp(readFrame(answer)?.payload ?? new Uint8Array());
    if (!ip) throw new Error('an answer that is no IPv4');
    return ip;
  });
}

const packet = (payload: Uint8Array): Uint8Array => writeFrame(0x0800, payload);
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('what stands at the other end of the cable', () => {
  test('the gateway says where it is, and nobody else', () => {
    const ask = (target: string): Uint8Array => writeFrame(0x0806, hex(`0001 0800 06 04 0001 525400123456 0a00020f 000000000000 ${target}`));
    const network = new Network();
    network.receive(ask('0a000202'));
    const [reply] = network.takeFrames();
    expect(Buffer.from(reply ?? []).toString('hex')).toBe(
      '525400123456' + '52550a000202' + '0806' + '0001080006040002' + '52550a000202' + '0a000202' + '525400123456' + '0a00020f',
    );
    network.receive(ask('0a000209'));
    expect(network.takeFrames()).toEqual([]);
    expect(network.dropped).toBe(1);
  });

  test('echo is answered by the gateway alone', () => {
    const echo = hex('0800 0000 1234 0001 68656c6c6f');
    const sum = checksum([echo]);
    echo.set([sum >> 8, sum & 255], 2);
    const ask = (destination: number): Uint8Array => packet(writeIp({ protocol: protocol.icmp, source: guestAddress, destination, payload: echo }));
    const [reply] = answers(ask(gateway));
    expect(reply).toMatchObject({ source: gateway, destination: guestAddress });
    expect(Buffer.from(reply?.payload.subarray(4) ?? []).toString('hex')).toBe('12340001' + '68656c6c6f');
    expect(checksum([reply?.payload ?? new Uint8Array()])).toBe(0);
    expect(answers(ask(0x08080808))).toEqual([]);
  });

  test('one name is known', () => {
    const query = (name: string, type = 1): Uint8Array => {
      const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
      const payload = Uint8Array.from([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
      return packet(writeUdp(guestAddress, nameServer, { sourcePort: 4000, destinationPort: 53, payload }));
    };
    const answer = (frame: Uint8Array): Buffer => Buffer.from(answers(frame).map(readUdp)[0]?.payload ?? []);
    expect(answer(query('Gateway.covert')).subarray(-4)).toEqual(Buffer.from([10, 0, 2, 2]));
    expect(answer(query('Gateway.covert')).readUInt16BE(2)).toBe(0x8180);
    expect(answer(query('gateway.covert', 28)).readUInt16BE(6)).toBe(0);
    expect(answer(query('example.org')).readUInt16BE(2)).toBe(0x8183);
  });

  test('a lease is offered and acknowledged', () => {
    const ask = (kind: number): Uint8Array => {
      const payload = new Uint8Array(244);
      payload.set([1, 1, 6, 0, 9, 9, 9, 9]);
      payload.set(guestMac, 28);
      payload.set([0x63, 0x82, 0x53, 0x63, 53, 1, kind, 255], 236);
      return packet(writeUdp(0, 0xffff_ffff, { sourcePort: 68, destinationPort: 67, payload }));
    };
    for (const [kind, expected] of [[1, 2], [3, 5]] as const) {
      const reply = answers(ask(kind)).map(readUdp)[0]?.payload ?? new Uint8Array();
      expect(Buffer.from(reply.subarray(4, 8)).toString('hex')).toBe('09090909');
      expect([...reply.subarray(16, 20)]).toEqual([10, 0, 2, 15]);
      expect([...reply.subarray(240, 243)]).toEqual([53, 1, expected]);
    }
    expect(answers(ask(7))).toEqual([]);
  });

  test('what the guest opens to the outside is refused', () => {
    const syn = { sourcePort: 999, destinationPort: 80, sequence: 41, acknowledgment: 0, flags: tcpFlag.syn, window: 1000, payload: new Uint8Array() };
    const [reset] = answers(packet(writeTcp(guestAddress, 0x01010101, syn)));
    expect(reset && readTcp(reset)).toMatchObject({ flags: tcpFlag.rst | tcpFlag.ack, acknowledgment: 42, sourcePort: 80, destinationPort: 999 });
    const [told] = answers(packet(writeUdp(guestAddress, 0x01010101, { sourcePort: 5, destinationPort: 6, payload: new Uint8Array(3) })));
    expect(told).toMatchObject({ protocol: protocol.icmp, source: 0x01010101 });
    expect([...(told?.payload.subarray(0, 2) ?? [])]).toEqual([3, 3]);
  });

  test('datagrams find their way back', () => {
    const network = new Network();
    const number = network.datagram(undefined, 53, Uint8Array.of(1));
    const sent = network.takeFrames().map((frame) => readUdp(readIp(readFrame(frame)?.payload ?? new Uint8Array()) as Ip))[0];
    expect(sent).toMatchObject({ destinationPort: 53 });
    network.receive(packet(writeUdp(guestAddress, gateway, { sourcePort: 53, destinationPort: sent?.sourcePort ?? 0, payload: Uint8Array.of(2) })));
    expect(network.takeActions()).toEqual([{ connection: number, kind: 'datagram', bytes: Uint8Array.of(2) }]);
  });
});

test('any frame is taken, and answered with nothing that is malformed', () => {
  const known = fc.constantFrom('080045', '0806000108000604', '08004500001c00004000400100000a00020f0a000202', '08004500002800004000400600000a00020f0a000202');
  const frame = fc.tuple(known, fc.uint8Array({ maxLength: 1600 })).map(([head, tail]) => Uint8Array.from([...new Uint8Array(12), ...hex(head), ...tail]));
  fc.assert(
    fc.property(fc.array(fc.oneof(frame, fc.uint8Array({ maxLength: 100 })), { maxLength: 30 }), (frames) => {
      const network = new Network();
      for (let i = 0; i < 300; i++) network.connect(80);
      network.takeFrames();
      for (const one of frames) network.receive(one);
      for (const answer of network.takeFrames()) {
        const read = readFrame(answer);
        expect(answer.length).toBeLessThanOrEqual(1514);
        if (read?.type === 0x0800) expect(readIp(read.payload)).toBeDefined();
      }
    }),
  );
});

test('a packet that was changed on its way is dropped', () => {
  const whole = writeTcp(guestAddress, gateway, { sourcePort: 1, destinationPort: 2, sequence: 3, acknowledgment: 4, flags: 16, window: 5, payload: Uint8Array.of(6, 7, 8) });
  fc.assert(
    fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
      const damaged = whole.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const ip = readIp(damaged);
      // The protocol number is under the header's sum, and every other bit under that or under the segment's.
      expect(ip && readTcp(ip)).toBeUndefined();
    }),
  );
});
