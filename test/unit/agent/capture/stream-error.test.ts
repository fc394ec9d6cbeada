import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeCodec,
  describeStreamError,
  isLoginRefusal,
  wordsOf,
} from '../../../../agent/capture/stream-error.ts';

const error = (debug: string, message = 'Could not open resource') => ({ type: 'error', message, debug });
const FROM =
  '../gst/rtsp/gstrtspsrc.c(6899): gst_rtspsrc_send (): /GstPipeline:pipeline0/GstRTSPSrc:source:\n';
const say = (words: string, message?: string) =>
  describeStreamError('gate', 'main', error(FROM + words, message));

test('a refusal names the camera, the stream, the code and what it means', () => {
  assert.equal(say('Unauthorized (401)'), 'camera gate, main stream: 401, the camera refuses the login');
  assert.match(say('Not Found (404)'), /404, the camera has no stream at this address$/);
  assert.match(say('Error (403): Forbidden'), /403, the login may not see this stream$/);
  assert.match(say('Not Enough Bandwidth (453)'), /453, the camera has too many viewers$/);
  assert.match(say('Odd (499)'), /499, the camera refuses$/);
  assert.match(say('Odd (599)'), /599, the camera has an error of its own$/);
});

test('a camera that wants a login is told apart from one that refuses it', () => {
  const said = describeStreamError('gate', 'main', error('f:\nUnauthorized (401)'), false);
  assert.equal(said, 'camera gate, main stream: 401, the camera wants a login and none is configured');
  assert.ok(isLoginRefusal(error(`${FROM}Error (401): Unauthorized`)));
  assert.ok(!isLoginRefusal(error(`${FROM}Not Found (404)`)));
});

/** As GStreamer 1.22 says it, and what a person reads. */
const WORDS: readonly (readonly [words: string, message: string, meaning: RegExp])[] = [
  ['Failed to connect. (Generic error)', 'Could not open resource.', /no connection; the camera is off/],
  ['Could not receive message. (System error)', 'Could not read from resource.', /the camera broke off/],
  ['Could not send message. (Received end-of-file)', 'Could not write to resource.', /the camera broke off/],
  ['The server closed the connection.', 'Could not read from resource.', /the camera broke off/],
  ['Could not receive message. (Parse error)', 'Could not read from resource.', /does not speak RTSP/],
  ['Could not receive message. (Timeout while waiting for server response)', '', /does not answer/],
  ['Server can not provide an SDP.', 'Could not get/set settings from/on resource.', /describes no stream/],
  ['SDP contains no streams', 'Could not get/set settings from/on resource.', /describes no stream/],
  ['streaming stopped, reason not-linked (-1)', 'Internal data stream error.', /not H\.264, or changed/],
  ['Buffer has no PTS', 'Could not multiplex stream.', /time stamps do not advance/],
  ['TLS handshake failed', 'Could not open resource.', /certificate is not trusted/],
  ['no valid frames decoded before end of stream', 'No valid frames found', /cannot be decoded/],
];
test('what GStreamer says becomes a sentence for people', () => {
  for (const [words, message, meaning] of WORDS) assert.match(say(words, message), meaning, words);
  const noTransport = error(
    FROM.trimEnd(),
    'No supported stream was found. You might need to allow more transport protocols',
  );
  assert.match(
    describeStreamError('gate', 'sub', noTransport),
    /461, the camera does not send over TCP; allow/,
  );
});

test('no error shows a source file, an element, a line or an address, not even one that nobody has seen yet', () => {
  const strange = [
    ...WORDS.map(([words, message]) => error(FROM + words, message)),
    error('gstfoo.c(12): gst_foo_bar (): /GstPipeline:pipeline0/GstFoo:foo0'),
    error(`${FROM}odd thing at rtsp://user:secret@10.0.0.1/x in GstBaseParse at line 4711`),
    error('', ''),
    { type: 'error' },
    error('\n\n', '../gst/odd.c(1): f ()'),
  ];
  for (const one of strange) {
    const said = describeStreamError('gate', 'sub', one);
    assert.match(said, /^camera gate, sub stream: \S.{10,}$/);
    assert.doesNotMatch(said, /\.c\b|\(\d+\):|gst_|Gst[A-Z]|pipeline|secret|10\.0\.0\.1|4711/);
  }
});

test('what GStreamer said is kept for the log, in one line of bounded length', () => {
  const words = wordsOf(error(`${FROM}${'long '.repeat(1000)}`, 'Could not read.'));
  assert.match(words, /^Could not read\. .*gstrtspsrc\.c/);
  assert.ok(words.length <= 500 && !words.includes('\n'));
});

test('another codec is said plainly', () => {
  assert.equal(
    describeCodec('gate', 'main', 'H265'),
    'camera gate, main stream: it is H.265, but only H.264 can be recorded; set the camera to H.264',
  );
  assert.match(describeCodec('gate', 'sub', 'JPEG'), /MJPEG.*watched/);
  assert.match(describeCodec('gate', 'sub', 'odd"<b>\n'), /it is oddb, /);
});
