import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT } from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { until } from '../host-bench.ts';
import { deployed, effects, gate, useDurableHost } from './durable-rig.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const it = useDurableHost();
const { boot, reboot, pass, manage, start, raise, statusOf, countOf } = it;

test('an event before the timer completes the clip, cancels the timer and shows the custom status', async () => {
  await start('clip', 'clip-1', { clip: 'a' });
  assert.deepEqual((await statusOf('clip-1')).customStatus, { step: 'asking' });
  assert.equal(await raise('clip-1', 'JUDGED', { person: true }), 202);
  const status = await statusOf('clip-1');
  assert.equal(status.runtimeStatus, 'Completed');
  assert.deepEqual(status.output, { ok: true, verdict: { person: true } });
  assert.deepEqual(status.customStatus, { step: 'judged' });
  assert.deepEqual(
    effects.filter((one) => one.startsWith('Echo')),
    ['Echo {"ask":"a"}', 'Echo {"complete":"a"}'],
  );
});

test('the timer before an event escalates after 360 seconds, and a late event is answered with 410', async () => {
  await start('clip', 'clip-2', { clip: 'b' });
  await pass(6 * MINUTE_MS - 1);
  assert.equal((await statusOf('clip-2')).runtimeStatus, 'Running');
  await pass(1);
  assert.deepEqual((await statusOf('clip-2')).output, { ok: false, reason: 'too late' });
  assert.equal(await raise('clip-2', 'JUDGED', {}), 410);
  const swallowed = await fetch(`${it.base}/api/client/clip-2/raise?event=JUDGED`, {
    method: 'POST',
    body: '{}',
  });
  assert.equal(swallowed.status, 200, 'the client library swallows the 410');
});

test('a timer that is not cancelled keeps the instance running until it fires', async () => {
  await start('forgets-timer', 'forgets-1');
  await raise('forgets-1', 'GO', null);
  assert.equal((await statusOf('forgets-1')).runtimeStatus, 'Running');
  await pass(6 * MINUTE_MS);
  assert.equal((await statusOf('forgets-1')).runtimeStatus, 'Completed');
});

test('an exception of an activity reaches the catch of the orchestrator', async () => {
  await start('catches', 'catches-1');
  assert.equal((await statusOf('catches-1')).output, 'notified');
  assert.ok(effects.includes('Echo {"notify":true}'));
});

test('a retry succeeds on the third try, after waits of 5 and 10 seconds', async () => {
  await start('retries', 'retries-1', 'k1');
  assert.equal(effects.length, 1);
  await pass(5000);
  assert.equal(effects.length, 2);
  await pass(9999);
  assert.equal(effects.length, 2);
  await pass(1);
  assert.equal((await statusOf('retries-1')).output, 'at last');
  assert.equal(countOf('retries-1', EVENT.timerFired), 2);
});

test('a retry that is exhausted fails the instance with the message of the last error', async () => {
  await start('gives-up', 'gives-up-1');
  await pass(MINUTE_MS);
  const status = await statusOf('gives-up-1');
  assert.equal(status.runtimeStatus, 'Failed');
  assert.match(String(status.output), /FailAlways.*never/);
  assert.equal(effects.length, 3);
  assert.equal(countOf('gives-up-1', EVENT.timerFired), 3);
});

test('a timer of 20 days is six timers, and survives a restart of the host', async () => {
  await start('twenty-days', 'days-1');
  await pass(10 * DAY_MS);
  await reboot();
  const beganMs = Date.parse(it.host.history.eventsOf('days-1')[0]?.Timestamp ?? '');
  await pass(10 * DAY_MS);
  assert.equal((await statusOf('days-1')).output, new Date(beganMs + 20 * DAY_MS).toISOString());
  assert.equal(countOf('days-1', EVENT.timerCreated), 6);
});

test('fifty rounds of continueAsNew keep the history short', async () => {
  await start('monitor', 'monitor-1', { round: 0 });
  for (let round = 0; round < 51; round += 1) {
    assert.ok(it.host.history.eventsOf('monitor-1').length < 10);
    await pass(MINUTE_MS);
  }
  assert.deepEqual((await statusOf('monitor-1')).output, { rounds: 50 });
  assert.equal(effects.filter((one) => one.startsWith('Echo')).length, 51);
});

