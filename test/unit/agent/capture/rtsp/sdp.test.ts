import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureTrack, pictureCodecs } from '../../../../../agent/capture/rtsp/sdp.ts';

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

test('the first H.264 stream of a description is found, with its address, its numbers and its parameter sets', () => {
  const sets = [Buffer.from([0x67, 1, 2, 3]), Buffer.from([0x68, 4])];
  const named = sets.map((set) => set.toString('base64')).join(',');
  const sdp = [
    'v=0',
    'a=control:rtsp://h/all',
    'm=audio 0 RTP/AVP 0',
    'a=control:sound',
    'm=video 0 RTP/AVP 97 98',
    'a=rtpmap:97 H265/90000',
    'a=rtpmap:98 h264/48000',
    `a=fmtp:98 packetization-mode=1; sprop-parameter-sets=${named};profile-level-id=42e01f`,
    'a=control:trackID=2',
    'm=video 0 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
  ].join('\r\n');
  const track = pictureTrack(sdp);
  assert.deepEqual(
    { ...track, parameterSets: undefined },
    {
      encoding: 'H264',
      control: 'trackID=2',
      allControl: 'rtsp://h/all',
      payloadType: 98,
      clockRate: 48_000,
      parameterSets: undefined,
    },
  );
  assert.ok(track?.parameterSets.every((set, index) => set.equals(sets[index] as Buffer)));
  assert.equal(track?.parameterSets.length, 2);
});

test('a description without H.264 and H.265, or without sense, has no stream that can be recorded; odd numbers become usual ones', () => {
  for (const sdp of [
    '',
    'v=0',
    'm=video 0 RTP/AVP 26',
    'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H266/90000',
    'm=video',
  ])
    assert.equal(pictureTrack(sdp), undefined);
  const odd = pictureTrack(
    'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/0\r\na=fmtp:96 sprop-parameter-sets=,,%%',
  );
  assert.deepEqual([odd?.clockRate, odd?.parameterSets, odd?.control], [90_000, [], '']);
});

test('a stream of H.265 is taken where there is none of H.264, with the three kinds of its parameter sets', () => {
  const sets = [
    [0x40, 1],
    [0x42, 1],
    [0x44, 1],
  ].map((set) => Buffer.from(set));
  const [vps, sps, pps] = sets.map((set) => set.toString('base64'));
  const track = pictureTrack(
    [
      'v=0',
      'm=video 0 RTP/AVP 98',
      'a=rtpmap:98 H265/90000',
      `a=fmtp:98 sprop-vps=${vps}; sprop-sps=${sps}; sprop-pps=${pps},${pps}`,
      'a=control:t',
    ].join('\r\n'),
  );
  assert.equal(track?.encoding, 'H265');
  assert.equal(Buffer.concat([...(track?.parameterSets ?? [])]).toString('hex'), '4001420144014401');
});
