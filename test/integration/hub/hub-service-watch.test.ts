import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { beforeEach, test } from 'node:test';
import iotDevice, { type Client as DeviceClient } from 'azure-iot-device';
import iothub from 'azure-iothub';
import { makeSas } from '../../../cloud-fn/local/iot-hub/sas.ts';
import { DEVICE, eventually, pointAtHub, restConnectionString, useHub } from './hub-fixture.ts';

const house = useHub();
let registry: iothub.Registry;
let service: iothub.Client;
beforeEach(() => {
  registry = iothub.Registry.fromConnectionString(restConnectionString(house.hub));
  service = iothub.Client.fromConnectionString(restConnectionString(house.hub));
  for (const sdk of [registry, service]) pointAtHub(sdk, house.hub);
});

const serviceKey = () => /SharedAccessKey=([^;]+)$/.exec(house.hub.serviceConnectionString)?.[1] ?? '';

/** A device that may lose its connection. */
async function openDevice(): Promise<DeviceClient> {
  const device = await house.device();
  device.on('error', () => {});
  return device;
}

interface Line {
  readonly kind: string;
  readonly sequence: number;
  readonly deviceId?: string;
  readonly state?: string;
  readonly version?: number;
  readonly patch?: object;
  readonly missed?: number;
  readonly body?: unknown;
  readonly bodyBase64?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** Asks for the stream. Nothing is read of it until `read` is called. */
async function ask(
  query: string,
  authorization = makeSas('localhost', serviceKey(), Date.now() + 60_000, 'iothubowner'),
) {
  const request = https.request({
    host: 'localhost',
    port: house.hub.httpsPort,
    path: `/dachawatch/watch?api-version=2021-04-12${query}`,
    headers: { authorization },
    agent: false,
  });
  house.atEnd(() => request.destroy());
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const lines: Line[] = [];
  let ended = false;
  const read = () => {
    let begun = '';
    response.on('error', () => {});
    response.on('close', () => {
      ended = true;
    });
    response.on('data', (chunk: Buffer) => {
      const parts = `${begun}${chunk.toString()}`.split('\n');
      begun = parts.pop() ?? '';
      lines.push(...parts.filter((line) => line !== '').map((line) => JSON.parse(line) as Line));
    });
  };
  return { request, status: response.statusCode, lines, read, ended: () => ended };
}
async function watch(query = '') {
  const stream = await ask(query);
  stream.read();
  await eventually('the first line', () => stream.lines.length > 0);
  return stream;
}
const kinds = (lines: readonly Line[]) => lines.map(({ kind }) => kind);

test('a watcher sees connections, telemetry and both sides of the twin, in order', async () => {
  const { lines } = await watch();
  const device = await openDevice();
  await device.sendEvent(new iotDevice.Message('{"event":"heartbeat"}'));
  await device.sendEvent(new iotDevice.Message('plain'));
  await device.sendEvent(new iotDevice.Message(Buffer.from([0xff, 0xfe])));
  const twin = await device.getTwin();
  await new Promise<void>((resolve) => {
    twin.properties.reported['update']({ a: { b: null, c: 1 } }, () => resolve());
  });
  await registry.updateTwin(DEVICE, { properties: { desired: { x: 1 } } }, '*');
  await device.close();
  await eventually('the end', () => lines.at(-1)?.state === 'disconnected');
  assert.deepEqual(kinds(lines), [
    'here',
    'connection',
    'telemetry',
    'telemetry',
    'telemetry',
    'reported',
    'desired',
    'connection',
  ]);
  assert.deepEqual(
    lines.slice(2, 5).map(({ body, bodyBase64 }) => body ?? bodyBase64),
    [{ event: 'heartbeat' }, 'plain', '//4='],
  );
  assert.deepEqual(lines[5]?.patch, { a: { b: null, c: 1 } });
  assert.deepEqual([lines[6]?.patch, lines[6]?.version], [{ x: 1 }, 2]);
});

test('the past is told from a sequence, of one device, and ends when that is asked', async () => {
  const device = await openDevice();
  for (const text of ['a', 'b', 'c']) await device.sendEvent(new iotDevice.Message(text));
  const all = await watch('&since=600&follow=0');
  await eventually('the end', () => all.ended());
  assert.deepEqual(kinds(all.lines), ['here', 'connection', 'telemetry', 'telemetry', 'telemetry']);
  const later = await watch(`&after=${all.lines[2]?.sequence}&follow=0&deviceId=${DEVICE}`);
  await eventually('the end', () => later.ended());
  assert.deepEqual(
    later.lines.slice(1).map(({ body }) => body),
    ['b', 'c'],
  );
  await registry.create({ deviceId: 'shed' });
  const other = await watch('&after=0&follow=0&deviceId=shed');
  await eventually('the end', () => other.ended());
  assert.deepEqual(kinds(other.lines), ['here']);
});

test('what the ring has dropped before it was read is counted, not hidden', async () => {
  const device = await openDevice();
  // 16 MB of 200 KB each, and some more.
  const body = Buffer.alloc(200 * 1024, 'x');
  for (let n = 0; n < 90; n += 1) await device.sendEvent(new iotDevice.Message(body));
  const { lines, ended } = await watch('&after=0&follow=0');
  await eventually('the end', () => ended());
  const [, gap, ...kept] = lines;
  assert.equal(gap?.kind, 'gap');
  assert.equal((gap.missed ?? 0) + kept.length, 91);
  assert.ok(kept.length > 70 && kept.length < 90, String(kept.length));
});

test('a watcher that reads slowly holds nobody up and misses nothing', async () => {
  const slow = await ask('');
  const device = await openDevice();
  const body = Buffer.alloc(200 * 1024, 'x');
  for (let n = 0; n < 30; n += 1) await device.sendEvent(new iotDevice.Message(body));
  const quick = await watch();
  await device.sendEvent(new iotDevice.Message('last'));
  await eventually('the quick one', () => quick.lines.at(-1)?.body === 'last');
  slow.read();
  await eventually('the slow one', () => slow.lines.at(-1)?.body === 'last');
  assert.equal(slow.lines.filter(({ kind }) => kind === 'telemetry').length, 31);
});

test('sixteen watch at a time, and one who leaves makes room', async () => {
  const watchers = [];
  for (let n = 0; n < 16; n += 1) watchers.push(await watch());
  assert.equal((await ask('')).status, 503);
  watchers[0]?.request.destroy();
  let status: number | undefined;
  for (let n = 0; n < 200 && status !== 200; n += 1) {
    const next = await ask('');
    ({ status } = next);
    if (status !== 200) next.request.destroy();
  }
  assert.equal(status, 200);
});

test('nobody watches without the key of the service, or for a device that there is not', async () => {
  const [, deviceKey = ''] = /SharedAccessKey=(.+)$/.exec(house.hub.deviceConnectionString(DEVICE)) ?? [];
  const soon = Date.now() + 60_000;
  for (const token of [
    '',
    makeSas('localhost', deviceKey, soon, 'iothubowner'),
    makeSas(`localhost/devices/${DEVICE}`, serviceKey(), soon, 'iothubowner'),
    makeSas('localhost', serviceKey(), Date.now() - 1000, 'iothubowner'),
  ])
    assert.equal((await ask('', token)).status, 401);
  assert.equal((await ask('&deviceId=stranger')).status, 404);
  assert.equal((await ask('&after=x')).status, 400);
});

test('a hub stops with watchers on it, and what it knew is there again after the next start', async () => {
  const watching = await watch();
  const device = await openDevice();
  await device.sendEvent(new iotDevice.Message('kept'));
  await eventually('telemetry', () => kinds(watching.lines).includes('telemetry'));
  await house.restart();
  await eventually('the end of the stream', () => watching.ended());
  const past = await watch('&after=0&follow=0');
  await eventually('the end', () => past.ended());
  assert.deepEqual(
    past.lines.filter(({ kind }) => kind === 'connection').map(({ state }) => state),
    ['connected', 'disconnected'],
  );
  assert.equal(past.lines.find(({ kind }) => kind === 'telemetry')?.body, 'kept');
});

test('a twin or identity that was changed since it was read is not overwritten', async () => {
  const { responseBody: twin } = await registry.getTwin(DEVICE);
  const patch = { properties: { desired: { a: 1 } } };
  const { responseBody: changed } = await registry.updateTwin(DEVICE, patch, twin.etag);
  assert.notEqual(changed.etag, twin.etag);
  await assert.rejects(registry.updateTwin(DEVICE, patch, twin.etag), { name: 'InvalidEtagError' });
  await registry.updateTwin(DEVICE, patch, changed.etag);
  await registry.updateTwin(DEVICE, patch, '*');
});

test('desired properties keep to the rules that IoT Hub documents, arrays included', async () => {
  const setDesired = (desired: object) => registry.updateTwin(DEVICE, { properties: { desired } }, '*');
  const zones = [
    {
      id: 'z',
      polygon: [
        [0, 0.5],
        [1, 0.5],
        [1, 1],
      ],
    },
  ];
  await setDesired({ cameras: { yard: { zones } } });
  const { responseBody: twin } = await registry.getTwin(DEVICE);
  assert.deepEqual((twin.properties.desired['cameras'] as { yard: object }).yard, { zones });
  for (const [desired, why] of [
    [{ 'a.b': 1 }, /dot/],
    [{ a: 'x'.repeat(5_000) }, /4 KB/],
    [{ a: Array.from({ length: 9 }, () => 'x'.repeat(4_000)) }, /too large/],
    [{ a: { b: { c: { d: { e: { f: { g: { h: { i: { j: { k: {} } } } } } } } } } } }, /deeper than 10/],
  ] as const)
    await assert.rejects(setDesired(desired), (error: { responseBody?: string }) => {
      assert.match(String(error.responseBody), why);
      return true;
    });
  const { responseBody: after } = await registry.getTwin(DEVICE);
  assert.equal(after.properties.desired['$version'], twin.properties.desired['$version']);
});

test('a report that breaks the rules is refused and the device stays connected', async () => {
  const twin = await (await openDevice()).getTwin();
  const deep = JSON.parse(`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`) as object;
  for (const patch of [{ 'a b': 1 }, deep]) {
    const error = await new Promise((resolve) => {
      twin.properties.reported['update'](patch, resolve);
    });
    assert.ok(error instanceof Error);
  }
  assert.ok(house.hub.mqtt.isConnected(DEVICE));
});

test('a method that the device does not answer in time is a timeout, an absent device is 404103', async () => {
  const call = { methodName: 'sleep', payload: {}, responseTimeoutInSeconds: 1 };
  await assert.rejects(service.invokeDeviceMethod(DEVICE, call), (error: { responseBody?: string }) => {
    assert.match(String(error.responseBody), /404103/);
    return true;
  });
  const device = await openDevice();
  device.onDeviceMethod('sleep', () => {});
  await eventually('the subscription', () => house.hub.packets.some(({ cmd }) => cmd === 'suback'));
  await assert.rejects(
    service.invokeDeviceMethod(DEVICE, call),
    (error: { response?: { statusCode?: number } }) => {
      assert.equal(error.response?.statusCode, 504);
      return true;
    },
  );
});
