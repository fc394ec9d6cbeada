import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { clipIdOf, createLedgerView, someClip } from '../../../../fakes/ledger-view.ts';
import { ask, createWorld } from '../dashboard-world.ts';
import { assertProblem, BYTES, judged, servePage } from '../served-page.ts';

const page = servePage();
const { get, keep } = page;

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
  const head = await ask(page.url, path, { method: 'HEAD' });
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
  keep(3, { ...judged(3), file: join(page.dir, 'removed.mp4') });
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
    fetched.resolve(join(page.dir, 'best.jpg'));
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
  page.world.bestFrame = () => Promise.reject(new Failure('transient', 'link.offline', 'no link'));
  assertProblem(await get(`/clips/${clipIdOf(1)}/best.jpg`), 404, 'no-best-frame');
  const later = await get(`/clips/${clipIdOf(5)}/best.jpg`);
  assertProblem(later, 503, 'best-frame-later');
  assert.ok(Number(later.headers['retry-after']) > 0);
  page.world.bestFrame = async () => undefined;
  assertProblem(await get(`/clips/${clipIdOf(5)}/best.jpg`), 404, 'no-best-frame');
});

test('too many clips at once are refused with a time, and served again when readers leave', async () => {
  await writeFile(join(page.dir, 'large.mp4'), Buffer.alloc(32_000_000));
  keep(1, { file: join(page.dir, 'large.mp4') });
  const path = `/clips/${clipIdOf(1)}.mp4`;
  const readers = Array.from({ length: 12 }, () => new AbortController());
  // Kept: a response that nobody holds is collected, and its connection with it.
  const responses = await Promise.all(readers.map(({ signal }) => fetch(page.url + path, { signal })));
  assert.ok(responses.every(({ status }) => status === 200));
  const refused = await get(path);
  assertProblem(refused, 503, 'busy');
  for (const reader of readers) reader.abort();
  const deadline = performance.now() + 30_000;
  let status = 503;
  while (status === 503 && performance.now() < deadline)
    ({ status } = await ask(page.url, path, { method: 'HEAD' }));
  assert.equal(status, 200);
});

test('what is no regular file is never sent, whatever its name says, and holds up nobody', async () => {
  const pipe = join(page.dir, 'pipe.mp4');
  execFileSync('mkfifo', [pipe]);
  const link = join(page.dir, 'link.mp4');
  await symlink('/etc/hostname', link);
  page.world.clips.push(
    someClip(81, { state: 'judged', file: pipe }),
    someClip(82, { state: 'judged', file: link }),
  );
  // More than the threads that open files.
  for (let times = 0; times < 8; times++)
    for (const id of [81, 82])
      assert.equal((await ask(page.url, `/clips/${clipIdOf(id)}.mp4`)).status, 410, `clip ${id}`);
  const { clips } = (await ask(page.url, '/api/clips')).json();
  const videoOf = (id: number) => clips.find((one: { clipId: string }) => one.clipId === clipIdOf(id)).video;
  assert.deepEqual([videoOf(81), videoOf(82)], [null, null]);
});
