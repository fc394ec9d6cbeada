import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureCodecs, withOneStream } from '../../../../agent/capture/sdp.ts';

const sdp = (...lines: string[]) => ['v=0', 's=camera', ...lines, ''].join('\r\n');

test('the codec of the pictures is read, whatever else the camera offers', () => {
  const both = sdp(
    'm=audio 0 RTP/AVP 97',
    'a=rtpmap:97 PCMU/8000',
    'm=video 0 RTP/AVP 96',
    'a=rtpmap:96 h264/90000',
  );
  assert.deepEqual(pictureCodecs(both), ['H264']);
  assert.deepEqual(pictureCodecs(sdp('m=video 0 RTP/AVP 98', 'a=rtpmap:98 H265/90000')), ['H265']);
  assert.deepEqual(pictureCodecs(sdp('m=video 0 RTP/AVP 26')), ['JPEG']);
  const two = sdp(
    'm=video 0 RTP/AVP 96',
    'a=rtpmap:96 H265/90000',
    'm=video 0 RTP/AVP 97',
    'a=rtpmap:97 H264/90000',
  );
  assert.deepEqual(pictureCodecs(two), ['H265', 'H264']);
});

test('a codec that is not named is not guessed', () => {
  assert.deepEqual(pictureCodecs(sdp('m=video 0 RTP/AVP 96')), []);
  assert.deepEqual(pictureCodecs(sdp('m=video 0 RTP/AVP 96', 'a=rtpmap:97 H265/90000')), []);
  assert.deepEqual(pictureCodecs(sdp('m=video')), undefined);
});

test('what is no description of pictures is said to be none', () => {
  for (const text of ['', 'hello', '<html>', sdp('m=audio 0 RTP/AVP 0')])
    assert.equal(pictureCodecs(text), undefined);
});

const SOUND = ['m=audio 0 RTP/AVP 0', 'a=control:track3'];
const PICTURES = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=control:track1'];

test('of several streams of pictures the first in H.264 is left, with what belongs to it and to the session', () => {
  const others = ['m=video 0 RTP/AVP 98', 'a=rtpmap:98 H265/90000'];
  const smaller = ['m=video 0 RTP/AVP 97', 'a=rtpmap:97 h264/90000', 'a=control:track2'];
  assert.equal(withOneStream(sdp(...SOUND, ...others, ...PICTURES, ...smaller)), sdp(...PICTURES));
  assert.equal(withOneStream(sdp(...smaller, ...PICTURES)), sdp(...smaller));
});

test('a description without pictures in H.264 stays as it is', () => {
  for (const other of [sdp(...SOUND), sdp(), '', 'no description', sdp('m=video 0 RTP/AVP 26')])
    assert.equal(withOneStream(other), other);
});
