import type { DurableClient } from 'durable-functions';
import type { Runtime } from '../../keeper/clip-facts.ts';
import { CLIP_ANALYSIS_VERSION } from '../../orchestrators/clip-analysis-steps.ts';
import { readStatus } from './instance-status.ts';
import { startOnce, type StartOnceDeps } from './start-once.ts';

/** The durable runtime as the keeper knows it. */
export const durableRuntime = (
  deps: StartOnceDeps,
  client: Pick<DurableClient, 'getStatus' | 'startNew' | 'terminate'>,
): Runtime => ({
  async statusOf(instanceId) {
    const status = await readStatus(client, instanceId);
    return status && { status: status.runtimeStatus, output: status.output };
  },
  async start(instanceId, { record: { clip, waitMs }, revision }) {
    await startOnce(deps, client, instanceId, { version: CLIP_ANALYSIS_VERSION, clip, waitMs, revision });
  },
  async terminate(instanceId, reason) {
    await client.terminate(instanceId, reason);
  },
});
