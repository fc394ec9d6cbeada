import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStreamHealth } from '../../../../../agent/capture/child/stream-health.ts';
import { timings } from '../supervision/rig/camera-settings.ts';

const START = 1_000;
const health = () => createStreamHealth({ cameraId: 'gate', timings, clock: { monotonicMs: () => START } });

test('a stream that never began has the time to connect, one that stops that of a frozen picture', () => {
  const it = health();
  assert.equal(it.trouble(START + timings.connectMs - 1)?.what, undefined);
  assert.equal(
    it.trouble(START + timings.connectMs)?.what,
    'camera gate, main stream: no picture came for 15 s',
  );
  it.packet('main', 2_000);
  it.usable('main', 2_000);
  assert.equal(it.trouble(2_000 + timings.giveUpMs - 1)?.what, undefined);
  assert.equal(
    it.trouble(2_000 + timings.giveUpMs)?.what,
    'camera gate, main stream: the picture stands still for 10 s',
  );
});

test('a stream that works does not hide that the other one does not', () => {
  const it = health();
  const now = START + timings.connectMs;
  it.packet('main', now);
  it.usable('main', now);
  assert.equal(it.trouble(now)?.what, 'camera gate, sub stream: no picture came for 15 s');
});

test('packets without anything that can be used are waited for longer, and not for ever', () => {
  const it = health();
  for (let now = 2_000; now < 2_000 + timings.keyFrameMs; now += 5_000)
    for (const stream of ['main', 'sub'] as const) it.packet(stream, now);
  const end = 2_000 + timings.keyFrameMs;
  assert.equal(it.trouble(end - 1)?.what, undefined);
  assert.match(
    it.trouble(end)?.what ?? '',
    /^camera gate, main stream: no key frame that can be decoded came/,
  );
  it.usable('main', end);
  assert.match(it.trouble(end)?.what ?? '', /^camera gate, sub stream/);
  it.usable('sub', end);
  assert.equal(it.trouble(end)?.what, undefined);
});

test('a report has the age of what was usable last, and the silence of the stream that is silent longer', () => {
  const it = health();
  assert.deepEqual(it.report(START + 400, false), {
    lastFragmentAgeMs: null,
    lastFrameAgeMs: null,
    silentMs: 400,
    keyFrames: null,
  });
  it.packet('main', 2_000);
  it.usable('main', 2_000);
  it.packet('sub', 2_300);
  it.usable('sub', 2_300);
  assert.deepEqual(it.report(2_500.4, false), {
    lastFragmentAgeMs: 500,
    lastFrameAgeMs: 200,
    silentMs: 500,
    keyFrames: null,
  });
  assert.match(it.report(2_500, true).keyFrames ?? '', /memory does not hold it/);
});

test('that both streams can be used is told once, and not before the second of them can', () => {
  let told = 0;
  const it = createStreamHealth({
    cameraId: 'gate',
    timings,
    clock: { monotonicMs: () => START },
    onBothUsable: () => told++,
  });
  it.packet('sub', 2_000);
  it.usable('main', 2_000);
  it.usable('main', 2_100);
  assert.equal(told, 0);
  it.usable('sub', 2_200);
  it.usable('sub', 2_300);
  it.usable('main', 2_400);
  assert.equal(told, 1);
});
