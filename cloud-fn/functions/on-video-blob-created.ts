import df from 'durable-functions';
import { clipOfEvent } from './clip-of-event.ts';
import { instanceIdOfClip } from './clip-of-blob.ts';
import { ports } from './composition.ts';
import { startOnce } from './start-once.ts';

/** A clip has been committed: its analysis starts, once. Anything else in the account is ignored. */
df.app.client.eventGrid('OnVideoBlobCreated', {
  handler: async (event, client, context) => {
    const clip = clipOfEvent(event);
    if (!clip) {
      context.debug(`ignored ${event.subject}`);
      return;
    }
    const instanceId = instanceIdOfClip(clip);
    const { settings, storage } = ports();
    const input = { clip, waitMs: settings.analysisWaitMs, revision: 1 };
    context.log(`${instanceId} ${await startOnce({ storage }, client, instanceId, input)}: ${clip.blobName}`);
  },
});
