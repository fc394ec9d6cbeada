import type { DurableClient } from 'durable-functions';
import { ORCHESTRATION_CLIP_ANALYSIS } from '@dachawatch/contracts';
import type { ClipAnalysisInput } from '../../orchestrators/clip-analysis-steps.ts';
import { startMarkerPlace } from '../../ports/instance-places.ts';
import { json, MAX_DOCUMENT_BYTES, type StoragePort } from '../../ports/storage.ts';
import { readStatus } from './instance-status.ts';

export interface StartOnceDeps {
  readonly storage: Pick<StoragePort, 'createBlob' | 'readBlob' | 'replaceBlob' | 'writeBlob'>;
}
export type Starter = Pick<DurableClient, 'startNew' | 'getStatus'>;

/** Somebody else is starting the same instance right now: deliver again in a moment. */
export class StartInProgress extends Error {
  override readonly name = 'StartInProgress';
}

/** Within this time whoever wrote the marker is taken to be at work; starting takes well below a second. */
export const STARTER_AT_WORK_MS = 10_000;

/** Starts an instance at most once, however often and from wherever it is asked for.
 *  Invariants
 *  1. An instance that exists, finished ones included, is never started again: the runtime would replace it.
 *  2. Of several starters one writes the marker (atomic); the others fail and are delivered again.
 *  3. A marker whose starter was killed before the start is taken over; one that says `started` never is, even
 *     when the instance's history has been purged. */
export async function startOnce(
  { storage }: StartOnceDeps,
  client: Starter,
  instanceId: string,
  input: ClipAnalysisInput,
): Promise<'started' | 'already-started'> {
  if (await readStatus(client, instanceId)) return 'already-started';
  const marker = startMarkerPlace(instanceId);
  const starting = json({ state: 'starting', input });
  if (!(await storage.createBlob(marker, starting))) {
    const found = await storage.readBlob(marker, MAX_DOCUMENT_BYTES);
    if (found && stateOf(found.bytes) === 'started') return 'already-started';
    const free =
      found !== undefined &&
      found.ageMs >= STARTER_AT_WORK_MS &&
      (await storage.replaceBlob(marker, starting, found.etag));
    if (!free)
      throw new StartInProgress(`${instanceId} is being started by somebody else; try again in a moment`);
  }
  const outcome = await start(client, instanceId, input);
  await storage.writeBlob(marker, json({ state: 'started', input }));
  return outcome;
}

/** The runtime refuses an instance that runs, in words and codes that differ between versions. */
async function start(
  client: Starter,
  instanceId: string,
  input: ClipAnalysisInput,
): Promise<'started' | 'already-started'> {
  try {
    await client.startNew(ORCHESTRATION_CLIP_ANALYSIS, { instanceId, input });
    return 'started';
  } catch (error) {
    if (await readStatus(client, instanceId)) return 'already-started';
    throw error;
  }
}

/** `starting` for what cannot be read: the takeover rules are the careful ones. */
function stateOf(bytes: Buffer): string {
  try {
    return String((JSON.parse(bytes.toString('utf8')) as { state?: unknown }).state);
  } catch {
    return 'starting';
  }
}
