import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClipStore, type ClipStoreDeps } from '../../../agent/clip-store.ts';
import { createRecordingLimit } from '../../../agent/health/recording-limit.ts';
import { createRefusedRecordings } from '../../../agent/health/refused-recordings.ts';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { createLogBook } from '../../fakes/log-book.ts';

const cause = { kind: 'zone', id: 'drive' } as const;
const written = { startedMs: 1, preRollMs: 2, durationMs: 3, bytes: 4, sha256: 'x' };
const request = { cameraId: 'gate', triggeredMs: 5, cause };

/** A ledger that refuses what the test says. */
function rig(refuse: { open?: Error; seal?: Error } = {}) {
  const clock = createFakeClock();
  const { log, lines } = createLogBook();
  const conditions = createConditions({ clock, log });
  const calls: string[] = [];
  const recovering = Promise.withResolvers<void>();
  const ledger: ClipStoreDeps['ledger'] = {
    openClip: () => {
      if (refuse.open) throw refuse.open;
      return { clipId: 'c1', partFile: '/clips/c1.part' };
    },
    sealClip: (clipId) => {
      if (refuse.seal) throw refuse.seal;
      calls.push(`sealed ${clipId}`);
      return {} as ReturnType<ClipStoreDeps['ledger']['sealClip']>;
    },
    recoverClip: async (clipId) => {
      calls.push(`recovers ${clipId}`);
      await recovering.promise;
    },
  };
  const recorded = { ms: 0 };
  const recordedMs = () => recorded.ms;
  const limit = createRecordingLimit({ dailyMinutes: () => 10, ledger: { recordedMs }, conditions, clock });
  const store = createClipStore({
    ledger,
    onSealed: () => void calls.push('uploadable'),
    refusedRecordings: createRefusedRecordings({ conditions, clock }),
    limit,
    clock,
    log,
  });
  const standing = () => conditions.list().map(({ code, subject }) => `${code} ${subject ?? ''}`);
  const reasons = () =>
    conditions
      .list()
      .map(({ detail }) => detail)
      .join();
  /** What the log says of clips: the event, and the clip or camera it is about. */
  const told = () =>
    lines
      .map(({ fields }) => `${String(fields['event'])} ${String(fields['clipId'] ?? fields['cameraId'])}`)
      .filter((line) => line.startsWith('clip.'));
  return { store, calls, recorded, limit, clock, recovering, standing, reasons, refuse, told };
}

test('whatever refuses a recording stands as a condition of the camera until it records again', () => {
  for (const error of [
    new Failure('exhausted', 'ledger.full', 'the disk is full'),
    new Failure('bug', 'ledger.order', 'an invariant is broken'),
    new TypeError('x is not a function'),
  ]) {
    const it = rig({ open: error });
    const isBug = !(error instanceof Failure) || error.kind === 'bug';
    if (isBug) assert.throws(() => it.store.open(request), error);
    else assert.equal(it.store.open(request), undefined);
    assert.deepEqual(it.standing(), ['recording-refused gate'], String(error));
    assert.ok(it.reasons().includes(error.message), it.reasons());
    delete it.refuse.open;
    assert.deepEqual(it.store.open(request), { clipId: 'c1', partFile: '/clips/c1.part' });
    assert.deepEqual(it.standing(), []);
  }
});

test('a clip is told to the uploader when it is sealed, and one that must be recovered when that is done', async () => {
  const good = rig();
  good.store.written('c1', written);
  assert.deepEqual(good.calls, ['sealed c1', 'uploadable']);
  const differs = rig({ seal: new Failure('corrupt', 'ledger.seal', 'another size') });
  differs.store.written('c1', written);
  assert.deepEqual(differs.calls, ['recovers c1']);
  differs.recovering.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(differs.calls, ['recovers c1', 'uploadable']);
  const torn = rig();
  const abandoned = torn.store.abandoned('c1', 'killed');
  await new Promise(setImmediate);
  assert.deepEqual(torn.calls, ['recovers c1']);
  torn.recovering.resolve();
  await abandoned;
  assert.deepEqual(torn.calls, ['recovers c1', 'uploadable']);
});

test('a clip that cannot be sealed for any other reason is handed back to the one who reports it', () => {
  for (const error of [new Failure('exhausted', 'ledger.full', 'full'), new Error('broken')]) {
    const it = rig({ seal: error });
    assert.throws(() => it.store.written('c1', written), error);
    assert.deepEqual(it.calls, []);
  }
});

test('what a clip met is in the log: refused, refused at its seal, given up by its writer, not recovered', async () => {
  const full = rig({ open: new Failure('exhausted', 'ledger.full', 'the disk is full') });
  full.store.open(request);
  assert.deepEqual(full.told(), ['clip.refused gate']);
  const differs = rig({ seal: new Failure('corrupt', 'ledger.seal', 'another size') });
  differs.store.written('c1', written);
  assert.deepEqual(differs.told(), ['clip.seal-refused c1']);
  differs.recovering.reject(new Failure('transient', 'ledger.unavailable', 'later'));
  await differs.store.abandoned('c2', 'killed');
  assert.deepEqual(differs.told(), [
    'clip.seal-refused c1',
    'clip.abandoned c2',
    'clip.recover-failed c1',
    'clip.recover-failed c2',
  ]);
  assert.ok(!differs.calls.includes('uploadable'));
});

test('a camera that has recorded as much as it may is refused with its reason and told once, until there is room in its day', async () => {
  const it = rig();
  it.recorded.ms = 10 * 60_000 - 1;
  assert.deepEqual(it.store.open(request), { clipId: 'c1', partFile: '/clips/c1.part' });
  it.recorded.ms = 10 * 60_000;
  for (let n = 0; n < 3; n++) assert.deepEqual(it.store.open(request), { suppressed: 'daily-limit' });
  assert.deepEqual(it.standing(), ['recording-limit gate']);
  assert.deepEqual(it.store.open({ ...request, cause: { kind: 'request' } }), {
    clipId: 'c1',
    partFile: '/clips/c1.part',
  });
  it.recorded.ms = 9 * 60_000;
  assert.deepEqual(it.store.open(request), { clipId: 'c1', partFile: '/clips/c1.part' });
  assert.deepEqual(it.standing(), []);
});

test('that a camera has recorded as much as it may is taken back when that is over, also when nothing moves', async () => {
  const it = rig();
  it.recorded.ms = 10 * 60_000;
  it.store.open(request);
  it.limit.look([{ cameraId: 'gate' }]);
  assert.deepEqual(it.standing(), ['recording-limit gate']);
  it.recorded.ms = 0;
  await it.clock.advance(60_000);
  it.limit.look([{ cameraId: 'gate' }]);
  assert.deepEqual(it.standing(), []);
  it.recorded.ms = 10 * 60_000;
  it.store.open(request);
  await it.clock.advance(60_000);
  it.limit.look([]);
  assert.deepEqual(it.standing(), [], 'the camera is gone');
});
