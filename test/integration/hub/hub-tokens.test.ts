import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  addressOf,
  eventually,
  makeLink,
  makeWorld,
  online,
  openService,
  QUICK,
  startHub,
  type World,
} from './hub-fixture.ts';

let world: World;
before(async () => {
  world = await makeWorld();
});
after(() => world.remove());

test('a token is renewed before it expires, and messages keep coming', async () => {
  const hub = await startHub(world);
  const link = makeLink(world, addressOf(hub), {
    timings: { ...QUICK, probeMs: 5_000, token: { validSeconds: 30, renewBeforeSeconds: 28 } },
  });
  await link.start();
  await online(link);
  const connects = () => hub.packets.filter(({ cmd }) => cmd === 'connect').length;
  await eventually('the renewal', () => connects() >= 2);
  const service = await openService(hub.serviceConnectionString);
  await service.send('after', 'after the renewal');
  await eventually('the message', () => link.stored.length === 1);
  assert.equal(link.counts.online, 1, 'the link never went down');
  await service.close();
  await link.stop();
  await hub.stop();
});

test('a token that expires ends its connection', async () => {
  let aheadMs = 0;
  const hub = await startHub(world, { nowMs: () => Date.now() + aheadMs });
  aheadMs = 3_598_000;
  const link = makeLink(world, addressOf(hub), { timings: { ...QUICK, probeMs: 60_000 } });
  await link.start();
  await online(link);
  await eventually('a second connection', () => link.counts.online === 2);
  await link.stop();
  await hub.stop();
});
