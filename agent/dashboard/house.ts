import type { CameraStatus } from '../capture/capture.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { UploadStatus } from '../upload/upload.ts';

/** The state of the house in one word; the page has the sentence for each.
 *  well: everything runs · recording: something moves in front of a camera now · sending: clips are on their way ·
 *  starting: no picture yet, or no link yet, since the start · waiting: clips wait, the link is there ·
 *  offline: no link · refused: the cloud does not let this device in · camera-down: at least one camera gives no
 *  picture · no-cameras: none is configured */
export const HOUSE_STATES = [
  'well',
  'recording',
  'sending',
  'starting',
  'waiting',
  'offline',
  'refused',
  'camera-down',
  'no-cameras',
] as const;

export interface House {
  readonly state: (typeof HOUSE_STATES)[number];
  /** calm: leave it alone · notice: it passes by itself, or watch it · trouble: somebody must act */
  readonly level: 'calm' | 'notice' | 'trouble';
  /** Names of the cameras the sentence is about. */
  readonly cameras: readonly string[];
  /** Since when it is so, ISO UTC; null when nobody asks. */
  readonly sinceUtc: string | null;
  /** Clips that wait for upload. */
  readonly waiting: number;
}

/** What matters most goes first: a blind camera before a missing link before a queue. */
export function stateOfHouse(facts: {
  readonly cameras: readonly CameraStatus[];
  readonly link: LinkStatus;
  readonly upload: UploadStatus;
  readonly waiting: number;
}): House {
  const { cameras, link, upload, waiting } = facts;
  const house = (
    state: House['state'],
    level: House['level'],
    about: readonly CameraStatus[] = [],
    sinceMs: number | null = null,
  ): House => ({
    state,
    level,
    cameras: about.map((camera) => camera.title),
    sinceUtc: sinceMs === null ? null : new Date(sinceMs).toISOString(),
    waiting,
  });

  if (cameras.length === 0) return house('no-cameras', 'trouble');
  const blind = cameras.filter((camera) => camera.state === 'down' || camera.state === 'stalled');
  if (blind.length > 0)
    return house('camera-down', 'trouble', blind, Math.min(...blind.map((camera) => camera.sinceMs)));
  if (link.state === 'refused') return house('refused', 'trouble', [], link.sinceMs);
  if (link.state === 'offline') return house('offline', 'notice', [], link.sinceMs);
  const dark = cameras.filter((camera) => camera.state === 'starting');
  if (dark.length > 0 || link.state === 'connecting') return house('starting', 'notice', dark);
  const recording = cameras.filter((camera) => camera.recording);
  if (recording.length > 0) return house('recording', 'calm', recording);
  if (waiting === 0) return house('well', 'calm');
  return upload.state === 'uploading' ? house('sending', 'calm') : house('waiting', 'notice');
}
