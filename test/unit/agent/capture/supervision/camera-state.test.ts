import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CAMERA_MOVES,
  type CameraEvent,
  type CameraState,
  createCameraState,
} from '../../../../../agent/capture/supervision/camera-state.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

function watched() {
  const clock = createFakeClock();
  const book = createLogBook();
  return { clock, book, camera: createCameraState({ cameraId: 'gate', clock, log: book.log }) };
}

/** What brings a new camera into each state. */
const WAY: Readonly<Record<CameraState, readonly CameraEvent[]>> = {
  starting: ['begins'],
  live: ['begins', 'shows'],
  blind: ['begins', 'shows', 'shows-no-scene'],
  stalled: ['begins', 'shows', 'shows-nothing'],
  unreachable: ['begins', 'unreachable'],
  refused: ['begins', 'refused'],
  unsupported: ['begins', 'shows', 'unsupported'],
};
const EVENTS: readonly CameraEvent[] = [
  'begins',
  'shows',
  'shows-no-scene',
  'shows-nothing',
  'lacks-key-frame',
  'is-silent',
  'unreachable',
  'refused',
  'unsupported',
  'ended',
];

for (const [from, events] of Object.entries(WAY) as [CameraState, readonly CameraEvent[]][])
  test(`from ${from} each event leads where the table says, and what it does not name changes nothing`, () => {
    for (const event of EVENTS) {
      const { camera } = watched();
      for (const before of events) camera.take(before, 'before');
      const standing = camera.now();
      assert.equal(standing.state, from);
      camera.take(event, 'now');
      const moves: Partial<Record<CameraEvent, CameraState>> = CAMERA_MOVES[from];
      const to = moves[event];
      assert.equal(camera.now().state, to ?? from, event);
      assert.equal(camera.now().detail, to === undefined ? standing.detail : 'now', event);
    }
  });

test('a camera that never showed a picture does not count as stalled, whoever is silent', () => {
  const { camera } = watched();
  camera.take('begins', null);
  camera.take('shows-nothing', 'no picture');
  camera.take('is-silent', 'no picture');
  assert.equal(camera.now().state, 'starting');
});

test('a state has stood since it began, also when its reason changes', () => {
  const { camera, clock } = watched();
  assert.equal(camera.now().sinceMs, 0);
  clock.setWall(5_000);
  camera.take('begins', null);
  clock.setWall(9_000);
  camera.take('lacks-key-frame', 'set 2 s');
  assert.deepEqual(camera.now(), { state: 'starting', sinceMs: 5_000, detail: 'set 2 s' });
  camera.take('unreachable', 'gone');
  assert.deepEqual(camera.now(), { state: 'unreachable', sinceMs: 9_000, detail: 'gone' });
});

test('an outage is one warning until the camera is live again or the reason is another', () => {
  const { camera, book } = watched();
  for (const why of ['no route', 'no route', '401']) {
    camera.take('begins', camera.now().detail);
    camera.take('unreachable', why);
  }
  camera.take('begins', '401');
  camera.take('shows', null);
  camera.take('shows', null);
  camera.take('unreachable', '401');
  assert.deepEqual(
    book.lines.map(({ level, fields }) => `${level} ${String(fields['state'])}`),
    [
      ...['info starting', 'warn unreachable', 'debug starting', 'debug unreachable'],
      ...['debug starting', 'warn unreachable', 'debug starting', 'info live', 'warn unreachable'],
    ],
  );
});
