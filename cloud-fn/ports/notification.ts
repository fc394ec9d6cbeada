import type { Clock } from './clock.ts';
import type { PortLog } from './log.ts';
import { PortFailure } from './port-failure.ts';
import type { StoragePort } from './storage.ts';

export const QUEUE_NOTIFICATIONS = 'notifications';

export type NotificationKind = 'person-seen' | 'no-answer' | 'analysis-failed';

/** Something a person should know. Written to the queue as base64 JSON and posted to the webhook as JSON. */
export interface Notification {
  /** The same id again is the same notification: who reads it may drop the second. */
  readonly id: string;
  readonly kind: NotificationKind;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly text: { readonly en: string; readonly uk: string };
  readonly clip: {
    readonly clipId: string;
    readonly blobName: string;
    readonly deviceId: string | null;
    readonly cameraId: string | null;
  };
  readonly verdict: string;
  readonly confidence: number;
  /** Picture beside the clip, in the container of the clips. */
  readonly bestFrame: string | null;
}

export interface NotificationPort {
  /** @throws when the notification could not be delivered everywhere it is configured to go */
  notify(notification: Notification): Promise<void>;
}

export interface NotificationDeps {
  readonly storage: Pick<StoragePort, 'sendMessage'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: PortLog;
  /** Address that takes each notification as a JSON POST. It may carry a token and is never logged. */
  readonly webhook: string | undefined;
  readonly webhookDeadlineMs?: number;
  readonly webhookRetryMs?: number;
}

const WEBHOOK_ATTEMPTS = 3;

/** The queue always, so that nothing is lost; the webhook when there is one. The queue comes first: a webhook that
 *  is down costs a second queue message with the same id when the activity is tried again, never the first. */
export function createNotification(deps: NotificationDeps): NotificationPort {
  return {
    async notify(notification) {
      const text = JSON.stringify(notification);
      await deps.storage.sendMessage(QUEUE_NOTIFICATIONS, Buffer.from(text, 'utf8').toString('base64'));
      if (deps.webhook !== undefined) await post(deps.webhook, text);
    },
  };

  async function post(webhook: string, body: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const failure = await tryPost(webhook, body);
      if (!failure) return;
      deps.log.warn({ event: 'webhook.failed', code: failure.code, attempt }, failure.message);
      if (failure.kind === 'rejected' || attempt === WEBHOOK_ATTEMPTS) throw failure;
      await deps.clock.sleep((deps.webhookRetryMs ?? 1_000) * 2 ** (attempt - 1));
    }
  }

  async function tryPost(webhook: string, body: string): Promise<PortFailure | undefined> {
    try {
      const response = await fetch(webhook, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(deps.webhookDeadlineMs ?? 10_000),
      });
      await response.body?.cancel();
      return response.ok ? undefined : refused(response.status);
    } catch (error) {
      // The cause's code is enough; the message of the error could repeat the address.
      const { code = (error as Error).name } = ((error as Error).cause ?? {}) as { code?: string };
      return new PortFailure('transient', 'webhook.unreachable', `the webhook did not answer (${code})`);
    }
  }
}

/** 408, 429 and 5xx pass by themselves; anything else will be the same again. */
const refused = (status: number) =>
  new PortFailure(
    status === 408 || status === 429 || status >= 500 ? 'transient' : 'rejected',
    `webhook.http-${status}`,
    `the webhook answered ${status}`,
  );
