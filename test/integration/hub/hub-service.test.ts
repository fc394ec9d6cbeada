import assert from 'node:assert/strict';
import https from 'node:https';
import { beforeEach, test } from 'node:test';
import iotDevice from 'azure-iot-device';
import iothub from 'azure-iothub';
import iotMessage from 'azure-iothub/dist/common-core/message.js';
import {
  DEVICE,
  eventually,
  openService,
  pointAtHub,
  restConnectionString,
  type Service,
  useHub,
} from './hub-fixture.ts';

let aheadMs = 0;
let service: Service;
let registry: iothub.Registry;
const house = useHub(() => ({ nowMs: () => Date.now() + aheadMs, sweepMs: 100 }));
beforeEach(async () => {
  aheadMs = 0;
  service = await house.service();
  registry = iothub.Registry.fromConnectionString(restConnectionString(house.hub));
  for (const rest of [registry, service.client]) pointAtHub(rest, house.hub);
});

interface Feedback {
  originalMessageId: string;
  deviceId: string;
  statusCode: string;
}

async function listenForFeedback(): Promise<Feedback[]> {
  const got: Feedback[] = [];
  const receiver = await new Promise<{
    on(event: 'message', listener: (message: { getData(): Buffer }) => void): void;
    complete(message: object, done: () => void): void;
  }>((resolve, reject) =>
    service.client.getFeedbackReceiver((error, found) =>
      found ? resolve(found) : reject(error ?? new Error('no receiver')),
    ),
  );
  receiver.on('message', (message) => {
    got.push(...(JSON.parse(message.getData().toString()) as Feedback[]));
    receiver.complete(message, () => {});
  });
  return got;
}

test('a device sends telemetry with its properties', async () => {
  const device = await house.device();
  const message = new iotDevice.Message('{"c":21}');
  message.messageId = 'event-1';
  message.properties.add('why', 'größer & besser');
  await device.sendEvent(message);
  const [got] = house.hub.telemetry;
  assert.equal(got?.body.toString(), '{"c":21}');
  const bag = new URLSearchParams(got?.topic.split('/events/')[1]);
  assert.deepEqual([bag.get('$.mid'), bag.get('why')], ['event-1', 'größer & besser']);
});

test('the service learns that a device has its message', async () => {
  const feedback = await listenForFeedback();
  const device = await house.device();
  const got: string[] = [];
  device.on('message', (message: { messageId: string }) => got.push(message.messageId));
  await service.send('clip.1', 'verdict');
  await eventually('the feedback', () => feedback.length > 0);
  assert.deepEqual(got, ['clip.1']);
  assert.equal(feedback[0]?.originalMessageId, 'clip.1');
  assert.equal(feedback[0]?.deviceId, DEVICE);
  assert.equal(feedback[0]?.statusCode, 'Success');
});

test('the service learns that a message expired', async () => {
  const feedback = await listenForFeedback();
  const message = new iotMessage.Message('late');
  message.messageId = 'late';
  message.ack = 'negative';
  (message as { expiryTimeUtc: unknown }).expiryTimeUtc = Date.now() + 60_000;
  await service.client.send(DEVICE, message);
  aheadMs = 61_000;
  await eventually('the feedback', () => feedback.length > 0);
  assert.equal(feedback[0]?.statusCode, 'Expired');
});

test('fifty messages wait for a device, the next is refused, and a purge makes room', async () => {
  for (let n = 0; n < 50; n += 1) await service.send(`m${n}`, 'x');
  await assert.rejects(service.send('m50', 'x'), { name: 'DeviceMaximumQueueDepthExceededError' });
  const answer = await fetchHub('DELETE', `/devices/${DEVICE}/commands`);
  assert.equal(answer.totalMessagesPurged, 50);
  await service.send('m50', 'x');
});

test('a message to a device nobody registered is refused', async () => {
  await assert.rejects(service.send('x', 'x', 'stranger'), { name: 'DeviceNotFoundError' });
});

test('identities are created, read, changed and removed', async () => {
  const { responseBody: made } = await registry.create({ deviceId: 'new' });
  assert.equal(Buffer.from(made.authentication?.symmetricKey?.primaryKey ?? '', 'base64').length, 32);
  await assert.rejects(registry.create({ deviceId: 'new' }), { name: 'DeviceAlreadyExistsError' });
  await registry.update({ deviceId: 'new', status: 'disabled' });
  assert.equal((await registry.get('new')).responseBody.status, 'disabled');
  assert.equal((await registry.list()).responseBody.length, 2);
  await registry.delete('new');
  await assert.rejects(registry.get('new'), { name: 'DeviceNotFoundError' });
});

