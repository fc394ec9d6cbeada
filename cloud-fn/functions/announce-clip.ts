import type { DurableClient } from 'durable-functions';
import { readClipFacts, type ClipFacts } from '../keeper/clip-facts.ts';
import { openClip, type OpenClip } from '../keeper/open-clips.ts';
import { CLIP_ANALYSIS_VERSION, type ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import type { StoragePort } from '../ports/storage.ts';
import { laterInstanceId } from '../ports/instance-places.ts';
import { instanceIdOfClip } from './clip-of-blob.ts';
import { durableRuntime } from './instances/durable-runtime.ts';
import { startOnce } from './instances/start-once.ts';

export interface AnnounceDeps {
  readonly storage: Pick<StoragePort, 'createBlob' | 'readBlob' | 'replaceBlob' | 'writeBlob' | 'listBlobs'>;
}
export type AnnounceClient = Pick<DurableClient, 'getStatus' | 'startNew' | 'terminate'>;

export interface Announced {
  /** The analysis that goes on about the clip, or the last one. */
  readonly instanceId: string;
  readonly outcome: 'started' | 'started-again' | 'already-started';
}

/** A clip is there to be analysed.
 *  Invariants
 *  1. It is noted as open before anything is started: whoever dies in between is replaced by the keeper.
 *  2. A clip without a verdict whose analysis has ended, or is lost, is analysed anew.
 *  3. One that has a verdict is analysed anew only for a person who asks for it (`byHand`), when nobody could judge it
 *     or its orchestration is gone.
 *  @throws StartInProgress while somebody else starts it */
export async function announceClip(
  deps: AnnounceDeps,
  client: AnnounceClient,
  { clip, waitMs, byHand }: { clip: ClipOfAnalysis; waitMs: number; byHand: boolean },
): Promise<Announced> {
  const firstId = instanceIdOfClip(clip);
  const start = (instanceId: string, revision: number) =>
    startOnce(deps, client, instanceId, { version: CLIP_ANALYSIS_VERSION, clip, waitMs, revision });
  const record: OpenClip = { clip, waitMs, asked: 0, touched: 0 };
  await openClip(deps.storage, firstId, record);
  if ((await start(firstId, 1)) === 'started') return { instanceId: firstId, outcome: 'started' };

  const facts = await readClipFacts(deps.storage, durableRuntime(deps, client), firstId, record);
  const { latest, verdict } = facts;
  if (!isWanted(facts, byHand)) return { instanceId: latest.instanceId, outcome: 'already-started' };
  const revision = Math.max(latest.revision, verdict?.revision ?? 0) + 1;
  const instanceId = laterInstanceId(firstId, revision);
  await start(instanceId, revision);
  return { instanceId, outcome: 'started-again' };
}

function isWanted({ latest, verdict, results }: ClipFacts, byHand: boolean): boolean {
  if (latest.state === 'live' || latest.state === 'starting') return false;
  // What is stored only has to be judged, which the keeper does.
  if (!verdict) return results.length === 0 || byHand;
  return byHand && (verdict.verdict === 'undecided' || latest.state === 'missing');
}
