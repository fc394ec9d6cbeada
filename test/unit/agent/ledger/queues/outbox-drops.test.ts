import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TelemetryEvent } from '@dachawatch/contracts';
import { benchLedger, uploadNext, writeClip } from '../bench.ts';
import { events, link, tellHeartbeat, tellPower, tellSuppressed } from './outbox-bench.ts';

test('a full outbox drops heartbeats, then suppressed triggers, then the oldest; lost clips and power go last', (t) => {
  const { ledger } = benchLedger(t, { outboxBounds: { rows: 5, bytes: 1e6 } });
  tellPower(ledger);
  ledger.tell('link.state', link('first'));
  tellHeartbeat(ledger);
  tellSuppressed(ledger);
  ledger.tell('link.state', link('second'));
  const steps: TelemetryEvent[][] = [];
  for (let i = 0; i < 6; i++) {
    if (i < 3) ledger.tell('camera.state', { cameraId: `c${i}`, state: 'unreachable' });
    else tellPower(ledger);
    steps.push(events(ledger));
  }
  assert.deepEqual(steps, [
    ['power.state', 'link.state', 'trigger.suppressed', 'link.state', 'camera.state'],
    ['power.state', 'link.state', 'link.state', 'camera.state', 'camera.state'],
    ['power.state', 'link.state', 'camera.state', 'camera.state', 'camera.state'],
    ['power.state', 'camera.state', 'camera.state', 'camera.state', 'power.state'],
    ['power.state', 'camera.state', 'camera.state', 'power.state', 'power.state'],
    ['power.state', 'camera.state', 'power.state', 'power.state', 'power.state'],
  ]);
  tellHeartbeat(ledger);
  assert.deepEqual(events(ledger), steps.at(-1), 'a new heartbeat does not push out an older camera state');
});

test('of any two events in a full outbox the less important goes, of two alike the older', (t) => {
  const importance: Record<TelemetryEvent, number> = {
    heartbeat: 0,
    'trigger.suppressed': 1,
    'clip.sealed': 2,
    'clip.uploaded': 2,
    'camera.state': 2,
    'link.state': 2,
    'storage.state': 2,
    'condition.state': 2,
    'recording.refused': 3,
    'clip.lost': 3,
    'power.state': 3,
  };
  const { ledger, open, sealed } = benchLedger(t, { outboxBounds: { rows: 1, bytes: 1e6 } });
  const clear = () => {
    for (const { eventId } of ledger.outgoing(10)) ledger.settleOutgoing(eventId);
  };
  const at = '2026-06-01T12:00:00.000Z';
  const storage = { clips: 1, clipBytes: 1, clipBytesMax: 1, diskFreeBytes: 1, diskTotalBytes: 1 };
  /** What tells exactly one event of this kind; what it needs first is done before. */
  const telling: Record<TelemetryEvent, () => () => void> = {
    heartbeat: () => () => tellHeartbeat(ledger),
    'trigger.suppressed': () => () => tellSuppressed(ledger),
    'clip.sealed': () => {
      const clip = open();
      const written = writeClip(clip.partFile, 1_000);
      return () => void ledger.sealClip(clip.clipId, written);
    },
    'clip.uploaded': () => {
      sealed();
      return () => void uploadNext(ledger);
    },
    'clip.lost': () => {
      const { clipId } = open();
      return () => ledger.loseClip(clipId, 'its writer failed');
    },
    'camera.state': () => () => ledger.tell('camera.state', { cameraId: 'gate', state: 'unreachable' }),
    'link.state': () => () => ledger.tell('link.state', link('cable')),
    'storage.state': () => () => ledger.tell('storage.state', { state: 'full', ...storage }),
    'condition.state': () => () =>
      ledger.tell('condition.state', { code: 'clips-missing', level: 'trouble', state: 'raised' }),
    'recording.refused': () => () =>
      ledger.tell('recording.refused', { cameraId: 'gate', count: 1, sinceUtc: at, reason: 'no room' }),
    'power.state': () => () => tellPower(ledger),
  };
  const kinds = Object.keys(importance) as TelemetryEvent[];
  for (const first of kinds)
    for (const second of kinds) {
      const steps = [telling[first](), telling[second]()];
      clear();
      for (const step of steps) step();
      const stays = importance[first] > importance[second] ? first : second;
      assert.deepEqual(events(ledger), [stays], `${first}, then ${second}`);
    }
});

test('bytes are bounded too, and an event that could never be sent is refused', (t) => {
  const { ledger } = benchLedger(t, { outboxBounds: { rows: 1_000, bytes: 10_000 } });
  for (let i = 0; i < 100; i++) ledger.tell('link.state', link('x'.repeat(900)));
  const bytes = ledger.outgoing(1_000).reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
  assert.ok(bytes <= 10_000 && bytes > 8_000, `${bytes} bytes`);
  assert.throws(() => ledger.tell('link.state', link('x'.repeat(70_000))), /link.state.*too large/);
  assert.equal(
    ledger.outgoing(1_000).reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
    bytes,
  );
});

test('what had to go is counted for good and logged once an episode', (t) => {
  const bench = benchLedger(t, { outboxBounds: { rows: 10, bytes: 1e6 } });
  const lines = (event: string) =>
    bench.lines.filter((line) => line.includes(`"${event}"`)).map((line) => JSON.parse(line));
  for (let i = 0; i < 15; i++) tellHeartbeat(bench.ledger);
  assert.equal(bench.ledger.summary().eventsDropped, 5);
  assert.equal(bench.ledger.summary().outgoing, 10);
  assert.equal(lines('outbox.full').length, 1);
  for (const { eventId } of bench.ledger.outgoing(5)) bench.ledger.settleOutgoing(eventId);
  assert.deepEqual(
    lines('outbox.room-again').map(({ dropped }) => dropped),
    [5],
  );
  for (let i = 0; i < 8; i++) tellHeartbeat(bench.ledger);
  assert.equal(lines('outbox.full').length, 2, 'a new episode');
  assert.equal(bench.reopen().summary().eventsDropped, 8);
});
