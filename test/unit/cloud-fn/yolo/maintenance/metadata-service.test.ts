import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createMetadataService } from '../../../../../cloud-fn/yolo/maintenance/metadata-service.ts';
import { createPlatformEvents, startMetadataPeer } from '../../../../fakes/cloud/scheduled-events.ts';

async function bench(t: TestContext) {
  const platform = createPlatformEvents();
  const peer = await startMetadataPeer(platform);
  t.after(() => peer.stop());
  return {
    platform,
    peer,
    service: createMetadataService(peer.address),
    signal: AbortSignal.timeout(60_000),
  };
}

test('name, events and approvals are asked for as the metadata service wants it', async (t) => {
  const { platform, service, signal } = await bench(t);
  assert.equal(await service.vmName(signal), 'yolo_0');
  platform.announce({ EventId: 'A', EventType: 'Preempt', DurationInSeconds: -1 });
  const { incarnation, events } = await service.events(signal);
  assert.equal(incarnation, 2);
  assert.deepEqual(
    events.map(({ id, type, status, durationS }) => ({ id, type, status, durationS })),
    [{ id: 'A', type: 'Preempt', status: 'Scheduled', durationS: undefined }],
  );
  await service.approve('A', signal);
  assert.deepEqual(
    platform.approvals.map(({ EventId }) => EventId),
    ['A'],
  );
});

test('a refusal, a broken connection or an answer that is none is an error that says so', async (t) => {
  const { peer, service, signal } = await bench(t);
  await assert.rejects(service.approve('unknown', signal), /the metadata service answered 400/);
  peer.faults.push(410);
  await assert.rejects(service.events(signal), /answered 410/);
  peer.faults.push(0);
  await assert.rejects(service.events(signal), /fetch failed/);
  assert.deepEqual((await service.events(signal)).events, []);
});

test('a stop ends a call that nobody answers', async (t) => {
  const stop = new AbortController();
  const silent = createServer(() => stop.abort(new Error('stopped')));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  await assert.rejects(createMetadataService(`http://127.0.0.1:${port}`).events(stop.signal), /stopped/);
});
