import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openDatabase, setting, type Db } from '../../../../../../cloud-fn/local/iot-hub/store/database.ts';
import { createDevices, type Devices } from '../../../../../../cloud-fn/local/iot-hub/store/devices.ts';
import {
  createFeedback,
  type Ack,
  type Feedback,
} from '../../../../../../cloud-fn/local/iot-hub/store/feedback.ts';
import { createMessages, type Messages } from '../../../../../../cloud-fn/local/iot-hub/store/messages.ts';
import { createTickets } from '../../../../../../cloud-fn/local/iot-hub/store/tickets.ts';
import { twinSize } from '../../../../../../cloud-fn/local/iot-hub/store/twin-rules.ts';
import {
  createTwins,
  mergePatch,
  TwinTooLarge,
} from '../../../../../../cloud-fn/local/iot-hub/store/twins.ts';

let dir: string;
let db: Db;
let nowMs: number;
let devices: Devices;
let feedback: Feedback;
let messages: Messages;
let written: number;

function open(): void {
  db = openDatabase(dir);
  devices = createDevices(db);
  feedback = createFeedback({
    db,
    devices,
    nowMs: () => nowMs,
    onFeedback: () => {
      written += 1;
    },
  });
  messages = createMessages({ db, feedback, nowMs: () => nowMs });
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-hub-store-'));
  nowMs = Date.UTC(2026, 10, 21);
  written = 0;
  open();
  devices.put({ deviceId: 'pi' });
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

const enqueue = (messageId: string, ack: Ack = 'full', expiresMs: number | null = null) =>
  messages.enqueue({
    deviceId: 'pi',
    messageId,
    ack,
    expiresMs,
    properties: [],
    body: Buffer.from(messageId),
  });
const waiting = () => messages.waiting('pi').map(({ body }) => body.toString());
const outcomes = () =>
  feedback.waiting(100).map(({ record }) => [record.originalMessageId, record.statusCode]);

test('a hub that was made before devices had certificates keeps its devices, and takes certificates', () => {
  for (const name of ['primary_thumbprint', 'secondary_thumbprint'])
    db.exec(`ALTER TABLE devices DROP COLUMN ${name}`);
  const key = db.prepare('SELECT primary_key FROM devices').pluck().get();
  db.close();
  open();
  const kept = devices.get('pi');
  assert.deepEqual([kept?.primaryKey, kept?.primaryThumbprint, kept?.secondaryThumbprint], [key, null, null]);
  const thumbprint = 'A'.repeat(64);
  devices.put({ deviceId: 'pi', primaryThumbprint: thumbprint });
  assert.equal(devices.get('pi')?.primaryThumbprint, thumbprint);
  devices.put({ deviceId: 'pi', status: 'disabled' });
  assert.equal(devices.get('pi')?.primaryThumbprint, thumbprint, 'what is not named stays');
});

test('a second hub on the same folder is refused, and keys outlive the first', () => {
  assert.throws(() => openDatabase(dir), /cannot be opened/);
  const key = devices.get('pi')?.primaryKey;
  const policy = setting(db, 'service-key', () => 'first');
  db.close();
  open();
  assert.equal(devices.get('pi')?.primaryKey, key);
  assert.equal(
    setting(db, 'service-key', () => 'second'),
    policy,
  );
});

test('messages wait in order, over a restart too, and leave when they are completed', () => {
  for (const id of ['a', 'b', 'c']) assert.ok(enqueue(id));
  db.close();
  open();
  assert.deepEqual(waiting(), ['a', 'b', 'c']);
  const [first] = messages.waiting('pi');
  messages.complete(first?.sequence ?? 0);
  messages.complete(first?.sequence ?? 0);
  assert.deepEqual(waiting(), ['b', 'c']);
  assert.deepEqual(outcomes(), [['a', 'Success']]);
});

test('feedback is given for what was asked, and no other', () => {
  for (const ack of ['none', 'positive', 'negative', 'full'] as const) enqueue(`late-${ack}`, ack, nowMs + 1);
  nowMs += 1;
  assert.deepEqual(waiting(), []);
  for (const ack of ['none', 'positive', 'negative', 'full'] as const) enqueue(`good-${ack}`, ack);
  for (const { sequence } of messages.waiting('pi')) messages.complete(sequence);
  assert.deepEqual(outcomes(), [
    ['late-negative', 'Expired'],
    ['late-full', 'Expired'],
    ['good-positive', 'Success'],
    ['good-full', 'Success'],
  ]);
  assert.equal(written, 4);
});

test('a message lives an hour by itself, and two days at most', () => {
  enqueue('hour');
  enqueue('year', 'none', nowMs + 365 * 86_400_000);
  nowMs += 3_600_000 - 1;
  assert.deepEqual(waiting(), ['hour', 'year']);
  nowMs += 1;
  assert.deepEqual(waiting(), ['year']);
  nowMs += 2 * 86_400_000 - 3_600_000;
  assert.deepEqual(waiting(), []);
});

test('the fifty-first message is refused, but not when an old one expires', () => {
  for (let n = 0; n < 50; n += 1) assert.ok(enqueue(`${n}`, 'none', nowMs + (n === 0 ? 10 : 1000)));
  assert.equal(enqueue('too many'), false);
  nowMs += 10;
  assert.ok(enqueue('fits'));
});

test('the eleventh delivery does not happen', () => {
  enqueue('poison');
  const sequence = messages.waiting('pi')[0]?.sequence ?? 0;
  for (let n = 0; n < 10; n += 1) assert.ok(messages.countDelivery(sequence));
  assert.equal(messages.countDelivery(sequence), false);
  assert.deepEqual(waiting(), []);
  assert.deepEqual(outcomes(), [['poison', 'DeliveryCountExceeded']]);
});

test('a device that is removed takes its twin, messages and tickets with it', () => {
  const twins = createTwins(db);
  const tickets = createTickets({ db, nowMs: () => nowMs });
  enqueue('a');
  tickets.open('pi', 'x');
  const before = devices.get('pi');
  assert.ok(devices.remove('pi'));
  assert.deepEqual([twins.get('pi'), waiting(), tickets.openCount('pi')], [undefined, [], 0]);
  const again = devices.put({ deviceId: 'pi' });
  assert.notEqual(again.primaryKey, before?.primaryKey);
  assert.notEqual(again.generationId, before?.generationId);
});

test('ten tickets are open at most; a return or an hour makes room', () => {
  const tickets = createTickets({ db, nowMs: () => nowMs });
  const open = Array.from({ length: 10 }, (_, n) => tickets.open('pi', `${n}`));
  assert.equal(tickets.open('pi', 'x'), undefined);
  const first = open[0]?.correlationId ?? '';
  assert.equal(tickets.close('another', first), false);
  assert.equal(tickets.close('pi', first), true);
  assert.equal(tickets.close('pi', first), false);
  assert.ok(tickets.open('pi', 'x'));
  nowMs += 3_600_000;
  assert.equal(tickets.openCount('pi'), 0);
});

test('a patch merges objects, replaces the rest, deletes with null and leaves the hub its own keys', () => {
  const merged = mergePatch(
    { a: { b: 1, c: [1, 2] }, d: 1, e: 'x' },
    { a: { b: null, c: [3], n: { m: null, o: 1 } }, d: { f: 2 }, $version: 9 },
  );
  assert.deepEqual(merged, { a: { c: [3], n: { o: 1 } }, d: { f: 2 }, e: 'x' });
});

test('twins count their versions apart, and keep nothing of what is too large', () => {
  const twins = createTwins(db);
  assert.equal(twins.report('pi', { a: 1 }), 2);
  assert.equal(twins.report('pi', { b: 2 }), 3);
  const changed = twins.change('pi', { desired: { x: 1 }, tags: { site: 'a' }, replace: false });
  assert.deepEqual([changed?.desiredVersion, changed?.desired, changed?.tags], [2, { x: 1 }, { site: 'a' }]);
  assert.throws(() => twins.report('pi', { big: 'x'.repeat(33_000) }), TwinTooLarge);
  assert.throws(() => twins.change('pi', { tags: { big: 'x'.repeat(9_000) }, replace: false }), TwinTooLarge);
  const replaced = twins.change('pi', { desired: { y: 2 }, replace: true });
  assert.deepEqual(
    [replaced?.desired, replaced?.desiredVersion, replaced?.tags],
    [{ y: 2 }, 3, { site: 'a' }],
  );
  assert.deepEqual([twins.get('pi')?.reported, twins.get('pi')?.reportedVersion], [{ a: 1, b: 2 }, 3]);
  assert.equal(twins.change('stranger', { desired: {}, replace: false }), undefined);
});

test('tags take eight kilobytes, and not a byte more', () => {
  const twins = createTwins(db);
  const tags = (last: number) => ({ a: 'x'.repeat(4_000), b: 'x'.repeat(4_000), c: 'x'.repeat(last) });
  const left = 8_192 - twinSize(tags(0));
  assert.ok(twins.change('pi', { tags: tags(left), replace: false }));
  assert.throws(() => twins.change('pi', { tags: tags(left + 1), replace: false }), TwinTooLarge);
  assert.deepEqual(twins.get('pi')?.tags, tags(left));
});
