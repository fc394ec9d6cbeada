import { existsSync } from 'node:fs';
import { Failure } from '../../kernel/failure.ts';
import { FIRST_GUESS_BYTES, freeBytesOf } from '../disk/budget.ts';
import { CAMERA_ID, clipPlaces, ensureCameraFolder, entryAt } from './clip-files.ts';
import { LAST_MS, nextClipId } from './clip-id.ts';
import { markerFile } from './clips-root.ts';

/** Where a clip is to be written. */
export interface ClipPlace {
  readonly clipId: string;
  readonly partFile: string;
}

/** Places for clips that begin while the ledger is not open: files without a row. The first check of the ledger takes
 *  them up like any clip file whose row was lost.
 *  Invariants
 *  1. Only into the folder of clips that the ledger has known before: under the mount point of a disk that is not
 *     mounted nothing is recorded.
 *  2. Nothing can be given up for room without rows: what would leave less than `minFreeBytes` is refused.
 *  @throws Failure `exhausted`, or the system's error */
export function createRowlessClips({
  dir,
  minFreeBytes,
}: {
  readonly dir: string;
  readonly minFreeBytes: number;
}) {
  let last: string | undefined;
  return {
    open({ cameraId, triggeredMs }: { readonly cameraId: string; readonly triggeredMs: number }): ClipPlace {
      if (!CAMERA_ID.test(cameraId))
        throw new Failure('bug', 'ledger.camera-id', `"${cameraId}" cannot be a camera's name`);
      if (!(triggeredMs >= 0 && triggeredMs <= LAST_MS))
        throw new Failure('bug', 'ledger.time', `a clip cannot be triggered at ${triggeredMs}`);
      if (!existsSync(markerFile(dir)))
        throw new Failure(
          'exhausted',
          'ledger.clips-unknown',
          'the ledger is not open, and has known no clips here',
        );
      if (freeBytesOf(dir) < minFreeBytes + FIRST_GUESS_BYTES)
        throw new Failure(
          'exhausted',
          'ledger.disk-full',
          'the disk is too full to record without the ledger',
        );
      ensureCameraFolder(dir, cameraId, (path) => {
        throw new Failure('exhausted', 'ledger.in-place-of', `a file stands in place of the folder ${path}`);
      });
      const isTaken = (id: string) => {
        const { file, partFile } = clipPlaces(dir, cameraId, id);
        return [file, partFile].some((path) => entryAt(path).kind !== 'none');
      };
      const clipId = nextClipId({ last, nowMs: Math.round(triggeredMs), isTaken });
      last = clipId;
      return { clipId, partFile: clipPlaces(dir, cameraId, clipId).partFile };
    },
  };
}
