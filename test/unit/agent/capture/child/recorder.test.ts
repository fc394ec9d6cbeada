import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClipWriterDeps } from '../../../../../agent/capture/child/clip-writer.ts';
import { createFragmentRing } from '../../../../../agent/capture/child/fragment-ring.ts';
import type { Fragment } from '../../../../../agent/capture/mp4/fragment.ts';
import { createMediaClock } from '../../../../../agent/capture/child/media-clock.ts';
import { createRecorder } from '../../../../../agent/capture/child/recorder.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import type { WrittenClip } from '../../../../../agent/ledger/ledger.ts';
import { madeFormat, madeFragment, madeFragments, seconds } from '../made-fragments.ts';

const WALL = 1_800_000_000_000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A camera with a key frame every two seconds. A fragment comes when it ends, so media time is monotonic time. */
function rig({
  preRollMs = 5000,
  postRollMs = 30_000,
  refuse = false,
  failAfter = Infinity,
  /** Fragments of a failed clip that are on disk. */
  certain = 0,
  /** So many clips fail; those after them do not. */
  failures = Infinity,
  slowPlace = false,
  paused = false,
  fragments = madeFragments(seconds(200)).fragments,
} = {}) {
  let now = 0;
  const ring = createFragmentRing({ keepMs: preRollMs + 3000, maxBytes: 1 << 24 });
  const mediaClock = createMediaClock();
  const files: Fragment[][] = [];
  const asked: number[] = [];
  const causes: string[] = [];
  /** Answers to `askPlace` that are held back. */
  const places: (() => void)[] = [];
  const written: { clipId: string; clip: WrittenClip }[] = [];
  const abandoned: string[] = [];
  const recorder = createRecorder({
    recording: { preRollMs, postRollMs },
    paused,
    ring,
    mediaClock,
    clock: { nowMs: () => WALL + now, monotonicMs: () => now },
    askPlace: async (triggeredMs, cause) => {
      asked.push(triggeredMs);
      causes.push(cause.kind);
      if (slowPlace) await new Promise<void>((resolve) => places.push(resolve));
      return refuse ? undefined : { clipId: `clip-${asked.length}`, partFile: 'unused' };
    },
    createWriter: (writer: ClipWriterDeps) => {
      const file: Fragment[] = [];
      files.push(file);
      const failure = new Failure('exhausted', 'test.full', 'the disk is full');
      return {
        append: (fragment) => {
          file.push(fragment);
          if (files.length <= failures && file.length === failAfter) writer.onFailure(failure);
        },
        close: async () => {
          if (files.length <= failures && file.length >= failAfter) {
            if (certain === 0) throw failure;
            return { durationMs: certain * 1000, bytes: 1, sha256: 'x', cutBy: failure };
          }
          return { durationMs: file.length * 1000, bytes: 1, sha256: 'x' };
        },
      };
    },
    written: (clipId, clip) => written.push({ clipId, clip }),
    abandoned: (clipId, reason) => abandoned.push(`${clipId} ${reason}`),
  });
  let next = 0;
  return {
    recorder,
    files,
    asked,
    causes,
    places,
    written,
    abandoned,
    range: (index: number) => [files[index]?.[0]?.startMs, files[index]?.at(-1)?.endMs],
    /** Lets time pass; `motion` frames come every 200 ms while it is true. */
    async until(ms: number, motion = false) {
      for (; now < ms; ) {
        now += 100;
        const fragment = fragments[next];
        if (fragment && fragment.endMs <= now) {
          next++;
          mediaClock.observe({ ...fragment, arrivedMs: now, lastSampleMs: 0 });
          ring.push(fragment);
          recorder.fragment(fragment);
        }
        if (motion && now % 200 === 0) recorder.motion(now, { kind: 'picture' });
        await turn();
      }
    },
    now: () => now,
    async trigger() {
      recorder.motion(now, { kind: 'picture' });
      await turn();
    },
  };
}

test('a clip begins with the key frame before the pre-roll and ends with the post-roll', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.range(0), [14_000, 50_000]);
  assert.deepEqual(it.written, [
    {
      clipId: 'clip-1',
      clip: { durationMs: 36_000, bytes: 1, sha256: 'x', preRollMs: 6500, startedMs: WALL + 14_000 },
    },
  ]);
  assert.deepEqual(it.asked, [WALL + 20_500]);
});

