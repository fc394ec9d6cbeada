import { randomUUID } from 'node:crypto';
import type { QueueClient } from '@azure/storage-queue';

interface Stored {
  readonly messageId: string;
  readonly text: string;
  receipt: string;
  visibleAtMs: number;
  dequeueCount: number;
}

/** A storage queue in memory: receipts, visibility and dequeue counts as the real one has them. Its time is the
 *  test's. */
export function createFakeQueue(time: { nowMs: number }) {
  let stored: Stored[] = [];
  const owned = (messageId: string, receipt: string): Stored => {
    const found = stored.find((message) => message.messageId === messageId && message.receipt === receipt);
    if (!found) throw Object.assign(new Error('PopReceiptMismatch'), { statusCode: 400 });
    return found;
  };
  /** Set to make a call fail once. */
  const failures: { delete?: Error; send?: Error; update?: Error } = {};
  const maybeFail = (call: keyof typeof failures) => {
    const error = failures[call];
    delete failures[call];
    if (error) throw error;
  };

  const client = {
    async sendMessage(text: string) {
      maybeFail('send');
      stored.push({ messageId: randomUUID(), text, receipt: '', visibleAtMs: time.nowMs, dequeueCount: 0 });
    },
    async receiveMessages({ visibilityTimeout = 30 }: { visibilityTimeout?: number }) {
      const message = stored.find(({ visibleAtMs }) => visibleAtMs <= time.nowMs);
      if (!message) return { receivedMessageItems: [] };
      message.receipt = randomUUID();
      message.visibleAtMs = time.nowMs + visibilityTimeout * 1000;
      message.dequeueCount++;
      const { messageId, receipt, text, dequeueCount } = message;
      return { receivedMessageItems: [{ messageId, popReceipt: receipt, messageText: text, dequeueCount }] };
    },
    async updateMessage(messageId: string, receipt: string, _text: undefined, visibilityTimeout: number) {
      maybeFail('update');
      const message = owned(messageId, receipt);
      message.receipt = randomUUID();
      message.visibleAtMs = time.nowMs + visibilityTimeout * 1000;
      return { popReceipt: message.receipt };
    },
    async deleteMessage(messageId: string, receipt: string) {
      maybeFail('delete');
      const message = owned(messageId, receipt);
      stored = stored.filter((other) => other !== message);
    },
  };
  return {
    client: client as unknown as QueueClient,
    failures,
    messages: () =>
      stored.map(({ text, dequeueCount, visibleAtMs }) => ({ text, dequeueCount, visibleAtMs })),
    /** What somebody else does who takes it over. */
    stealAll: () => stored.forEach((message) => (message.receipt = randomUUID())),
  };
}
