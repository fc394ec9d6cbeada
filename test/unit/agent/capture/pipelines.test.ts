import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPipeline } from '../../../../agent/capture/gstreamer.ts';
import { MAIN_PIPELINE, SOURCE, SUB_PIPELINE } from '../../../../agent/capture/pipelines.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { readSource } from './read-source.ts';

test('no pipeline holds an address or a login: both are properties, set afterwards', () => {
  for (const launch of [MAIN_PIPELINE, SUB_PIPELINE]) {
    assert.match(launch, new RegExp(`^rtspsrc name=${SOURCE} `));
    assert.doesNotMatch(launch, /location|user-id|user-pw/);
  }
});

test('whatever stands in an address or a password stays text', () => {
  const hostile = {
    url: 'rtsp://127.0.0.1:1/a"!filesink\\location=/tmp/x\\',
    username: 'a" user-pw=b ! fakesink name=evil',
    password: '" ! filesrc location=/etc/passwd ! fakesink \\" \' # €',
  };
  const read = readSource(MAIN_PIPELINE, hostile);
  assert.deepEqual(read, { ...hostile, evil: false });
});

test('a zero byte, which would cut the text, is refused', () => {
  const noop = () => undefined;
  assert.throws(
    () =>
      runPipeline({
        launch: MAIN_PIPELINE,
        url: 'rtsp://127.0.0.1:1/a',
        credential: { username: 'a', password: 'b\0c' },
        onBuffer: noop,
        onEnd: noop,
        onMessage: noop,
      }),
    (error: unknown) => error instanceof Failure && error.code === 'capture.zero-byte',
  );
});

test('a plugin that is not installed is named', () => {
  const login = { url: 'rtsp://127.0.0.1:1/a', username: 'a', password: 'b' };
  assert.throws(
    () => readSource('rtspsrc name=source ! nosuchdecoder ! fakesink', login),
    (error: unknown) => error instanceof Failure && /nosuchdecoder/.test(error.message),
  );
});
