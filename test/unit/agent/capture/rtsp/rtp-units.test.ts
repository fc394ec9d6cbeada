import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Encoding } from '../../../../../agent/capture/packing/coding.ts';
import { createRtpUnits, type StreamUnit } from '../../../../../agent/capture/rtsp/rtp-units.ts';
import {
  interleaved,
  payloadsOf,
  type RtpPacket,
} from '../../../../../hardware/simulators/camera/rtp-packets.ts';

const unit = (bytes: number, header = 0x65) => {
  const made = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) made[at] = at % 251;
  made[0] = header;
  return made;
};
const packets = (payloads: readonly Buffer[], more: Partial<RtpPacket> = {}): RtpPacket[] =>
  payloads.map((payload, index) => ({
    payload,
    marker: false,
    timestamp: 0,
    ssrc: 7,
    ...more,
    sequence: (more.sequence ?? 0) + index,
  }));
const raw = (packet: RtpPacket) => interleaved(packet, 0).subarray(4);

function read(sent: readonly (RtpPacket | Buffer)[], encoding: Encoding = 'H264'): StreamUnit[] {
  const units: StreamUnit[] = [];
  const reader = createRtpUnits({
    encoding,
    payloadType: 96,
    clockRate: 90_000,
    onUnit: (one) => units.push(one),
  });
  // Each packet lies in the middle of other bytes, which are written over afterwards.
  for (const packet of sent) {
    const bytes = Buffer.isBuffer(packet) ? packet : raw(packet);
    const around = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(5, 0xee)]);
    reader.packet(around, 3, 3 + bytes.length);
    around.fill(0);
  }
  return units;
}
const bodies = (units: readonly StreamUnit[]) => units.map((one) => one.unit.subarray(4).toString('hex'));
const hex = (...units: readonly Buffer[]) => units.map((one) => one.toString('hex'));
const pack = (kind: number, between: number, ...units: readonly Buffer[]) =>
  Buffer.concat([
    Buffer.from([kind, ...Array.from({ length: between }, () => 0)]),
    ...units.flatMap((one) => [Buffer.from([one.length >> 8, one.length & 0xff]), one]),
  ]);

test('units of every size come out as they went in, with four free bytes in front', () => {
  for (const bytes of [1, 2, 1399, 1400, 1401, 2797, 70_000, 300_000]) {
    const made = unit(bytes);
    const read1 = read(packets(payloadsOf(made)));
    assert.ok(read1.length === 1 && read1[0]?.unit.subarray(4).equals(made), `${bytes} bytes`);
  }
});

test('several units in one packet come out one by one, with and without numbers of their order', () => {
  const units = [unit(9, 0x67), unit(5, 0x68), unit(100)];
  assert.deepEqual(bodies(read(packets([pack(24, 0, ...units)]))), hex(...units));
  assert.deepEqual(bodies(read(packets([pack(25, 2, ...units)]))), hex(...units));
  const [first, second] = payloadsOf(unit(2000)) as [Buffer, Buffer];
  const numbered = Buffer.concat([first.subarray(0, 2), Buffer.from([0, 1]), first.subarray(2)]);
  numbered[0] = ((numbered[0] as number) & 0xe0) | 29;
  assert.deepEqual(bodies(read(packets([numbered, second]))), hex(unit(2000)));
});

test('a unit that lacks a part is left out, and the next one says so; only that one', () => {
  const [a, b, c] = payloadsOf(unit(4000)) as [Buffer, Buffer, Buffer];
  const whole = unit(50, 0x41);
  for (const without of [0, 1, 2]) {
    const sent = packets([a, b, c, whole, whole]).filter((_, index) => index !== without);
    // Of what is lost in front of everything nothing tells but the part that nothing begins.
    const units = read(sent);
    assert.deepEqual(bodies(units), hex(whole, whole), `without part ${without}`);
    assert.deepEqual(
      units.map(({ afterLoss }) => afterLoss),
      [true, false],
    );
  }
});

test('a packet that comes twice counts once', () => {
  const sent = packets([...payloadsOf(unit(4000)), unit(10, 0x41)]);
  const units = read(sent.flatMap((packet) => [packet, packet]));
  assert.deepEqual(bodies(units), hex(unit(4000), unit(10, 0x41)));
  assert.ok(units.every(({ afterLoss }) => !afterLoss));
});

