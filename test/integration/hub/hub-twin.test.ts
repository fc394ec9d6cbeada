import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredDocument } from '../../../agent/hub/hub.ts';
import { DEVICE, eventually, exampleReport, QUICK, type TestLink, useHub } from './hub-fixture.ts';
import { createLogBook } from '../../fakes/log-book.ts';

const house = useHub();

const patches = () =>
  house.hub.packets.filter(({ topic }) => topic?.startsWith('$iothub/twin/PATCH/properties/reported')).length;
const holds = (report: object) =>
  eventually('the hub holds the report', () => {
    try {
      assert.deepEqual(house.operator.reported(), report);
      return true;
    } catch {
      return false;
    }
  });
const sees = (link: TestLink, version: number): Promise<DesiredDocument> =>
  eventually(`version ${version} is delivered`, () =>
    link.desired.find((document) => document.version === version),
  );
const soon = () => AbortSignal.timeout(120_000);
/** Says no by itself, and does not wait to be told to give up. */
async function flushFails(link: TestLink): Promise<void> {
  const signal = soon();
  assert.equal(await link.flush(signal), false);
  assert.equal(signal.aborted, false);
}

test('desired properties are delivered on connect, and whole after each change', async () => {
  await house.operator.setDesired({
    recording: { postRollMs: 20_000 },
    cameras: { yard: { sensitivity: 7 } },
  });
  const link = await house.onlineLink();
  await house.operator.setDesired({
    recording: null,
    cameras: { yard: { sensitivity: 8 }, door: { title: 'Door' } },
  });
  await sees(link, 3);
  assert.deepEqual(link.desired, [
    { version: 2, properties: { recording: { postRollMs: 20_000 }, cameras: { yard: { sensitivity: 7 } } } },
    { version: 3, properties: { cameras: { yard: { sensitivity: 8 }, door: { title: 'Door' } } } },
  ]);
});

test('arrays in desired properties replace each other, and are not merged place by place', async () => {
  await house.operator.setDesired({ list: [1, 2, 3] });
  const link = await house.onlineLink();
  await house.operator.setDesired({ list: [9] });
  assert.deepEqual((await sees(link, 3)).properties, { list: [9] });
});

test('a desired property set while the link was down is seen when it returns', async () => {
  const link = await house.onlineLink();
  await house.hub.mqtt.shut();
  await eventually('offline', () => link.status().state === 'offline');
  await house.operator.setDesired({ recording: { postRollMs: 60_000 } });
  await house.operator.setDesired({ recording: { preRollMs: 0 } });
  await house.hub.mqtt.open();
  assert.deepEqual((await sees(link, 3)).properties, { recording: { postRollMs: 60_000, preRollMs: 0 } });
});

test('an unchanged desired document is delivered again on the next connection, and not on the same', async () => {
  const link = await house.onlineLink({ timings: { ...QUICK, probeMs: 20 } });
  const reads = () => house.hub.packets.filter(({ topic }) => topic?.startsWith('$iothub/twin/GET')).length;
  await eventually('several probes', () => reads() >= 5);
  assert.equal(link.desired.length, 1);
  house.hub.mqtt.drop();
  await eventually('the second connection', () => link.counts.online === 2);
  assert.deepEqual(
    link.desired.map(({ version }) => version),
    [1, 1],
  );
});

test('a desired document that the agent chokes on is logged, and the link lives', async () => {
  const book = createLogBook();
  const link = await house.onlineLink({
    log: book.log,
    onDesired: () => {
      throw new Error('no room for settings');
    },
  });
  await house.operator.setDesired({ a: 1 });
  await sees(link, 2);
  assert.deepEqual(book.events('error'), ['twin.desired-failed', 'twin.desired-failed']);
  assert.equal(link.counts.online, 1);
});

test('a report made before there was a network is what the hub holds afterwards', async () => {
  await house.hub.mqtt.shut();
  const link = house.link();
  link.report(exampleReport(1));
  await link.start();
  link.report(exampleReport(2));
  await house.hub.mqtt.open();
  await holds(exampleReport(2));
});

test('what is reported no more is deleted, and a report the hub holds already costs no message', async () => {
  const link = await house.onlineLink();
  const { health: _, ...report } = exampleReport();
  link.report(exampleReport());
  await holds(exampleReport());
  link.report(report);
  await holds(report);
  const before = patches();
  link.report(structuredClone(report));
  house.hub.mqtt.drop();
  await eventually('the second connection', () => link.counts.online === 2);
  assert.equal(await link.flush(soon()), true);
  assert.equal(patches(), before);
});

test('a hundred reports in a row are few messages, and the last one counts', async () => {
  const link = await house.onlineLink({ timings: { ...QUICK, reportEveryMs: 1_000 } });
  for (let n = 1; n <= 100; n += 1) link.report(exampleReport(n));
  await holds(exampleReport(100));
  assert.equal(patches(), 2, 'the first at once, the last after the pause');
});

test('a report that is too large is refused once, and the next that fits is taken', async () => {
  const book = createLogBook();
  const link = await house.onlineLink({ log: book.log });
  const tooLarge = { ...exampleReport(), refused: refusals(40) };
  link.report(tooLarge);
  await eventually('the refusal', () => book.events('warn').includes('twin.report-refused'));
  await flushFails(link);
  house.hub.mqtt.drop();
  await eventually('the second connection', () => link.counts.online === 2);
  link.report(structuredClone(tooLarge));
  await flushFails(link);
  assert.equal(patches(), 1);
  link.report(exampleReport());
  await holds(exampleReport());
  assert.equal(book.events('warn').filter((event) => event === 'twin.report-refused').length, 1);
});

test('flush says whether the hub has the report: not when offline, aborted or cut off', async () => {
  const link = house.link();
  link.report(exampleReport());
  await flushFails(link); // not started
  await link.start();
  await eventually('online', () => link.status().state === 'online');
  assert.equal(await link.flush(soon()), true);
  assert.deepEqual(house.operator.reported(), exampleReport());
  assert.equal(await link.flush(AbortSignal.abort()), false, 'aborted before');

  house.hub.faults.dropTwinAnswers = true;
  link.report(exampleReport(2));
  const aborting = new AbortController();
  const aborted = link.flush(aborting.signal);
  aborting.abort();
  assert.equal(await aborted, false);
  const cutOff = flushFails(link);
  house.hub.mqtt.drop();
  await cutOff;
  house.hub.faults.dropTwinAnswers = false;
  await holds(exampleReport(2));
});

test('four subscriptions are all that is taken of the five a device may have', async () => {
  await house.onlineLink();
  const subscribed = house.hub.packets.filter(
    ({ cmd, direction }) => cmd === 'subscribe' && direction === 'from-device',
  );
  assert.equal(subscribed.length, 4);
  assert.ok(house.hub.mqtt.isConnected(DEVICE));
});

const refusals = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ path: `/${index}`, reason: 'x'.repeat(1_000) }));
