import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@dachawatch/contracts';
import { mergePatch } from '../../../../../agent/hub/twin/merge-patch.ts';
import { createReportedProperties } from '../../../../../agent/hub/twin/reported-properties.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

const EVERY_MS = 2_000;

/** A reporter and a hub that holds what it acknowledged. */
function bench(held: Json = {}) {
  const clock = createFakeClock();
  const book = createLogBook();
  const patches: { atMs: number; patch: Json }[] = [];
  let answer: (patch: Json) => Promise<void> = async () => {};
  let over = new AbortController();
  let hub = held;
  let inFlight = 0;
  const reporter = createReportedProperties({
    everyMs: EVERY_MS,
    onProgress: () => {},
    clock,
    log: book.log,
  });
  return {
    clock,
    book,
    patches,
    reporter,
    hub: () => hub,
    answers: (next: typeof answer) => {
      answer = next;
    },
    connect: () => {
      over = new AbortController();
      reporter.attach(
        {
          twin: { desired: { version: 1, properties: {} }, reported: hub },
          report: async (patch) => {
            inFlight += 1;
            assert.equal(inFlight, 1, 'one patch in flight');
            patches.push({ atMs: clock.monotonicMs(), patch });
            try {
              await answer(patch);
              hub = mergePatch(hub, patch);
            } finally {
              inFlight -= 1;
            }
          },
        },
        over.signal,
      );
    },
    cut: () => over.abort(),
    sent: () => patches.map(({ patch }) => patch),
  };
}

test('only what the hub does not hold is sent, and what is not wanted any more is deleted', async () => {
  const { clock, reporter, connect, sent, hub } = bench({ old: 1, power: { state: 'unknown' } });
  reporter.want({ power: { state: 'unknown', volts: 12 } });
  assert.equal(reporter.state(), 'pending');
  connect();
  await clock.advance(0);
  assert.deepEqual(sent(), [{ old: null, power: { volts: 12 } }]);
  assert.deepEqual(hub(), { power: { state: 'unknown', volts: 12 } });
  assert.equal(reporter.state(), 'acknowledged');
});

test('a document that the hub holds already is not sent', async () => {
  const { clock, reporter, connect, sent } = bench({ a: { b: [1, { c: 2 }] } });
  connect();
  reporter.want({ a: { b: [1, { c: 2 }] }, absent: undefined });
  await clock.advance(60_000);
  assert.deepEqual(sent(), []);
  assert.equal(reporter.state(), 'acknowledged');
});

test('many changes become one patch each two seconds, with the last value of each', async () => {
  const { clock, reporter, connect, patches } = bench();
  connect();
  for (let n = 1; n <= 100; n += 1) {
    reporter.want({ n, even: n % 2 === 0 });
    await clock.advance(100);
  }
  await clock.advance(EVERY_MS);
  assert.equal(patches.length, 6);
  const gaps = patches.slice(1).map(({ atMs }, index) => atMs - (patches[index]?.atMs ?? 0));
  assert.ok(gaps.every((gap) => gap >= EVERY_MS));
  assert.deepEqual(patches.at(-1)?.patch['n'], 100);
});

test('changes during a slow answer wait for it and go together', async () => {
  const { clock, reporter, connect, answers, sent } = bench();
  const slow = Promise.withResolvers<void>();
  answers(() => slow.promise);
  connect();
  reporter.want({ a: 1 });
  await clock.advance(10_000);
  reporter.want({ a: 2 });
  reporter.want({ a: 2, b: 1 });
  await clock.advance(10_000);
  assert.deepEqual(sent(), [{ a: 1 }]);
  slow.resolve();
  await clock.advance(EVERY_MS);
  assert.deepEqual(sent(), [{ a: 1 }, { a: 2, b: 1 }]);
});

test('a patch whose answer was lost is compared anew with what the next connection reads', async () => {
  const { clock, reporter, connect, cut, answers, sent, hub } = bench();
  let isLost = true;
  answers(async () => {
    if (!isLost) return;
    cut();
    throw new Failure('transient', 'hub.deadline', 'no answer');
  });
  connect();
  reporter.want({ a: 1 });
  await clock.advance(60_000);
  assert.deepEqual([sent().length, reporter.state()], [1, 'pending']);
  isLost = false;
  connect();
  await clock.advance(0);
  assert.deepEqual(hub(), { a: 1 });
  cut();
  assert.equal(reporter.state(), 'pending', 'nobody knows while there is no connection');
  connect();
  await clock.advance(60_000);
  assert.equal(sent().length, 2);
  assert.equal(reporter.state(), 'acknowledged');
});

test('a document that the hub refuses is logged once with the reason and not sent again until it changes', async () => {
  const { clock, book, reporter, connect, cut, answers, sent } = bench();
  answers(async (patch) => {
    if ('big' in patch) throw new Failure('rejected', 'hub.twin-400', 'twin status 400: too large');
  });
  connect();
  reporter.want({ a: 1, big: 'x' });
  await clock.advance(60_000);
  reporter.want({ a: 1, big: 'x' });
  cut();
  connect();
  await clock.advance(60_000);
  assert.deepEqual(sent(), [{ a: 1, big: 'x' }]);
  assert.equal(reporter.state(), 'refused');
  reporter.want({ a: 2, big: 'x' });
  await clock.advance(60_000);
  assert.equal(sent().length, 2);
  assert.equal(book.lines.length, 1, 'the same reason is said once');
  assert.match(String(book.lines[0]?.fields['reason']), /too large/);
  reporter.want({ a: 3 });
  await clock.advance(60_000);
  assert.deepEqual(sent().at(-1), { a: 3 });
  assert.equal(reporter.state(), 'acknowledged');
  reporter.want({ a: 1, big: 'x' });
  await clock.advance(60_000);
  assert.equal(book.lines.length, 2, 'after a success it is news again');
});

test('what the reporter was given may change afterwards without anybody being told', async () => {
  const { clock, reporter, connect, hub } = bench();
  const document = { list: [1] };
  reporter.want(document);
  document.list.push(2);
  connect();
  await clock.advance(0);
  assert.deepEqual(hub(), { list: [1] });
});

test('a connection that ends during the wait takes nothing with it', async () => {
  const { clock, reporter, connect, cut, sent, hub } = bench();
  connect();
  reporter.want({ a: 1 });
  await clock.advance(0);
  reporter.want({ a: 2 });
  await clock.advance(0);
  cut();
  await clock.advance(60_000);
  assert.deepEqual([sent().length, clock.sleepers()], [1, 0]);
  connect();
  await clock.advance(0);
  assert.deepEqual(hub(), { a: 2 });
});
