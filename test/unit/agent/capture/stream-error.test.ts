import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCodec, describeStreamError, isCodecDoubt } from '../../../../agent/capture/stream-error.ts';

const error = (debug: string, message = 'Could not open resource') => ({ type: 'error', message, debug });

test('a refusal names the camera, the stream, the code and what it means', () => {
  const say = (debug: string) => describeStreamError('gate', 'main', error(debug));
  assert.equal(
    say('x.c(1): f ():\nUnauthorized (401)'),
    'camera gate, main stream: 401, the login is refused',
  );
  assert.match(say('x.c(1): f ():\nNot Found (404)'), /404, the camera has no stream at this address/);
  assert.match(say('x.c(1): f ():\nOdd (499)'), /499, the camera refuses/);
  assert.match(say('x.c(1): f ():\nFailed to connect. (Generic error)'), /no connection/);
});

test('a camera that wants a login is told apart from one that refuses it', () => {
  const said = describeStreamError('gate', 'main', error('f:\nUnauthorized (401)'), false);
  assert.equal(said, 'camera gate, main stream: 401, the camera wants a login and none is configured');
});

test('an address in an unknown error is not passed on', () => {
  const said = describeStreamError('gate', 'sub', error('f:\nodd thing at rtsp://user:secret@10.0.0.1/x'));
  assert.doesNotMatch(said, /secret|10\.0\.0\.1/);
});

test('another codec is said plainly', () => {
  assert.equal(
    describeCodec('gate', 'main', 'H265'),
    'camera gate, main stream: it is H.265, but only H.264 can be recorded; set the camera to H.264',
  );
  assert.match(describeCodec('gate', 'sub', 'JPEG'), /MJPEG.*watched/);
  assert.match(describeCodec('gate', 'sub', 'odd"<b>\n'), /it is oddb, /);
  assert.ok(isCodecDoubt(error('x:\nstreaming stopped, reason not-linked (-1)')));
});
