import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureCodecs } from '../../../../agent/capture/sdp.ts';

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
