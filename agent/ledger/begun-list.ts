import { entryAt, type WrittenClip } from './clips/clip-files.ts';
import type { Clips } from './clips/clips.ts';
import type { BegunClip } from './clips/entering.ts';
import type { ClipSlot, RowlessClips } from './clips/rowless-clips.ts';

/** Ended clips that are remembered. What is beyond that is taken up from its file by the first check. */
const REMEMBERED_MAX = 1_000;

/** A clip that this process has begun, from its trigger to the moment in which the ledger knows its end. */
export interface Begun extends ClipSlot {
  readonly clip: BegunClip;
  readonly detail: string;
  /** Identity of the ledger's folder when it began. */
  readonly folder: string | undefined;
  /** In the ledger that is open, or was last. */
  hasRow: boolean;
  /** How it ended, when the ledger could not be told. */
  end?: { readonly written: WrittenClip | undefined };
}

export type ClipRequest = Parameters<Clips['openClip']>[0];

export interface BegunListDeps {
  /** Clips that the ledger leaves to whoever writes them. */
  readonly writing: Set<string>;
  readonly rowless: Pick<RowlessClips, 'ended'>;
  readonly rememberedMax: number | undefined;
}

/** The clips that are begun, in the order in which they were added. */
export function createBegunList({ writing, rowless, rememberedMax = REMEMBERED_MAX }: BegunListDeps) {
  const begun = new Map<string, Begun>();

  function forget(clipId: string): void {
    begun.delete(clipId);
    writing.delete(clipId);
  }

  return {
    add: (one: Begun): void => void begun.set(one.clipId, one),
    get: (clipId: string): Begun | undefined => begun.get(clipId),
    all: (): readonly Begun[] => [...begun.values()],
    /** The ledger is told of it now. */
    take: (clipId: string): void => void begun.delete(clipId),
    /** Leaves it to the check. */
    forget,
    /** It has ended, and the ledger cannot be told. */
    remember(one: Begun, written: WrittenClip | undefined): void {
      // What its writer said first is what it knew.
      one.end ??= { written };
      begun.set(one.clipId, one);
      writing.add(one.clipId);
      rowless.ended(one.clipId);
      if (begun.size <= rememberedMax) return;
      const oldest = [...begun.values()].find(({ end }) => end !== undefined);
      if (oldest) forget(oldest.clipId);
    },
  };
}

export const begunClip = (
  { clipId, partFile }: ClipSlot,
  { cameraId, triggeredMs, clockQuality, detail }: ClipRequest,
  { hasRow, folder }: Pick<Begun, 'hasRow' | 'folder'>,
): Begun => ({
  ...{ clipId, partFile, hasRow, folder },
  clip: { clipId, cameraId, triggeredMs, clockQuality },
  detail: [detail, 'the ledger could not be used when it began'].filter(Boolean).join('; '),
});

/** Whether its file is on the disk of the ledger. A disk that is mounted while it begins hides the folder in which
 *  the place was given, or has the file.
 *  @param folder identity of the ledger's folder now */
export const isHere = (one: Begun, folder: string | undefined): boolean =>
  one.folder === folder || entryAt(one.partFile).kind !== 'none';
