import type { SuppressionReason } from '@dachawatch/contracts';
import type { ClipWriterDeps } from '../../../../../agent/capture/child/clips/clip-writer.ts';
import { createFragmentRing } from '../../../../../agent/capture/child/fragment-ring.ts';
import { createMediaClock } from '../../../../../agent/capture/packing/media-clock.ts';
import { createRecorder } from '../../../../../agent/capture/child/recorder.ts';
import type { Fragment } from '../../../../../agent/capture/mp4/fragment.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import type { WrittenClip } from '../../../../../agent/ledger/ledger.ts';
import { madeFragments, seconds } from '../made-fragments.ts';

export const WALL = 1_800_000_000_000;
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A camera with a key frame every two seconds. A fragment comes when it ends, so media time is monotonic time. */
export function rig({
  preRollMs = 5000,
  postRollMs = 30_000,
  refuse = false,
  longestMs = 0,
  cooldownMs = 0,
  /** Why no place is given, as long as it is set. */
  limit = undefined as SuppressionReason | undefined,
  /** How long a file takes to close, milliseconds. */
  closeMs = 0,
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
  /** What was answered to each motion. */
  const reasons: (SuppressionReason | undefined)[] = [];
  const it = { limit };
  const asked: number[] = [];
  const causes: string[] = [];
  /** Answers to `askSlot` that are held back. */
  const places: (() => void)[] = [];
  const written: { clipId: string; clip: WrittenClip }[] = [];
  const abandoned: string[] = [];
  const recorder = createRecorder({
    recording: { preRollMs, postRollMs, longestMs, cooldownMs },
    paused,
    ring,
    mediaClock,
    clock: { nowMs: () => WALL + now, monotonicMs: () => now },
    askSlot: async (triggeredMs, cause) => {
      asked.push(triggeredMs);
      causes.push(cause.kind);
      if (slowPlace) await new Promise<void>((resolve) => places.push(resolve));
      if (it.limit && cause.kind !== 'request') return { suppressed: it.limit };
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
          const closedMs = now + closeMs;
          for (let left = closeMs; left > 0; left = closedMs - now) await turn();
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
  return Object.assign(it, {
    recorder,
    files,
    asked,
    reasons,
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
        if (motion && now % 200 === 0) reasons.push(recorder.motion(now, { kind: 'picture' }));
        await turn();
      }
    },
    now: () => now,
    async trigger() {
      reasons.push(recorder.motion(now, { kind: 'picture' }));
      await turn();
    },
  });
}
