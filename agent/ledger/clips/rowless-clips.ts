import { existsSync } from 'node:fs';
import { Failure } from '../../kernel/failure.ts';
import { clipFilesIn } from '../check/clip-survey.ts';
import { FIRST_GUESS_BYTES } from '../disk/disk-use.ts';
import { CAMERA_ID, clipPaths, type ClipPaths, ensureCameraFolder, entryAt } from './clip-files.ts';
import { firstImpossibleId, isOwnClipId, LAST_MS, nextClipId } from './clip-id.ts';
import { markerFile } from './clips-root.ts';

/** Share of the byte budget that may be recorded beyond it while nothing can be given up for it. */
const SHARE_BEYOND = 1 / 8;

/** Where a clip is to be written. */
export interface ClipSlot {
  readonly clipId: string;
  readonly partFile: string;
}

export interface RowlessClips {
  /** @throws Failure `exhausted`, or the system's error */
  open(request: { readonly cameraId: string; readonly triggeredMs: number }): ClipSlot;
  /** Nobody writes it any more. */
  ended(clipId: string): void;
  /** All of them have rows: they count in the budget. */
  entered(): void;
  /** An id was given to a clip with a row. */
  given(clipId: string): void;
  /** Looks for the largest id among the files of clips, in the background. Never rejects for what cannot be read. */
  learnIds(): Promise<void>;
}

export interface RowlessClipsDeps {
  readonly dir: string;
  readonly maxBytes: number;
  readonly minFreeBytes: number;
  readonly freeBytes: () => number;
}

/** Places for clips that begin while the ledger is not open: files without a row.
 *  Invariants
 *  1. Only into the folder of clips that a ledger has known before: under the mount point of a disk that is not
 *     mounted nothing is recorded.
 *  2. Nothing can be given up for room without rows. What would leave less than `minFreeBytes` is refused, and what
 *     would make these clips more than an eighth of the byte budget.
 *  3. Ids are greater than those of all clips that are known to have been: in this process, and by their files. */
export function createRowlessClips({
  dir,
  maxBytes,
  minFreeBytes,
  freeBytes,
}: RowlessClipsDeps): RowlessClips {
  const guess = Math.min(FIRST_GUESS_BYTES, maxBytes / 4);
  const bytesMax = Math.max(guess, maxBytes * SHARE_BEYOND);
  let last: string | undefined;
  const writing = new Map<string, ClipPaths>();
  let endedBytes = 0;

  function given(clipId: string): void {
    if (last === undefined || clipId > last) last = clipId;
  }

  function requireRoom(): void {
    const held = [...writing.values()].map(heldBytes);
    const toCome = held.reduce((sum, bytes) => sum + Math.max(0, guess - bytes), guess);
    if (freeBytes() < minFreeBytes + toCome)
      throw new Failure(
        'exhausted',
        'ledger.disk-full',
        'no room for another clip: the disk is nearly full, and nothing can be removed while the ledger is not open',
      );
    const bytes = held.reduce((sum, one) => sum + one, endedBytes);
    if (bytes + toCome > bytesMax)
      throw new Failure(
        'exhausted',
        'ledger.budget',
        `no room for another clip: ${bytes} bytes have been recorded since the ledger cannot be used, and nothing can be removed`,
      );
  }

  return {
    open({ cameraId, triggeredMs }) {
      if (!CAMERA_ID.test(cameraId))
        throw new Failure('bug', 'ledger.camera-id', `"${cameraId}" cannot be a camera's name`);
      if (!(triggeredMs >= 0 && triggeredMs <= LAST_MS))
        throw new Failure('bug', 'ledger.time', `a clip cannot be triggered at ${triggeredMs}`);
      if (!existsSync(markerFile(dir)))
        throw new Failure(
          'exhausted',
          'ledger.clips-unknown',
          `the ledger is not open, and whether ${dir} is where clips belong nobody knows without it`,
        );
      requireRoom();
      ensureCameraFolder(dir, cameraId, (path) => {
        throw new Failure('exhausted', 'ledger.in-place-of', `a file stands in place of the folder ${path}`);
      });
      const clipId = nextClipId({
        last,
        nowMs: Math.round(triggeredMs),
        isTaken: (id) => {
          const { file, partFile } = clipPaths(dir, cameraId, id);
          return [file, partFile].some((path) => entryAt(path).kind !== 'none');
        },
      });
      given(clipId);
      const places = clipPaths(dir, cameraId, clipId);
      writing.set(clipId, places);
      return { clipId, partFile: places.partFile };
    },

    ended(clipId) {
      const places = writing.get(clipId);
      if (places && writing.delete(clipId)) endedBytes += heldBytes(places);
    },

    entered() {
      writing.clear();
      endedBytes = 0;
    },

    given,

    async learnIds() {
      const end = firstImpossibleId();
      for await (const { clipId } of clipFilesIn(dir)) if (isOwnClipId(clipId) && clipId < end) given(clipId);
    },
  };
}

function heldBytes({ file, partFile }: ClipPaths): number {
  const entry = [partFile, file].map((path) => entryAt(path)).find(({ kind }) => kind === 'file');
  return entry?.kind === 'file' ? entry.heldBytes : 0;
}
