import type { Notification, NotificationPort } from '../../../cloud-fn/ports/notification.ts';

/** Keeps what a person would have been told. */
export function createFakeNotification() {
  const told: Notification[] = [];
  const port: NotificationPort = {
    async notify(notification) {
      told.push(notification);
    },
  };
  return { told, port };
}
