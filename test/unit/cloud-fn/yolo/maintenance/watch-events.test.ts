import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProcessingResult, encodeQueueMessage, type ProcessingResult } from '@dachawatch/contracts';
import { createLog } from '../../../../../cloud-fn/yolo/log.ts';
import { readEventDocument, reactionTo } from '../../../../../cloud-fn/yolo/maintenance/scheduled-event.ts';
import { watchEvents } from '../../../../../cloud-fn/yolo/maintenance/watch-events.ts';
import { createIntake } from '../../../../../cloud-fn/yolo/queue/intake.ts';
import { serveRequests } from '../../../../../cloud-fn/yolo/queue/request-loop.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createPlatformEvents, type PlatformEvent } from '../../../../fakes/cloud/scheduled-events.ts';
import { createFakeQueue } from '../fake-queue.ts';

const VM = 'yolo_0';
const NOTICE_MS = 30_000;

/** A virtual machine with a worker on it, and the platform below it. All time is the test's. */
function bench({
  analysisMs = () => 5_000,
  broken = () => false,
}: {
  analysisMs?: () => number;
  broken?: () => boolean;
} = {}) {
  const clock = createFakeClock();
  const time = {
    get nowMs() {
      return clock.monotonicMs();
    },
  };
  const [requests, results, poison] = [createFakeQueue(time), createFakeQueue(time), createFakeQueue(time)];
  const platform = createPlatformEvents();
  /** Clips under way. */
  const working = new Set<string>();
  const approved: { readonly event: PlatformEvent; readonly working: number; readonly atMs: number }[] = [];
  const taken: { readonly clip: string; readonly atMs: number }[] = [];
  const log: string[] = [];
  const sleep = (ms: number, signal: AbortSignal) => clock.sleep(ms, signal).catch(() => undefined);
  const monotonicMs = () => clock.monotonicMs();
  let stop = new AbortController();
  let running: Promise<unknown> = Promise.resolve();

  const service = {
    vmName: async () => VM,
    events: async () => {
      if (broken()) throw new Error('no answer');
      return readEventDocument(JSON.stringify(platform.document()));
    },
    approve: async (id: string) => {
      if (broken()) throw new Error('no answer');
      if (!platform.approve(id)) throw new Error('the metadata service answered 400');
      const event = platform.event(id);
      if (event) approved.push({ event, working: working.size, atMs: clock.monotonicMs() });
    },
  };
  const answer = async ({ instance_id, blobUrl, blobName }: ProcessingResult, signal: AbortSignal) => {
    working.add(instance_id);
    taken.push({ clip: instance_id, atMs: clock.monotonicMs() });
    try {
      await clock.sleep(analysisMs(), signal);
    } finally {
      working.delete(instance_id);
    }
    return { ...{ instance_id, blobUrl, blobName, status: 'PROCESSED' as const }, ...STAMPS, details: {} };
  };

  function boot(): void {
    stop = new AbortController();
    const intake = createIntake();
    const deps = { intake, log: createLog((line) => log.push(line)), sleep, monotonicMs };
    running = Promise.all([
      watchEvents({ ...deps, service }, stop.signal),
      serveRequests(
        {
          ...{ ...deps, requests: requests.client, results: results.client, poison: poison.client },
          answer: answer as never,
          refusal: () => assert.fail('every clip can be analysed'),
          keepText: async (name) => name,
          ...{ leaseMs: 30_000, idleMs: Number.MAX_SAFE_INTEGER, nowMs: () => clock.nowMs() },
        },
        stop.signal,
      ),
    ]);
  }

  return {
    ...{ clock, platform, working, approved, taken, log, boot },
    halt: async () => {
      stop.abort(new Error('the machine is stopped'));
      await running;
    },
    ask: (clip: string) =>
      requests.client.sendMessage(
        encodeQueueMessage({
          instance_id: clip,
          blobUrl: `https://account/dacha-video/${clip}.mp4`,
          blobName: `dacha-video/${clip}.mp4`,
          posted: '2026-12-01T10:00:00Z',
        }),
      ),
    waiting: () => requests.messages(),
    answered: () => results.messages().map(({ text }) => decodeProcessingResult(text).instance_id),
  };
}
const STAMPS = { start_timestamp: '2026-12-01T10:00:01Z', stop_timestamp: '2026-12-01T10:00:02Z' };
const ids = (approved: readonly { readonly event: PlatformEvent }[]) =>
  approved.map(({ event }) => event.EventId);

