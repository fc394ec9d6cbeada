import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthentication } from '../../agent/hub/link/authentication.ts';
import { openConnection } from '../../agent/hub/link/connection.ts';
import { createDurableTransport } from '../../agent/hub/link/transport.ts';
import { createLogBook } from '../fakes/log-book.ts';
import {
  DEVICE,
  eventually,
  exampleReport,
  online,
  openService,
  QUICK,
  silent,
  type TestLink,
  useHub,
} from '../integration/hub/hub-fixture.ts';

const house = useHub();

/** For what is never answered. An answer that does come takes milliseconds, on a busy machine some hundred. */
const IMPATIENT = { ...QUICK, callMs: 1_500 };

const offline = (one: TestLink) => eventually('the link is offline', () => one.status().state === 'offline');

/** Proves the connection by what it is for. */
async function delivers(one: TestLink): Promise<void> {
  const service = await openService(house.hub.serviceConnectionString);
  const before = one.stored.length;
  await service.send(`proof-${before}`, 'proof');
  await eventually('a message arrives', () => one.stored.length > before);
  await service.close();
}

test('a house that boots without a network starts, says so, and connects when the network comes', async () => {
  await house.hub.mqtt.shut();
  const one = house.link();
  await one.start();
  await offline(one);
  assert.match(one.status().detail ?? '', /ECONNREFUSED/);
  await house.hub.mqtt.open();
  await online(one);
  assert.equal(one.status().detail, null);
  await delivers(one);
});

test('a hub that dies and comes back is found again', async () => {
  const one = await house.onlineLink();
  await house.hub.mqtt.shut();
  await offline(one);
  await house.hub.mqtt.open();
  await online(one);
  await delivers(one);
  assert.equal(one.counts.online, 2);
});

test('an idle connection that is reset or dropped is replaced', async () => {
  const one = await house.onlineLink();
  house.hub.mqtt.reset();
  await eventually('back after the reset', () => one.counts.online === 2);
  await delivers(one);
  house.hub.mqtt.drop();
  await eventually('back after the drop', () => one.counts.online === 3);
  await delivers(one);
});

test('a network that swallows everything is noticed, and left when it speaks again', async () => {
  const one = await house.onlineLink({ timings: IMPATIENT });
  house.hub.faults.blackHole = true;
  await offline(one);
  house.hub.faults.blackHole = false;
  await online(one);
  await delivers(one);
});

test('a disabled identity is shown as refused, not as a bad network, and works again once enabled', async () => {
  house.hub.devices.put({ deviceId: DEVICE, status: 'disabled' });
  const one = house.link();
  await one.start();
  await eventually('the link is refused', () => one.status().state === 'refused');
  assert.match(one.status().detail ?? '', /refused/);
  assert.doesNotMatch(one.status().detail ?? '', /SharedAccess|sig=/);
  house.hub.devices.put({ deviceId: DEVICE, status: 'enabled' });
  await online(one);
});

test('a key the hub does not know is refused as well', async () => {
  house.hub.devices.put({ deviceId: DEVICE, primaryKey: Buffer.alloc(32, 1).toString('base64') });
  const one = house.link();
  house.hub.devices.put({
    deviceId: DEVICE,
    primaryKey: Buffer.alloc(32, 2).toString('base64'),
    secondaryKey: Buffer.alloc(32, 3).toString('base64'),
  });
  await one.start();
  await eventually('the link is refused', () => one.status().state === 'refused');
});

test('a hub with a certificate nobody vouches for is not spoken to', async () => {
  const one = house.link({ ca: 'no authority at all' });
  await one.start();
  await offline(one);
  assert.match(one.status().detail ?? '', /certificate/);
  assert.ok(!house.hub.packets.some(({ cmd }) => cmd === 'connect'));
});

test('two agents with one identity push each other out without harm, and the last one keeps the link', async () => {
  const first = await house.onlineLink();
  const second = await house.onlineLink();
  await eventually('the first was pushed out and came back', () => first.counts.online >= 2);
  await eventually('the second was pushed out and came back', () => second.counts.online >= 2);
  await second.stop();
  await online(first);
  await delivers(first);
});

test('a twin that answers 500 with nothing in it is an outage, not a crash', async () => {
  house.hub.faults.twinAnswer = { status: 500, body: '' };
  const one = house.link();
  await one.start();
  await offline(one);
  assert.match(one.status().detail ?? '', /twin status 500/);
  house.hub.faults.twinAnswer = null;
  await online(one);
});

