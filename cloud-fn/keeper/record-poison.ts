import type { Clock } from '../ports/clock.ts';
import { poisonPlace } from '../ports/instance-places.ts';
import type { NotificationPort } from '../ports/notification.ts';
import { json, MAX_DOCUMENT_BYTES, type StoragePort } from '../ports/storage.ts';
import { POISON_QUEUES, type PoisonRecord, readPoisonRecord, recordPoison } from './poison-records.ts';

export interface RecordPoisonDeps {
  readonly storage: StoragePort;
  readonly notification: NotificationPort;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Ids of messages that are recorded and told: they stay in their queue and are met again each time. */
  readonly known: Set<string>;
}

/** Longer than a round takes; then the messages are there again for whoever looks. */
const HIDDEN_S = 20;
const BATCHES_MAX = 100;
const KNOWN_MAX = 20_000;

/** Looks into the poison queues: what lies there is recorded with its reason, and a person is told of it once. It stays in
 *  its queue, for as long as that keeps it; the record stays for ever.
 *  @returns how many records a person was told of now */
export async function recordPoisonQueues(deps: RecordPoisonDeps): Promise<number> {
  const { storage, notification, clock, known } = deps;
  const at = new Date(clock.nowMs()).toISOString();
  const untold = new Map<string, PoisonRecord>();
  const ids: string[] = [];
  for (const { queue, poison } of POISON_QUEUES)
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const messages = await storage.receiveMessages(poison, HIDDEN_S);
      if (messages.length === 0) break;
      for (const message of messages.filter(({ id }) => !known.has(id))) {
        const record = await recordPoison(storage, queue, message, at);
        if (!record) continue;
        if (!record.told) untold.set(record.digest, record);
        ids.push(message.id);
      }
    }
  if (untold.size > 0) await tell([...untold.values()]);
  if (known.size + ids.length > KNOWN_MAX) known.clear();
  for (const id of ids) known.add(id);
  return untold.size;

  async function tell(records: readonly PoisonRecord[]): Promise<void> {
    const [first] = records.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
    if (!first) return;
    const many = records.length === 1 ? 'A message' : `${records.length} messages`;
    const why = `${first.queue}: ${first.reason}, ${first.message}`.slice(0, 600);
    await notification.notify({
      // Of a record that comes back later the time is another.
      id: `poison.${first.digest}.${first.at.replaceAll(/\D/g, '')}`,
      kind: 'message-unusable',
      at,
      text: {
        en: `${many} could not be used and ${records.length === 1 ? 'lies' : 'lie'} aside. ${why}`,
        uk: `Повідомлень, які не вдалося обробити: ${records.length}. Причина (англійською): ${why}`,
      },
      clip: null,
      verdict: null,
      confidence: 0,
      bestFrame: null,
    });
    for (const { digest } of records) {
      const found = await storage.readBlob(poisonPlace(digest), MAX_DOCUMENT_BYTES);
      const record = found && readPoisonRecord(found.bytes);
      if (found && record)
        await storage.replaceBlob(poisonPlace(digest), json({ ...record, told: true }), found.etag);
    }
  }
}
