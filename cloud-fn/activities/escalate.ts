import type { NotificationPort } from '../ports/notification.ts';
import { notificationOf, type Notice } from './notification-text.ts';

/** Asks a person to look at a clip nobody could judge. Again: the same notification id. */
export function createEscalate({ notification }: { readonly notification: NotificationPort }) {
  return (notice: Notice): Promise<void> => notification.notify(notificationOf('no-answer', notice));
}
