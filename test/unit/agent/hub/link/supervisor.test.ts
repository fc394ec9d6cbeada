import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HubConnection } from '../../../../../agent/hub/link/connection.ts';
import { createSupervisor } from '../../../../../agent/hub/link/supervisor.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

const failure = (code: string, message = code) => new Failure('transient', code, message);
const TIMINGS = {
  retry: { minMs: 500, maxMs: 60_000 },
  unreachable: { minMs: 500, maxMs: 4_000 },
  refusedMinMs: 30_000,
  probeMs: 60_000,
  stableMs: 60_000,
};

/** A supervisor whose connections the test makes, with time as a variable and jitter at its middle. */
function bench() {
  const clock = createFakeClock();
  const { log, lines } = createLogBook();
  const opened: { atMs: number; end: (why: Failure) => void; disposed: boolean }[] = [];
  let next: 'works' | Failure = 'works';
  let probe: () => Promise<void> = async () => {};
  let onlineCount = 0;
  const turns: number[] = [];
  const supervisor = createSupervisor({
    clock,
    log,
    random: () => 0.5,
    timings: TIMINGS,
    onOnline: () => {
      onlineCount += 1;
    },
    onTurn: () => void turns.push(clock.monotonicMs()),
    open: async (signal) => {
      const { promise: ended, resolve } = Promise.withResolvers<Failure>();
      const entry = { atMs: clock.monotonicMs(), end: resolve, disposed: false };
      opened.push(entry);
      if (next !== 'works') throw next;
      signal.addEventListener('abort', () => resolve(failure('hub.stopped')));
      const connection: HubConnection = {
        ended,
        twin: { desired: { version: 1, properties: {} }, reported: {} },
        report: async () => {},
        send: async () => {},
        probe: () => probe(),
        dispose: async () => {
          entry.disposed = true;
        },
      };
      return connection;
    },
  });
  return {
    clock,
    lines,
    opened,
    supervisor,
    turns,
    online: () => onlineCount,
    nextIs: (outcome: 'works' | Failure) => {
      next = outcome;
    },
    probeIs: (answer: () => Promise<void>) => {
      probe = answer;
    },
    gaps: () => opened.slice(1).map(({ atMs }, index) => atMs - (opened[index]?.atMs ?? 0)),
  };
}