test('before a machine is taken away its clip is back in the queue; only then is that approved', async () => {
  const { clock, platform, approved, boot, halt, ask, waiting, working } = bench({
    analysisMs: () => 60_000,
  });
  await ask('a');
  boot();
  await clock.advance(3_000);
  assert.equal(working.size, 1);
  platform.announce({ EventId: 'P', EventType: 'Preempt' });
  await clock.advance(2_000);
  assert.deepEqual(ids(approved), ['P']);
  assert.equal(approved[0]?.working, 0);
  const [back] = waiting();
  assert.ok(back && back.visibleAtMs <= clock.monotonicMs(), 'others can take it at once');
  await clock.advance(60_000);
  assert.equal(working.size, 0, 'it is not taken again');
  await halt();
});

test('a cancelled event lets the work go on', async () => {
  const { clock, platform, boot, halt, ask, answered } = bench();
  await ask('a');
  boot();
  platform.announce({ EventId: 'R', EventType: 'Redeploy' });
  await clock.advance(60_000);
  assert.deepEqual(answered(), []);
  platform.remove('R');
  await clock.advance(10_000);
  assert.deepEqual(answered(), ['a']);
  await halt();
});

test('an event that begins without notice stops the work and is not approved', async () => {
  const { clock, platform, approved, boot, halt, ask, working } = bench({ analysisMs: () => 60_000 });
  await ask('a');
  boot();
  await clock.advance(3_000);
  platform.announce({ EventId: 'R', EventType: 'Reboot', EventStatus: 'Started', NotBefore: '' });
  await clock.advance(3_000);
  assert.equal(working.size, 0);
  assert.deepEqual(ids(approved), []);
  await halt();
});

test('a short pause, and what a person asked for, is approved without interrupting the clip', async () => {
  const { clock, platform, approved, boot, halt, ask, working } = bench({ analysisMs: () => 60_000 });
  await ask('a');
  boot();
  await clock.advance(3_000);
  platform.announce({ EventId: 'short', EventType: 'Freeze', DurationInSeconds: 5 });
  platform.announce({ EventId: 'asked', EventType: 'Freeze', DurationInSeconds: 60, EventSource: 'User' });
  platform.announce({ EventId: 'long', EventType: 'Freeze', DurationInSeconds: 30 });
  await clock.advance(5_000);
  assert.deepEqual(ids(approved), ['short', 'asked']);
  assert.equal(working.size, 1);
  await halt();
});

test('what happens to other machines concerns nobody here', async () => {
  const { clock, platform, approved, boot, halt, ask, answered } = bench();
  await ask('a');
  boot();
  platform.announce({ EventId: 'P', EventType: 'Preempt', Resources: ['yolo_1', 'db'] });
  await clock.advance(20_000);
  assert.deepEqual(answered(), ['a']);
  assert.deepEqual(ids(approved), []);
  await halt();
});

test('a service that answers seldom changes nothing, and is complained of once', async () => {
  let broken = true;
  const { clock, platform, approved, boot, halt, ask, answered, log } = bench({ broken: () => broken });
  await ask('a');
  boot();
  platform.announce({ EventId: 'P', EventType: 'Terminate' });
  await clock.advance(120_000);
  assert.deepEqual(answered(), ['a']);
  assert.equal(log.filter((line) => line.includes('maintenance.unreachable')).length, 1);
  broken = false;
  await clock.advance(30_000);
  assert.deepEqual(ids(approved), ['P']);
  await halt();
});

test('in 1,000 random lives of a machine no clip is lost, none is worked on after an approval, and nothing else is approved', async () => {
  for (let seed = 1; seed <= 1_000; seed++) await liveOnce(seed);
});

/** A minute or two: clips come, events come, begin in time or when approved, end, are cancelled; the machine boots
 *  again after those that stop it. */
