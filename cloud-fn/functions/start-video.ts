import df from 'durable-functions';
import { ROUTE_MANUAL_START } from '@dachawatch/contracts';
import { instanceIdOfClip } from './clip-of-blob.ts';
import { BadRequest, clipOfRequest } from './clip-of-request.ts';
import { ports } from './composition.ts';
import { StartInProgress, startOnce } from './start-once.ts';

const refuse = (status: number, code: string, message: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  jsonBody: { error: { code, message } },
});

/** Start by hand, as the original system did it. Answers with the management payload of the instance; asking again
 *  for the same blob gives the same instance. */
df.app.client.http('StartVideo', {
  route: ROUTE_MANUAL_START,
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request, client, context) => {
    try {
      const clip = clipOfRequest(await request.text());
      const instanceId = instanceIdOfClip(clip);
      const { settings, storage } = ports();
      const input = { clip, waitMs: settings.analysisWaitMs, revision: 1 };
      context.log(
        `${instanceId} ${await startOnce({ storage }, client, instanceId, input)}: ${clip.blobName}`,
      );
      return client.createCheckStatusResponse(request, instanceId);
    } catch (error) {
      if (error instanceof BadRequest) return refuse(400, 'bad-request', error.message);
      if (error instanceof StartInProgress)
        return refuse(503, 'start-in-progress', error.message, { 'Retry-After': '10' });
      throw error;
    }
  },
});
