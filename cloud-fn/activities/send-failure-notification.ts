import type { NotificationPort } from '../ports/notification.ts';
import { notificationOf, type Notice } from './notification-text.ts';

/** Tells a person that the analysis of a clip broke. Again: the same notification id. */
export function createSendFailureNotification({ notification }: { readonly notification: NotificationPort }) {
  return (notice: Notice): Promise<void> => notification.notify(notificationOf('analysis-failed', notice));
}
