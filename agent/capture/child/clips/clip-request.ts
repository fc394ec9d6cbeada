import { Failure } from '../../../kernel/failure.ts';
import type { OpenClip } from './open-clip.ts';

export const pausedFailure = () =>
  new Failure('transient', 'capture.paused', 'Recording is paused; no clip begins');

const noPictureFailure = () =>
  new Failure('transient', 'capture.no-picture', 'The camera has not shown a whole picture yet');
const noRoomFailure = () =>
  new Failure('exhausted', 'capture.no-room', 'No clip may be recorded now: there is no room for it');

/** A clip that a person asks for; one that runs counts.
 *  @returns its id, when its place is known
 *  @throws Failure `capture.no-picture`, `capture.paused`, `capture.no-room` */
export async function requestClip(clips: {
  running(): OpenClip | undefined;
  isPaused(): boolean;
  /** @returns undefined when there is no picture to begin with */
  begin(): OpenClip | undefined;
}): Promise<string> {
  // What is being closed takes no more pictures; motion may begin the next clip before we do.
  for (let closing = clips.running(); closing?.isEnded; closing = clips.running()) await closing.reported;
  if (clips.isPaused()) throw pausedFailure();
  const clip = clips.running() ?? clips.begin();
  if (!clip) throw noPictureFailure();
  const place = await clip.place;
  if (place && 'clipId' in place) return place.clipId;
  if (place && clip.start.cause.kind !== 'request') {
    // What moves may not be recorded now; what a person asks for may.
    await clip.reported;
    return requestClip(clips);
  }
  throw clips.isPaused() ? pausedFailure() : noRoomFailure();
}
