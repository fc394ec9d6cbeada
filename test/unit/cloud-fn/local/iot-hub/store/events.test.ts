import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openDatabase, type Db } from '../../../../../../cloud-fn/local/iot-hub/store/database.ts';
import { createEvents, type Events } from '../../../../../../cloud-fn/local/iot-hub/store/events.ts';

let dir: string;
let db: Db;
let nowMs: number;
let events: Events;
const open = (limits: { limit?: number; limitBytes?: number } = {}) => {
  db = openDatabase(dir);
  events = createEvents({ db, nowMs: () => nowMs, ...limits });
};
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-hub-events-'));
  nowMs = Date.UTC(2026, 10, 21);
});
afterEach(() => {
  if (db.open) db.close();
  rmSync(dir, { recursive: true, force: true });
});

const record = (text: string, deviceId = 'pi') =>
  events.record({ deviceId, kind: 'telemetry', topic: '', body: Buffer.from(text) });
const connection = (deviceId: string, state: string) =>
  events.record({ deviceId, kind: 'connection', topic: '', body: Buffer.from(JSON.stringify({ state })) });
const kept = (query: { after?: number; deviceId?: string } = {}) =>
  events.list({ after: 0, limit: 100, ...query }).map(({ body }) => body.toString());

test('events come in order, from behind a sequence, of one device or of all, and outlive a restart', () => {
  open();
  for (const text of ['a', 'b', 'c']) record(text);
  record('other', 'shed');
  db.close();
  open();
  assert.deepEqual(kept(), ['a', 'b', 'c', 'other']);
  assert.deepEqual(kept({ after: 2 }), ['c', 'other']);
  assert.deepEqual(kept({ deviceId: 'shed' }), ['other']);
  assert.deepEqual([events.oldest(), events.newest()], [1, 4]);
});

test('beyond the limit the oldest go, and a sequence is never used again', () => {
  open({ limit: 3 });
  for (const text of ['a', 'b', 'c', 'd']) record(text);
  assert.deepEqual(kept(), ['b', 'c', 'd']);
  assert.deepEqual([events.oldest(), events.newest()], [2, 4]);
  db.exec('DELETE FROM events');
  assert.deepEqual([events.oldest(), events.newest()], [5, 4]);
  record('e');
  assert.equal(events.newest(), 5);
});

test('beyond the limit of bytes the oldest go, also after a restart; the newest stays', () => {
  open({ limitBytes: 10 });
  for (const text of ['aaaa', 'bbbb', 'cccc']) record(text);
  assert.deepEqual(kept(), ['bbbb', 'cccc']);
  db.close();
  open({ limitBytes: 10 });
  record('dddd');
  assert.deepEqual(kept(), ['cccc', 'dddd']);
  record('e'.repeat(50));
  assert.deepEqual(kept(), ['e'.repeat(50)]);
});

test('a moment in the past is found, and one before everything is the beginning', () => {
  open();
  record('old');
  nowMs += 60_000;
  record('new');
  assert.equal(events.newestBefore(nowMs), 1);
  assert.equal(events.newestBefore(0), 0);
});

test('a listener hears of each event until it leaves', () => {
  open();
  let heard = 0;
  const leave = events.subscribe(() => {
    heard += 1;
  });
  record('a');
  leave();
  record('b');
  assert.equal(heard, 1);
});

test('connections that nobody ended are found, and what comes after the end is not written', () => {
  open();
  connection('pi', 'connected');
  connection('shed', 'connected');
  connection('shed', 'disconnected');
  record('"connected"', 'barn');
  assert.deepEqual(events.stillConnected(), ['pi']);
  db.close();
  assert.doesNotThrow(() => connection('pi', 'disconnected'));
});
