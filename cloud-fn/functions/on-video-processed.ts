import df from 'durable-functions';
import { QUEUE_PROCESSED } from '@dachawatch/contracts';
import { STORAGE_CONNECTION_SETTING } from '../settings.ts';
import { ports } from './composition.ts';
import { receiveResult } from './receive-result.ts';

/** The worker has answered. host.json says `messageEncoding: none`, so that base64 and plain text both arrive. */
df.app.client.storageQueue('OnVideoProcessed', {
  queueName: QUEUE_PROCESSED,
  connection: STORAGE_CONNECTION_SETTING,
  handler: async (entry, client, context) => {
    const delivery = Number(context.triggerMetadata?.['dequeueCount'] ?? 1);
    // Where the host still has the text, numbers are as they were written.
    const text: unknown = context.triggerMetadata?.['queueTrigger'];
    const { storage, clock } = ports();
    const message = typeof text === 'string' ? text : entry;
    const received = await receiveResult({ storage, clock }, client, message, delivery);
    context.log(`${QUEUE_PROCESSED}: ${received}`);
  },
});
