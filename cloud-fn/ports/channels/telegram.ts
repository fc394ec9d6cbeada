import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import type { Notification, NotificationChannel } from '../notification.ts';
import type { StoragePort } from '../storage.ts';
import { createHttpChannel, type Delivering, type HttpChannelDeps } from './http-channel.ts';

export interface TelegramSettings {
  /** Of the bot, as BotFather gives it. */
  readonly token: string;
  /** Number of the chat, or `@name` of a channel. */
  readonly chat: string;
  readonly language: 'en' | 'uk';
  /** Of the Bot API; another one in tests, and for people who run their own. */
  readonly api?: string | undefined;
}

const API = 'https://api.telegram.org';
/** Of a caption; a message may have four times that, and none of ours has. */
const CAPTION_MAX = 1_024;
/** Of a photo that is uploaded. */
const PHOTO_MAX_BYTES = 10_000_000;

/** Sends to a chat of Telegram: the best picture with the text below it, where there is one. A person rings; what else is
 *  told arrives silently. */
export function createTelegram({
  token,
  chat,
  language,
  api = API,
  storage,
  ...deps
}: TelegramSettings &
  HttpChannelDeps & { readonly storage: Pick<StoragePort, 'readBlob'> }): NotificationChannel {
  const method = (name: string) => `${api}/bot${token}/${name}`;

  /** Without a picture rather than not at all. */
  async function picture({ bestFrame }: Notification): Promise<Buffer | undefined> {
    if (bestFrame === null) return undefined;
    try {
      const found = await storage.readBlob({ container: CONTAINER_CLIPS, name: bestFrame }, PHOTO_MAX_BYTES);
      return found && found.bytes.length > 0 ? found.bytes : undefined;
    } catch (error) {
      deps.log.warn({ event: 'telegram.no-picture' }, (error as Error).message);
      return undefined;
    }
  }

  async function request(notification: Notification): Promise<Delivering> {
    const text = notification.text[language];
    const silent = notification.kind !== 'person-seen';
    const photo = await picture(notification);
    if (!photo)
      return {
        address: method('sendMessage'),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ chat_id: chat, text, disable_notification: silent }),
      };
    const form = new FormData();
    form.set('chat_id', chat);
    form.set('caption', text.slice(0, CAPTION_MAX));
    form.set('disable_notification', String(silent));
    form.set('photo', new Blob([new Uint8Array(photo)], { type: 'image/jpeg' }), 'best.jpg');
    return { address: method('sendPhoto'), body: form };
  }

  return createHttpChannel({
    ...deps,
    name: 'telegram',
    who: 'Telegram',
    request,
    patienceMs: (body) => {
      try {
        const { parameters } = JSON.parse(body) as { parameters?: { retry_after?: unknown } };
        const seconds = Number(parameters?.retry_after);
        return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
      } catch {
        return undefined;
      }
    },
  });
}
