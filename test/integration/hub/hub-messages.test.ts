import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { DEVICE, eventually, HUB_NAME, makeLink, openService, type Service, useHub } from './hub-fixture.ts';

const house = useHub();
let service: Service;
beforeEach(async () => {
  service = await house.service();
});

const isMessage = (topic: string | undefined) => topic?.includes('/messages/devicebound/') === true;
const acknowledged = () =>
  house.hub.packets.filter((packet) => packet.direction === 'from-device' && packet.cmd === 'puback').length;
const deliveries = () =>
  house.hub.packets.filter((packet) => packet.direction === 'to-device' && isMessage(packet.topic));

test('a message is acknowledged only after it is stored, and one that could not be stored comes again', async () => {
  let tries = 0;
  const acknowledgedBeforeStored: number[] = [];
  const link = await house.onlineLink({
    store: () => {
      tries += 1;
      acknowledgedBeforeStored.push(acknowledged());
      if (tries <= 2) throw new Error('the disk is full');
    },
  });
  await service.send('clip.1', 'verdict');
  await eventually('the acknowledgement', () => acknowledged() === 1);
  assert.deepEqual(acknowledgedBeforeStored, [0, 0, 0]);
  assert.deepEqual(
    deliveries().map(({ dup }) => dup),
    [false, true, true],
  );
  assert.deepEqual(
    link.stored.map(({ messageId, body }) => [messageId, Buffer.from(body).toString()]),
    [['clip.1', 'verdict']],
  );
  await eventually('the inbox is read', () => link.counts.woken === 1);
});

test('a message whose acknowledgement was lost comes again under the same id', async () => {
  const link = await house.onlineLink();
  house.hub.faults.ignorePuback = true;
  await service.send('clip.1', 'verdict');
  await eventually('the first delivery', () => acknowledged() === 1);
  house.hub.faults.ignorePuback = false;
  house.hub.mqtt.drop();
  await eventually('the second delivery', () => link.stored.length === 2);
  assert.deepEqual(
    link.stored.map(({ messageId }) => messageId),
    ['clip.1', 'clip.1'],
  );
});

test('a message without an id keeps the one it was given, and another body gets another', async () => {
  const link = await house.onlineLink();
  for (const body of ['one', 'one', 'two']) await service.send(undefined, body);
  await eventually('all three', () => link.stored.length === 3);
  const [first, second, third] = link.stored.map(({ messageId }) => messageId);
  assert.match(first ?? '', /^unnamed-[0-9a-f]{32}$/);
  assert.equal(second, first);
  assert.notEqual(third, first);
});

test('messages sent while the device is away arrive in order when it comes', async () => {
  for (const id of ['a', 'b', 'c']) await service.send(id, id);
  const link = house.link();
  await link.start();
  await eventually('all three', () => link.stored.length === 3);
  assert.deepEqual(
    link.stored.map(({ messageId }) => messageId),
    ['a', 'b', 'c'],
  );
});

test('a stopped link stays away: nothing is fetched in its name any more', async () => {
  const link = await house.onlineLink();
  await link.stop();
  await eventually('the connection is gone', () => !house.hub.mqtt.isConnected(DEVICE));
  const before = house.hub.packets.length;
  await service.send('late', 'late');
  house.hub.mqtt.drop();
  assert.equal(link.status().state, 'offline');
  assert.equal(house.hub.packets.length, before);
  assert.equal(link.stored.length, 0);
});

test('a message that waits survives the sudden death of the hub', async () => {
  const folder = join(house.world.dir, 'killed-hub');
  const first = await spawnHub(folder);
  const sender = await openService(first.ready.serviceConnectionString);
  await sender.send('clip.7', 'verdict');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  await sender.close();

  const second = await spawnHub(folder);
  assert.equal(second.ready.deviceConnectionString, first.ready.deviceConnectionString);
  const link = makeLink(house.world, {
    ...second.ready,
    connectionString: second.ready.deviceConnectionString,
  });
  await link.start();
  await eventually('the message', () => link.stored.length === 1);
  assert.equal(link.stored[0]?.messageId, 'clip.7');
  await link.stop();
  second.child.kill('SIGTERM');
  const [code] = (await once(second.child, 'exit')) as [number | null];
  assert.equal(code, 0);
});

interface Ready {
  mqttPort: number;
  httpsPort: number;
  amqpPort: number;
  deviceConnectionString: string;
  serviceConnectionString: string;
}

async function spawnHub(folder: string) {
  const { certFile, keyFile } = house.world.certificates;
  const main = new URL('../../../cloud-fn/local/iot-hub/main.ts', import.meta.url).pathname;
  const flags = [
    '--data',
    folder,
    '--cert',
    certFile,
    '--key',
    keyFile,
    '--host-name',
    HUB_NAME,
    '--device',
    DEVICE,
  ];
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
  return { child, ready: JSON.parse(line) as Ready };
}
