import rhea, { type Connection, type Delivery, type Sender } from 'rhea';
import type { Feedback } from '../store/feedback.ts';

const BATCH_LIMIT = 50;
const CONTENT_TYPE = 'application/vnd.microsoft.iothub.feedback.json';

export interface FeedbackLink {
  add(sender: Sender): void;
  remove(sender: Sender | undefined): void;
  removeAllOf(connection: Connection): void;
  /** Sends a batch when a receiver has room and none is on its way. */
  pump(): void;
  settled(sender: Sender | undefined, delivery: Delivery | undefined, accepted: boolean): void;
}

/** What became of messages, for the service's feedback receivers. A record leaves the hub when its receiver
 *  accepted it; one batch is on its way at a time. */
export function createFeedbackLink(feedback: Pick<Feedback, 'waiting' | 'drop'>): FeedbackLink {
  const senders = new Set<Sender>();
  let onItsWay: { sender: Sender; delivery: Delivery; sequences: number[] } | undefined;

  function pump(): void {
    if (onItsWay) return;
    const sender = [...senders].find((candidate) => candidate.sendable());
    const records = sender ? feedback.waiting(BATCH_LIMIT) : [];
    if (!sender || records.length === 0) return;
    const body = Buffer.from(JSON.stringify(records.map(({ record }) => record)));
    const delivery = sender.send({ content_type: CONTENT_TYPE, body: rhea.message.data_section(body) });
    onItsWay = { sender, delivery, sequences: records.map(({ sequence }) => sequence) };
  }

  function forget(gone: (sender: Sender) => boolean): void {
    for (const sender of senders) if (gone(sender)) senders.delete(sender);
    if (onItsWay && gone(onItsWay.sender)) onItsWay = undefined;
    pump();
  }

  return {
    pump,
    add: (sender) => {
      senders.add(sender);
      pump();
    },
    remove: (sender) => forget((candidate) => candidate === sender),
    removeAllOf: (connection) => forget((sender) => sender.connection === connection),
    settled: (sender, delivery, accepted) => {
      if (!onItsWay || onItsWay.sender !== sender || onItsWay.delivery.id !== delivery?.id) return;
      const { sequences } = onItsWay;
      onItsWay = undefined;
      if (!accepted) return; // offered again when the link says it has room
      feedback.drop(sequences);
      pump();
    },
  };
}
