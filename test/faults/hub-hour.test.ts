import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createDesiredSettings, type DesiredSettings } from '../../agent/settings/settings.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { eventually, silent, useHub } from '../integration/hub/hub-fixture.ts';

const HOUR_MS = 3_600_000;
/** The promise: this long after the hub is back, what was set meanwhile is in force. */
const CONVERGES_MS = 10_000;
const STEP_MS = 500;

const house = useHub();
let dir: string;
let settings: DesiredSettings;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-hour-'));
  settings = createDesiredSettings({
    base: {
      recording: { preRollMs: 5_000, postRollMs: 30_000 },
      cameras: [{ id: 'gate', main: 'rtsp://camera/main', sub: 'rtsp://camera/sub', sensitivity: 5 }],
    },
    dir,
    hasCredential: () => null,
    apply: () => undefined,
    log: silent,
  });
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('a hub that is gone for an hour, with other desired properties when it returns: they are in force within 10 s, with the waits a house has', async () => {
  const clock = createFakeClock();
  // The house's own timings: nothing is shortened. Sockets are real, waiting is not.
  const link = house.link({
    clock,
    timings: {},
    random: () => 1,
    onDesired: (document) => settings.take(document),
  });
  await link.start();
  await eventually('online', () => link.status().state === 'online');
  await house.hub.mqtt.shut();
  await eventually('offline', () => link.status().state === 'offline');

  const goneMs = clock.monotonicMs();
  await house.operator.setDesired({
    recording: { postRollMs: 60_000 },
    cameras: { gate: { sensitivity: 8 } },
  });
  while (clock.monotonicMs() - goneMs < HOUR_MS) {
    // An attempt is under way as long as nothing sleeps: it gets its real time.
    await eventually('the link waits for its next attempt', () => clock.sleepers() > 0);
    await clock.advance(STEP_MS * 4);
  }
  assert.equal(link.status().state, 'offline');
  assert.equal(settings.settings().recording.postRollMs, 30_000);

  await house.hub.mqtt.open();
  const backMs = clock.monotonicMs();
  const inForce = () => settings.settings().recording.postRollMs === 60_000;
  while (!inForce() && clock.monotonicMs() - backMs < CONVERGES_MS) {
    await clock.advance(STEP_MS);
    // What the network does in that time is real.
    await eventually('the link waits, or is there', () => clock.sleepers() > 0 || inForce());
  }
  await eventually('the desired properties are in force', inForce);
  assert.ok(clock.monotonicMs() - backMs <= CONVERGES_MS);
  assert.equal(settings.settings().cameras[0]?.sensitivity, 8);
  assert.deepEqual(settings.desired().refused, []);
});
