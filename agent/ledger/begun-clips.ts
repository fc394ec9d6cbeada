import { setImmediate as nextTurn } from 'node:timers/promises';
import { classify } from '../kernel/classify.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import { entryAt } from './clips/clip-files.ts';
import type { BegunClip } from './clips/entering.ts';
import type { ClipPlace, RowlessClips } from './clips/rowless-clips.ts';
import { guarded } from './database/database.ts';
import type { Clip, Ledger, WrittenClip } from './ledger.ts';

/** Ended clips that are remembered. What is beyond that is taken up from its file by the first check. */
const REMEMBERED_MAX = 1_000;

export type ClipRequest = Parameters<Ledger['openClip']>[0];

export interface BegunClips {
  /** As the ledger's; while it cannot be used, a place for a clip without a row. */
  readonly openClip: (request: ClipRequest) => ClipPlace;
  /** As the ledger's; undefined for a clip that is sealed when the ledger can be used. */
  readonly sealClip: (clipId: string, written: WrittenClip) => Clip | undefined;
  /** As the ledger's; done when the ledger can be used. */
  readonly recoverClip: (clipId: string) => Promise<void>;
  /** To be called at once when the ledger has been opened, before anybody else uses it: clips that it does not know
   *  get their rows. */
  readonly opened: () => void;
  /** Tells the ledger what it could not be told, in steps that do not hold the event loop.
   *  @returns how many clips are sealed now */
  readonly settle: () => Promise<number>;
}

export interface BegunClipsDeps {
  /** Its calls throw while it cannot be used. */
  readonly ledger: Pick<Ledger, 'openClip' | 'enterClips' | 'sealClip' | 'recoverClip' | 'clip'>;
  readonly isOpen: () => boolean;
  /** Identity of the ledger's folder; undefined while it is not ours. */
  readonly folder: () => string | undefined;
  /** @throws Failure when it is not ours, or nothing may begin any more */
  readonly requireOwned: () => void;
  readonly rowless: RowlessClips;
  /** Clips that the ledger leaves to whoever writes them. */
  readonly writing: Set<string>;
  readonly log: Log;
  readonly rememberedMax?: number;
}

interface Begun extends ClipPlace {
  readonly clip: BegunClip;
  readonly detail: string;
  readonly folder: string | undefined;
  /** In the ledger that is open, or was last. */
  hasRow: boolean;
  /** How it ended, when the ledger could not be told. */
  end?: { readonly written: WrittenClip | undefined };
}

/** Clips that this process has begun and whose end the ledger does not know. It may be closed when they begin, while
 *  they are written, or when they end, and may come back without their rows: they are recorded all the same.
 *  Invariants
 *  1. While the ledger is open each of them has a row: it gets it in the moment in which the ledger is opened.
 *  2. The row says what was known at the trigger, and the seal what the writer knew. When the process dies before that,
 *     the first check of the next one makes them from the file.
 *  3. One of which nothing came to the disk is `lost`, with the reason, as any other.
 *  4. The ledger's check leaves them alone until their end is told. */
