/** Requests that nobody sends on purpose, to the local IoT hub and the local storage service as processes of their own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hubToken, VICTIM_KEY } from '../../../scripts/lib/bench/fuzz/hub-endpoints.ts';
import { startHub, startStorageService } from '../../../scripts/lib/bench/fuzz/neighbours.ts';

const ODD_ADDRESSES = ['//', '///', '//:0/', '//@', '//%ff%fe/x', '//elsewhere.invalid/devices', '/\\'];

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dacha-odd-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('the hub refuses an address that it cannot read, or that looks like another host', async (t) => {
  const hub = await startHub(await folder(t));
  t.after(() => hub.stop());
  for (const path of ODD_ADDRESSES) {
    const headers = { authorization: hubToken('elsewhere.invalid', VICTIM_KEY, 'iothubowner') };
    const { status, body } = await hub.send({
      method: 'GET',
      path: `${path}?api-version=2021-04-12`,
      headers,
      body: '',
    });
    assert.match(`${status} ${body}`, /^4\d\d .*ErrorCode:\w+;/, path);
  }
});

test('the hub refuses a body that is nested too deep, wherever it goes, and says so', async (t) => {
  const hub = await startHub(await folder(t));
  t.after(() => hub.stop());
  const [restore] = hub.restore;
  assert.ok(restore);
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  for (const [method, path, body] of [
    ['POST', '/twins/victim/methods', `{"methodName":"x","payload":${deep}}`],
    ['PATCH', '/twins/victim', `{"properties":{"desired":{"x":${deep}}}}`],
    ['PUT', '/devices/other', `{"deviceId":"other","more":${deep}}`],
  ] as const) {
    const answer = await hub.send({ ...restore, method, path: `${path}?api-version=2021-04-12`, body });
    assert.equal(answer.status, 400, path);
    assert.match(answer.body, /nested deeper than 1000 levels/);
  }
});

test('storage outlives addresses that cannot be read', async (t) => {
  const storage = await startStorageService(await folder(t));
  t.after(() => storage.stop());
  for (const path of ODD_ADDRESSES)
    await storage.send({ method: 'GET', path, headers: {}, body: '' }).catch(() => undefined);
  assert.equal(await storage.disturbed(), undefined);
  assert.ok(storage.isAlive());
});

test('a watcher whose connection has just carried another answer is told everything too', async (t) => {
  const hub = await startHub(await folder(t));
  t.after(() => hub.stop());
  const [restore] = hub.restore;
  assert.ok(restore);
  for (let count = 0; count < 30; count += 1) {
    const body = JSON.stringify({ properties: { desired: { text: `${count}${'x'.repeat(3_000)}` } } });
    await hub.send({ ...restore, method: 'PATCH', path: '/twins/victim?api-version=2021-04-12', body });
  }
  const { headers } = restore;
  const path = '/dachawatch/watch?api-version=2021-04-12&follow=0&since=3600';
  // Eight connections, each used again as soon as it is free.
  const lane = async () => {
    for (let count = 0; count < 60; count += 1) {
      const { body } = await hub.send({ method: 'GET', path, headers, body: '' });
      assert.equal(body.match(/"kind":"desired"/g)?.length, 31);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
});