test('a hub that throttles with an empty answer is left alone until it stops', async () => {
  const one = await house.onlineLink();
  house.hub.faults.twinAnswer = { status: 429, body: '' };
  await offline(one);
  house.hub.faults.twinAnswer = null;
  await online(one);
});

test('a twin that never answers, and a subscription that is never granted, are noticed', async () => {
  const one = await house.onlineLink({ timings: IMPATIENT });
  house.hub.faults.dropTwinAnswers = true;
  await offline(one);
  house.hub.faults.dropTwinAnswers = false;
  await online(one);
  house.hub.faults.dropSubscribe = true;
  house.hub.mqtt.drop();
  await offline(one);
  house.hub.faults.dropSubscribe = false;
  await online(one);
  await delivers(one);
});

test('a hub that forgot our subscriptions is noticed by the probe', async () => {
  const one = await house.onlineLink({ timings: IMPATIENT });
  house.hub.mqtt.forgetSessions();
  await eventually('a new connection', () => one.counts.online === 2);
  await delivers(one);
});

/** No probe comes to the rescue. */
const UNPROBED = { ...IMPATIENT, probeMs: 3_600_000 };
const holds = (volts: number) =>
  eventually('the hub holds the report', () => {
    const reported = house.operator.reported() as { power?: { volts?: number } } | undefined;
    return reported?.power?.volts === volts;
  });
const updates = () =>
  house.hub.packets.filter(({ topic }) => topic?.startsWith('$iothub/twin/PATCH/properties/reported')).length;
const connects = () => house.hub.packets.filter(({ cmd }) => cmd === 'connect').length;

test('a report whose answer was lost is not sent twice: the next connection reads what the hub holds', async () => {
  const one = await house.onlineLink({ timings: UNPROBED });
  house.hub.faults.dropTwinAnswers = true;
  one.report(exampleReport(1));
  await offline(one);
  house.hub.faults.dropTwinAnswers = false;
  await online(one);
  assert.equal(await one.flush(AbortSignal.timeout(120_000)), true);
  await holds(1);
  assert.equal(updates(), 1);
});

test('a report that is answered 429 or 500 with nothing in it was not taken, and is sent again', async () => {
  for (const [volts, status] of [
    [1, 429],
    [2, 500],
    [3, 503],
  ] as const) {
    const one = await house.onlineLink({ timings: UNPROBED });
    house.hub.faults.twinAnswer = { status, body: '' };
    one.report(exampleReport(volts));
    await offline(one);
    assert.match(one.status().detail ?? '', new RegExp(`twin status ${status}`));
    house.hub.faults.twinAnswer = null;
    await holds(volts);
    await one.stop();
  }
});

test('a twin that is not JSON, or none, is an outage, not a crash', async () => {
  for (const body of ['<html>', '[]', 'null', '', '{"desired":{}}', '{"desired":{"$version":1}}']) {
    house.hub.faults.twinAnswer = { status: 200, body };
    const one = house.link();
    await one.start();
    await offline(one);
    house.hub.faults.twinAnswer = null;
    await online(one);
    assert.deepEqual(one.desired.at(-1), { version: 1, properties: {} });
    await one.stop();
  }
});

test('a hub that failed over and forgot us is asked for the desired properties again: nothing is missed for good', async () => {
  const one = await house.onlineLink({ timings: IMPATIENT });
  house.hub.mqtt.forgetSessions();
  await house.operator.setDesired({ recording: { postRollMs: 60_000 } });
  await eventually('the desired properties', () => one.desired.some(({ version }) => version === 2));
  one.report(exampleReport(7));
  await holds(7);
  assert.equal((await house.operator.call('nothing')).status, 404);
});

test('a hub that forgot us is noticed when the token is renewed, without a probe', async () => {
  const token = { validSeconds: 30, renewBeforeSeconds: 28 };
  const one = await house.onlineLink({ timings: { ...UNPROBED, token } });
  house.hub.mqtt.forgetSessions();
  await eventually('a new connection', () => one.counts.online >= 2);
  await house.operator.setDesired({ recording: { postRollMs: 60_000 } });
  await eventually('the desired properties', () => one.desired.some(({ version }) => version === 2));
});