// oxlint-disable-next-line max-lines-per-function -- every inner function moves a clip through `begun`, and whether the ledger is open is asked between two of its steps
export function createBegunClips(deps: BegunClipsDeps): BegunClips {
  const {
    ledger,
    isOpen,
    folder,
    requireOwned,
    rowless,
    writing,
    log,
    rememberedMax = REMEMBERED_MAX,
  } = deps;
  const begun = new Map<string, Begun>();
  let isTold = false;

  function begin(place: ClipPlace, request: ClipRequest, hasRow: boolean): ClipPlace {
    const { clipId, partFile } = place;
    const { cameraId, triggeredMs, clockQuality, detail } = request;
    begun.set(clipId, {
      ...{ clipId, partFile, hasRow, folder: folder() },
      clip: { clipId, cameraId, triggeredMs, clockQuality },
      detail: [detail, 'the ledger could not be used when it began'].filter(Boolean).join('; '),
    });
    return place;
  }

  function forget(clipId: string): void {
    begun.delete(clipId);
    writing.delete(clipId);
  }

  /** Whether its file is on the disk of the ledger. A disk that is mounted while it begins hides the folder in which
   *  the place was given, or has the file. */
  const isHere = (one: Begun) => one.folder === folder() || entryAt(one.partFile).kind !== 'none';

  /** What fails is tried again by `settle`. */
  function enter(clips: readonly Begun[]): void {
    const without = clips.filter((one) => !one.hasRow && isHere(one));
    if (without.length === 0) return;
    try {
      ledger.enterClips(without.map(({ clip, detail }) => ({ clip, detail })));
      for (const one of without) one.hasRow = true;
      isTold = false;
    } catch (error) {
      const { code, message } = classify(error, 'ledger.enter');
      if (!isTold) log.error({ event: 'clip.not-entered', code, clips: without.length }, message);
      isTold = true;
    }
  }

  /** @returns whether the ledger can be told of its end now */
  function isKnown(one: Begun): boolean {
    if (isOpen()) enter([one]);
    return isOpen() && one.hasRow;
  }

  function remember(one: Begun, written: WrittenClip | undefined): void {
    // What its writer said first is what it knew.
    one.end ??= { written };
    begun.set(one.clipId, one);
    writing.add(one.clipId);
    rowless.ended(one.clipId);
    if (begun.size <= rememberedMax) return;
    const oldest = [...begun.values()].find(({ end }) => end !== undefined);
    if (oldest) forget(oldest.clipId);
  }

  /** @returns whether it is sealed now */
  async function tell(one: Begun): Promise<boolean> {
    const { clipId, end } = one;
    begun.delete(clipId);
    try {
      // Anything else was found out by the check of a ledger begun anew.
      if (ledger.clip(clipId)?.state !== 'recording') {
        forget(clipId);
        return false;
      }
      if (!end?.written || !isSealed(clipId, end.written)) await ledger.recoverClip(clipId);
      return ledger.clip(clipId)?.state === 'sealed';
    } catch (error) {
      if (isOpen()) {
        // The ledger tries it again by itself.
        const { code, message } = classify(error, 'ledger.settle');
        log.error({ event: 'clip.not-settled', clipId, code }, message);
      } else remember(one, end?.written);
      return false;
    }
  }

  /** @returns false when its file is not what its writer said */
  function isSealed(clipId: string, written: WrittenClip): boolean {
    try {
      ledger.sealClip(clipId, written);
      return true;
    } catch (error) {
      if (error instanceof Failure && error.kind === 'corrupt') return false;
      throw error;
    }
  }

  return {
    openClip(request) {
      if (isOpen())
        try {
          const clip = ledger.openClip(request);
          rowless.given(clip.clipId);
          return begin(clip, request, true);
        } catch (error) {
          // Closed for what it has just said about itself.
          if (isOpen()) throw error;
        }
      requireOwned();
      const place = guarded('ledger.open-rowless', () => rowless.open(request));
      const { clipId } = place;
      writing.add(clipId);
      log.warn(
        { event: 'clip.without-row', clipId, cameraId: request.cameraId },
        'the ledger cannot be used: the clip is recorded all the same, and gets its row when it can',
      );
      return begin(place, request, false);
    },

    sealClip(clipId, written) {
      const one = begun.get(clipId);
      if (one && !isKnown(one)) {
        remember(one, written);
        return undefined;
      }
      begun.delete(clipId);
      try {
        return ledger.sealClip(clipId, written);
      } catch (error) {
        if (!one || isOpen()) throw error;
        remember(one, written);
        return undefined;
      }
    },

    async recoverClip(clipId) {
      const one = begun.get(clipId);
      if (one && !isKnown(one)) return remember(one, undefined);
      begun.delete(clipId);
      try {
        await ledger.recoverClip(clipId);
      } catch (error) {
        if (!one || isOpen()) throw error;
        remember(one, undefined);
      }
    },

    opened() {
      for (const one of begun.values()) one.hasRow = false;
      enter([...begun.values()]);
      rowless.entered();
    },

    async settle() {
      let sealed = 0;
      if (isOpen()) enter([...begun.values()]);
      for (const one of [...begun.values()]) {
        if (!isOpen()) break;
        if (one.end === undefined || !begun.has(one.clipId)) continue;
        // Of a disk that is not mounted now: its ledger finds the file.
        if (!isHere(one)) forget(one.clipId);
        else if (one.hasRow && (await tell(one))) sealed += 1;
        await nextTurn();
      }
      return sealed;
    },
  };
}
