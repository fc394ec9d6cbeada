import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, TELEMETRY_DATA, Telemetry, type TelemetryEvent } from '@dachawatch/contracts';
import Sqlite from 'better-sqlite3';
import { isOwnClipId } from '../../../../../agent/ledger/clips/clip-id.ts';
import { openDatabase } from '../../../../../agent/ledger/database/database.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { inspectLedger } from '../../../../../agent/ledger/check/inspect.ts';
import type { Ledger } from '../../../../../agent/ledger/ledger.ts';
import { MIGRATIONS } from '../../../../../agent/ledger/database/migrations.ts';
import { benchLedger, uploadNext, verdictFor, writeClip } from '../bench.ts';

/** What waits, read by the contract: `event` and what it says. */
const told = (ledger: Ledger) =>
  ledger.outgoing(100_000).map(({ eventId, event, body }) => {
    const message = parse(Telemetry, JSON.parse(body));
    assert.equal(message.eventId, eventId);
    assert.equal(message.event, event);
    assert.ok(isOwnClipId(eventId), eventId);
    const data: Record<string, unknown> = parse(TELEMETRY_DATA[message.event], message.data);
    return { ...message, data };
  });
const events = (ledger: Ledger) => told(ledger).map(({ event }) => event);
const link = (detail: string) => ({ state: 'offline', detail }) as const;
const tellHeartbeat = (ledger: Ledger) =>
  ledger.tell('heartbeat', {
    backlog: { waiting: 0, awaitingVerdict: 0, events: 0 },
    camerasLive: 1,
    cameras: 1,
  });
const tellSuppressed = (ledger: Ledger) =>
  ledger.tell('trigger.suppressed', {
    cameraId: 'gate',
    hourUtc: '2026-06-01T11:00:00.000Z',
    reasons: { 'too-small': 3 },
  });
const tellPower = (ledger: Ledger) =>
  ledger.tell('power.state', { state: 'on-battery', sinceUtc: '2026-06-01T12:00:00.000Z' });

test('an event waits until the hub has it, also when the agent was ended in between', (t) => {
  const bench = benchLedger(t);
  bench.ledger.tell('link.state', link('cable'));
  const [event] = told(bench.reopen());
  assert.deepEqual(event?.data, { state: 'offline', detail: 'cable' });
  assert.equal(event?.deviceTimeUtc, '2026-06-01T12:00:00.000Z');
  assert.equal(event?.monotonicMs, 1_000);
  assert.equal(event?.clockQuality, 'unsynchronised', 'before this program was written');
  assert.equal(bench.ledger.summary().outgoing, 1);
  bench.ledger.settleOutgoing(event.eventId);
  assert.equal(bench.ledger.summary().outgoing, 0);
  assert.deepEqual(told(bench.reopen()), []);
});

test('settling twice, or what never waited, changes nothing', (t) => {
  const { ledger } = benchLedger(t);
  ledger.tell('link.state', link('first'));
  ledger.tell('link.state', link('second'));
  const [first] = ledger.outgoing(1);
  for (const id of [first!.eventId, first!.eventId, '01M00000000000000000000000', ''])
    ledger.settleOutgoing(id);
  assert.deepEqual(
    told(ledger).map(({ data }) => data['detail']),
    ['second'],
  );
});

test('events are given oldest first, although the clock was set back a year, and an id never comes twice', async (t) => {
  const bench = benchLedger(t);
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    bench.ledger.tell('link.state', link(String(i)));
    if (i === 2) bench.clock.setWall(Date.UTC(2025, 5, 1));
    if (i === 3) bench.reopen();
    await bench.clock.advance(5);
    const newest = told(bench.ledger).at(-1)!;
    ids.push(newest.eventId);
    assert.equal(newest.data['detail'], String(i));
    if (i % 2 === 0) bench.ledger.settleOutgoing(newest.eventId);
  }
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
});

