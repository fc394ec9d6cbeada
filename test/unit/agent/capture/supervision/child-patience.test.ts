import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChildPatience, isLive } from '../../../../../agent/capture/supervision/child-patience.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { pictureless, heartbeat, timings } from './rig/camera-settings.ts';

function forked() {
  const clock = createFakeClock();
  return { clock, patience: createChildPatience({ clock, timings }) };
}

test('a child that never said anything has the time to connect and that of a silent one', async () => {
  const { clock, patience } = forked();
  await clock.advance(timings.connectMs + timings.killMs - 1);
  assert.equal(patience.isSpent(), false);
  await clock.advance(1);
  assert.equal(patience.isSpent(), true);
});

test('the silence of the camera and that of the child are added up', async () => {
  const { clock, patience } = forked();
  patience.heard(heartbeat({ silentMs: 3_000 }));
  await clock.advance(timings.stalledMs - 3_001);
  assert.equal(patience.isStalled(), false);
  await clock.advance(1);
  assert.equal(patience.isStalled(), true);
  await clock.advance(timings.killMs - timings.stalledMs - 1);
  assert.equal(patience.isSpent(), false);
  await clock.advance(1);
  assert.equal(patience.isSpent(), true);
});

test('whoever must end has that time once, however often it is told and whatever it says meanwhile', async () => {
  const { clock, patience } = forked();
  patience.mustEnd();
  await clock.advance(timings.stopMs - 1);
  patience.mustEnd();
  patience.heard(heartbeat());
  assert.equal(patience.isSpent(), false);
  await clock.advance(1);
  assert.equal(patience.isSpent(), true);
});

test('a child is live from its first heartbeat with both streams on; one that never was has been so for no time', async () => {
  const { clock, patience } = forked();
  patience.heard(heartbeat(pictureless));
  await clock.advance(1_000);
  assert.equal(patience.liveMs(), 0);
  patience.heard(heartbeat());
  await clock.advance(700);
  patience.heard(heartbeat(pictureless));
  assert.equal(patience.liveMs(), 700);
});

test('both streams must bring something new', () => {
  for (const [lastFragmentAgeMs, lastFrameAgeMs, live] of [
    [0, 0, true],
    [timings.stalledMs - 1, 0, true],
    [timings.stalledMs, 0, false],
    [0, timings.stalledMs, false],
    [null, 0, false],
    [0, null, false],
  ] as const)
    assert.equal(isLive(heartbeat({ lastFragmentAgeMs, lastFrameAgeMs }), timings), live);
});
