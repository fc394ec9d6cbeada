import assert from 'node:assert/strict';
import { test } from 'node:test';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { makeSas } from '../../../cloud-fn/local/iot-hub/sas.ts';
import { DEVICE, eventually, HUB_NAME, useHub } from './hub-fixture.ts';

const house = useHub();

const token = (resource = `${HUB_NAME}/devices/${DEVICE}`, expiresMs = Date.now() + 600_000) =>
  makeSas(resource, house.hub.devices.get(DEVICE)?.primaryKey ?? '', expiresMs);

/** A plain MQTT client, so that it may misbehave. Resolves with the CONNACK code. */
async function connect(
  options: IClientOptions = {},
  { acknowledges = true } = {},
): Promise<{ client: MqttClient; code: number; sessionPresent: boolean; closed: () => boolean }> {
  const client = mqtt.connect(`mqtts://localhost:${house.hub.mqttPort}`, {
    ca: house.world.ca,
    clientId: DEVICE,
    username: `${HUB_NAME}/${DEVICE}/?api-version=2021-04-12`,
    password: token(),
    clean: false,
    reconnectPeriod: 0,
    ...options,
  });
  house.atEnd(() => client.end(true));
  if (!acknowledges) client.handleMessage = () => {};
  let isClosed = false;
  let answer: { returnCode: number; sessionPresent: boolean } | undefined;
  client.on('close', () => {
    isClosed = true;
  });
  client.on('error', () => {});
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') answer = packet as never;
  });
  const { returnCode, sessionPresent } = await eventually('the answer to CONNECT', () => answer);
  return { client, code: returnCode, sessionPresent, closed: () => isClosed };
}

test('only a device with the right name, hub, version and token gets in', async () => {
  assert.equal((await connect()).code, 0);
  const refused: [string, IClientOptions][] = [
    ['another client id', { clientId: 'pi2' }],
    ['another hub', { username: `other.hub/${DEVICE}/?api-version=2021-04-12` }],
    ['no version', { username: `${HUB_NAME}/${DEVICE}` }],
    ['no such device', { clientId: 'x', username: `${HUB_NAME}/x/?api-version=2021-04-12` }],
    ['a token for another device', { password: token(`${HUB_NAME}/devices/pi2`) }],
    ['a token for a device whose name begins alike', { password: token(`${HUB_NAME}/devices/p`) }],
    ['an expired token', { password: token(undefined, Date.now() - 1000) }],
    ['a forged token', { password: token().replace(/sig=[^&]{4}/, 'sig=AAAA') }],
    ['no token', { password: 'letmein' }],
  ];
  for (const [what, options] of refused) assert.ok((await connect(options)).code > 0, what);
});

test('a second connection of a device ends the first', async () => {
  const first = await connect();
  const second = await connect();
  await eventually('the first is closed', first.closed);
  assert.equal(second.closed(), false);
  assert.equal(house.hub.mqtt.isConnected(DEVICE), true);
});

test('subscriptions are kept for a device that asked for that, and only for it', async () => {
  const first = await connect();
  await new Promise((resolve) => first.client.subscribe('$iothub/twin/res/#', resolve));
  first.client.end(true);
  const second = await connect();
  assert.equal(second.sessionPresent, true);
  const topics: string[] = [];
  second.client.on('message', (topic) => topics.push(topic));
  second.client.publish('$iothub/twin/GET/?$rid=7', ' ');
  await eventually('the twin', () => topics.includes('$iothub/twin/res/200/?$rid=7'));
  const third = await connect({ clean: true });
  assert.equal(third.sessionPresent, false);
});

test('a device that breaks the rules is cut off', async () => {
  const big = Buffer.alloc(256 * 1024 + 1);
  const events = `devices/${DEVICE}/messages/events/`;
  const acts: [string, (client: MqttClient) => void][] = [
    ['QoS 2', (client) => client.publish(events, 'x', { qos: 2 })],
    ['more than 256 KB', (client) => client.publish(events, big)],
    ['an unknown topic', (client) => client.publish('weather/today', 'x')],
    ['the topic of another device', (client) => client.publish('devices/pi2/messages/events/', 'x')],
    ['an unknown subscription', (client) => client.subscribe('#')],
  ];
  for (const [what, act] of acts) {
    const { client, closed } = await connect();
    act(client);
    await eventually(what, closed);
  }
  assert.equal(house.hub.telemetry.length, 0);
});

test('a device that falls silent is dropped, and its last will is telemetry', async () => {
  const { client } = await connect({
    keepalive: 1,
    will: { topic: `devices/${DEVICE}/messages/events/`, payload: 'gone', qos: 1, retain: false },
  });
  (client as unknown as { pingTimer: { clear(): void } }).pingTimer.clear();
  await eventually('the will', () => house.hub.telemetry[0]?.body.toString() === 'gone');
});

test('a device that says goodbye leaves no will', async () => {
  const { client } = await connect({
    will: { topic: `devices/${DEVICE}/messages/events/`, payload: 'gone', qos: 1, retain: false },
  });
  await new Promise<void>((resolve) => client.end(false, {}, () => resolve()));
  await eventually('the connection ends', () => !house.hub.mqtt.isConnected(DEVICE));
  assert.equal(house.hub.telemetry.length, 0);
});

test('a message is offered ten times and then given up', async () => {
  const service = await house.service();
  await service.send('poison', 'x');
  const topic = `devices/${DEVICE}/messages/devicebound/#`;
  const offers = () =>
    house.hub.packets.filter(
      (packet) => packet.direction === 'to-device' && packet.topic?.includes('devicebound'),
    );
  for (let n = 1; n <= 10; n += 1) {
    const { client } = await connect({}, { acknowledges: false });
    client.subscribe(topic, { qos: 1 });
    await eventually(`offer ${n}`, () => offers().length === n);
    client.end(true);
    await eventually('the connection ends', () => !house.hub.mqtt.isConnected(DEVICE));
  }
  const last = await connect();
  await new Promise((resolve) => last.client.subscribe(topic, { qos: 1 }, resolve));
  assert.equal(offers().length, 10);
});
