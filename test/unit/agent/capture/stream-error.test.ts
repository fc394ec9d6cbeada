import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecSentence, describeDecoderError, wordsOf } from '../../../../agent/capture/stream-error.ts';
import { statusSentence } from '../../../../agent/capture/rtsp/status.ts';

const error = (debug: string, message = 'Could not open resource') => ({ type: 'error', message, debug });
const FROM =
  '../ext/libav/gstavviddec.c(2120): gst_ffmpegviddec_handle_frame (): /GstPipeline:pipeline0/avdec_h264:avdec_h264-0:\n';

test('each status of RTSP has a sentence, also one that nobody has seen yet', () => {
  assert.equal(statusSentence(401), '401, the camera refuses the login');
  assert.match(statusSentence(404), /^404, the camera has no stream at this address$/);
  assert.match(statusSentence(403), /^403, the login may not see this stream$/);
  assert.match(statusSentence(453), /^453, the camera has too many viewers$/);
  assert.match(statusSentence(499), /^499, the camera refuses$/);
  assert.match(statusSentence(599), /^599, the camera has an error of its own$/);
});

/** As GStreamer 1.22 says it, and what a person reads. */
const WORDS: readonly (readonly [words: string, message: string, meaning: RegExp])[] = [
  [
    'streaming stopped, reason not-linked (-1)',
    'Internal data stream error.',
    /not what the camera calls it, or changed/,
  ],
  [
    'streaming stopped, reason not-negotiated (-4)',
    'Internal data stream error.',
    /not what the camera calls it, or changed/,
  ],
  ['no valid frames decoded before end of stream', 'No valid frames found', /cannot be decoded/],
];
test('what GStreamer says becomes a sentence for people', () => {
  for (const [words, message, meaning] of WORDS)
    assert.match(describeDecoderError('gate', 'sub', error(FROM + words, message)), meaning, words);
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
    const said = describeDecoderError('gate', 'sub', one);
    assert.match(said, /^camera gate, sub stream: \S.{10,}$/);
    assert.doesNotMatch(said, /\.c\b|\(\d+\):|gst_|Gst[A-Z]|pipeline|secret|10\.0\.0\.1|4711/);
  }
});

test('what GStreamer said is kept for the log, in one line of bounded length', () => {
  const words = wordsOf(error(`${FROM}${'long '.repeat(1000)}`, 'Could not read.'));
  assert.match(words, /^Could not read\. .*gstavviddec\.c/);
  assert.ok(words.length <= 500 && !words.includes('\n'));
});

test('another codec is said plainly', () => {
  assert.equal(
    codecSentence('main', 'MP4V-ES'),
    'it is MPEG-4, but only H.264 and H.265 can be recorded; set the camera to H.264',
  );
  assert.match(codecSentence('sub', 'JPEG'), /MJPEG.*watched/);
  assert.match(codecSentence('sub', 'odd"<b>\n'), /it is oddb, /);
});
