import df from 'durable-functions';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { announceClip } from './announce-clip.ts';
import { clipOfEvent } from './clip-of-event.ts';
import { ports } from './composition.ts';

/** A clip has been committed: its analysis starts, once. Its house asks again: the same, if there is still such a clip.
 *  Anything else in the account is ignored. */
df.app.client.eventGrid('OnVideoBlobCreated', {
  handler: async (event, client, context) => {
    const found = clipOfEvent(event);
    const { settings, storage } = ports();
    if (!found || (found.asked && !(await storage.hasBlob(placeOf(found.clip.blobName))))) {
      const subject: unknown = event.subject;
      context.debug(`ignored ${typeof subject === 'string' ? subject : 'an event without a subject'}`);
      return;
    }
    const { clip } = found;
    const about = { clip, waitMs: settings.analysisWaitMs, byHand: false };
    const { instanceId, outcome } = await announceClip({ storage }, client, about);
    context.log(`${instanceId} ${outcome}: ${clip.blobName}`);
  },
});

const placeOf = (blobName: string) => ({
  container: CONTAINER_CLIPS,
  name: blobName.slice(CONTAINER_CLIPS.length + 1),
});
