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
    const { storage, clock } = ports();
    const received = await receiveResult({ storage, clock }, client, entry, delivery);
    context.log(`${QUEUE_PROCESSED}: ${received}`);
  },
});