test('every way of a clip is told, once a move, by the move itself', async (t) => {
  const bench = benchLedger(t);
  const { ledger } = bench;
  const clip = bench.sealed(1_000);
  const written = { ...clip, startedMs: 0, preRollMs: 0, durationMs: 1, bytes: 1_000, sha256: clip.sha256! };
  ledger.sealClip(clip.clipId, written);
  const late = ledger.leaseNext()!;
  ledger.settleFailed(late, 'storage is away', 0);
  assert.equal(ledger.settleUploaded(late, 'https://storage/late'), false);
  uploadNext(ledger);
  ledger.applyVerdict(verdictFor(clip.clipId));
  const second = bench.open();
  ledger.loseClip(second.clipId, 'the camera went away');
  const parked = bench.sealed(500, 'yard');
  ledger.settleParked(ledger.leaseNext()!, 'refused');
  await ledger.returnToQueue(parked.clipId, 'try again');
  uploadNext(ledger);
  await ledger.returnToQueue(parked.clipId, 'the blob is gone');
  const asked = ledger.leaseNext()!;
  ledger.noteNotInStorage(asked, 'storage does not have it');
  ledger.settleFailed(asked, 'its file cannot be read', 0);
  rmSync(parked.file);
  await ledger.check({ repair: true });
  const blobUrl = (name: string) => `https://storage/${name}`;
  assert.deepEqual(
    told(ledger).map(({ event, data }) => [event, data]),
    [
      [
        'clip.sealed',
        {
          clipId: clip.clipId,
          cameraId: 'gate',
          triggeredUtc: '2026-06-01T12:00:00.000Z',
          durationMs: 30_000,
          bytes: 1_000,
        },
      ],
      [
        'clip.uploaded',
        { clipId: clip.clipId, cameraId: 'gate', blobUrl: blobUrl(clip.blobName), attempt: 2 },
      ],
      ['clip.lost', { clipId: second.clipId, cameraId: 'gate', reason: 'the camera went away' }],
      [
        'clip.sealed',
        {
          clipId: parked.clipId,
          cameraId: 'yard',
          triggeredUtc: '2026-06-01T12:00:00.000Z',
          durationMs: 30_000,
          bytes: 500,
        },
      ],
      [
        'clip.uploaded',
        { clipId: parked.clipId, cameraId: 'yard', blobUrl: blobUrl(parked.blobName), attempt: 2 },
      ],
      ['clip.lost', { clipId: parked.clipId, cameraId: 'yard', reason: 'its file was missing at check' }],
    ],
  );
});

test('what the budget gives up is told as lost; a file that goes after its upload is not', (t) => {
  const { ledger, sealed } = benchLedger(t, { maxBytes: 40_000 });
  sealed(10_000);
  uploadNext(ledger);
  const unsent = Array.from({ length: 5 }, () => sealed(10_000));
  const lost = told(ledger).filter(({ event }) => event === 'clip.lost');
  assert.deepEqual(
    lost.map(({ data }) => data),
    [{ clipId: unsent[0]!.clipId, cameraId: 'gate', reason: 'file removed: byte budget' }],
  );
});

test('a torn clip is told as sealed when it was put right, as lost when nothing was left of it or it was set aside', async (t) => {
  const broken = new Set<string>();
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      if (broken.has(file)) throw new Error('not a clip at all');
      return file.includes('whole') ? { durationMs: 1_500, bytes: 700, sha256: 'a'.repeat(64) } : undefined;
    },
  });
  const whole = bench.open('whole');
  writeClip(whole.partFile, 700);
  const empty = bench.open('empty');
  writeFileSync(empty.partFile, '');
  const bad = bench.open('bad');
  writeFileSync(bad.partFile, 'garbage');
  broken.add(bad.partFile);
  for (let start = 0; start < 4; start++) await bench.reopen().check({ repair: true });
  const outcome = new Map(told(bench.ledger).map(({ event, data }) => [data['clipId'], event]));
  assert.equal(told(bench.ledger).length, 3, 'once each');
  assert.equal(outcome.get(whole.clipId), 'clip.sealed');
  assert.equal(outcome.get(empty.clipId), 'clip.lost');
  assert.equal(outcome.get(bad.clipId), 'clip.lost');
});

