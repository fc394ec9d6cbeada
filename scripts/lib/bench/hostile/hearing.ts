/** The webhook of a hostile seed: what it takes, and what it has to take twice because nobody could know that it had. */
import { PortFailure } from '../../../../cloud-fn/ports/port-failure.ts';
import type { Notification, NotificationChannel } from '../../../../cloud-fn/ports/notification.ts';
import type { HostileClip, Hearing } from './clips.ts';

/** Deliveries that a webhook in trouble does not take, or not with an answer. */
const TROUBLE_MAX = 2;
const NO_ANSWER_MS = 20_000;

export interface Heard {
  readonly id: string;
  readonly kind: Notification['kind'];
  readonly blobName: string;
}

export function createHearing(clips: readonly HostileClip[], wait: (ms: number) => Promise<void>) {
  const heard: Heard[] = [];
  const tries = new Map<string, number>();
  /** Of deliveries that were taken: noted by nobody yet. */
  const unnoted = new Set<string>();
  const excused = new Map<string, number>();
  const hearingOf = new Map<string, Hearing>(clips.map((clip) => [clip.name, clip.hearing]));
  const keyOf = ({ kind, blobName }: Omit<Heard, 'id'>) => `${kind} ${blobName}`;
  const excuse = (key: string) => excused.set(key, (excused.get(key) ?? 0) + 1);

  async function noAnswer(): Promise<never> {
    await wait(NO_ANSWER_MS);
    throw new PortFailure('transient', 'webhook.no-answer', 'the webhook did not answer within 20 s');
  }

  const channel: NotificationChannel = {
    name: 'webhook',
    async notify({ id, kind, clip }) {
      const blobName = clip?.blobName.slice(clip.blobName.indexOf('/') + 1) ?? '';
      const key = keyOf({ kind, blobName });
      const nth = (tries.get(key) ?? 0) + 1;
      tries.set(key, nth);
      const how = nth <= TROUBLE_MAX ? (hearingOf.get(blobName) ?? 'takes') : 'takes';
      if (how === 'refuses')
        throw new PortFailure('transient', 'webhook.http-503', 'the webhook answered 503');
      if (how === 'hangs') return noAnswer();
      heard.push({ id, kind, blobName });
      if (how === 'takes') {
        unnoted.add(key);
        return undefined;
      }
      excuse(key);
      return noAnswer();
    },
  };

  return {
    channel,
    heard,
    about: (blobName: string, kind: Notification['kind']) =>
      heard.filter((one) => one.kind === kind && one.blobName === blobName),
    /** The record of a delivery says now that it was taken. */
    noted: (kind: string, blobName: string) => unnoted.delete(`${kind} ${blobName}`),
    /** The app died: whatever was taken and not noted will be sent once more. */
    died: () => {
      for (const key of unnoted) excuse(key);
      unnoted.clear();
    },
    /** How often it may have been told once more than needed. */
    excusedFor: (blobName: string, kind: Notification['kind']) => excused.get(`${kind} ${blobName}`) ?? 0,
  };
}