async function liveOnce(seed: number): Promise<void> {
  const random = randomOf(seed);
  const upTo = (n: number) => Math.floor(random() * n);
  const pick = <T>(some: readonly T[]): T => some[upTo(some.length)] as T;
  const faulty = random() < 0.3;
  const life = bench({
    analysisMs: () => 500 + upTo(20_000),
    broken: () => faulty && random() < 0.2,
  });
  const { clock, platform, working, approved, taken } = life;
  const clips = Array.from({ length: 1 + upTo(5) }, (_, n) => `clip-${n}`);
  const comes = clips.map((clip) => ({ clip, atMs: clock.monotonicMs() + upTo(60_000) }));
  const events = Array.from({ length: upTo(5) }, (_, n): Planned => {
    const announcedMs = clock.monotonicMs() + upTo(60_000);
    return {
      id: `event-${n}`,
      type: pick(['Freeze', 'Reboot', 'Redeploy', 'Preempt', 'Terminate', 'Unheard']),
      resources: pick([[VM], ['yolo_1'], ['yolo_1', 'YOLO_0']]),
      source: pick(['Platform', 'User'] as const),
      durationS: pick([-1, 0, 5, 9, 30]),
      atOnce: random() < 0.15,
      cancelMs: random() < 0.2 ? announcedMs + upTo(NOTICE_MS) : Infinity,
      announcedMs,
      state: 'to come',
      overMs: Infinity,
    };
  });
  const stopping = new Set<string>();
  const what = `seed ${seed}`;
  life.boot();

  async function platformTurn(): Promise<void> {
    const now = clock.monotonicMs();
    for (const event of events) {
      const ours = event.resources.some((name) => name.toLowerCase() === VM);
      if (event.state === 'to come' && event.announcedMs <= now) {
        event.state = 'announced';
        const status = event.atOnce ? 'Started' : 'Scheduled';
        platform.announce({
          ...{ EventId: event.id, EventType: event.type, Resources: event.resources, EventStatus: status },
          ...{ EventSource: event.source, DurationInSeconds: event.durationS },
        });
      }
      const isApproved = approved.some((one) => one.event.EventId === event.id);
      if (event.state === 'announced' && !isApproved && event.cancelMs <= now) {
        event.state = 'over';
        platform.remove(event.id);
      }
      const due = event.atOnce || isApproved || event.announcedMs + NOTICE_MS <= now;
      if (event.state === 'announced' && due) {
        event.state = 'begun';
        event.overMs = now + Math.max(1, event.durationS) * 1_000;
        platform.start(event.id);
        if (ours && STOPS.has(event.type)) {
          if (stopping.size === 0) await life.halt();
          stopping.add(event.id);
        }
      }
      if (event.state === 'begun' && event.overMs <= now) {
        event.state = 'over';
        platform.remove(event.id);
        if (stopping.delete(event.id) && stopping.size === 0) life.boot();
      }
    }
  }

  for (let turn = 0; ; turn++) {
    assert.ok(turn < 500, `${what}: clips are still waiting: ${JSON.stringify(life.waiting())}`);
    for (const one of comes.splice(0))
      if (one.atMs <= clock.monotonicMs()) await life.ask(one.clip);
      else comes.push(one);
    await platformTurn();
    // What is approved and not over may begin at any moment.
    if (approved.some(({ event }) => STOPS.has(event.EventType) && platform.event(event.EventId)))
      assert.equal(working.size, 0, `${what}: work under way after an approval`);
    if (events.every(({ state }) => state === 'over') && life.answered().length === clips.length) break;
    await clock.advance(1_000);
  }
  await life.halt();

  assert.deepEqual(life.answered().toSorted(), clips.toSorted(), `${what}: each clip once`);
  assert.deepEqual(life.waiting(), [], what);
  assert.ok(taken.length >= clips.length, what);
  assert.equal(new Set(ids(approved)).size, approved.length, `${what}: approved once`);
  for (const { event, working: under } of approved) {
    const asRead = readEventDocument(JSON.stringify({ DocumentIncarnation: 1, Events: [event] })).events[0];
    assert.ok(asRead && reactionTo(asRead) !== 'log', `${what}: ${event.EventType} is only logged`);
    assert.ok(
      event.Resources.some((name) => name.toLowerCase() === VM),
      `${what}: not this machine's`,
    );
    assert.equal(event.EventStatus, 'Scheduled', what);
    if (STOPS.has(event.EventType)) assert.equal(under, 0, `${what}: approved with work under way`);
  }
}
interface Planned {
  readonly id: string;
  readonly type: string;
  readonly resources: readonly string[];
  readonly source: 'Platform' | 'User';
  readonly durationS: number;
  /** Begins without having been announced. */
  readonly atOnce: boolean;
  readonly cancelMs: number;
  readonly announcedMs: number;
  state: 'to come' | 'announced' | 'begun' | 'over';
  overMs: number;
}

const STOPS = new Set(['Preempt', 'Terminate', 'Reboot', 'Redeploy']);

/** Numbers from 0 to 1 that depend on the seed alone (a linear congruential generator, constants of Numerical Recipes). */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