test('a device that is disabled is put out at once', async () => {
  const device = await house.device();
  device.on('error', () => {});
  assert.equal((await registry.get(DEVICE)).responseBody.connectionState, 'Connected');
  await registry.update({ deviceId: DEVICE, status: 'disabled' });
  await eventually('the connection ends', () => !house.hub.mqtt.isConnected(DEVICE));
});

test('a desired property reaches a connected device, a report reaches the service, and null deletes', async () => {
  const device = await house.device();
  const twin = await device.getTwin();
  const documents: { $version: number }[] = [];
  twin.on('properties.desired', (document: { $version: number }) => documents.push(document));
  await registry.updateTwin(
    DEVICE,
    { properties: { desired: { a: { b: 1, c: 2 } } }, tags: { site: 'x' } },
    '*',
  );
  await registry.updateTwin(DEVICE, { properties: { desired: { a: { b: null } } } }, '*');
  await eventually('both documents', () => documents.some(({ $version }) => $version === 3));
  await new Promise<void>((resolve, reject) =>
    twin.properties.reported['update']({ state: 'good' }, (error?: Error) =>
      error ? reject(error) : resolve(),
    ),
  );
  const { result } = await registry.createQuery('SELECT * FROM devices').nextAsTwin();
  const [seen] = result as { tags: object; properties: { desired: object; reported: object } }[];
  assert.deepEqual(seen?.properties.desired, { a: { c: 2 }, $version: 3 });
  assert.deepEqual(seen?.properties.reported, { state: 'good', $version: 2 });
  assert.deepEqual(seen?.tags, { site: 'x' });
});

test('a report that is too large is refused with a reason', async () => {
  const twin = await (await house.device()).getTwin();
  const error = await new Promise((resolve) =>
    twin.properties.reported['update']({ big: 'x'.repeat(40_000) }, resolve),
  );
  assert.match(String(error), /too large/);
});

test('a method is answered by the device, and a device that is not there is named as such', async () => {
  const call = { methodName: 'snapshot', payload: { camera: 'yard' }, responseTimeoutInSeconds: 20 };
  await assert.rejects(service.client.invokeDeviceMethod(DEVICE, call), /Not found/);
  const device = await house.device();
  device.onDeviceMethod('snapshot', (request, response) => {
    response.send(202, { asked: request.payload as unknown }, () => {});
  });
  await eventually('the subscription', () =>
    house.hub.packets.some(({ cmd, direction }) => cmd === 'suback' && direction === 'to-device'),
  );
  const { result } = await service.client.invokeDeviceMethod(DEVICE, call);
  assert.deepEqual(result, { status: 202, payload: { asked: { camera: 'yard' } } });
});

test('a service without the key gets nothing', async () => {
  const forged = house.hub.serviceConnectionString.replace(
    /SharedAccessKey=.*/,
    `SharedAccessKey=${Buffer.alloc(32).toString('base64')}`,
  );
  await assert.rejects(openService(forged), (error: { amqpError?: Error }) => {
    assert.equal(error.amqpError?.name, 'UnauthorizedError');
    return true;
  });
  const { status } = await fetch401();
  assert.equal(status, 401);
});

function fetch401(): Promise<{ status: number }> {
  return request(
    'GET',
    `/devices/${DEVICE}`,
    'SharedAccessSignature sr=localhost&sig=AAAA&se=99999999999&skn=iothubowner',
  ).then(({ status }) => ({ status }));
}

async function fetchHub(method: string, path: string): Promise<{ totalMessagesPurged: number }> {
  const sas = iothub.SharedAccessSignature.create(
    'localhost',
    'iothubowner',
    /SharedAccessKey=([^;]+)$/.exec(house.hub.serviceConnectionString)?.[1] ?? '',
    Math.floor(Date.now() / 1000) + 600,
  );
  const { body } = await request(method, path, sas.toString());
  return JSON.parse(body) as { totalMessagesPurged: number };
}

function request(
  method: string,
  path: string,
  authorization: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    https
      .request(
        {
          host: 'localhost',
          port: house.hub.httpsPort,
          method,
          path: `${path}?api-version=2021-04-12`,
          headers: { authorization },
        },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      )
      .on('error', reject)
      .end();
  });
}
