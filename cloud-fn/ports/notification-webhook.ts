import type { Clock } from './clock.ts';
import type { PortLog } from './log.ts';
import type { NotificationChannel } from './notification.ts';
import { PortFailure } from './port-failure.ts';

export interface NotificationWebhookDeps {
  /** Takes each notification as a JSON POST. It may carry a token and is never logged. */
  readonly address: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: PortLog;
  readonly deadlineMs?: number;
  readonly retryMs?: number;
}

const ATTEMPTS = 3;

/** Posts each notification, at most three times while the other side stumbles.
 *  @returns a channel that throws a `PortFailure` */
export function createNotificationWebhook(deps: NotificationWebhookDeps): NotificationChannel {
  const { address, clock, log, deadlineMs = 20_000, retryMs = 1_000 } = deps;

  async function tryPost(id: string, body: string): Promise<PortFailure | undefined> {
    try {
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body,
        signal: AbortSignal.timeout(deadlineMs),
      });
      await response.body?.cancel();
      return response.ok ? undefined : refused(response.status);
    } catch (error) {
      // The cause's code is enough; the message of the error could repeat the address.
      const { code = (error as Error).name } = ((error as Error).cause ?? {}) as { code?: string };
      if (code === 'TimeoutError')
        return new PortFailure(
          'transient',
          'webhook.no-answer',
          `the webhook did not answer within ${deadlineMs / 1000} s`,
        );
      return new PortFailure('transient', 'webhook.unreachable', `the webhook did not answer (${code})`);
    }
  }

  return {
    name: 'webhook',
    async notify(notification) {
      const body = JSON.stringify(notification);
      for (let attempt = 1; ; attempt += 1) {
        const failure = await tryPost(notification.id, body);
        if (!failure) return;
        log.warn({ event: 'webhook.failed', code: failure.code, attempt }, failure.message);
        // Without an answer it may have arrived: who calls us decides whether to risk a second one.
        const isOver = failure.kind === 'rejected' || failure.code === 'webhook.no-answer';
        if (isOver || attempt === ATTEMPTS) throw failure;
        await clock.sleep(retryMs * 2 ** (attempt - 1));
      }
    },
  };
}

/** 408, 429 and 5xx pass by themselves; anything else will be the same again. */
const refused = (status: number) =>
  new PortFailure(
    status === 408 || status === 429 || status >= 500 ? 'transient' : 'rejected',
    `webhook.http-${status}`,
    `the webhook answered ${status}`,
  );