test('a move that does not happen tells nothing, and does not wake the sender', (t) => {
  let woken = 0;
  const { ledger, sealed, open } = benchLedger(t, { onEvent: () => woken++ });
  const clip = sealed();
  assert.equal(woken, 1);
  assert.throws(() => ledger.loseClip(clip.clipId.replace(/.$/, '~'), 'no such clip'));
  uploadNext(ledger);
  ledger.applyVerdict(verdictFor(clip.clipId));
  assert.equal(woken, 2);
  assert.throws(() => ledger.loseClip(clip.clipId, 'judged clips are not lost'));
  const other = open();
  assert.throws(() =>
    ledger.sealClip(other.clipId, { startedMs: 0, preRollMs: 0, durationMs: 1, bytes: 9, sha256: 'x' }),
  );
  assert.equal(woken, 2);
  assert.deepEqual(events(ledger), ['clip.sealed', 'clip.uploaded']);
});

test('an event that cannot be written takes the move of its clip back', (t) => {
  const bench = benchLedger(t, { clockQuality: () => assert.fail('no clock today') });
  const clip = bench.open();
  assert.throws(() => bench.ledger.loseClip(clip.clipId, 'the camera went away'));
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'recording');
  assert.deepEqual(events(bench.ledger), []);
});

test('the sender is woken after the commit: it finds the event from another connection', (t) => {
  const seen: number[] = [];
  const bench = benchLedger(t, {
    onEvent: () => {
      const db = new Sqlite(ledgerFile(bench.dir), { readonly: true });
      seen.push(db.prepare<[], number>('SELECT count(*) FROM outbox').pluck().get() ?? 0);
      db.close();
    },
  });
  bench.ledger.tell('link.state', link('cable'));
  bench.sealed();
  assert.deepEqual(seen, [1, 2]);
});

