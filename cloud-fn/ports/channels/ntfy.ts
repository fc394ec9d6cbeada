import type { NotificationChannel, NotificationKind } from '../notification.ts';
import { createHttpChannel, type HttpChannelDeps } from './http-channel.ts';

export interface NtfySettings {
  /** Of a topic, like `https://ntfy.example/our-house`. Whoever knows the name of an open topic reads it. */
  readonly topic: string;
  /** Access token of a protected topic. */
  readonly token?: string | undefined;
  readonly language: 'en' | 'uk';
}

/** ntfy's priorities: 5 rings through a silent phone, 3 is an ordinary message. */
const PRIORITY: Readonly<Record<NotificationKind, number>> = {
  'person-seen': 5,
  'no-answer': 4,
  'analysis-failed': 3,
  'message-unusable': 2,
};
const TAG: Readonly<Record<NotificationKind, string>> = {
  'person-seen': 'rotating_light',
  'no-answer': 'eyes',
  'analysis-failed': 'warning',
  'message-unusable': 'warning',
};

/** Publishes to a topic of ntfy, as JSON to the server's root: text of any language stays whole there, which it does not in
 *  headers. */
export function createNtfy({
  topic,
  token,
  language,
  ...deps
}: NtfySettings & HttpChannelDeps): NotificationChannel {
  const { origin, pathname } = new URL(topic);
  return createHttpChannel({
    ...deps,
    name: 'ntfy',
    who: 'ntfy',
    request: async ({ kind, text }) => ({
      address: origin,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        topic: pathname.slice(1),
        title: 'Dachawatch',
        message: text[language],
        priority: PRIORITY[kind],
        tags: [TAG[kind]],
      }),
    }),
  });
}