test('a reset with everything under way costs nothing but time', async () => {
  const asked = Promise.withResolvers<void>();
  const sent = new Map([['e1', false]]);
  const one = await house.onlineLink({
    timings: IMPATIENT,
    outbox: {
      outgoing: () =>
        [...sent]
          .filter(([, done]) => !done)
          .map(([eventId]) => ({ eventId, event: 'heartbeat', body: '{}' })),
      settleOutgoing: (eventId) => sent.set(eventId, true),
    },
    methods: {
      slow: (_payload, signal) => {
        asked.resolve();
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve({ status: 200, payload: null })),
        );
      },
    },
  });
  const rejected = assert.rejects(house.operator.call('slow', null, 1));
  await asked.promise;
  house.hub.faults.dropTwinAnswers = true;
  house.hub.faults.dropPuback = true;
  one.report(exampleReport(4));
  sent.set('e2', false);
  one.wakeOutbox();
  await eventually('the event is under way', () => house.hub.telemetry.length >= 1);
  house.hub.mqtt.reset();
  house.hub.faults.dropTwinAnswers = false;
  house.hub.faults.dropPuback = false;
  await eventually('the events are settled', () => [...sent.values()].every(Boolean));
  await holds(4);
  assert.equal(await one.flush(AbortSignal.timeout(120_000)), true);
  await rejected;
});

test('a link that is stopped with everything under way stays away for good', async () => {
  const one = await house.onlineLink({
    outbox: {
      outgoing: () => [{ eventId: 'e1', event: 'heartbeat', body: '{}' }],
      settleOutgoing: () => assert.fail('nothing was acknowledged'),
    },
  });
  house.hub.faults.dropTwinAnswers = true;
  house.hub.faults.dropPuback = true;
  one.report(exampleReport());
  await one.stop();
  house.hub.faults.dropTwinAnswers = false;
  house.hub.faults.dropPuback = false;
  await eventually('the connection is gone', () => !house.hub.mqtt.isConnected(DEVICE));
  const before = connects();
  one.report(exampleReport(9));
  one.wakeOutbox();
  assert.equal(await one.flush(AbortSignal.timeout(120_000)), false);
  // A second agent would be pushed out by a connection of the first that came back.
  const other = await house.onlineLink();
  await delivers(other);
  assert.deepEqual([connects(), other.counts.online], [before + 1, 1]);
});

test('listeners that throw are logged, and the link lives', async () => {
  const book = createLogBook();
  const throws = () => {
    throw new Error('not now');
  };
  const one = await house.onlineLink({ log: book.log, onOnline: throws, onMessage: throws });
  await delivers(one);
  assert.deepEqual(book.events('error'), ['link.listener-failed', 'link.listener-failed']);
  assert.equal(book.events('warn').length, 0);
});

/** What a connection and its transport are told, for tests that hold one in their hands. */
const bare = () => ({
  credential: house.hub.deviceConnectionString(DEVICE),
  gateway: `localhost:${house.hub.mqttPort}`,
  ca: house.world.ca,
  keepaliveSeconds: 60,
  callMs: 20_000,
  connectTimeoutMs: 20_000,
  closeMs: 500,
  token: { validSeconds: 3600, renewBeforeSeconds: 900 },
  store: () => {},
  onStored: () => {},
  onDesired: () => {},
  answer: async () => ({ status: 200, payload: null }),
  log: silent,
});

test('a connection that ended is not asked again, where the SDK would connect anew', async () => {
  const one = await openConnection(bare(), new AbortController().signal);
  house.hub.mqtt.drop();
  const { message } = await one.ended;
  await assert.rejects(one.probe(), { message });
  await assert.rejects(one.report({ a: 1 }), { message });
  await assert.rejects(one.send({ eventId: 'e1', event: 'heartbeat', body: '{}' }), { message });
  // Begun later than whatever the SDK might have begun.
  const other = await openConnection(bare(), new AbortController().signal);
  await other.probe();
  assert.equal(connects(), 2);
  for (const each of [one, other]) await each.dispose();
});

test('a transport that was destroyed opens no connection any more, however late it is asked', async () => {
  const authentication = createAuthentication(bare().credential, bare());
  const transport = createDurableTransport({
    ...bare(),
    authentication: authentication.provider,
    onStoreFailed: () => {},
    onMethod: () => {},
    onRenewed: () => {},
  });
  await transport.destroy();
  const refused = await new Promise((resolve) => transport.mqtt.connect(resolve));
  assert.ok(refused instanceof Error);
  assert.equal(connects(), 0);
  authentication.stop();
});
