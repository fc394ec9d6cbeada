import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { clipIdOf, createLedgerView, someClip } from '../../../fakes/ledger-view.ts';
import { ask, createWorld, NOW_MS, someCamera, type Reply, type World } from './dashboard-world.ts';

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
let dir = '';
let world: World;
let url = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dashboard-'));
  await writeFile(join(dir, 'clip.mp4'), BYTES);
  await writeFile(join(dir, 'best.jpg'), 'a picture');
});
beforeEach(async () => {
  await world?.dashboard.stop();
  world = createWorld();
  await world.dashboard.start();
  url = world.dashboard.url();
});
after(async () => {
  await world.dashboard.stop();
  await rm(dir, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) => ask(url, path, { headers });
const keep = (n: number, changes: Partial<Clip> = {}) =>
  world.clips.push(someClip(n, { file: join(dir, 'clip.mp4'), ...changes }));
const judged = (n: number): Partial<Clip> => ({
  state: 'judged',
  uploadedMs: NOW_MS,
  judgedMs: NOW_MS,
  verdict: {
    clip_id: clipIdOf(n),
    revision: 2,
    instance_id: 'clip-1',
    verdict: 'person',
    labels: ['person', 'dog'],
    confidence: 0.87,
    best_frame: { blobName: 'x/y.best.jpg', at_ms: 6000, boxes: [] },
    decided_utc: '2026-11-20T12:05:00Z',
    decision: 'notified',
    reason: 'A person was seen.',
  },
});

function assertProblem(reply: Reply, status: number, code: string): void {
  assert.equal(reply.status, status);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.equal(reply.json().type, `urn:dachawatch:problem:${code}`);
  assert.equal(reply.json().status, status);
  assert.match(reply.json().title, /\.$/);
}

test('the status tells house, cameras, link, upload and totals, in UTC', async () => {
  keep(1);
  world.cameras = [someCamera({ lastFragmentAgeMs: 300_000, state: 'down', detail: 'no answer' })];
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
  world.cameras = [someCamera({ lastFragmentAgeMs: 900 })];
  const again = await get('/api/status', tag);
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  world.clips[0] = someClip(1, { state: 'uploading' });
  const changed = await get('/api/status', tag);
  assert.equal(changed.status, 200);
  assert.notEqual(changed.json().clips.revision, first.json().clips.revision);
  world.cameras = [someCamera({ state: 'stalled' })];
  const tagOfChange = { 'if-none-match': changed.headers['etag'] ?? '' };
  assert.equal((await get('/api/status', tagOfChange)).status, 200);
});

test('clips come newest first, page by page, each once', async () => {
  for (let n = 1; n <= 7; n++) keep(n);
  const seen: string[] = [];
  let next = '';
  for (let pages = 0; pages < 10; pages++) {
    const page = (await get(`/api/clips?limit=3${next && `&before=${next}`}`)).json();
    seen.push(...page.clips.map((clip: { clipId: string }) => clip.clipId));
    next = page.next;
    if (!next) break;
  }
  assert.deepEqual(seen, [7, 6, 5, 4, 3, 2, 1].map(clipIdOf));
});

test('a page that is exactly full has no next one', async () => {
  for (let n = 1; n <= 3; n++) keep(n);
  assert.equal((await get('/api/clips?limit=3')).json().next, null);
});

test('a clip tells its verdict, its player and its history', async () => {
  keep(5, judged(5));
  const clip = (await get(`/api/clips/${clipIdOf(5)}`)).json();
  assert.deepEqual([clip.verdict.verdict, clip.verdict.confidence], ['person', 0.87]);
  assert.equal(clip.video, `/clips/${clipIdOf(5)}.mp4`);
  assert.equal(clip.bestFrame, `/clips/${clipIdOf(5)}/best.jpg?revision=2`);
  assert.equal(clip.cameraTitle, 'Gate');
  assert.deepEqual(clip.custody, []);
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

test('only GET and HEAD are answered', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const reply = await ask(url, '/api/status', { method });
    assertProblem(reply, 405, 'method');
    assert.equal(reply.headers['allow'], 'GET, HEAD');
  }
});

test('a request that names another host is refused: its page may be a foreign one', async () => {
  const evil = { host: 'evil.example' };
  assertProblem(await get('/api/status', evil), 421, 'host');
  assertProblem(await get('/', evil), 421, 'host');
  assert.equal((await get('/api/status', { host: 'localhost:1234' })).status, 200);
});

test('every answer carries the security headers', async () => {
  keep(1);
  for (const path of ['/', '/page.js', '/api/status', '/nothing', `/clips/${clipIdOf(1)}.mp4`]) {
    const { headers } = await get(path);
    const policy = headers['content-security-policy'] ?? '';
    assert.match(policy, /default-src 'none'/, path);
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.doesNotMatch(policy, /unsafe|data:|https?:/, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['referrer-policy'], 'no-referrer', path);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', path);
  }
});

test('a clip is served whole, in part, or as its headers only', async () => {
  keep(1);
  const path = `/clips/${clipIdOf(1)}.mp4`;
  const whole = await get(path);
  assert.deepEqual([whole.status, whole.headers['content-type']], [200, 'video/mp4']);
  assert.equal(whole.headers['accept-ranges'], 'bytes');
  assert.deepEqual(whole.body, BYTES);
  const part = await get(path, { range: 'bytes=100-199' });
  assert.equal(part.status, 206);
  assert.equal(part.headers['content-range'], 'bytes 100-199/1000');
  assert.equal(part.headers['content-length'], '100');
  assert.deepEqual(part.body, BYTES.subarray(100, 200));
  const tail = await get(path, { range: 'bytes=-10' });
  assert.deepEqual(tail.body, BYTES.subarray(990));
  const head = await ask(url, path, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '1000', 0]);
});

test('a range behind the end is 416 and tells the size', async () => {
  keep(1);
  const reply = await get(`/clips/${clipIdOf(1)}.mp4`, { range: 'bytes=1000-' });
  assertProblem(reply, 416, 'range');
  assert.equal(reply.headers['content-range'], 'bytes */1000');
});

test('a browser that has the clip gets nothing, one that has other bytes gets all', async () => {
  keep(1, { sha256: 'ab'.repeat(32) });
  const path = `/clips/${clipIdOf(1)}.mp4`;
  const etag = (await get(path)).headers['etag'] ?? '';
  assert.equal(etag, `"${'ab'.repeat(32)}"`);
  assert.equal((await get(path, { 'if-none-match': etag })).status, 304);
  assert.equal((await get(path, { range: 'bytes=0-9', 'if-range': etag })).status, 206);
  assert.equal((await get(path, { range: 'bytes=0-9', 'if-range': '"other"' })).status, 200);
});

test('a clip that is being recorded is not served, and one whose file is gone says so', async () => {
  keep(1, { state: 'recording' });
  keep(2, { state: 'lost', reason: 'the disk failed' });
  keep(3, { ...judged(3), file: join(dir, 'removed.mp4') });
  assertProblem(await get(`/clips/${clipIdOf(1)}.mp4`), 409, 'recording');
  assertProblem(await get(`/clips/${clipIdOf(2)}.mp4`), 410, 'gone');
  assertProblem(await get(`/clips/${clipIdOf(3)}.mp4`), 410, 'gone');
  const listed = (await get('/api/clips')).json().clips;
  assert.deepEqual(
    listed.map(({ video }: { video: unknown }) => video),
    [null, null, null],
  );
});

test('the best frame is fetched once for all who ask at the same time', async () => {
  const clips = [someClip(5, judged(5))];
  const view = createLedgerView(clips);
  const fetched = Promise.withResolvers<string>();
  const allAsked = Promise.withResolvers<void>();
  let asked = 0;
  let fetches = 0;
  const busy = createWorld({
    ledger: {
      ...view,
      clip: (clipId) => {
        asked += 1;
        if (asked === 3) allAsked.resolve();
        return view.clip(clipId);
      },
    },
    bestFrame: () => {
      fetches += 1;
      return fetched.promise;
    },
  });
  await busy.dashboard.start();
  try {
    const path = `/clips/${clipIdOf(5)}/best.jpg?revision=2`;
    const replies = [1, 2, 3].map(() => ask(busy.dashboard.url(), path));
    await allAsked.promise;
    fetched.resolve(join(dir, 'best.jpg'));
    for (const reply of await Promise.all(replies)) {
      assert.deepEqual([reply.status, reply.headers['content-type']], [200, 'image/jpeg']);
      assert.equal(reply.body.toString(), 'a picture');
    }
    assert.equal(fetches, 1);
  } finally {
    await busy.dashboard.stop();
  }
});

test('no best frame is 404 without a question to the cloud; one that cannot come now is 503 with a time', async () => {
  keep(1);
  keep(5, judged(5));
  world.bestFrame = () => Promise.reject(new Failure('transient', 'link.offline', 'no link'));
  assertProblem(await get(`/clips/${clipIdOf(1)}/best.jpg`), 404, 'no-best-frame');
  const later = await get(`/clips/${clipIdOf(5)}/best.jpg`);
  assertProblem(later, 503, 'best-frame-later');
  assert.ok(Number(later.headers['retry-after']) > 0);
  world.bestFrame = async () => undefined;
  assertProblem(await get(`/clips/${clipIdOf(5)}/best.jpg`), 404, 'no-best-frame');
});

test('no secret leaves: neither paths of this machine, nor addresses of storage, nor records in reasons', async () => {
  keep(5, {
    ...judged(5),
    blobUrl: 'https://account.example/dacha-video/x.mp4?sv=1&sig=SECRET1',
    reason: 'PUT https://account.example/x?sig=SECRET2 failed',
  });
  world.cameras = [someCamera({ state: 'down', detail: 'rtsp://admin:SECRET3@10.0.0.5/main refused' })];
  world.link = { state: 'offline', sinceMs: NOW_MS, detail: 'SharedAccessKey=SECRET4' };
  world.upload = { state: 'waiting', clipId: null, detail: 'https://a/b?sv=1&sig=SECRET5' };
  const paths = ['/api/status', '/api/clips', `/api/clips/${clipIdOf(5)}`];
  const told = (await Promise.all(paths.map((path) => get(path)))).map(({ body }) => body.toString()).join();
  assert.doesNotMatch(told, /SECRET/);
  assert.ok(!told.includes(dir) && !told.includes('account.example/dacha-video'));
});

test('an error inside is 500 without its text, and the log has it', async () => {
  world.bestFrame = () => Promise.reject(new TypeError('inner secret of the appliance'));
  keep(5, judged(5));
  const reply = await get(`/clips/${clipIdOf(5)}/best.jpg`);
  assertProblem(reply, 500, 'internal');
  assert.ok(!reply.body.toString().includes('inner secret'));
  assert.ok(world.lines.some((line) => line.includes('inner secret')));
});

test('the page greets in the language of the browser', async () => {
  const uk = await get('/', { 'accept-language': 'uk-UA,uk;q=0.9' });
  assert.equal(uk.headers['content-language'], 'uk');
  assert.match(uk.body.toString(), /<html lang="uk">/);
  assert.match(uk.body.toString(), /texts\.uk\.json/);
  const en = await get('/', { 'accept-language': 'uk', cookie: 'dachawatch-lang=en' });
  assert.match(en.body.toString(), /<html lang="en">/);
  assert.match(en.headers['vary'] ?? '', /Accept-Language, Cookie/);
});

test('the page travels packed to browsers that take it, and not again to those that have it', async () => {
  const packed = await get('/page.js', { 'accept-encoding': 'gzip, br' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  const plain = await get('/page.js', { 'accept-encoding': 'gzip;q=0' });
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.deepEqual(gunzipSync(packed.body), plain.body);
  const again = await get('/page.js', { 'if-none-match': packed.headers['etag'] ?? '' });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
});

test('health is answered while it runs, and nothing after stop', async () => {
  assert.deepEqual((await get('/healthz')).json(), { ok: true });
  await world.dashboard.stop();
  await assert.rejects(get('/healthz'), { code: 'ECONNREFUSED' });
  await world.dashboard.stop();
});

test('stop does not wait for a reader that reads no further', async () => {
  await writeFile(join(dir, 'large.mp4'), Buffer.alloc(32_000_000));
  keep(1, { file: join(dir, 'large.mp4') });
  const response = await fetch(`${url}/clips/${clipIdOf(1)}.mp4`);
  assert.equal(response.status, 200);
  await world.dashboard.stop();
  await assert.rejects(response.arrayBuffer());
});

test('too many clips at once are refused with a time, and served again when readers leave', async () => {
  await writeFile(join(dir, 'large.mp4'), Buffer.alloc(32_000_000));
  keep(1, { file: join(dir, 'large.mp4') });
  const path = `/clips/${clipIdOf(1)}.mp4`;
  const readers = Array.from({ length: 12 }, () => new AbortController());
  // Kept: a response that nobody holds is collected, and its connection with it.
  const responses = await Promise.all(readers.map(({ signal }) => fetch(url + path, { signal })));
  assert.ok(responses.every(({ status }) => status === 200));
  const refused = await get(path);
  assertProblem(refused, 503, 'busy');
  for (const reader of readers) reader.abort();
  const deadline = performance.now() + 30_000;
  let status = 503;
  while (status === 503 && performance.now() < deadline)
    ({ status } = await ask(url, path, { method: 'HEAD' }));
  assert.equal(status, 200);
});

test('a port in use is one sentence that says what to do', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  try {
    const second = createWorld({ port });
    await assert.rejects(second.dashboard.start(), (error: Failure) => {
      assert.deepEqual([error.kind, error.code], ['rejected', 'dashboard.port-in-use']);
      assert.match(error.message, new RegExp(`^Port ${port} of 127.0.0.1 is in use .* appliance.json`));
      return true;
    });
    await second.dashboard.stop();
  } finally {
    other.close();
  }
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
    ledger: { clips: gone, clip: gone, custody: gone, summary: gone },
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

test('what is no regular file is never sent, whatever its name says, and holds up nobody', async () => {
  const pipe = join(dir, 'pipe.mp4');
  execFileSync('mkfifo', [pipe]);
  const link = join(dir, 'link.mp4');
  await symlink('/etc/hostname', link);
  world.clips.push(
    someClip(81, { state: 'judged', file: pipe }),
    someClip(82, { state: 'judged', file: link }),
  );
  // More than the threads that open files.
  for (let times = 0; times < 8; times++)
    for (const id of [81, 82])
      assert.equal((await ask(url, `/clips/${clipIdOf(id)}.mp4`)).status, 410, `clip ${id}`);
  const { clips } = (await ask(url, '/api/clips')).json();
  const videoOf = (id: number) => clips.find((one: { clipId: string }) => one.clipId === clipIdOf(id)).video;
  assert.deepEqual([videoOf(81), videoOf(82)], [null, null]);
});
