import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { deliveryPlace } from './instance-places.ts';
import type { PortLog } from './log.ts';
import {
  createNotification,
  type Notification,
  type NotificationChannel,
  type NotificationPort,
} from './notification.ts';
import { PortFailure } from './port-failure.ts';
import { createTurns } from './turns.ts';
import { json, MAX_DOCUMENT_BYTES, type StoragePort } from './storage.ts';

/** The record of one delivery: `<instance>/told-<kind>.json`. */
export interface Delivery {
  readonly state: 'sending' | 'accepted' | 'failed';
  /** Whose attempt it is. */
  readonly attempt: string;
  readonly attempts: number;
  /** Attempts that were sent and not answered in time: they may have arrived. */
  readonly uncertain: number;
  /** Channels that have taken it. */
  readonly accepted: readonly string[];
  /** ISO 8601, of the last attempt. */
  readonly at: string;
  readonly reason?: string;
  /** What is sent, and sent again: the same words under the same id. */
  readonly notification: Notification;
}

export interface NotificationOutboxDeps {
  readonly channels: readonly NotificationChannel[];
  readonly storage: Pick<StoragePort, 'createBlob' | 'readBlob' | 'replaceBlob'>;
  readonly clock: Clock;
  readonly log: PortLog;
}

/** Longer than one attempt can take with all its deadlines. Whoever began an attempt longer ago than this is dead. */
export const ATTEMPT_MS = 90_000;
/** Attempts that are made in all, and of those that were not answered in time: each of these may be a notification too
 *  many. */
export const ATTEMPTS_MAX = 30;
export const UNCERTAIN_MAX = 3;
const ROUNDS = 5;
/** Few at once, so that few are on their way when the process is killed: each of those may be told twice. */
const TURNS = { atOnce: 3, waitMs: 30_000, what: 'a notification', code: 'notification.no-turn' };

/** Delivers each notification once, whoever asks for it and however often.
 *  Invariants
 *  1. Of a clip there is one delivery of each kind: its record is claimed by creating it, or by its etag, before
 *     anything is sent. So two keepers, or a keeper and an orchestration, never both send.
 *  2. `accepted` is written after every channel has taken it, and never taken back.
 *  3. A channel that has taken it is not sent it again. Only an attempt whose process was killed while it sent, or
 *     that was not answered in time, can be repeated; then with the same id.
 *  @returns a port that throws `PortFailure`: `notification.in-progress` while somebody else is at it,
 *  `notification.given-up` when it has been tried as often as is sensible */
export function createNotificationOutbox(deps: NotificationOutboxDeps): NotificationPort {
  const { channels, storage, clock, log } = deps;
  const now = () => new Date(clock.nowMs()).toISOString();

  const inTurn = createTurns({ ...TURNS, clock });

  return { notify: (notification) => inTurn(() => deliver(notification)) };

  async function deliver(notification: Notification): Promise<void> {
    const claim = await claimed(notification);
    if (!claim) return;
    const accepted = new Set(claim.accepted);
    const open = channels.filter(({ name }) => !accepted.has(name));
    /** It was taken, whatever comes of noting that; the end of the attempt notes it again. */
    const note = (end: Partial<Delivery>) => record(notification, claim, end).catch(() => undefined);
    let noting: Promise<void> = Promise.resolve();
    let failure: unknown;
    let unanswered = false;
    try {
      await createNotification(
        open.map((channel) => ({
          name: channel.name,
          async notify(one) {
            try {
              await channel.notify(one);
              accepted.add(channel.name);
              // At once: a kill while another channel is slow would send it here a second time.
              if (open.length > 1) await (noting = noting.then(() => note({ accepted: [...accepted] })));
            } catch (error) {
              unanswered ||= isUncertain(error);
              throw error;
            }
          },
        })),
        log,
      ).notify(claim.notification);
    } catch (error) {
      failure = error;
    }
    await record(notification, claim, {
      state: failure === undefined ? 'accepted' : 'failed',
      accepted: [...accepted],
      uncertain: claim.uncertain + (unanswered ? 1 : 0),
      ...(failure === undefined ? {} : { reason: (failure as Error).message.slice(0, 1_000) }),
    });
    if (failure !== undefined) throw failure;
  }

  /** The record with our name on it; undefined when it has been delivered. */
  async function claimed(notification: Notification): Promise<Delivery | undefined> {
    const place = deliveryPlace(notification);
    for (let round = 0; round < ROUNDS; round += 1) {
      const found = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
      const before = found && readDelivery(found.bytes);
      if (before?.state === 'accepted') return undefined;
      if (before?.state === 'sending' && found && found.ageMs < ATTEMPT_MS)
        throw new PortFailure('transient', 'notification.in-progress', 'somebody else is sending it');
      const uncertain = before?.uncertain ?? 0;
      if (before && (before.attempts >= ATTEMPTS_MAX || uncertain >= UNCERTAIN_MAX))
        throw new PortFailure(
          'rejected',
          'notification.given-up',
          `it was tried ${before.attempts} times${before.reason === undefined ? '' : `: ${before.reason}`}`,
        );
      const mine: Delivery = {
        state: 'sending',
        attempt: randomUUID(),
        attempts: (before?.attempts ?? 0) + 1,
        uncertain,
        accepted: before?.accepted ?? [],
        at: now(),
        notification: before?.notification ?? notification,
      };
      const ours = found
        ? await storage.replaceBlob(place, json(mine), found.etag)
        : await storage.createBlob(place, json(mine));
      if (ours) return mine;
    }
    throw new PortFailure('transient', 'notification.contended', 'others keep writing its record');
  }

  /** What became of our attempt. Of one that took so long that somebody else took over only what was accepted counts. */
  async function record(notification: Notification, mine: Delivery, end: Partial<Delivery>): Promise<void> {
    const place = deliveryPlace(notification);
    for (let round = 0; round < ROUNDS; round += 1) {
      const found = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
      const before = found && readDelivery(found.bytes);
      if (!found || !before) return;
      const accepted = [...new Set([...before.accepted, ...(end.accepted ?? [])])];
      const isOurs = before.attempt === mine.attempt || end.state === 'accepted';
      const next: Delivery = { ...before, ...(isOurs ? end : {}), accepted, at: now() };
      if (await storage.replaceBlob(place, json(next), found.etag)) return;
    }
    log.warn({ event: 'notification.not-recorded', id: notification.id }, 'others keep writing its record');
  }
}

/** Undefined for what is no record: it is written anew. */
export function readDelivery(bytes: Buffer): Delivery | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Partial<Delivery> | null;
    return value?.notification && Number.isInteger(value.attempts) && Array.isArray(value.accepted)
      ? (value as Delivery)
      : undefined;
  } catch {
    return undefined;
  }
}

/** It was sent, and whether it arrived is not known. */
const isUncertain = (error: unknown) => error instanceof PortFailure && error.code.endsWith('.no-answer');
