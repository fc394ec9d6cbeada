import { createHmac } from 'node:crypto';
import type { NotificationChannel } from '../notification.ts';
import { createHttpChannel, type HttpChannelDeps } from './http-channel.ts';

export interface WebhookSettings {
  /** Takes each notification as a JSON POST. It may carry a token and is never logged. */
  readonly address: string;
  /** Signs each notification, so that its reader knows who sent it; undefined: it is not signed. */
  readonly secret?: string | undefined;
}

/** Posts each notification as JSON. With a secret it is signed as Standard Webhooks 1.0 says: HMAC-SHA-256 of
 *  `id.timestamp.body`; the timestamp is that of this delivery, in seconds. */
export function createNotificationWebhook({
  address,
  secret,
  ...deps
}: WebhookSettings & HttpChannelDeps): NotificationChannel {
  return createHttpChannel({
    ...deps,
    name: 'webhook',
    who: 'the webhook',
    request: async (notification) => {
      const body = JSON.stringify(notification);
      const timestamp = String(Math.floor(deps.clock.nowMs() / 1_000));
      const headers = { 'content-type': 'application/json', 'idempotency-key': notification.id };
      return {
        address,
        body,
        headers:
          secret === undefined
            ? headers
            : {
                ...headers,
                'webhook-id': notification.id,
                'webhook-timestamp': timestamp,
                'webhook-signature': signatureOf(secret, `${notification.id}.${timestamp}.${body}`),
              },
      };
    },
  });
}

/** A secret may be given as `whsec_` and base64, as tools make it, or as any text. */
function signatureOf(secret: string, content: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
