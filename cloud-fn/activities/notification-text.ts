import type { Verdict } from '@dachawatch/contracts';
import type { Notification, NotificationKind } from '../ports/notification.ts';

export interface ToldClip {
  readonly clip_id: string;
  readonly blobName: string;
  readonly device_id?: string;
  readonly camera_id?: string;
}

export interface Notice {
  readonly clip: ToldClip;
  readonly verdict: Verdict;
  /** What broke beside the verdict. */
  readonly problem?: { readonly code: string; readonly message: string };
}

/** What is sent to a person, in English and in Ukrainian. The id is the same whenever the same thing is told. */
export function notificationOf(kind: ClipNotificationKind, { clip, verdict, problem }: Notice): Notification {
  return {
    id: `${verdict.instance_id}.${verdict.revision}.${kind}`,
    kind,
    at: verdict.decided_utc,
    text: TEXTS[kind]({
      camera: clip.camera_id ?? clip.blobName,
      device: clip.device_id,
      percent: Math.round(verdict.confidence * 100),
      reason: problem?.message ?? verdict.reason,
    }),
    clip: {
      clipId: clip.clip_id,
      blobName: clip.blobName,
      deviceId: clip.device_id ?? null,
      cameraId: clip.camera_id ?? null,
    },
    verdict: verdict.verdict,
    confidence: verdict.confidence,
    bestFrame: verdict.best_frame?.blobName ?? null,
  };
}

interface Facts {
  readonly camera: string;
  readonly device: string | undefined;
  readonly percent: number;
  readonly reason: string;
}

const place = ({ camera, device }: Facts) => (device === undefined ? camera : `${device} / ${camera}`);

/** A notification about no clip has its own text: keeper/poison-queues.ts. */
type ClipNotificationKind = Exclude<NotificationKind, 'message-unusable'>;

const TEXTS: Readonly<Record<ClipNotificationKind, (facts: Facts) => Notification['text']>> = {
  'person-seen': (facts) => ({
    en: `A person was seen: ${place(facts)} (${facts.percent} %).`,
    uk: `Помічено людину: ${place(facts)} (${facts.percent} %).`,
  }),
  'no-answer': (facts) => ({
    en: `A clip could not be judged, please look at it: ${place(facts)}. ${facts.reason}`,
    uk: `Запис не вдалося оцінити, перегляньте його, будь ласка: ${place(facts)}. Причина (англійською): ${facts.reason}`,
  }),
  'analysis-failed': (facts) => ({
    en: `The analysis of a clip failed: ${place(facts)}. ${facts.reason}`,
    uk: `Аналіз запису не вдався: ${place(facts)}. Причина (англійською): ${facts.reason}`,
  }),
};
