import type { RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { Fragment } from '../mp4/fragment.ts';
import { createCameraTime } from '../packing/camera-time.ts';
import { createPictureCutter } from '../packing/coded-pictures.ts';
import { createFragmenter } from '../packing/fragmenter.ts';
import { createMediaClock } from '../packing/media-clock.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';
import { createClipWriter } from './clips/clip-writer.ts';
import { createFragmentRing } from './fragment-ring.ts';
import { createRecorder, type Recorder, type RecorderDeps } from './recorder.ts';

export interface RecordingStageDeps
  extends Pick<RecorderDeps, 'recording' | 'askSlot' | 'begun' | 'written' | 'abandoned' | 'paused'> {
  readonly clock: Clock;
  /** Before it is recorded. */
  onFragment(fragment: Fragment): void;
}

export interface RecordingStage {
  readonly recorder: Recorder;
  /** @param now monotonic milliseconds */
  unit(unit: StreamUnit, now: number): void;
  /** Other lengths, for clips that begin from now on. */
  reconfigure(recording: RecordingConfig): void;
  /** Packs what came so far into a last fragment. */
  flush(): void;
  /** The newest group of pictures was too large for memory. */
  isOverrun(): boolean;
}

/** More than the longest pre-roll needs at 12 Mbit/s. */
const RING_BYTES = 64 * 1024 * 1024;
/** A minute between two key frames at 16 Mbit/s. */
const GROUP_BYTES = 128 * 1024 * 1024;
/** A grey frame may be seen this much later than the fragment of the same moment. */
const RING_SLACK_MS = 3_000;
const keepMs = ({ preRollMs }: RecordingConfig) => preRollMs + RING_SLACK_MS;

/** NAL units of the main stream in, clips out; in between the ring that pre-roll comes from. */
export function createRecordingStage(deps: RecordingStageDeps): RecordingStage {
  const { clock } = deps;
  const ring = createFragmentRing({
    keepMs: keepMs(deps.recording),
    maxBytes: RING_BYTES,
    maxGroupBytes: GROUP_BYTES,
  });
  const mediaClock = createMediaClock();
  const recorder = createRecorder({ ...deps, ring, mediaClock, createWriter: createClipWriter });
  const fragmenter = createFragmenter({ time: createCameraTime(), onFragment });
  const cutter = createPictureCutter({
    onPicture: (picture) => fragmenter.push(picture, clock.monotonicMs()),
  });

  function onFragment(fragment: Fragment): void {
    deps.onFragment(fragment);
    mediaClock.observe(fragment);
    ring.push(fragment);
    recorder.fragment(fragment);
  }

  return {
    recorder,
    unit: (unit, now) => cutter.push(unit, now),
    reconfigure: (recording) => {
      ring.keep(keepMs(recording));
      recorder.reconfigure(recording);
    },
    flush: () => {
      cutter.flush();
      fragmenter.flush(clock.monotonicMs());
    },
    isOverrun: () => ring.overrun,
  };
}