test('numbers that wrap, and another synchronisation source with numbers of its own, are no loss', () => {
  const wrapped = packets([unit(8), unit(9), unit(10)], { sequence: 65_534 });
  const other = packets([unit(11), unit(12)], { sequence: 500, ssrc: 8 });
  const units = read([...wrapped, ...other]);
  assert.equal(units.length, 5);
  assert.ok(units.every(({ afterLoss }) => !afterLoss));
});

test('a last part that does not say so ends with what follows it', () => {
  const parts = payloadsOf(unit(4000));
  for (const part of parts) part[1] = (part[1] as number) & 0xbf;
  assert.deepEqual(bodies(read(packets([...parts, unit(6, 0x41)]))), hex(unit(4000), unit(6, 0x41)));
});

test('stamps are followed over their wrap, forward and back', () => {
  const at = [0xffff_0000, 0xffff_0000 + 90_000, 0xffff_0000 + 45_000, 0xffff_0000 + 180_000];
  const units = read(
    at.map((timestamp, sequence) => packets([unit(5)], { timestamp, sequence })[0] as RtpPacket),
  );
  assert.deepEqual(
    units.map(({ stampMs }) => stampMs),
    [0, 1000, 500, 2000],
  );
});

test('contributors, extensions and padding of a packet are no part of its unit', () => {
  const plain = raw(packets([unit(20)])[0] as RtpPacket);
  const head = Buffer.from(plain.subarray(0, 12));
  head[0] = 0x80 | 0x20 | 0x10 | 2;
  const sent = Buffer.concat([
    head,
    Buffer.alloc(8, 9),
    Buffer.from([0xbe, 0xde, 0, 1, 1, 2, 3, 4]),
    plain.subarray(12),
    Buffer.from([0, 0, 3]),
  ]);
  assert.deepEqual(bodies(read([sent])), hex(unit(20)));
});

test('what is no packet of this stream is passed over, and no bytes can do harm', () => {
  const good = packets([unit(20), unit(21)]);
  const other = raw({ ...(good[0] as RtpPacket) });
  other[1] = 97;
  const [first, last] = good as [RtpPacket, RtpPacket];
  const odd = [Buffer.alloc(0), Buffer.alloc(11, 0x80), Buffer.alloc(40), other];
  assert.deepEqual(bodies(read([first, ...odd, last])), hex(unit(20), unit(21)));
  let state = 1;
  const byte = () => (state = (state * 48_271) % 0x7fff_ffff) & 0xff;
  const noise = Array.from({ length: 3000 }, (_, index) => {
    const bytes = Buffer.from(Array.from({ length: 12 + (index % 40) }, byte));
    bytes[0] = 0x80 | (byte() & 0x3f);
    bytes[1] = 96;
    return bytes;
  });
  for (const { unit: found } of read(noise)) assert.ok(found.length > 4 && found.length < 3000 * 52);
});

test('units of H.265 come out as they went in, whole, in parts and several in one packet', () => {
  const made = (bytes: number, type: number) => {
    const one = unit(bytes, type << 1);
    one[1] = 1;
    return one;
  };
  for (const bytes of [2, 3, 1400, 1401, 2797, 70_000, 300_000]) {
    const sent = made(bytes, 19);
    const units = read(packets(payloadsOf(sent, undefined, 'H265')), 'H265');
    assert.ok(units.length === 1 && units[0]?.unit.subarray(4).equals(sent), `${bytes} bytes`);
    assert.equal(units[0]?.encoding, 'H265');
  }
  const sets = [made(9, 32), made(7, 33), made(5, 34)];
  const packed = pack(48 << 1, 1, ...sets);
  assert.deepEqual(bodies(read(packets([packed]), 'H265')), hex(...sets));
  const [a, b, c] = payloadsOf(made(4000, 1), undefined, 'H265') as [Buffer, Buffer, Buffer];
  const whole = made(50, 1);
  for (const without of [0, 1, 2]) {
    const sent = packets([a, b, c, whole]).filter((_, index) => index !== without);
    const units = read(sent, 'H265');
    assert.deepEqual(bodies(units), hex(whole), `without part ${without}`);
    assert.ok(units[0]?.afterLoss);
  }
});
