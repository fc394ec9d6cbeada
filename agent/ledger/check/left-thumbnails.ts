import type { Breathe } from '../breathe.ts';
import { cameraDir } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import { dropFile, thumbnailIn } from '../clips/thumbnails.ts';
import type { Database } from '../database/database.ts';
import type { ClipSurvey } from './clip-survey.ts';

const PAGE = 100;

/** Removes small pictures whose clip has no file here any more, and what a killed process left of one. Whether a clip
 *  has a file its row says: one whose file is only away keeps its picture. */
export async function sweepThumbnails(
  survey: Pick<ClipSurvey, 'names' | 'has' | 'isAway'>,
  deps: {
    readonly db: Database;
    readonly dir: string;
    readonly breathe: Breathe;
    readonly isWriting?: ((clipId: string) => boolean) | undefined;
  },
): Promise<void> {
  const { db, dir, breathe, isWriting } = deps;
  const answersFor = db
    .prepare<[string, string], ClipRow['on_disk']>(
      'SELECT on_disk FROM clips WHERE clip_id = ? AND camera_id = ?',
    )
    .pluck();
  let looked = 0;
  for (const [cameraId, name] of survey.names()) {
    const found = thumbnailIn(name);
    if (!found || survey.isAway(cameraId)) continue;
    if (++looked % PAGE === 0) await breathe();
    const { clipId, isUnfinished } = found;
    if (isWriting?.(clipId)) continue;
    const clip = `${clipId}.mp4`;
    const hasFile = survey.has(cameraId, clip) || survey.has(cameraId, `${clip}.part`);
    if (!isUnfinished && (hasFile || answersFor.get(clipId, cameraId) === 1)) continue;
    dropFile(`${cameraDir(dir, cameraId)}/${name}`);
  }
}
