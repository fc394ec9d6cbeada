import type { TelemetryData } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';

/** Movements that should have been recorded and were not. */
export interface RefusedRecordings {
  /** A trigger of this camera got no place to record to, for this reason. */
  refused(cameraId: string, reason: string): void;
  /** A clip of this camera was opened: it records again. */
  opened(cameraId: string): void;
  /** Compares what the cameras see with what they record. Called every second. */
  look(cameras: readonly Pick<CameraStatus, 'cameraId' | 'unrecordedMs'>[]): void;
  /** Hands on what is due, once a camera and ten minutes. What could not be told is told by a later call.
   *  @param tell returns false when it could not be told */
  report(tell: (data: TelemetryData<'recording.refused'>) => boolean): void;
}

export interface RefusedRecordingsDeps {
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}

/** A clip is opened within a second or two; beyond this nobody records what moves. */
const UNRECORDED_MS = 5_000;
/** A refusal that does not come again counts as over: what caused it, if it stands, has a condition of its own. */
const OVER_MS = 60 * 60_000;
const TELL_MS = 10 * 60_000;
const UNKNOWN_REASON =
  'something moves, but no clip begins: the camera’s main stream has brought no key picture that a clip can begin with';

interface Entry {
  /** Since the last clip of this camera. */
  count: number;
  reason: string;
  lastMs: number;
  untold: number;
  untoldSinceMs: number;
  toldMs: number;
  /** The camera sees something that no clip holds, and no refusal explains it. */
  unexplained: boolean;
}

/** Invariants
 *  1. A refused trigger is a condition of its camera at once, until a clip of that camera is opened, or for an hour.
 *  2. A camera that sees something move for five seconds without a clip is the same, also when nobody refused it.
 *  3. Every refusal is counted in an event in the end. */
export function createRefusedRecordings({ conditions, clock }: RefusedRecordingsDeps): RefusedRecordings {
  const entries = new Map<string, Entry>();

  function note(cameraId: string, reason: string): void {
    const now = clock.monotonicMs();
    const entry = entries.get(cameraId) ?? {
      ...{ count: 0, reason, lastMs: now, untold: 0, untoldSinceMs: 0 },
      ...{ toldMs: Number.NEGATIVE_INFINITY, unexplained: false },
    };
    entries.set(cameraId, entry);
    if (entry.untold === 0) entry.untoldSinceMs = clock.nowMs();
    entry.count += 1;
    entry.untold += 1;
    entry.reason = reason;
    entry.lastMs = now;
    const what =
      entry.count === 1
        ? `1 movement was not recorded: ${reason}`
        : `${entry.count} movements were not recorded: ${reason}`;
    conditions.raise('recording-refused', what, cameraId);
  }

  function over(cameraId: string, entry: Entry): void {
    entry.count = 0;
    entry.unexplained = false;
    conditions.clear('recording-refused', cameraId);
  }

  return {
    refused: note,
    opened(cameraId) {
      const entry = entries.get(cameraId);
      if (entry) over(cameraId, entry);
    },
    look(cameras) {
      const now = clock.monotonicMs();
      for (const { cameraId, unrecordedMs } of cameras) {
        const entry = entries.get(cameraId);
        const refusedMs = entry && entry.count > 0 ? now - entry.lastMs : Number.POSITIVE_INFINITY;
        // The capture process asks again every few seconds: a refusal that young is the explanation.
        const unexplained = unrecordedMs !== null && unrecordedMs >= UNRECORDED_MS && refusedMs > 15_000;
        if (unexplained && !entry?.unexplained) {
          note(cameraId, UNKNOWN_REASON);
          const noted = entries.get(cameraId);
          if (noted) noted.unexplained = true;
        } else if (entry && unrecordedMs === null) entry.unexplained = false;
        if (entry && entry.count > 0 && unrecordedMs === null && refusedMs > OVER_MS) over(cameraId, entry);
      }
      const present = new Set(cameras.map(({ cameraId }) => cameraId));
      for (const [cameraId, entry] of entries) {
        if (present.has(cameraId)) continue;
        over(cameraId, entry);
        if (entry.untold === 0) entries.delete(cameraId);
      }
    },
    report(tell) {
      const now = clock.monotonicMs();
      for (const [cameraId, entry] of entries) {
        if (entry.untold === 0 || now - entry.toldMs < TELL_MS) continue;
        const { untold: count, reason } = entry;
        const sinceUtc = new Date(entry.untoldSinceMs).toISOString();
        if (!tell({ cameraId, count, sinceUtc, reason })) return;
        entry.untold = 0;
        entry.toldMs = now;
      }
    },
  };
}
