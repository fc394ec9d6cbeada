import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRtspFramer, headerOf, type RtspMessage } from '../../../../../agent/capture/rtsp/framer.ts';

const frame = (channel: number, bytes: number) => {
  const made = Buffer.alloc(4 + bytes, channel + 1);
  made[0] = 0x24;
  made[1] = channel;
  made.writeUInt16BE(bytes, 2);
  return made;
};
const answer = Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Length: 4\r\n\r\n$\r\n$');
const request = Buffer.from('GET_PARAMETER rtsp://h/ RTSP/1.0\r\nCSeq: 8\r\n\r\n');

function collect(chunks: readonly Buffer[]) {
  const frames: Buffer[] = [];
  const messages: RtspMessage[] = [];
  const framer = createRtspFramer({
    frames: (bytes) => void frames.push(Buffer.from(bytes)),
    message: (message) => void messages.push(message),
  });
  const whole = chunks.every((chunk) => {
    const bytes = Buffer.from(chunk);
    const understood = framer.push(bytes);
    bytes.fill(0);
    return understood;
  });
  return { frames: Buffer.concat(frames), messages, whole };
}

test('frames and messages are told apart wherever the stream is cut', () => {
  const parts = [
    answer,
    frame(0, 1400),
    frame(1, 60),
    frame(0, 0),
    request,
    Buffer.from('\r\n'),
    frame(2, 65_535),
    answer,
  ];
  const stream = Buffer.concat(parts);
  const frames = Buffer.concat(parts.filter((part) => part[0] === 0x24));
  for (const size of [1, 2, 3, 5, 7, 64, 1000, 1404, stream.length]) {
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
      stream.subarray(index * size, (index + 1) * size),
    );
    const read = collect(chunks);
    assert.ok(read.whole);
    assert.ok(read.frames.equals(frames), `cut at every ${size}`);
    assert.deepEqual(
      read.messages.map((one) => headerOf(one, 'cseq')),
      ['7', '8', '7'],
    );
    assert.equal(read.messages[0]?.body.toString(), '$\r\n$');
  }
});

test('what is not RTSP, and a message without an end, are given up', () => {
  for (const text of [
    'hello',
    'RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n',
    'RTSP/1.0 200 OK\r\nContent-Length: x\r\n\r\n',
  ])
    assert.equal(collect([Buffer.from(text)]).whole, false, text);
  assert.equal(collect([Buffer.from(`RTSP/1.0 200 OK\r\nX: ${'a'.repeat(300_000)}`)]).whole, false);
});
