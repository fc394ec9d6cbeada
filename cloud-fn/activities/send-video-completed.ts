import type { NotificationPort } from '../ports/notification.ts';
import { notificationOf, type Notice } from './notification-text.ts';

/** Tells a person that somebody was seen. Again: the same notification id. */
export function createSendVideoCompleted({ notification }: { readonly notification: NotificationPort }) {
  return (notice: Notice): Promise<void> => notification.notify(notificationOf('person-seen', notice));
}
