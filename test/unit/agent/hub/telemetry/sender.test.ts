import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSender } from '../../../../../agent/hub/telemetry/sender.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import type { OutgoingEvent } from '../../../../../agent/ledger/ledger.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

interface Sent {
  readonly eventId: string;
  acknowledge(): void;
  refuse(failure: Failure): void;
}

/** A sender whose acknowledgements the test gives, over an outbox in memory that can fail. */
function bench(count: number) {
  const clock = createFakeClock();
  const book = createLogBook();
  const stored = new Map<string, OutgoingEvent>();
  const settled: string[] = [];
  const sent: Sent[] = [];
  let broken = false;
  let over = new AbortController();
  const check = () => {
    if (broken) throw new Failure('transient', 'ledger.busy', 'the database is busy');
  };
  const add = (eventId: string) => stored.set(eventId, { eventId, event: 'heartbeat', body: '{}' });
  for (let n = 1; n <= count; n += 1) add(`e${n}`);
  const sender = createSender({
    outbox: {
      outgoing: (limit) => {
        check();
        return [...stored.values()].slice(0, limit);
      },
      settleOutgoing: (eventId) => {
        check();
        stored.delete(eventId);
        settled.push(eventId);
      },
    },
    retry: { minMs: 500, maxMs: 60_000 },
    random: () => 0.5,
    onProgress: () => {},
    clock,
    log: book.log,
  });
  return {
    clock,
    book,
    sender,
    sent,
    settled,
    add,
    drop: (eventId: string) => stored.delete(eventId),
    breaks: (isBroken: boolean) => {
      broken = isBroken;
    },
    ids: () => sent.map(({ eventId }) => eventId),
    connect: () => {
      over = new AbortController();
      const { signal } = over;
      sender.attach(
        {
          send: ({ eventId }) =>
            new Promise((resolve, reject) => {
              signal.addEventListener('abort', () => reject(new Failure('transient', 'hub.network', 'gone')));
              sent.push({ eventId, acknowledge: resolve, refuse: reject });
            }),
        },
        signal,
      );
    },
    cut: () => over.abort(),
  };
}

test('at most four are in flight, the oldest first, and each acknowledgement lets one follow', async () => {
  const { clock, connect, ids, sent, settled } = bench(6);
  connect();
  await clock.advance(0);
  assert.deepEqual(ids(), ['e1', 'e2', 'e3', 'e4']);
  sent[1]?.acknowledge();
  await clock.advance(0);
  assert.deepEqual(ids(), ['e1', 'e2', 'e3', 'e4', 'e5']);
  assert.deepEqual(settled, ['e2']);
  sent[0]?.acknowledge();
  await clock.advance(0);
  assert.deepEqual(ids().at(-1), 'e6');
});

test('nothing is settled without an acknowledgement, and what had none is sent again under the same id', async () => {
  const { clock, connect, cut, ids, sent, settled, sender } = bench(2);
  connect();
  await clock.advance(0);
  cut();
  await clock.advance(60_000);
  assert.deepEqual(settled, []);
  assert.equal(sender.isEmpty(), false);
  connect();
  await clock.advance(0);
  assert.deepEqual(ids(), ['e1', 'e2', 'e1', 'e2']);
  for (const one of sent.slice(2)) one.acknowledge();
  await clock.advance(0);
  assert.deepEqual(settled, ['e1', 'e2']);
  assert.equal(sender.isEmpty(), true);
});

test('an event stored later is sent when the sender is woken, and once', async () => {
  const { clock, connect, ids, sender, add } = bench(0);
  sender.wake();
  connect();
  add('late');
  for (let n = 0; n < 5; n += 1) sender.wake();
  await clock.advance(0);
  assert.deepEqual(ids(), ['late']);
});

test('an event that can never be sent is taken out, said, and does not hold up the others', async () => {
  const { clock, book, connect, sent, settled } = bench(2);
  connect();
  await clock.advance(0);
  sent[0]?.refuse(new Failure('rejected', 'hub.event-too-large', 'too large'));
  sent[1]?.acknowledge();
  await clock.advance(0);
  assert.deepEqual(settled, ['e1', 'e2']);
  assert.deepEqual(book.events('error'), ['telemetry.refused']);
});

test('an outbox that cannot be read is asked again, with longer and longer waits', async () => {
  const { clock, book, connect, ids, breaks, sender } = bench(1);
  breaks(true);
  connect();
  for (let n = 0; n < 50; n += 1) sender.wake();
  await clock.advance(3_000);
  assert.deepEqual(
    book.lines.map(({ fields }) => fields['retryInMs']),
    [500, 1000, 2000],
  );
  assert.equal(sender.isEmpty(), false);
  breaks(false);
  await clock.advance(4_000);
  assert.deepEqual(ids(), ['e1']);
});

test('an event that was acknowledged but could not be settled is settled later, not sent again', async () => {
  const { clock, connect, ids, sent, settled, breaks, sender } = bench(1);
  connect();
  await clock.advance(0);
  breaks(true);
  sent[0]?.acknowledge();
  await clock.advance(1_000);
  assert.deepEqual(settled, []);
  breaks(false);
  sender.wake();
  await clock.advance(4_000);
  assert.deepEqual([ids(), settled], [['e1'], ['e1']]);
});

test('nothing is left behind when the connection ends', async () => {
  const { clock, connect, cut, ids, breaks, sender } = bench(1);
  breaks(true);
  connect();
  await clock.advance(0);
  cut();
  await clock.advance(0);
  assert.equal(clock.sleepers(), 0);
  breaks(false);
  sender.wake();
  await clock.advance(60_000);
  assert.deepEqual(ids(), []);
});

test('events that a full outbox drops while they are in flight do not make room for more', async () => {
  const { clock, connect, ids, drop, sender, sent } = bench(8);
  connect();
  await clock.advance(0);
  for (const eventId of ['e1', 'e2', 'e3']) drop(eventId);
  sender.wake();
  await clock.advance(0);
  assert.deepEqual(ids(), ['e1', 'e2', 'e3', 'e4']);
  sent[0]?.acknowledge();
  await clock.advance(0);
  assert.deepEqual(ids().slice(4), ['e5']);
});