test('a full outbox drops heartbeats, then suppressed triggers, then the oldest; lost clips and power go last', (t) => {
  const { ledger } = benchLedger(t, { outboxBounds: { rows: 5, bytes: 1e6 } });
  tellPower(ledger);
  ledger.tell('link.state', link('first'));
  tellHeartbeat(ledger);
  tellSuppressed(ledger);
  ledger.tell('link.state', link('second'));
  const steps: TelemetryEvent[][] = [];
  for (let i = 0; i < 6; i++) {
    if (i < 3) ledger.tell('camera.state', { cameraId: `c${i}`, state: 'down' });
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
    'camera.state': () => () => ledger.tell('camera.state', { cameraId: 'gate', state: 'down' }),
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

test('no secret is stored with an event', (t) => {
  const { ledger } = benchLedger(t);
  ledger.tell('camera.state', {
    cameraId: 'gate',
    state: 'down',
    detail:
      'rtsp://watch:s3cret@10.0.0.9/1 answered 401, password="s3cret", see https://blob/x?sv=1&sig=s3cret',
  });
  const [{ body } = { body: '' }] = ledger.outgoing(1);
  assert.match(body, /answered 401/);
  assert.doesNotMatch(body, /s3cret/);
  JSON.parse(body);
});

test('the check finds events that cannot be what was told; a repair takes them out, counts them, and the next check finds nothing', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  bench.ledger.tell('link.state', link('a'));
  bench.ledger.tell('link.state', link('b'));
  bench.ledger.close();
  const db = new Sqlite(ledgerFile(bench.dir));
  const body = (event: string) =>
    db.prepare('SELECT body FROM outbox WHERE event = ? LIMIT 1').pluck().get(event) as string;
  const change = db.prepare('UPDATE outbox SET body = ? WHERE event_id = ?');
  const whole = body('link.state');
  const ids = db.prepare<[], string>('SELECT event_id FROM outbox ORDER BY event_id').pluck().all();
  change.run(
    body('clip.sealed').replace(/"clipId":"[^"]+"/, '"clipId":"01M00000000000000000000000"'),
    ids[0],
  );
  change.run('{ not JSON', ids[1]);
  change.run(whole, ids[2]);
  db.prepare('INSERT INTO outbox VALUES (?, ?, 2, 10, ?)').run(
    '7ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    'link.state',
    JSON.stringify({ ...JSON.parse(exampleOf('link.state')), eventId: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' }),
  );
  db.close();

  const look = inspectLedger(bench.dir);
  const seen = await look.check({ deep: false });
  look.close();
  const problems = [/what never happened/, /is not JSON/, /says it is another one/, /never given/];
  assert.equal(seen.problems.length, problems.length);
  for (const [index, pattern] of problems.entries()) assert.match(seen.problems[index]!.problem, pattern);

  bench.ledger = { ...bench.ledger, close: () => undefined };
  const repaired = await bench.reopen().check({ repair: true });
  assert.equal(repaired.problems.length, problems.length);
  assert.match(repaired.problems[0]!.problem, /it was taken out$/);
  assert.equal(bench.ledger.summary().eventsDropped, problems.length);
  const after = await bench.ledger.check({ repair: false, deep: true });
  assert.deepEqual(after, { clips: 1, ok: 1, repaired: 0, repairable: 0, problems: [] });
});

test('events of a newer program that was rolled back are left alone, and can be sent', async (t) => {
  const bench = benchLedger(t);
  bench.ledger.tell('link.state', link('ours'));
  const db = new Sqlite(ledgerFile(bench.dir));
  const ids = ['01A00000000000000000000000', '01B00000000000000000000000'];
  const add = db.prepare('INSERT INTO outbox VALUES (?, ?, 2, 10, ?)');
  add.run(
    ids[0],
    'door.bell',
    exampleOf('link.state').replace('link.state', 'door.bell').replace(/01M0+/, ids[0]!),
  );
  add.run(
    ids[1],
    'link.state',
    JSON.stringify({ schema: 'dachawatch/telemetry/2', eventId: ids[1], event: 'link.state', news: {} }),
  );
  db.close();
  assert.deepEqual((await bench.ledger.check({ repair: true })).problems, []);
  assert.deepEqual(
    bench.ledger.outgoing(2).map(({ eventId }) => eventId),
    ids,
  );
});

const exampleOf = (event: TelemetryEvent): string =>
  JSON.stringify({
    schema: 'dachawatch/telemetry/1',
    eventId: '01M00000000000000000000000',
    event,
    deviceTimeUtc: '2026-06-01T12:00:00.000Z',
    monotonicMs: 1,
    clockQuality: 'synchronised',
    data: { state: 'online' },
  });

test('the ledger of a program that had no outbox yet can be looked at, gains one when opened, and goes back again', async (t) => {
  const bench = benchLedger(t);
  bench.ledger.close();
  bench.ledger = { ...bench.ledger, close: () => undefined };
  rmSync(bench.dir, { recursive: true });
  openDatabase(bench.dir, MIGRATIONS.slice(0, 1)).close();
  const look = inspectLedger(bench.dir);
  assert.deepEqual((await look.check({ deep: false })).problems, []);
  look.close();
  bench.reopen();
  bench.sealed();
  assert.deepEqual(events(bench.ledger), ['clip.sealed']);
  bench.ledger.close();
  bench.ledger = { ...bench.ledger, close: () => undefined };
  const old = openDatabase(bench.dir, MIGRATIONS.slice(0, 1));
  assert.equal(old.prepare('SELECT count(*) FROM clips').pluck().get(), 1);
  old.close();
});
