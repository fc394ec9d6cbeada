import { SENTENCE_MAX, type Verdict } from '@dachawatch/contracts';
import { createKeepPicture } from '../activities/keep-picture.ts';
import { notificationOf } from '../activities/notification-text.ts';
import { createSendVerdictToDevice } from '../activities/send-verdict-to-device.ts';
import { createStoreVerdict } from '../activities/store-verdict.ts';
import { tagClip } from '../activities/tag-clip.ts';
import { brokenAnalysis, decideVerdict, type Judgement } from '../orchestrators/decide-verdict.ts';
import { describeError } from '../orchestrators/describe-error.ts';
import { untold } from '../orchestrators/untold.ts';
import { verdictOf } from '../orchestrators/verdict-of.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeviceLinkPort } from '../ports/device-link.ts';
import { laterInstanceId, openClipPlace } from '../ports/instance-places.ts';
import type { PortLog } from '../ports/log.ts';
import type { NotificationPort } from '../ports/notification.ts';
import { PortFailure } from '../ports/port-failure.ts';
import { json, MAX_DOCUMENT_BYTES, type StoredBlob, type StoragePort } from '../ports/storage.ts';
import { type ClipFacts, OVERDUE, readClipFacts, type Runtime } from './clip-facts.ts';
import { kindOf, type Move, nextMove, type ToldKind } from './next-move.ts';
import { type OpenClip, readOpenClip } from './open-clips.ts';

export interface KeeperDeps {
  readonly storage: StoragePort;
  readonly runtime: Runtime;
  readonly notification: NotificationPort;
  readonly deviceLink: Pick<DeviceLinkPort, 'send'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: PortLog;
}

/** A clip whose tags cannot be written is kept open so long, and closed without. */
const TAGS_TRIED_MS = 24 * 3_600_000;
/** More than any clip needs in one go. */
const MOVES_MAX = 8;

/** Goes on with one open clip from what is stored about it.
 *  Invariants
 *  1. What is done follows from stored facts alone, so it does not matter who died before, or how often this runs.
 *  2. Each step is claimed or conditional (start marker, delivery record, revision, etag): of two keepers, or a keeper
 *     and an orchestration, one does it.
 *  3. A clip is closed by the etag read before its facts: what was stored meanwhile keeps it open.
 *  @returns what was done, in order */
// oxlint-disable-next-line max-lines-per-function -- each inner function is one move of the clip that is gone on with; they end in each other, as the moves do
export async function keepClip(deps: KeeperDeps, firstId: string): Promise<Move['do'][]> {
  const { storage, runtime, notification, clock, log } = deps;
  const keepPicture = createKeepPicture(deps);
  const storeVerdict = createStoreVerdict(deps);
  const sendVerdict = createSendVerdictToDevice(deps);
  const done: Move['do'][] = [];

  for (let moves = 0; moves < MOVES_MAX; moves += 1) {
    const note = await storage.readBlob(openClipPlace(firstId), MAX_DOCUMENT_BYTES);
    if (!note) return done;
    const record = readOpenClip(note.bytes);
    if (!record) {
      log.warn(
        { event: 'keeper.unreadable-note', instanceId: firstId },
        'the note of an open clip is unreadable',
      );
      return done;
    }
    const facts = await readClipFacts(storage, runtime, firstId, record);
    const move = nextMove(facts);
    const hasMoved = await make(move, facts, note);
    if (move.do !== 'wait') {
      done.push(move.do);
      log.info({ event: 'keeper.moved', instanceId: firstId, move: move.do }, record.clip.blobName);
    }
    if (!hasMoved) return done;
  }
  return done;

  /** False: that is all for now. */
  async function make(move: Move, facts: ClipFacts, note: StoredBlob): Promise<boolean> {
    const { record, latest } = facts;
    switch (move.do) {
      case 'wait':
        break;
      case 'start': {
        const next: OpenClip = { ...record, asked: record.asked + (move.again ? 1 : 0) };
        if (!(await storage.replaceBlob(openClipPlace(firstId), json(next), note.etag))) return false;
        await runtime.start(move.revision > 1 ? laterInstanceId(firstId, move.revision) : firstId, {
          record: next,
          revision: move.revision,
        });
        break;
      }
      case 'terminate':
        await runtime.terminate(move.instanceId, OVERDUE);
        return true;
      case 'judge':
        return settle(record, latest.instanceId, move.revision, decideVerdict(move.result));
      case 'give-up': {
        const judgement = brokenAnalysis({ code: 'never-judged', message: `${move.why}.` });
        return settle(record, latest.instanceId, move.revision, judgement);
      }
      case 'store':
        return publish(record, move.verdict);
      case 'tell':
        return (await tell(record, move.kind, move.verdict)) === undefined;
      case 'correct':
        return publish(record, corrected(move.verdict, move.told, move.why));
      case 'close':
        await close(record, move.verdict, note);
        break;
    }
    return false;
  }

  async function close(record: OpenClip, verdict: Verdict, note: StoredBlob): Promise<void> {
    try {
      await tagClip(storage, { clip: record.clip, verdict });
    } catch (error) {
      log.warn({ event: 'keeper.not-tagged', instanceId: firstId }, (error as Error).message);
      if (note.ageMs < TAGS_TRIED_MS) return;
    }
    await storage.deleteBlob(openClipPlace(firstId), note.etag);
  }

  async function settle(
    record: OpenClip,
    instanceId: string,
    revision: number,
    judgement: Judgement,
  ): Promise<boolean> {
    const { frame, ...blind } = judgement;
    const kept = frame !== undefined && (await pictureKept(record, frame.blobName));
    const decidedUtc = new Date(clock.nowMs()).toISOString();
    const decided = verdictOf({ clip: record.clip, revision }, kept ? judgement : blind, {
      instanceId,
      decidedUtc,
    });
    const kind = kindOf(decided);
    const failure = kind && (await tell(record, kind, decided));
    if (failure instanceof PortFailure && failure.code === 'notification.in-progress') return false;
    return publish(record, failure ? untold(decided, describeError(failure, 'not-notified')) : decided);
  }

  async function pictureKept({ clip }: OpenClip, frame: string): Promise<boolean> {
    try {
      return (await keepPicture({ clip, frame })).kept;
    } catch (error) {
      log.warn({ event: 'keeper.picture', instanceId: firstId }, (error as Error).message);
      return false;
    }
  }

  /** What went wrong; undefined when it was delivered, now or before. */
  async function tell({ clip }: OpenClip, kind: ToldKind, verdict: Verdict): Promise<Error | undefined> {
    try {
      await notification.notify(notificationOf(kind, { clip, verdict }));
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** Stores it and sends it to the house, which also looks by itself. */
  async function publish({ clip }: OpenClip, verdict: Verdict): Promise<true> {
    const stored = await storeVerdict({ clip, verdict });
    if (clip.device_id === undefined) return true;
    try {
      await sendVerdict({ device_id: clip.device_id, verdict: stored });
    } catch (error) {
      log.warn({ event: 'keeper.device-not-told', instanceId: firstId }, (error as Error).message);
    }
    return true;
  }

  function corrected(verdict: Verdict, told: boolean, why: string): Verdict {
    const next: Verdict = {
      ...verdict,
      revision: verdict.revision + 1,
      decided_utc: new Date(clock.nowMs()).toISOString(),
    };
    if (!told) return untold(next, { code: 'not-notified', message: why });
    const reason = `${verdict.reason} It was delivered later.`.slice(0, SENTENCE_MAX);
    return { ...next, decision: 'notified', reason };
  }
}
