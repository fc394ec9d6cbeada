import df from 'durable-functions';
import { announceClip } from './announce-clip.ts';
import { clipOfEvent } from './clip-of-event.ts';
import { ports } from './composition.ts';

/** A clip has been committed: its analysis starts, once. Anything else in the account is ignored. */
df.app.client.eventGrid('OnVideoBlobCreated', {
  handler: async (event, client, context) => {
    const clip = clipOfEvent(event);
    if (!clip) {
      context.debug(`ignored ${event.subject}`);
      return;
    }
    const { settings, storage } = ports();
    const about = { clip, waitMs: settings.analysisWaitMs, byHand: false };
    const { instanceId, outcome } = await announceClip({ storage }, client, about);
    context.log(`${instanceId} ${outcome}: ${clip.blobName}`);
  },
});