test('attempts go on for ever, the waits double up to a minute', async () => {
  const { clock, supervisor, nextIs, gaps } = bench();
  nextIs(failure('hub.network'));
  supervisor.start();
  await clock.advance(600_000);
  assert.deepEqual(gaps().slice(0, 9), [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  await clock.advance(86_400_000);
  assert.ok(gaps().length > 1400);
  await supervisor.stop();
});

test('while nobody can be reached the waits stay short for hours, and a hub that answers badly afterwards is spared', async () => {
  const { clock, supervisor, nextIs, gaps } = bench();
  nextIs(failure('hub.unreachable'));
  supervisor.start();
  await clock.advance(3_600_000);
  assert.deepEqual(gaps().slice(0, 6), [500, 1000, 2000, 4000, 4000, 4000]);
  assert.ok(gaps().every((gap) => gap <= 4_000));
  const before = gaps().length;
  nextIs(failure('hub.network'));
  await clock.advance(600_000);
  assert.deepEqual(gaps().slice(before + 1, before + 5), [500, 1000, 2000, 4000]);
  await supervisor.stop();
});

test('a turn is told for each attempt and each probe, so that a link that is down still makes progress', async () => {
  const { clock, supervisor, nextIs, turns, opened } = bench();
  nextIs(failure('hub.unreachable'));
  supervisor.start();
  await clock.advance(60_000);
  assert.equal(turns.length, opened.length);
  nextIs('works');
  await clock.advance(600_000);
  const pauses = turns.slice(1).map((atMs, index) => atMs - (turns[index] ?? 0));
  assert.ok(Math.max(...pauses) <= TIMINGS.probeMs, `${Math.max(...pauses)} ms`);
  assert.ok(clock.monotonicMs() - (turns.at(-1) ?? 0) <= TIMINGS.probeMs);
  await supervisor.stop();
});

test('after a refusal, and after a message that could not be stored, at least half a minute passes', async () => {
  for (const code of ['hub.refused', 'hub.store']) {
    const { clock, supervisor, nextIs, gaps } = bench();
    nextIs(failure(code));
    supervisor.start();
    await clock.advance(300_000);
    assert.ok(
      gaps().every((gap) => gap >= 30_000),
      code,
    );
    assert.equal(supervisor.status().state, code === 'hub.refused' ? 'refused' : 'offline');
    await supervisor.stop();
  }
});

test('a connection that held makes the next outage start with short waits, one that flaps does not', async () => {
  const { clock, supervisor, opened, gaps } = bench();
  supervisor.start();
  await clock.advance(0);
  opened[0]?.end(failure('hub.network'));
  await clock.advance(500);
  opened[1]?.end(failure('hub.network'));
  await clock.advance(1000);
  assert.deepEqual(gaps(), [500, 1000]);
  await clock.advance(60_000);
  opened[2]?.end(failure('hub.network'));
  await clock.advance(500);
  assert.equal(opened.length, 4);
  await supervisor.stop();
});

test('the old connection is disposed of before the next is tried', async () => {
  const { clock, supervisor, opened } = bench();
  supervisor.start();
  await clock.advance(0);
  opened[0]?.end(failure('hub.network'));
  await clock.advance(499);
  assert.deepEqual([opened.length, opened[0]?.disposed], [1, true]);
  await clock.advance(1);
  assert.equal(opened.length, 2);
  await supervisor.stop();
  assert.equal(opened[1]?.disposed, true);
});

test('a hub that does not answer the probe is left', async () => {
  const { clock, supervisor, opened, probeIs, online } = bench();
  supervisor.start();
  await clock.advance(180_000);
  assert.equal(opened.length, 1);
  probeIs(async () => {
    throw failure('hub.deadline', 'the twin read took too long');
  });
  await clock.advance(60_000);
  assert.equal(opened[0]?.disposed, true);
  assert.equal(supervisor.status().detail, 'the twin read took too long');
  probeIs(async () => {});
  await clock.advance(1_000);
  assert.deepEqual([supervisor.status().state, online()], ['online', 2]);
  await supervisor.stop();
});

test('the state says since when, and an outage is one state however many attempts it takes', async () => {
  const { clock, supervisor, nextIs } = bench();
  const started = clock.nowMs();
  assert.deepEqual(supervisor.status(), { state: 'connecting', sinceMs: started, detail: null });
  nextIs(failure('hub.network', 'no route'));
  supervisor.start();
  await clock.advance(100_000);
  assert.deepEqual(supervisor.status(), { state: 'offline', sinceMs: started, detail: 'no route' });
  nextIs('works');
  await clock.advance(60_000);
  const { state, sinceMs, detail } = supervisor.status();
  assert.deepEqual([state, detail], ['online', null]);
  assert.ok(sinceMs > started);
  await supervisor.stop();
});

test('an outage is one warning in the log, and shows no secret', async () => {
  const { clock, lines, supervisor, nextIs } = bench();
  nextIs(failure('hub.network', 'SharedAccessKey=geheim; SharedAccessSignature sr=x&sig=geheim'));
  supervisor.start();
  await clock.advance(600_000);
  assert.equal(lines.filter(({ level }) => level === 'warn').length, 1);
  assert.doesNotMatch(JSON.stringify([lines, supervisor.status()]), /geheim/);
  await supervisor.stop();
});

test('stopping ends a wait, an attempt and a connection alike', async () => {
  const waiting = bench();
  waiting.nextIs(failure('hub.refused'));
  waiting.supervisor.start();
  await waiting.clock.advance(0);
  await waiting.supervisor.stop();
  assert.equal(waiting.supervisor.status().state, 'offline');
  assert.equal(waiting.clock.sleepers(), 0);

  const connected = bench();
  connected.supervisor.start();
  await connected.clock.advance(0);
  await connected.supervisor.stop();
  assert.equal(connected.opened[0]?.disposed, true);
  assert.equal(connected.clock.sleepers(), 0);
  await connected.clock.advance(600_000);
  assert.equal(connected.opened.length, 1);
});
