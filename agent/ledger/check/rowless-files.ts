import { classify } from '../../kernel/classify.ts';
import type { clockQuality as systemClockQuality } from '../../kernel/clock-quality.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import { CAMERA_ID, entryAt, type FoundFile, noClipBecause } from '../clips/clip-files.ts';
import { LAST_MS, isOwnClipId, timeOfClipId } from '../clips/clip-id.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import { clipFilesIn } from './clip-survey.ts';
import { AT_ONCE } from './each-apart.ts';

/** An id may be ahead of a clock that is right by so much. */
const AHEAD_MS = 24 * 60 * 60_000;

export interface RowlessFilesDeps {
  readonly dir: string;
  readonly rows: Pick<ClipRows, 'get' | 'folded'>;
  readonly log: Log;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly clockQuality: typeof systemClockQuality;
  readonly breathe: Breathe;
}

/** The clip files that no row answers for. Those of one id follow each other, the largest first: the first one that can
 *  be played is the clip. Otherwise the smaller ones come first, which keep nobody waiting.
 *  @param notYet gets the path of each file that cannot be looked at now, and why */
export async function rowlessFiles(
  deps: RowlessFilesDeps,
  notYet: Map<string, string>,
): Promise<FoundFile[]> {
  const { dir, rows, log, breathe } = deps;
  const byId = new Map<string, { file: FoundFile; bytes: number }[]>();
  let looked = 0;
  for await (const file of clipFilesIn(dir)) {
    if (++looked % AT_ONCE === 0) await breathe();
    const { clipId, cameraId, path } = file;
    if (!isPlausible(deps, clipId) || !CAMERA_ID.test(cameraId)) continue;
    if (rows.get(clipId) || rows.folded(clipId)) continue;
    try {
      const entry = entryAt(path);
      if (entry.kind !== 'file' || noClipBecause(entry) !== undefined) continue;
      byId.set(clipId, [...(byId.get(clipId) ?? []), { file, bytes: entry.bytes }]);
    } catch (error) {
      const { code, message } = classify(error, 'ledger.adopt');
      log.error({ event: 'clip.not-adopted', clipId, code }, message);
      notYet.set(path, message);
    }
  }
  return [...byId.values()]
    .map((files) => files.toSorted((a, b) => b.bytes - a.bytes))
    .toSorted(([a], [b]) => (a?.bytes ?? 0) - (b?.bytes ?? 0))
    .flatMap((files) => files.map(({ file }) => file));
}

/** An id of a time that is to come would make all that follow carry it, too. */
function isPlausible({ clock, clockQuality }: RowlessFilesDeps, clipId: string): boolean {
  if (!isOwnClipId(clipId)) return false;
  const now = clock.nowMs();
  const latestMs = clockQuality(now) === 'synchronised' ? now + AHEAD_MS : LAST_MS;
  return timeOfClipId(clipId) <= Math.min(latestMs, LAST_MS);
}
