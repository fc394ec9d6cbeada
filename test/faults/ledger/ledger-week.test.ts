import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { REMOVALS_PER_STEP } from '../../../agent/ledger/disk/removal-order.ts';
import type { Clip } from '../../../agent/ledger/ledger.ts';
import { benchLedger, verdictFor, writeClip } from '../../unit/agent/ledger/bench.ts';
import { seededRandom } from './ledger-fragments.ts';

const DAYS = 7;
const CLIPS_A_DAY = 200;
const SEED = 20_261_130;
/** In place of 5 MB: the ledger counts bytes and does not know what a clip is. */
const CLIP_BYTES = 5_000;
/** The card holds half of a week. */
const CARD_BYTES = (DAYS * CLIPS_A_DAY * CLIP_BYTES) / 2;
/** No link from the evening of the first day to that of the fifth. */
const isOffline = (hour: number) => hour >= 20 && hour < 20 + 4 * 24;
const HOUR_MS = 3_600_000;
/** An upload takes a minute, a verdict two. */
const UPLOADS_AN_HOUR = 60;
const SPLIT = 0.5;

interface Step {
  readonly what: string;
  readonly cpuMs: number;
  readonly ms: number;
}

/** The longest steps of the event loop: each call of the ledger is one, and so is each turn of its upkeep. */
function createStepTimer() {
  const longest = new Map<string, Step>();
  let cpu = process.threadCpuUsage();
  let startMs = performance.now();
  return {
    begin() {
      cpu = process.threadCpuUsage();
      startMs = performance.now();
    },
    end(what: string) {
      const { user, system } = process.threadCpuUsage(cpu);
      const step = { what, cpuMs: (user + system) / 1_000, ms: performance.now() - startMs };
      const before = longest.get(what) ?? step;
      longest.set(what, {
        what,
        cpuMs: Math.max(before.cpuMs, step.cpuMs),
        ms: Math.max(before.ms, step.ms),
      });
    },
    longest: () => [...longest.values()],
  };
}

test('a week of 200 clips a day on half the card needed, four days without a link: every missing clip is explained', async (t) => {
  const bench = benchLedger(t, { maxBytes: CARD_BYTES });
  const { ledger, clock } = bench;
  const random = seededRandom(SEED);
  const timer = createStepTimer();
  const step = <T>(what: string, work: () => T): T => {
    timer.begin();
    try {
      return work();
    } finally {
      timer.end(what);
    }
  };
  const clips: Clip[] = [];
  /** Clips on this disk after each step, to see how many one step removes. */
  let mostRemoved = 0;
  let refused = 0;
  let bytesMax = 0;

  const onDisk = () => ledger.summary().bytes / CLIP_BYTES;

  async function tend(): Promise<void> {
    const done = new AbortController();
    const tending = ledger.tend().finally(() => done.abort());
    let before = onDisk();
    while (!done.signal.aborted) {
      timer.begin();
      await new Promise((resolve) => setImmediate(resolve));
      timer.end('upkeep');
      const now = onDisk();
      mostRemoved = Math.max(mostRemoved, before - now);
      before = now;
    }
    await tending;
  }

  async function record(): Promise<void> {
    const cameraId = random() < SPLIT ? 'gate' : 'yard';
    const request = { cameraId, triggeredMs: clock.nowMs(), clockQuality: 'synchronised' } as const;
    const before = onDisk();
    let clip: Clip;
    try {
      clip = step('open', () => ledger.openClip(request));
    } catch {
      refused += 1;
      return;
    }
    mostRemoved = Math.max(mostRemoved, before - onDisk());
    const written = writeClip(clip.partFile, CLIP_BYTES);
    step('seal', () => ledger.sealClip(clip.clipId, written));
    clips.push(clip);
    bytesMax = Math.max(bytesMax, ledger.summary().bytes);
  }

  function upload(): void {
    for (let n = 0; n < UPLOADS_AN_HOUR; n++) {
      const lease = step('lease', () => ledger.leaseNext());
      if (!lease) return;
      assert.ok(existsSync(lease.clip.file), 'what waits for its upload is there');
      step('settle', () => ledger.settleUploaded(lease, `https://storage/${lease.clip.blobName}`));
      if (random() < 0.9) step('verdict', () => ledger.applyVerdict(verdictFor(lease.clip.clipId)));
    }
  }

  for (let hour = 0; hour < DAYS * 24; hour++) {
    const due = Math.round(((hour + 1) * CLIPS_A_DAY) / 24) - Math.round((hour * CLIPS_A_DAY) / 24);
    for (let n = 0; n < due; n++) await record();
    if (!isOffline(hour)) upload();
    await clock.advance(HOUR_MS);
    // The clock is set by a year, and back.
    if (hour === 60) clock.setWall(clock.nowMs() + 365 * 24 * HOUR_MS);
    if (hour === 70) clock.setWall(clock.nowMs() - 365 * 24 * HOUR_MS);
    await tend();
  }

  assert.equal(refused, 0, 'each trigger was recorded');
  assert.equal(clips.length, DAYS * CLIPS_A_DAY);
  assert.ok(bytesMax <= CARD_BYTES, `${bytesMax} bytes were taken of ${CARD_BYTES}`);
  const byState = { there: 0, inStorage: 0, lost: 0 };
  for (const { clipId, file } of clips) {
    const clip = ledger.clip(clipId);
    assert.ok(clip, `${clipId} has no row`);
    const custody = ledger.custody(clipId);
    if (existsSync(file)) byState.there += 1;
    else if (clip.state === 'uploaded' || clip.state === 'judged') {
      byState.inStorage += 1;
      assert.equal(custody.at(-1)?.detail, 'file removed: byte budget');
    } else {
      byState.lost += 1;
      assert.equal(clip.state, 'lost', `${clipId} is ${clip.state} and its file is missing`);
      assert.equal(clip.reason, 'file removed: byte budget');
      assert.ok(!custody.some(({ event }) => event === 'upload'), 'what is in storage is not lost');
    }
  }
  // The order of docs/custody.md: what was never uploaded went oldest first, and only when nothing in storage was left.
  const lost = clips.filter(({ clipId }) => ledger.clip(clipId)?.state === 'lost');
  const neverUploaded = clips.filter(
    ({ clipId }) => !ledger.custody(clipId).some(({ event }) => event === 'upload'),
  );
  assert.deepEqual(
    lost.map(({ clipId }) => clipId),
    neverUploaded.slice(0, lost.length).map(({ clipId }) => clipId),
  );
  assert.ok(lost.length > 0, 'four days do not fit on the card');
  assert.ok(mostRemoved <= REMOVALS_PER_STEP, `${mostRemoved} files went in one step`);
  assert.deepEqual(bench.standing(), []);
  assert.deepEqual((await ledger.check({ repair: false, deep: true })).problems, []);
  t.diagnostic(
    `${clips.length} clips: ${JSON.stringify(byState)}; at most ${mostRemoved} files went in one step`,
  );
  for (const { what, ms, cpuMs } of timer.longest())
    t.diagnostic(`longest step, ${what}: ${ms.toFixed(1)} ms; most CPU of one ${cpuMs.toFixed(1)} ms`);
});
