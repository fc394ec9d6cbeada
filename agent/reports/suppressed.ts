import type { TelemetryData } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { Clock } from '../kernel/clock.ts';

const HOUR_MS = 3_600_000;

type Counts = Readonly<Record<string, number>>;
type SuppressedData = TelemetryData<'trigger.suppressed'>;

export interface SuppressedReport {
  look(cameras: readonly Pick<CameraStatus, 'cameraId' | 'suppressed'>[]): void;
  /** Tells what was counted in the running hour: the agent stops. */
  flush(): void;
}

export interface SuppressedReportDeps {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** @returns false when it could not be told; it is then told with the next hour */
  readonly tell: (data: SuppressedData) => boolean;
}

/** Turns the cumulative counts of cameras into counts by the hour.
 *  Invariants
 *  1. Every suppressed trigger that was seen is told in one event. Nothing is told of a camera without any.
 *  2. A count that is lower than before began anew: all of it is new.
 *  3. The clock that was set in between decides the name of the hour, not how much is told. */
export function createSuppressedReport({ clock, tell }: SuppressedReportDeps): SuppressedReport {
  const seen = new Map<string, Counts>();
  const pending = new Map<string, Record<string, number>>();
  let hour = hourOf(clock.nowMs());
  let begunMs = clock.monotonicMs();

  function count({ cameraId, suppressed }: Pick<CameraStatus, 'cameraId' | 'suppressed'>): void {
    const before = seen.get(cameraId) ?? {};
    for (const [reason, total] of Object.entries(suppressed)) {
      const earlier = before[reason] ?? 0;
      const fresh = total >= earlier ? total - earlier : total;
      if (fresh === 0) continue;
      const counts = pending.get(cameraId) ?? {};
      counts[reason] = (counts[reason] ?? 0) + fresh;
      pending.set(cameraId, counts);
    }
    seen.set(cameraId, suppressed);
  }

  /** By the clock as it is now. The middle of the time, because its borders may lie a little beside the hour's. */
  function flush(): void {
    const middleMs = clock.nowMs() - (clock.monotonicMs() - begunMs) / 2;
    const hourUtc = new Date(Math.max(0, hourOf(middleMs) * HOUR_MS)).toISOString();
    for (const [cameraId, reasons] of pending)
      if (tell({ cameraId, hourUtc, reasons })) pending.delete(cameraId);
  }

  return {
    look(cameras) {
      for (const camera of cameras) count(camera);
      const present = new Set(cameras.map(({ cameraId }) => cameraId));
      for (const cameraId of seen.keys()) if (!present.has(cameraId)) seen.delete(cameraId);
      const now = hourOf(clock.nowMs());
      if (now === hour) return;
      flush();
      hour = now;
      begunMs = clock.monotonicMs();
    },
    flush,
  };
}

const hourOf = (ms: number) => Math.floor(ms / HOUR_MS);
