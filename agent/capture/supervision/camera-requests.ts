import { Failure } from '../../kernel/failure.ts';
import type { ChildCalls } from './child-calls.ts';
import type { ClipBroker } from './clip-broker.ts';
import { type Snapshot, snapshotOf } from './picture.ts';
import { pausedFailure } from '../child/clips/clip-request.ts';

/** A child as it runs. */
export interface RunningChild {
  readonly calls: ChildCalls;
  readonly broker: ClipBroker;
  /** Settles when it is gone and its clips are settled. */
  readonly gone: Promise<unknown>;
  kill(why: string): void;
}

export interface CameraRequests {
  readonly paused: boolean;
  /** Resolves when every clip is reported and dealt with; never rejects. */
  pause(): Promise<void>;
  /** What is being closed is closed all the same. */
  resume(): void;
  /** @throws Failure transient `capture.no-picture` | `capture.deadline` */
  snapshot(): Promise<Snapshot>;
  /** @throws Failure as `snapshot`, transient `capture.paused`, exhausted `capture.no-room` */
  record(): Promise<string>;
}

/** A child says by itself, sooner than this, that no picture comes or no place is given. */
const ANSWER_MS = 6_000;

/** What people and the appliance ask of one camera, whichever child it has at the moment.
 *  Invariants
 *  1. Of each kind at most one question is on its way: whoever asks meanwhile shares its answer.
 *  2. A child that does not pause in time is killed. One that owes a picture or a clip is not: what it records is
 *     worth more, and one that hangs is noticed by its heartbeat. */
export function createCameraRequests(deps: {
  readonly paused: boolean;
  readonly pauseMs: number;
  running(): RunningChild | undefined;
  /** Why no child runs, for a person. */
  absence(): string;
}): CameraRequests {
  let { paused } = deps;
  let pausing: Promise<void> | undefined;
  let picturing: Promise<Snapshot> | undefined;
  let recording: Promise<string> | undefined;

  async function pauseChild(): Promise<void> {
    const child = deps.running();
    // The next one is forked paused.
    if (!child) return;
    try {
      await child.calls.ask('pause', deps.pauseMs);
    } catch {
      // Late or gone: either way its clip is kept as after a death.
      child.kill('the capture process did not close its clip in time');
      await child.gone;
      return;
    }
    await child.broker.idle();
  }

  function calls(): ChildCalls {
    const child = deps.running();
    if (child) return child.calls;
    throw new Failure('transient', 'capture.no-picture', deps.absence());
  }

  async function takePicture(): Promise<Snapshot> {
    return snapshotOf(await calls().ask('snapshot', ANSWER_MS));
  }

  async function beginClip(): Promise<string> {
    if (paused) throw pausedFailure();
    const answer = await calls().ask('record', ANSWER_MS);
    if (answer.type === 'recording') return answer.clipId;
    throw new Failure('bug', 'capture.answer', `A capture process answered record with ${answer.type}`);
  }

  return {
    get paused() {
      return paused;
    },
    pause: () => {
      paused = true;
      pausing ??= pauseChild();
      return pausing;
    },
    resume: () => {
      paused = false;
      pausing = undefined;
    },
    snapshot: () => (picturing ??= takePicture().finally(() => (picturing = undefined))),
    record: () => (recording ??= beginClip().finally(() => (recording = undefined))),
  };
}
