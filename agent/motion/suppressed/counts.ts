import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';

/** Suppressed triggers of one camera in one hour. */
export interface HourOfCounts {
  readonly cameraId: string;
  /** Begin of the hour, Unix milliseconds. */
  readonly hourMs: number;
  readonly reasons: Readonly<Record<string, number>>;
}

const HOUR_MS = 3_600_000;
/** A week; more cameras share it. */
const MAX_HOURS = 16 * 168;
const WRITE_EVERY_MS = 600_000;
/** Of that many hours, with room. */
const FILE_MAX_BYTES = 4 * 1024 * 1024;
/** The latest moment that a date can be. */
const LAST_MS = 8.64e15;

/** Counts per hour and reason in one small file, replaced as a whole. A kill loses the last ten minutes. */
export function createHourlyCounts({ dir, clock }: { dir: string; clock: Pick<Clock, 'nowMs'> }) {
  const file = join(dir, 'counts.json');
  const before = new Map<string, Readonly<Record<string, number>>>();
  let hours: { cameraId: string; hourMs: number; reasons: Record<string, number> }[] = [];
  let dirty = false;
  let writtenMs = clock.nowMs();

  async function replace(text: string): Promise<void> {
    // Whatever stands there: to open a pipe is to wait for ever.
    await rm(`${file}.part`, { force: true });
    const handle = await open(`${file}.part`, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.part`, file);
  }

  return {
    /** Reads what an earlier run wrote; a file that cannot be understood counts as none. */
    async read(): Promise<void> {
      let text: string;
      try {
        text = readSmallText(file, FILE_MAX_BYTES);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof Failure) return;
        throw error;
      }
      hours = hoursIn(text);
    },
    /** @param totals since the agent's start; lower than before: they began anew, and all of it is new
     *  @returns whether it is time to write */
    add(cameraId: string, totals: Readonly<Record<string, number>>): boolean {
      const nowMs = clock.nowMs();
      const last = before.get(cameraId) ?? {};
      const hourMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
      for (const [reason, total] of Object.entries(totals)) {
        const earlier = last[reason] ?? 0;
        const more = total >= earlier ? total - earlier : total;
        if (more === 0) continue;
        let hour = hours.find((one) => one.cameraId === cameraId && one.hourMs === hourMs);
        if (!hour) {
          hour = { cameraId, hourMs, reasons: {} };
          hours = [...hours.slice(1 - MAX_HOURS), hour];
        }
        hour.reasons[reason] = (hour.reasons[reason] ?? 0) + more;
        dirty = true;
      }
      before.set(cameraId, { ...totals });
      // A clock that was set back must not keep it from being written.
      return dirty && Math.abs(nowMs - writtenMs) >= WRITE_EVERY_MS;
    },
    async write(): Promise<void> {
      if (!dirty) return;
      dirty = false;
      writtenMs = clock.nowMs();
      try {
        await replace(JSON.stringify({ version: 1, hours }));
      } catch (error) {
        // The next time it is due, or the stop, tries again.
        dirty = true;
        throw error;
      }
    },
    hours({ limit, cameraId }: { readonly limit: number; readonly cameraId?: string }): HourOfCounts[] {
      return hours
        .filter((hour) => cameraId === undefined || hour.cameraId === cameraId)
        .toSorted((a, b) => b.hourMs - a.hourMs)
        .slice(0, limit);
    },
  };
}

function hoursIn(text: string): { cameraId: string; hourMs: number; reasons: Record<string, number> }[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const found = (value as { hours?: unknown } | null)?.hours;
  return Array.isArray(found)
    ? found.filter(
        (hour) =>
          typeof hour?.cameraId === 'string' &&
          Number.isFinite(hour.hourMs) &&
          Math.abs(hour.hourMs) <= LAST_MS &&
          typeof hour.reasons === 'object' &&
          hour.reasons !== null &&
          Object.values(hour.reasons).every(Number.isFinite),
      )
    : [];
}