test('three sub-orchestrations fan out and in; a child may be named; a failing child fails its parent', async () => {
  await start('fan-out', 'fan-1', [1, 2, 3]);
  assert.deepEqual((await statusOf('fan-1')).output, [10, 20, 30]);
  const second = it.host.history
    .eventsOf('fan-1')
    .find((event) => event.EventType === EVENT.subOrchestrationCreated && event.EventId === 1);
  assert.equal((await statusOf(second?.InstanceId ?? '')).runtimeStatus, 'Completed');
  await start('named-child', 'named-1');
  assert.equal((await statusOf('my-child')).output, 70);
  await start('fan-out', 'fan-2', [1, -2]);
  const status = await statusOf('fan-2');
  assert.equal(status.runtimeStatus, 'Failed');
  assert.match(String(status.output), /-2 is negative/);
});

test('two waiters for one event name complete last first', async () => {
  await start('two-waiters', 'lifo-1');
  await raise('lifo-1', 'X', 'first');
  await raise('lifo-1', 'X', 'second');
  assert.deepEqual((await statusOf('lifo-1')).output, ['second', 'first']);
});

test('an event raised before it is waited for is kept', async () => {
  await start('waits-late', 'early-1');
  await raise('early-1', 'EARLY', 42);
  await pass(MINUTE_MS);
  assert.equal((await statusOf('early-1')).output, 42);
});

test('continueAsNew drops events nobody waited for', async () => {
  await start('drops-events', 'drops-1', 0);
  await raise('drops-1', 'EARLY', 'lost');
  await pass(MINUTE_MS);
  assert.equal((await statusOf('drops-1')).runtimeStatus, 'Running');
  await raise('drops-1', 'EARLY', 'kept');
  assert.equal((await statusOf('drops-1')).output, 'kept');
});

test('code that was changed under a running instance fails it instead of going wrong', async () => {
  await start('changes', 'changes-1');
  deployed.extraActivity = true;
  try {
    await raise('changes-1', 'GO', null);
  } finally {
    deployed.extraActivity = false;
  }
  const status = await statusOf('changes-1');
  assert.equal(status.runtimeStatus, 'Failed');
  assert.match(
    String(status.output),
    /^Non-Deterministic workflow detected: .* activity task with sequence number 0 named 'Echo'/,
  );
});

test('a task yielded in two Task.any is scheduled twice, as durable-js#574 has it', async () => {
  await start('yields-a-task-twice', 'twice-1');
  await raise('twice-1', 'B', null);
  assert.equal(countOf('twice-1', EVENT.taskScheduled), 2);
});

test('values of every kind reach an activity and come back, but a bare boolean as a text, as on Azure', async () => {
  await start('values', 'values-1');
  const expected = ['text', '5', '', 5, 1.5, 'True', null, { a: [1] }, 'ünïcode "quoted"', null];
  assert.deepEqual((await statusOf('values-1')).output, expected);
});

test('hooks of the app run around an invocation', async () => {
  await start('child', 'hooks-1', 1);
  assert.deepEqual(effects, ['hook:pre', 'Echo 10', 'hook:post']);
});

test('entities and unknown activities fail the instance with a clear message', async () => {
  await start('uses-entity', 'entity-1');
  assert.match(String((await statusOf('entity-1')).output), /does not emulate callEntity/);
  await start('calls-unknown', 'unknown-1');
  assert.match(String((await statusOf('unknown-1')).output), /'NoSuchActivity' doesn't exist/);
});

test('a host that is stopped waits for the activity under way, and the next host does not run it again', async () => {
  const held = Promise.withResolvers<void>();
  gate.open = held.promise;
  assert.equal((await manage('orchestrators/holds/h1', { method: 'POST' })).status, 202);
  await until('it runs', () => effects.includes('Held'));
  let isStopped = false;
  const stopping = it.host.stop().then(() => (isStopped = true));
  for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isStopped, false);
  held.resolve();
  await stopping;
  await boot();
  await it.host.atRest();
  assert.deepEqual(effects, ['Held']);
  assert.equal(it.host.history.instance('h1')?.status, 'Completed');
});
