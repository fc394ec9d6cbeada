import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { clipIdOf } from '../../../fakes/ledger-view.ts';
import { ask, createWorld } from './dashboard-world.ts';
import { assertProblem, judged, servePage } from './served-page.ts';

const page = servePage();
const { get, keep } = page;

test('only GET and HEAD are answered', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const reply = await ask(page.url, '/api/status', { method });
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

test('an error inside is 500 without its text, and the log has it', async () => {
  page.world.bestFrame = () => Promise.reject(new TypeError('inner secret of the appliance'));
  keep(5, judged(5));
  const reply = await get(`/clips/${clipIdOf(5)}/best.jpg`);
  assertProblem(reply, 500, 'internal');
  assert.ok(!reply.body.toString().includes('inner secret'));
  assert.ok(page.world.lines.some((line) => line.includes('inner secret')));
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
  await page.world.dashboard.stop();
  await assert.rejects(get('/healthz'), { code: 'ECONNREFUSED' });
  await page.world.dashboard.stop();
});

test('stop does not wait for a reader that reads no further', async () => {
  await writeFile(join(page.dir, 'large.mp4'), Buffer.alloc(32_000_000));
  keep(1, { file: join(page.dir, 'large.mp4') });
  const response = await fetch(`${page.url}/clips/${clipIdOf(1)}.mp4`);
  assert.equal(response.status, 200);
  await page.world.dashboard.stop();
  await assert.rejects(response.arrayBuffer());
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
