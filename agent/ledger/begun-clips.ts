import { setImmediate as nextTurn } from 'node:timers/promises';
import { classify } from '../kernel/classify.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import { type Begun, begunClip, type ClipRequest, createBegunList, isHere } from './begun-list.ts';
import type { ClipSlot, RowlessClips } from './clips/rowless-clips.ts';
import { guarded } from './database/database.ts';
import type { Clip, Ledger, WrittenClip } from './ledger.ts';

export interface BegunClips {
  /** As the ledger's; while it cannot be used, a place for a clip without a row. */
  readonly openClip: (request: ClipRequest) => ClipSlot;
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

/** Clips that this process has begun and whose end the ledger does not know. It may be closed when they begin, while
 *  they are written, or when they end, and may come back without their rows: they are recorded all the same.
 *  Invariants
 *  1. While the ledger is open each of them has a row: it gets it in the moment in which the ledger is opened.
 *  2. The row says what was known at the trigger, and the seal what the writer knew. When the process dies before that,
 *     the first check of the next one makes them from the file.
 *  3. One of which nothing came to the disk is `lost`, with the reason, as any other.
 *  4. The ledger's check leaves them alone until their end is told. */
export function createBegunClips(deps: BegunClipsDeps): BegunClips {
  const { ledger, isOpen, folder, rowless, writing, log } = deps;
  const begun = createBegunList({ writing, rowless, rememberedMax: deps.rememberedMax });
  const enter = createRowGiver(deps);

  function begin(place: ClipSlot, request: ClipRequest, hasRow: boolean): ClipSlot {
    begun.add(begunClip(place, request, { hasRow, folder: folder() }));
    return place;
  }

  /** @returns whether the ledger can be told of its end now */
  function isKnown(one: Begun): boolean {
    if (isOpen()) enter([one]);
    return isOpen() && one.hasRow;
  }

  /** @returns whether it is sealed now */
  async function tell(one: Begun): Promise<boolean> {
    const { clipId, end } = one;
    begun.take(clipId);
    try {
      const became = await tellEnd(ledger, clipId, end?.written);
      if (became === 'other') begun.forget(clipId);
      return became === 'sealed';
    } catch (error) {
      if (isOpen()) {
        // The ledger tries it again by itself.
        const { code, message } = classify(error, 'ledger.settle');
        log.error({ event: 'clip.not-settled', clipId, code }, message);
      } else begun.remember(one, end?.written);
      return false;
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
      return begin(placeWithoutRow(deps, request), request, false);
    },

    sealClip(clipId, written) {
      const one = begun.get(clipId);
      if (one && !isKnown(one)) {
        begun.remember(one, written);
        return undefined;
      }
      begun.take(clipId);
      try {
        return ledger.sealClip(clipId, written);
      } catch (error) {
        if (!one || isOpen()) throw error;
        begun.remember(one, written);
        return undefined;
      }
    },

    async recoverClip(clipId) {
      const one = begun.get(clipId);
      if (one && !isKnown(one)) return begun.remember(one, undefined);
      begun.take(clipId);
      try {
        await ledger.recoverClip(clipId);
      } catch (error) {
        if (!one || isOpen()) throw error;
        begun.remember(one, undefined);
      }
    },

    opened() {
      for (const one of begun.all()) one.hasRow = false;
      enter(begun.all());
      rowless.entered();
    },

    async settle() {
      let sealed = 0;
      if (isOpen()) enter(begun.all());
      for (const one of begun.all()) {
        if (!isOpen()) break;
        if (one.end === undefined || !begun.get(one.clipId)) continue;
        // Of a disk that is not mounted now: its ledger finds the file.
        if (!isHere(one, folder())) begun.forget(one.clipId);
        else if (one.hasRow && (await tell(one))) sealed += 1;
        await nextTurn();
      }
      return sealed;
    },
  };
}

/** A place for a clip that begins while the ledger cannot be used. */
function placeWithoutRow(
  { requireOwned, rowless, writing, log }: BegunClipsDeps,
  request: ClipRequest,
): ClipSlot {
  requireOwned();
  const place = guarded('ledger.open-rowless', () => rowless.open(request));
  const { clipId } = place;
  writing.add(clipId);
  log.warn(
    { event: 'clip.without-row', clipId, cameraId: request.cameraId },
    'the ledger cannot be used: the clip is recorded all the same, and gets its row when it can',
  );
  return place;
}

/** Gives clips their rows, as far as their files are on the ledger's disk. What fails is tried again by `settle`, and
 *  told once. */
function createRowGiver({ ledger, folder, log }: BegunClipsDeps) {
  let isTold = false;
  return (clips: readonly Begun[]): void => {
    const without = clips.filter((one) => !one.hasRow && isHere(one, folder()));
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
  };
}

/** Tells an open ledger how a clip ended.
 *  @param written what its writer said; undefined when it died
 *  @returns what it is now; `other`: what has become of it was found out by the check of a ledger begun anew */
async function tellEnd(
  ledger: BegunClipsDeps['ledger'],
  clipId: string,
  written: WrittenClip | undefined,
): Promise<'sealed' | 'unsealed' | 'other'> {
  if (ledger.clip(clipId)?.state !== 'recording') return 'other';
  if (!written || !isSealed(ledger, clipId, written)) await ledger.recoverClip(clipId);
  return ledger.clip(clipId)?.state === 'sealed' ? 'sealed' : 'unsealed';
}

/** @returns false when its file is not what its writer said */
function isSealed(ledger: BegunClipsDeps['ledger'], clipId: string, written: WrittenClip): boolean {
  try {
    ledger.sealClip(clipId, written);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'corrupt') return false;
    throw error;
  }
}
