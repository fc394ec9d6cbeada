import df from 'durable-functions';
import { CONTAINER_CLIPS, ROUTE_MANUAL_START } from '@dachawatch/contracts';
import { announceClip } from './announce-clip.ts';
import { BadRequest, clipOfRequest } from './clip-of-request.ts';
import { ports } from './composition.ts';
import { StartInProgress } from './instances/start-once.ts';

const refuse = (status: number, code: string, message: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  jsonBody: { error: { code, message } },
});

/** Start by hand, as the original system did it. Answers with the management payload of the instance; asking again
 *  for the same blob gives the same instance, unless its clip could not be judged: then it is analysed again. */
df.app.client.http('StartVideo', {
  route: ROUTE_MANUAL_START,
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request, client, context) => {
    try {
      const clip = clipOfRequest(await request.text());
      const { settings, storage } = ports();
      const place = { container: CONTAINER_CLIPS, name: clip.blobName.slice(CONTAINER_CLIPS.length + 1) };
      if (!(await storage.hasBlob(place)))
        return refuse(404, 'no-such-blob', `There is no blob ${clip.blobName}.`);
      const about = { clip, waitMs: settings.analysisWaitMs, byHand: true };
      const { instanceId, outcome } = await announceClip({ storage }, client, about);
      context.log(`${instanceId} ${outcome}: ${clip.blobName}`);
      return client.createCheckStatusResponse(request, instanceId);
    } catch (error) {
      if (error instanceof BadRequest) return refuse(400, 'bad-request', error.message);
      if (error instanceof StartInProgress)
        return refuse(503, 'start-in-progress', error.message, { 'Retry-After': '10' });
      throw error;
    }
  },
});
