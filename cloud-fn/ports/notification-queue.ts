import type { NotificationChannel } from './notification.ts';
import type { StoragePort } from './storage.ts';

export const QUEUE_NOTIFICATIONS = 'notifications';

/** A message of base64 JSON for each notification, so that nothing is lost when nobody listens elsewhere. */
export const createNotificationQueue = (storage: Pick<StoragePort, 'sendMessage'>): NotificationChannel => ({
  name: 'queue',
  notify: (notification) =>
    storage.sendMessage(
      QUEUE_NOTIFICATIONS,
      Buffer.from(JSON.stringify(notification), 'utf8').toString('base64'),
    ),
});
