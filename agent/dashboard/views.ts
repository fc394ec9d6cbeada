import type { CameraStatus } from '../capture/capture.ts';
import { allThatMatters, type ApplianceFacts } from '../health/health.ts';
import type { Clip, CustodyEntry } from '../ledger/ledger.ts';
import { machineView } from './machine-view.ts';
import type { Say } from './reasons.ts';

/** A picture younger than this is the picture of now. */
const FRESH_MS = 10_000;

/** Sentences beside the first: a phone shows them without scrolling. */
const MAX_FURTHER = 3;

const utc = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
const told = (text: string | null, say: Say) => (text === null ? null : say(text));

export interface StatusFacts extends ApplianceFacts {
  readonly deviceId: string;
  readonly nowMs: number;
  /** Grows with each change of a clip; null while the ledger does not answer. */
  readonly clipsRevision: number | null;
}

/** What `GET /api/status` says. It holds moments, not ages, so that it stays the same while nothing changes. */
export function statusView(facts: StatusFacts, say: Say) {
  const { deviceId, nowMs, cameras, link, upload, summary, clipsRevision } = facts;
  const [house, ...further] = allThatMatters(facts);
  return {
    deviceId,
    house,
    // What is wrong beside that; the calm state at the end says nothing more then.
    further: further.filter(({ level }) => level !== 'calm').slice(0, MAX_FURTHER),
    cameras: cameras.map((camera) => cameraView(camera, nowMs, say)),
    link: { state: link.state, sinceUtc: utc(link.sinceMs), detail: told(link.detail, say) },
    upload: { state: upload.state, clipId: upload.clipId, detail: told(upload.detail, say) },
    clips: summary && {
      total: summary.clips,
      waiting: summary.waiting,
      oldestWaitingUtc: utc(summary.oldestWaitingMs),
      awaitingVerdict: summary.awaitingVerdict,
      bytes: summary.bytes,
      revision: clipsRevision,
    },
    ...machineView(facts, say),
  };
}

function cameraView(camera: CameraStatus, nowMs: number, say: Say) {
  const { cameraId, title, state, sinceMs, detail, lastFragmentAgeMs: ageMs, recording } = camera;
  const picture = ageMs === null ? 'none' : ageMs < FRESH_MS ? 'fresh' : 'old';
  return {
    cameraId,
    title,
    state,
    sinceUtc: utc(sinceMs),
    detail: told(detail, say),
    recording,
    picture,
    // To the second: the age is measured anew each time and would waver by milliseconds.
    lastPictureUtc: picture === 'old' && ageMs !== null ? utc(toSeconds(nowMs - ageMs)) : null,
    suppressed: camera.suppressed,
  };
}

const toSeconds = (ms: number) => Math.round(ms / 1000) * 1000;

/** One clip as `GET /api/clips` tells it. Paths of this machine and addresses of storage stay inside.
 *  @param title the camera's name for people
 *  @param hasFile whether the finished file lies on this disk: an uploaded clip may have been removed to make room
 *  @param hasThumbnail whether a small picture lies beside it */
export function clipView(
  clip: Clip,
  { title, hasFile, hasThumbnail, say }: { title: string; hasFile: boolean; hasThumbnail: boolean; say: Say },
) {
  const { clipId, state, verdict } = clip;
  return {
    clipId,
    cameraId: clip.cameraId,
    cameraTitle: title,
    state,
    clockQuality: clip.clockQuality,
    triggeredUtc: utc(clip.triggeredMs),
    startedUtc: utc(clip.startedMs),
    sealedUtc: utc(clip.sealedMs),
    uploadedUtc: utc(clip.uploadedMs),
    judgedUtc: utc(clip.judgedMs),
    preRollMs: clip.preRollMs,
    durationMs: clip.durationMs,
    bytes: clip.bytes,
    uploadAttempts: clip.attempt,
    reason: told(clip.reason, say),
    verdict: verdict && {
      verdict: verdict.verdict,
      revision: verdict.revision,
      labels: verdict.labels,
      confidence: verdict.confidence,
      decision: verdict.decision,
      reason: say(verdict.reason),
      decidedUtc: verdict.decided_utc,
      bestFrameAtMs: verdict.best_frame?.at_ms ?? null,
    },
    video: hasFile ? `/clips/${clipId}.mp4` : null,
    ...pictureAddresses(clipId, {
      hasThumbnail,
      revision: verdict?.best_frame ? verdict.revision : null,
    }),
  };
}

/** Where the pictures of a clip are.
 *  @param revision of the verdict that has a best frame. It makes a new address when a later one brings another picture */
export const pictureAddresses = (
  clipId: string,
  { hasThumbnail, revision }: { readonly hasThumbnail: boolean; readonly revision: number | null },
) => ({
  thumbnail: hasThumbnail ? `/api/clips/${clipId}/thumbnail` : null,
  bestFrame: revision === null ? null : `/clips/${clipId}/best.jpg?revision=${revision}`,
});

export const custodyView = ({ atMs, event, detail }: CustodyEntry, say: Say) => ({
  atUtc: utc(atMs),
  event,
  detail: told(detail, say),
});
