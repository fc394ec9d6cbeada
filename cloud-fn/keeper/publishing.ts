import { SENTENCE_MAX, type Verdict } from '@dachawatch/contracts';
import { createKeepPicture } from '../activities/keep-picture.ts';
import { notificationOf } from '../activities/notification-text.ts';
import { createSendVerdictToDevice } from '../activities/send-verdict-to-device.ts';
import { createStoreVerdict } from '../activities/store-verdict.ts';
import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import type { Judgement } from '../orchestrators/decide-verdict.ts';
import { describeError } from '../orchestrators/describe-error.ts';
import { untold } from '../orchestrators/untold.ts';
import { verdictOf } from '../orchestrators/verdict-of.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeviceLinkPort } from '../ports/device-link.ts';
import type { PortLog } from '../ports/log.ts';
import type { NotificationPort } from '../ports/notification.ts';
import { PortFailure } from '../ports/port-failure.ts';
import type { StoragePort } from '../ports/storage.ts';
import { kindOf, type ToldKind } from './next-move.ts';

export interface PublishingDeps {
  readonly storage: StoragePort;
  readonly notification: NotificationPort;
  readonly deviceLink: Pick<DeviceLinkPort, 'send'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: PortLog;
}

export type Publishing = ReturnType<typeof createPublishing>;

/** What a verdict of one clip goes through: a person is told, it is stored, and the house gets it.
 *  @param firstId the clip's first instance, for the log */
export function createPublishing(deps: PublishingDeps, clip: ClipOfAnalysis, firstId: string) {
  const { notification, clock, log } = deps;
  const keepPicture = createKeepPicture(deps);
  const storeVerdict = createStoreVerdict(deps);
  const sendVerdict = createSendVerdictToDevice(deps);
  const nowUtc = () => new Date(clock.nowMs()).toISOString();

  /** Stores it and sends it to the house, which also looks by itself. */
  async function publish(verdict: Verdict): Promise<void> {
    const stored = await storeVerdict({ clip, verdict });
    if (clip.device_id === undefined) return;
    try {
      await sendVerdict({ device_id: clip.device_id, verdict: stored });
    } catch (error) {
      log.warn({ event: 'keeper.device-not-told', instanceId: firstId }, (error as Error).message);
    }
  }

  /** @returns what went wrong; undefined when it was delivered, now or before */
  async function tell(kind: ToldKind, verdict: Verdict): Promise<Error | undefined> {
    try {
      await notification.notify(notificationOf(kind, { clip, verdict }));
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  async function pictureKept(frame: string): Promise<boolean> {
    try {
      return (await keepPicture({ clip, frame })).kept;
    } catch (error) {
      log.warn({ event: 'keeper.picture', instanceId: firstId }, (error as Error).message);
      return false;
    }
  }

  return {
    publish,
    tell,
    /** Makes a judgement the verdict of the clip.
     *  @returns false while somebody else is telling it: nothing is published then */
    async settle(instanceId: string, revision: number, judgement: Judgement): Promise<boolean> {
      const { frame, ...blind } = judgement;
      const kept = frame !== undefined && (await pictureKept(frame.blobName));
      const decided = verdictOf({ clip, revision }, kept ? judgement : blind, {
        instanceId,
        decidedUtc: nowUtc(),
      });
      const kind = kindOf(decided);
      const failure = kind && (await tell(kind, decided));
      if (failure instanceof PortFailure && failure.code === 'notification.in-progress') return false;
      await publish(failure ? untold(decided, describeError(failure, 'not-notified')) : decided);
      return true;
    },
    /** Publishes the next revision of a verdict, which says whether somebody was told. */
    async correct(verdict: Verdict, told: boolean, why: string): Promise<void> {
      const next: Verdict = { ...verdict, revision: verdict.revision + 1, decided_utc: nowUtc() };
      if (!told) return publish(untold(next, { code: 'not-notified', message: why }));
      const reason = `${verdict.reason} It was delivered later.`.slice(0, SENTENCE_MAX);
      await publish({ ...next, decision: 'notified', reason });
    },
  };
}
