import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { clipIdOf, someClip } from '../../../fakes/ledger-view.ts';
import { ask, createWorld, NOW_MS, someCamera } from './dashboard-world.ts';
import { assertProblem, judged, servePage } from './served-page.ts';

const page = servePage();
const { get, keep } = page;

test('the status tells house, cameras, link, upload and totals, in UTC', async () => {
  keep(1);
  page.world.cameras = [
    someCamera({ lastFragmentAgeMs: 300_000, state: 'unreachable', detail: 'no answer' }),
  ];
  const reply = await get('/api/status');
  assert.equal(reply.status, 200);
  const status = reply.json();
  assert.equal(status.deviceId, 'house-1');
  assert.equal(status.house.state, 'camera-down');
  const [camera] = status.cameras;
  assert.equal(camera.sinceUtc, '2026-11-20T12:00:00.000Z');
  assert.deepEqual(
    [camera.picture, camera.lastPictureUtc, camera.detail],
    ['old', '2026-11-20T12:05:00.000Z', 'no answer'],
  );
  assert.deepEqual([status.clips.total, status.clips.waiting], [1, 1]);
  assert.equal(reply.headers['date'], new Date(NOW_MS).toUTCString());
});

test('an unchanged status costs nothing, and any change of a clip or camera makes a new one', async () => {
  keep(1);
  const first = await get('/api/status');
  const tag = { 'if-none-match': first.headers['etag'] ?? '' };
  page.world.cameras = [someCamera({ lastFragmentAgeMs: 900 })];
  const again = await get('/api/status', tag);
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  page.world.clips[0] = someClip(1, { state: 'uploading' });
  const changed = await get('/api/status', tag);
  assert.equal(changed.status, 200);
  assert.notEqual(changed.json().clips.revision, first.json().clips.revision);
  page.world.cameras = [someCamera({ state: 'stalled' })];
  const tagOfChange = { 'if-none-match': changed.headers['etag'] ?? '' };
  assert.equal((await get('/api/status', tagOfChange)).status, 200);
});

test('wrong questions are refused with what would be right', async () => {
  for (const limit of ['0', '101', '-1', '1e2', 'many', '%00'])
    assertProblem(await get(`/api/clips?limit=${limit}`), 400, 'limit');
  assertProblem(await get('/api/clips?before=yesterday'), 400, 'before');
  assertProblem(await get('/api/clips/no-clip'), 400, 'clip-id');
  assertProblem(await get('/clips/..%2f..%2fetc%2fpasswd.mp4'), 400, 'clip-id');
  assertProblem(await get(`/api/clips/${clipIdOf(9)}`), 404, 'no-such-clip');
});

test('nothing but the known paths is served, however the path is spelled', async () => {
  keep(1);
  const id = clipIdOf(1);
  const page = ['/page/index.html', '/index.html', '/../dashboard.ts', '/%2e%2e/dashboard.ts', '//style.css'];
  const clips = [`/clips/${id}`, `/clips/${id}.MP4`, `/clips/${id}/clip.mp4`, `/clips/../clips/${id}.mp4`];
  const others = ['/clips/', '/api', '/api/clips/', `/api/clips/${id}/`, '*', 'http://127.0.0.1/api/status'];
  for (const path of [...page, ...clips, ...others]) assertProblem(await get(path), 404, 'no-such-path');
});

test('no secret leaves: neither paths of this machine, nor addresses of storage, nor records in reasons', async () => {
  keep(5, {
    ...judged(5),
    blobUrl: 'https://account.example/dacha-video/x.mp4?sv=1&sig=SECRET1',
    reason: 'PUT https://account.example/x?sig=SECRET2 failed',
  });
  page.world.cameras = [
    someCamera({ state: 'unreachable', detail: 'rtsp://admin:SECRET3@10.0.0.5/main refused' }),
  ];
  page.world.link = { state: 'offline', sinceMs: NOW_MS, detail: 'SharedAccessKey=SECRET4' };
  page.world.upload = { state: 'waiting', clipId: null, detail: 'https://a/b?sv=1&sig=SECRET5' };
  const paths = ['/api/status', '/api/clips', `/api/clips/${clipIdOf(5)}`];
  const told = (await Promise.all(paths.map((path) => get(path)))).map(({ body }) => body.toString()).join();
  assert.doesNotMatch(told, /SECRET/);
  assert.ok(!told.includes(page.dir) && !told.includes('account.example/dacha-video'));
});

test('while the ledger does not answer the page does: it says what is wrong, and lists of clips come later', async (t) => {
  const gone = () => {
    throw new Failure(
      'transient',
      'ledger.unavailable',
      'The ledger cannot be opened: the disk is read-only.',
    );
  };
  const conditions = createConditions({ clock: { nowMs: () => NOW_MS }, log: createLog('silent') });
  conditions.raise('ledger-unavailable', 'the ledger cannot be opened: the disk is read-only');
  const world = createWorld({
    ledger: {
      clips: gone,
      clip: gone,
      custody: gone,
      summary: gone,
      judgedPersons: gone,
      awaitingVerdict: gone,
      glance: gone,
      lastChange: gone,
      changes: gone,
    },
    upload: gone,
    conditions: () => conditions.list(),
  });
  await world.dashboard.start();
  t.after(() => world.dashboard.stop());
  const status = await ask(world.dashboard.url(), '/api/status');
  assert.equal(status.status, 200);
  const { house, clips, conditions: told } = status.json();
  assert.deepEqual(
    [house.state, house.level, house.condition.code],
    ['condition', 'trouble', 'ledger-unavailable'],
  );
  assert.equal(clips, null);
  assert.equal(told[0].detail, 'the ledger cannot be opened: the disk is read-only');
  const list = await ask(world.dashboard.url(), '/api/clips');
  assert.deepEqual([list.status, list.headers['retry-after']], [503, '5']);
  assert.match(list.json().title, /read-only/);
});
