import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClipStarts, wantedStart } from '../../../../../../agent/capture/child/clips/clip-starts.ts';
import { createFragmentRing } from '../../../../../../agent/capture/child/fragment-ring.ts';
import type { ClipStart, OpenClip } from '../../../../../../agent/capture/child/clips/open-clip.ts';
import { madeFormat, madeFragments, seconds } from '../../made-fragments.ts';

const cause = { kind: 'picture' } as const;

/** A camera whose media time is monotonic time; the ring holds its first 60 s. */
function startsAt(now: number) {
  const ring = createFragmentRing({ keepMs: 100_000, maxBytes: 1 << 24 });
  for (const fragment of madeFragments(seconds(60)).fragments) ring.push(fragment);
  const starts = createClipStarts({
    recording: { preRollMs: 5_000, postRollMs: 10_000 },
    ring,
    mediaClock: { mediaAt: (ms) => ms },
    clock: { nowMs: () => 1_000_000 + now, monotonicMs: () => now },
  });
  return { ring, starts };
}

/** A clip that was to hold 15 to 30 s. */
const clip = (more: Partial<OpenClip>): OpenClip => ({
  start: {
    triggerMs: 20_000,
    triggeredWallMs: 1_020_000,
    cause,
    fromMs: 15_000,
    untilMs: undefined,
    capMs: undefined,
    formatFrom: 0,
  },
  startMs: 15_000,
  endMs: 30_000,
  capMs: 30_000,
  beyond: undefined,
  lastEndMs: 30_000,
  format: madeFormat(),
  place: Promise.resolve(undefined),
  isEnded: true,
  isChanged: false,
  isBeingWritten: true,
  take: () => undefined,
  moved: () => undefined,
  change: () => undefined,
  end: () => undefined,
  reported: Promise.resolve({ kind: 'whole' }),
  ...more,
});

test('a clip begins with its pre-roll, but not on what the last one holds', () => {
  for (const [triggerMs, notBeforeMs, wanted] of [
    [20_000, undefined, 15_000],
    [20_000, 10_000, 15_000],
    [20_000, 17_000, 17_000],
    // Motion that goes on: there is no gap, although the trigger came a little later.
    [20_000, 18_000, 18_000],
    [20_000, 22_000, 22_000],
  ] as const)
    assert.equal(wantedStart(triggerMs, 5_000, notBeforeMs), wanted);
});

test('what a disk did not take is asked for once, from where it is certain to where the clip would have ended', () => {
  const { starts } = startsAt(40_000);
  assert.equal(starts.cutOff(clip({ lastEndMs: 25_000, isEnded: false }), 4_000), false);
  const rest = starts.rest();
  assert.deepEqual([rest?.fromMs, rest?.untilMs, rest?.triggerMs], [19_000, 30_000, 20_000]);
  assert.equal(starts.rest(), undefined);
});

test('a clip that got no further than the one before it wants a pause', () => {
  const { starts } = startsAt(40_000);
  starts.cutOff(clip({ lastEndMs: 25_000, isEnded: false }), 4_000);
  starts.rest();
  assert.equal(starts.cutOff(clip({ startMs: 18_000, lastEndMs: 25_000, isEnded: false }), 1_000), true);
});

test('a clip of which the disk took all that came has no rest', () => {
  const { starts } = startsAt(40_000);
  starts.cutOff(clip({ lastEndMs: 25_000 }), 10_000);
  assert.equal(starts.rest(), undefined);
  starts.cutOff(clip({}), 0);
  assert.equal(starts.rest(), undefined, 'whole, and nothing of it was taken: it is not tried for ever');
});

test('behind a clip come its rest, the next format, and what moved behind it, in this order', () => {
  const { starts } = startsAt(40_000);
  const beyond = { atMs: 26_000, mediaMs: 26_000, cause };
  const changed = clip({ lastEndMs: 25_000, isEnded: false, isChanged: true, beyond });
  starts.cutOff(changed, 4_000);
  const all: ClipStart[] = [...starts.behind(changed)];
  assert.deepEqual(
    all.map(({ triggerMs, untilMs, formatFrom }) => [triggerMs, untilMs, formatFrom]),
    [
      [20_000, 30_000, 0],
      [20_000, 30_000, 2],
      [26_000, undefined, 0],
    ],
  );
});

test('a clip behind which nothing moved is followed by none', () => {
  const { starts } = startsAt(40_000);
  assert.deepEqual([...starts.behind(clip({}))], []);
});

test('what waits for a key frame waits as long as its post-roll, and the first motion counts', () => {
  const soon = startsAt(30_000).starts;
  soon.keepForLater(20_000, cause);
  soon.keepForLater(22_000, cause);
  assert.equal(soon.kept()?.triggerMs, 20_000);
  soon.begun();
  assert.equal(soon.kept(), undefined);
  const late = startsAt(30_001).starts;
  late.keepForLater(20_000, cause);
  assert.equal(late.kept(), undefined);
});
