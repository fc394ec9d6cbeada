import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { REPORTS } from '../../../../agent/reports/pace.ts';
import { createTeller, tellable } from '../../../../agent/reports/teller.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';

const link = { state: 'online' } as const;

/** A ledger that takes events, or fails. */
function told(failure?: Failure) {
  const clock = createFakeClock();
  const { log, events } = createLogBook();
  const ledger = { failure, stored: 0 };
  const teller = createTeller({
    ledger: {
      tell: () => {
        if (ledger.failure) throw ledger.failure;
        ledger.stored++;
      },
    },
    clock,
    log,
  });
  return { clock, ledger, teller, events };
}

test('an event that cannot be stored is told later, after a pause, and logged once', async () => {
  const it = told(new Failure('exhausted', 'ledger.full', 'no room'));
  assert.equal(it.teller.tell('link.state', link), false);
  it.ledger.failure = undefined;
  assert.equal(it.teller.tell('link.state', link), false, 'it pauses');
  await it.clock.advance(REPORTS.pauseMs);
  assert.equal(it.teller.tell('link.state', link), true);
  assert.equal(it.ledger.stored, 1);
  assert.deepEqual(it.events('error'), ['reports.store-failed']);
});

test('an event that will never be taken counts as told', () => {
  const it = told(new Failure('rejected', 'ledger.event', 'too long'));
  assert.equal(it.teller.tell('link.state', link), true);
});

test('a bug is not swallowed', () => {
  const it = told(new Failure('bug', 'ledger.bug', 'broken'));
  assert.throws(() => it.teller.tell('link.state', link), { code: 'ledger.bug' });
  assert.throws(() =>
    it.teller.attempt('look', () => {
      throw new TypeError('broken');
    }),
  );
});

test('what is told of an error holds no secret and is short', () => {
  const sentence = tellable(`rtsp://viewer:hunter2@camera/main ${'x'.repeat(5_000)}`);
  assert.ok(!sentence.includes('hunter2'));
  assert.ok(sentence.length <= 1_000);
});
