import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPipeline } from '../../../../../agent/capture/child/gstreamer.ts';
import { decoderOf } from '../../../../../agent/capture/child/pipelines.ts';
import { ENCODINGS } from '../../../../../agent/capture/packing/codings.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

const noop = () => undefined;
const run = (launch: string) =>
  runPipeline({ launch, onBuffer: noop, onPicture: noop, onThumbnail: noop, onMessage: noop });

test('a plugin that is not installed is named', () => {
  assert.throws(
    () => run(decoderOf('H264').replace('avdec_h264', 'nosuchdecoder')),
    (error: unknown) => error instanceof Failure && /nosuchdecoder/.test(error.message),
  );
});

test('no pipeline can hear of an address or a login: it has no source but our own pictures', () => {
  for (const encoding of ENCODINGS)
    assert.doesNotMatch(decoderOf(encoding), /rtspsrc|location|user-id|user-pw/);
});
