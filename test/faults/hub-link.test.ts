import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  addressOf,
  DEVICE,
  eventually,
  makeLink,
  makeWorld,
  online,
  openService,
  QUICK,
  startHub,
  type TestHub,
  type TestLink,
  type World,
} from '../integration/hub-fixture.ts';

let world: World;
let hub: TestHub;
const links: TestLink[] = [];
before(async () => {
  world = await makeWorld();
});
after(() => world.remove());
beforeEach(async () => {
  hub = await startHub(world);
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop();
  await hub.stop();
});

function link(
  ...args: Parameters<typeof makeLink> extends [unknown, unknown, ...infer R] ? R : never
): TestLink {
  const made = makeLink(world, addressOf(hub), ...args);
  links.push(made);
  return made;
}

async function onlineLink(...args: Parameters<typeof link>): Promise<TestLink> {
  const made = link(...args);
  await made.start();
  await online(made);
  return made;
}

const offline = (one: TestLink) => eventually('the link is offline', () => one.status().state === 'offline');

/** Proves the connection by what it is for. */
async function delivers(one: TestLink): Promise<void> {
  const service = await openService(hub.serviceConnectionString);
  const before = one.stored.length;
  await service.send(`proof-${before}`, 'proof');
  await eventually('a message arrives', () => one.stored.length > before);
  await service.close();
}

test('a house that boots without a network starts, says so, and connects when the network comes', async () => {
  await hub.mqtt.shut();
  const one = link();
  await one.start();
  await offline(one);
  assert.match(one.status().detail ?? '', /ECONNREFUSED/);
  await hub.mqtt.open();
  await online(one);
  assert.equal(one.status().detail, null);
  await delivers(one);
});

test('a hub that dies and comes back is found again', async () => {
  const one = await onlineLink();
  await hub.mqtt.shut();
  await offline(one);
  await hub.mqtt.open();
  await online(one);
  await delivers(one);
  assert.equal(one.counts.online, 2);
});

test('an idle connection that is reset or dropped is replaced', async () => {
  const one = await onlineLink();
  hub.mqtt.reset();
  await eventually('back after the reset', () => one.counts.online === 2);
  await delivers(one);
  hub.mqtt.drop();
  await eventually('back after the drop', () => one.counts.online === 3);
  await delivers(one);
});

test('a network that swallows everything is noticed, and left when it speaks again', async () => {
  const one = await onlineLink({ timings: { ...QUICK, callMs: 500 } });
  hub.faults.blackHole = true;
  await offline(one);
  hub.faults.blackHole = false;
  await online(one);
  await delivers(one);
});

test('a disabled identity is shown as refused, not as a bad network, and works again once enabled', async () => {
  hub.devices.put({ deviceId: DEVICE, status: 'disabled' });
  const one = link();
  await one.start();
  await eventually('the link is refused', () => one.status().state === 'refused');
  assert.match(one.status().detail ?? '', /refused/);
  assert.doesNotMatch(one.status().detail ?? '', /SharedAccess|sig=/);
  hub.devices.put({ deviceId: DEVICE, status: 'enabled' });
  await online(one);
});

test('a key the hub does not know is refused as well', async () => {
  hub.devices.put({ deviceId: DEVICE, primaryKey: Buffer.alloc(32, 1).toString('base64') });
  const one = link();
  hub.devices.put({
    deviceId: DEVICE,
    primaryKey: Buffer.alloc(32, 2).toString('base64'),
    secondaryKey: Buffer.alloc(32, 3).toString('base64'),
  });
  await one.start();
  await eventually('the link is refused', () => one.status().state === 'refused');
});

test('a hub with a certificate nobody vouches for is not spoken to', async () => {
  const one = makeLink(world, addressOf(hub), { ca: 'no authority at all' });
  links.push(one);
  await one.start();
  await offline(one);
  assert.match(one.status().detail ?? '', /certificate/);
  assert.ok(!hub.packets.some(({ cmd }) => cmd === 'connect'));
});

test('two agents with one identity push each other out without harm, and the last one keeps the link', async () => {
  const first = await onlineLink();
  const second = await onlineLink();
  await eventually('the first was pushed out and came back', () => first.counts.online >= 2);
  await eventually('the second was pushed out and came back', () => second.counts.online >= 2);
  await second.stop();
  await online(first);
  await delivers(first);
});

test('a twin that answers 500 with nothing in it is an outage, not a crash', async () => {
  hub.faults.twinAnswer = { status: 500, body: '' };
  const one = link();
  await one.start();
  await offline(one);
  assert.match(one.status().detail ?? '', /twin status 500/);
  hub.faults.twinAnswer = null;
  await online(one);
});

test('a hub that throttles with an empty answer is left alone until it stops', async () => {
  const one = await onlineLink();
  hub.faults.twinAnswer = { status: 429, body: '' };
  await offline(one);
  hub.faults.twinAnswer = null;
  await online(one);
});

test('a twin that never answers, and a subscription that is never granted, are noticed', async () => {
  const one = await onlineLink({ timings: { ...QUICK, callMs: 500 } });
  hub.faults.dropTwinAnswers = true;
  await offline(one);
  hub.faults.dropTwinAnswers = false;
  await online(one);
  hub.faults.dropSubscribe = true;
  hub.mqtt.drop();
  await offline(one);
  hub.faults.dropSubscribe = false;
  await online(one);
  await delivers(one);
});

test('a hub that forgot our subscriptions is noticed by the probe', async () => {
  const one = await onlineLink({ timings: { ...QUICK, callMs: 500 } });
  hub.mqtt.forgetSessions();
  await eventually('a new connection', () => one.counts.online === 2);
  await delivers(one);
});