test('motion that goes on begins the next clip where the last one ended: no gap, at most a group of overlap', async () => {
  const it = rig();
  await it.until(20_500);
  await it.until(130_000, true);
  const ranges = it.files.map((_, index) => it.range(index)) as [number, number][];
  assert.ok(ranges.length >= 3);
  for (let index = 1; index < ranges.length; index++) {
    const overlap = (ranges[index - 1] as [number, number])[1] - (ranges[index] as [number, number])[0];
    assert.ok(overlap >= 0 && overlap <= 2000, `overlap of ${overlap} ms`);
  }
  for (const { clip } of it.written)
    assert.ok(Math.abs(clip.durationMs - 35_000) <= 2000, `${clip.durationMs}`);
});

test('motion shortly after a clip begins no earlier than that clip ended, save for its group of pictures', async () => {
  const it = rig({ preRollMs: 5000, postRollMs: 5000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(29_500);
  const [, end] = it.range(0);
  await it.trigger();
  await it.until(60_000);
  assert.equal(end, 25_000);
  assert.deepEqual(it.range(1), [24_000, 35_000]);
});

test('a camera that has just started gives what it has, and the clip is as long as any', async () => {
  const it = rig();
  await it.until(2500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.range(0), [0, 35_000]);
  assert.equal(it.written[0]?.clip.preRollMs, 2500);
});

test('without a picture nothing is recorded, and nobody is asked', async () => {
  const it = rig();
  await it.trigger();
  assert.deepEqual(it.asked, []);
});

test('when nothing may be recorded, motion does not ask with every frame', async () => {
  const it = rig({ refuse: true });
  await it.until(5000);
  await it.until(14_900, true);
  assert.equal(it.asked.length, 2);
  assert.equal(it.recorder.recording(), false);
});

test('a disk that fails ends the clip as abandoned, with the kind, and recording goes on later', async () => {
  const it = rig({ failAfter: 8 });
  await it.until(10_000);
  await it.until(14_000, true);
  assert.deepEqual(it.abandoned, ['clip-1 exhausted: the disk is full']);
  await it.until(40_000, true);
  assert.ok(it.asked.length >= 2);
});

test('what a failing disk did not take is recorded again at once, from the key frame before it', async () => {
  const it = rig({ failAfter: 20, certain: 19, failures: 1 });
  await it.until(20_500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.abandoned, []);
  assert.equal(it.written[0]?.clip.durationMs, 19_000);
  assert.match(it.written[0]?.clip.detail ?? '', /cut off, because the disk failed .*the disk is full/);
  // 14 to 33 s are certain; the next clip holds the rest of the time, not more.
  assert.deepEqual(it.range(1), [32_000, 50_000]);
  assert.equal(it.written[1]?.clip.startedMs, WALL + 32_000);
  assert.equal(it.files.length, 2);
});

test('a disk that takes nothing is asked again after a pause, for the time that is left', async () => {
  const it = rig({ failAfter: 8, failures: 1 });
  await it.until(20_500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.abandoned, ['clip-1 exhausted: the disk is full']);
  // As far back as the ring goes.
  assert.ok((it.range(1)[0] ?? 0) <= 20_000, `from ${it.range(1)[0]}`);
  assert.equal(it.range(1)[1], 50_000);
  assert.equal(it.files.length, 2);
});

test('a disk that goes on failing is asked every few seconds, and not beyond the end of the clip', async () => {
  const it = rig({ failAfter: 2 });
  await it.until(20_500);
  await it.trigger();
  await it.until(100_000);
  assert.ok(it.asked.length >= 3 && it.asked.length <= 8, `${it.asked.length} clips`);
  const stuck = rig({ failAfter: 2, certain: 1 });
  await stuck.until(20_500);
  await stuck.trigger();
  await stuck.until(60_000);
  const asked = stuck.asked.length;
  assert.ok(asked <= 20, `${asked} clips in 40 s`);
  await stuck.until(100_000);
  assert.equal(stuck.asked.length, asked);
});

test('a stream that ends closes the clip early and reports it', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(25_000);
  await it.recorder.finish();
  assert.equal(it.written[0]?.clip.durationMs, 11_000);
  await it.trigger();
  assert.equal(it.asked.length, 1);
});

const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('a clip that a person asks for has its pre-roll and its full length, and says why it is there', async () => {
  const it = rig();
  await it.until(20_500);
  assert.equal(await it.recorder.record(it.now()), 'clip-1');
  await it.until(60_000);
  assert.deepEqual(it.range(0), [14_000, 50_000]);
  assert.deepEqual(it.causes, ['request']);
});

test('a clip that runs counts as the one that was asked for', async () => {
  const it = rig({ slowPlace: true });
  await it.until(20_500);
  await it.trigger();
  const asked = it.recorder.record(it.now());
  it.places[0]?.();
  assert.equal(await asked, 'clip-1');
  assert.equal(it.asked.length, 1);
  await it.until(22_000);
  assert.equal(await it.recorder.record(it.now()), 'clip-1');
});

test('what is asked for while a clip is being closed is the next clip', async () => {
  const it = rig({ preRollMs: 1000, postRollMs: 5000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(22_500);
  const closed = it.recorder.pause();
  it.recorder.resume();
  const asked = it.recorder.record(it.now());
  await closed;
  assert.equal(await asked, 'clip-2');
});

test('asked before the first picture, without room, or while paused: each is told by its code', async () => {
  const early = rig();
  await assert.rejects(early.recorder.record(0), refusedWith('capture.no-picture'));
  const full = rig({ refuse: true });
  await full.until(20_500);
  await assert.rejects(full.recorder.record(full.now()), refusedWith('capture.no-room'));
  const paused = rig({ paused: true });
  await paused.until(20_500);
  await assert.rejects(paused.recorder.record(paused.now()), refusedWith('capture.paused'));
  await paused.trigger();
  assert.deepEqual(paused.asked, []);
});

test('a pause closes the clip with all that came, and nothing begins until it is over', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(25_300);
  await it.recorder.pause();
  assert.deepEqual(it.range(0), [14_000, 25_000]);
  assert.equal(it.written.length, 1);
  await it.until(40_000, true);
  assert.equal(it.files.length, 1);
  it.recorder.resume();
  await it.until(41_000, true);
  await it.until(90_000);
  const [from, to] = it.range(1) as [number, number];
  assert.ok(from <= 35_000 && from >= 33_000 && to - from >= 34_000, `${from} to ${to}`);
});

test('a pause waits for a clip whose place is not yet known, and that clip is kept', async () => {
  const it = rig({ slowPlace: true });
  await it.until(20_500);
  await it.trigger();
  let paused = false;
  const pausing = it.recorder.pause().then(() => (paused = true));
  await turn();
  assert.equal(paused, false);
  it.places[0]?.();
  await pausing;
  assert.deepEqual(
    it.written.map(({ clipId }) => clipId),
    ['clip-1'],
  );
});

test('a resume while the clip is still being closed does not reopen it', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(25_300);
  const pausing = it.recorder.pause();
  it.recorder.resume();
  await it.until(27_000, true);
  await pausing;
  assert.deepEqual(it.range(0), [14_000, 25_000]);
  assert.equal(it.files.length, 2);
  assert.equal(it.range(1)[0], 24_000);
});

test('a stream that ended cannot be resumed', async () => {
  const it = rig();
  await it.until(20_500);
  await it.recorder.finish();
  it.recorder.resume();
  await it.trigger();
  assert.deepEqual(it.asked, []);
});

test('other lengths are those of the next clip; the one that runs keeps its own', async () => {
  const it = rig({ preRollMs: 2000, postRollMs: 10_000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(22_000);
  it.recorder.reconfigure({ preRollMs: 1000, postRollMs: 4000 });
  await it.until(50_500);
  await it.trigger();
  await it.until(80_000);
  assert.deepEqual(it.range(0), [18_000, 30_000]);
  assert.deepEqual(it.range(1), [48_000, 54_000]);
});

test('what moves and is not recorded is counted from its first moment until a clip holds it', async () => {
  const it = rig({ refuse: true });
  await it.until(20_000);
  assert.equal(it.recorder.unrecordedMs(), null, 'nothing moves');
  await it.until(32_000, true);
  assert.ok((it.recorder.unrecordedMs() ?? 0) >= 11_000, `${it.recorder.unrecordedMs()} ms`);
  await it.until(45_000);
  assert.equal(it.recorder.unrecordedMs(), null, 'it is over');
});

test('motion before the first picture is seen as unrecorded, a recorded or a paused camera has none', async () => {
  const blind = rig();
  blind.recorder.motion(0, { kind: 'picture' });
  assert.equal(blind.recorder.unrecordedMs(), 0);
  const recording = rig();
  await recording.until(20_000);
  await recording.until(60_000, true);
  assert.equal(recording.recorder.unrecordedMs(), null);
  const paused = rig({ paused: true });
  await paused.until(20_000);
  await paused.until(30_000, true);
  assert.equal(paused.recorder.unrecordedMs(), null);
});

/** The camera changes its format with the fragment that begins at this moment. */
function changing(atMs: number, count = 200): Fragment[] {
  const [one, two] = [madeFormat(1), madeFormat(2)];
  return seconds(count).map((settings) => madeFragment(settings, settings.baseMs < atMs ? one : two));
}
const formatsOf = (files: readonly Fragment[][]) =>
  files.map((file) => [...new Set(file.map(({ format }) => format.number))]);

test('a format that changes in mid-clip ends it, and the rest of its time is on another one', async () => {
  const it = rig({ fragments: changing(30_000) });
  await it.until(20_500);
  await it.trigger();
  await it.until(70_000);
  assert.deepEqual(
    [it.range(0), it.range(1)],
    [
      [14_000, 30_000],
      [30_000, 50_000],
    ],
  );
  assert.deepEqual(formatsOf(it.files), [[1], [2]]);
  assert.deepEqual(
    it.written.map(({ clip }) => [clip.startedMs - WALL, clip.preRollMs]),
    [
      [14_000, 6500],
      [30_000, 0],
    ],
  );
  assert.equal(new Set(it.asked).size, 1);
});

test('a format that changed within the pre-roll costs none of it', async () => {
  const it = rig({ fragments: changing(18_000) });
  await it.until(20_500);
  await it.trigger();
  await it.until(70_000);
  assert.deepEqual(
    [it.range(0), it.range(1)],
    [
      [14_000, 18_000],
      [18_000, 50_000],
    ],
  );
  assert.deepEqual(formatsOf(it.files), [[1], [2]]);
});

test('a format that changes while a place is waited for mixes nothing', async () => {
  const it = rig({ fragments: changing(22_000), slowPlace: true });
  await it.until(20_500);
  await it.trigger();
  await it.until(24_500);
  for (const give of it.places.splice(0)) give();
  await it.until(25_000);
  for (const give of it.places.splice(0)) give();
  await it.until(70_000);
  assert.deepEqual(formatsOf(it.files), [[1], [2]]);
  assert.deepEqual(
    [it.range(0), it.range(1)],
    [
      [14_000, 22_000],
      [22_000, 50_000],
    ],
  );
});

test('what moves before the first key frame is recorded from that one on', async () => {
  const it = rig({ fragments: madeFragments(seconds(200, 20).slice(1)).fragments });
  await it.until(5000);
  await it.trigger();
  await it.until(19_000);
  assert.deepEqual(it.asked, []);
  await it.until(70_000);
  assert.deepEqual(it.asked, [WALL + 5000]);
  assert.deepEqual(it.range(0), [20_000, 55_000]);
  assert.equal(it.written[0]?.clip.preRollMs, 0);
  assert.equal(it.written[0]?.clip.startedMs, WALL + 20_000);
});

test('what moved longer ago than the post-roll begins nothing when a key frame comes', async () => {
  const it = rig({ postRollMs: 10_000, fragments: madeFragments(seconds(200, 20).slice(1)).fragments });
  await it.until(5000);
  await it.trigger();
  await it.until(40_000);
  assert.deepEqual(it.asked, []);
});

test('a clip is over when its time is over, also when no picture comes any more', async () => {
  const it = rig({ fragments: madeFragments(seconds(30)).fragments });
  await it.until(20_500);
  await it.trigger();
  await it.until(54_000);
  it.recorder.tick();
  await turn();
  assert.equal(it.recorder.recording(), true);
  await it.until(56_000);
  it.recorder.tick();
  await it.until(56_500);
  assert.equal(it.recorder.recording(), false);
  assert.deepEqual(it.range(0), [14_000, 30_000]);
});
