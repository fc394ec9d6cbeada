import type { PortLog } from './log.ts';
import { PortFailure } from './port-failure.ts';

export type NotificationKind = 'person-seen' | 'no-answer' | 'analysis-failed' | 'message-unusable';

/** Something a person should know. */
export interface Notification {
  /** The same id again is the same notification: who reads it may drop the second. */
  readonly id: string;
  readonly kind: NotificationKind;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly text: { readonly en: string; readonly uk: string };
  /** Null when it is not about a clip. */
  readonly clip: {
    readonly clipId: string;
    readonly blobName: string;
    readonly deviceId: string | null;
    readonly cameraId: string | null;
  } | null;
  readonly verdict: string | null;
  readonly confidence: number;
  /** Picture beside the clip, in the container of the clips. */
  readonly bestFrame: string | null;
}

export interface NotificationPort {
  /** @throws when the notification could not be delivered everywhere it is configured to go */
  notify(notification: Notification): Promise<void>;
}

/** One way to a person: a file of its own, listed where the ports are composed. */
export interface NotificationChannel {
  /** For the log, like `webhook`. */
  readonly name: string;
  /** Has a deadline, and retries, of its own.
   *  @throws when it could not be delivered; the address is not in the error: it may carry a token */
  notify(notification: Notification): Promise<void>;
}

/** Every channel at once; none waits for another, and none that fails keeps the others from being told. When the
 *  activity is tried again those that had it get it twice, with the same id.
 *  @returns a port that throws what the only failed channel threw; of several, a `PortFailure` that names each,
 *  transient as soon as one of them may succeed the next time */
export function createNotification(channels: readonly NotificationChannel[], log: PortLog): NotificationPort {
  return {
    async notify(notification) {
      const outcomes = await Promise.allSettled(
        channels.map(async (channel) => channel.notify(notification)),
      );
      const failed = outcomes.flatMap((outcome, i) =>
        outcome.status === 'rejected'
          ? [{ channel: channels[i]?.name ?? '', error: outcome.reason as unknown }]
          : [],
      );
      if (channels.length > 1)
        for (const { channel, error } of failed)
          log.warn({ event: 'notification.failed', channel, id: notification.id }, messageOf(error));
      const [first, ...others] = failed;
      if (!first) return;
      if (others.length === 0) throw first.error;
      const isFinal = failed.every(({ error }) => error instanceof PortFailure && error.kind === 'rejected');
      throw new PortFailure(
        isFinal ? 'rejected' : 'transient',
        'notification.failed',
        failed.map(({ channel, error }) => `${channel}: ${messageOf(error)}`).join('; '),
        { cause: first.error },
      );
    },
  };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
