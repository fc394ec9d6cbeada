import { CONTAINER_CLIPS, type ProcessingResult, type Verdict, verdictBlobName } from '@dachawatch/contracts';
import { readResults } from '../activities/read-results.ts';
import { readVerdict } from '../activities/store-verdict.ts';
import type { ClipAnalysisOutput } from '../orchestrators/clip-analysis-steps.ts';
import {
  deliveryPlace,
  laterInstanceId,
  resultNames,
  startedRevisions,
  startMarkerPlace,
} from '../ports/instance-places.ts';
import { type Delivery, readDelivery } from '../ports/notification-outbox.ts';
import type { NotificationKind } from '../ports/notification.ts';
import { CONTAINER_INSTANCES, MAX_DOCUMENT_BYTES, type StoragePort } from '../ports/storage.ts';
import type { OpenClip } from './open-clips.ts';

/** What the runtime says about an orchestration. */
export interface InstanceNow {
  readonly status: string;
  readonly output: unknown;
}

/** The durable runtime, as far as the keeper needs it. */
export interface Runtime {
  /** Undefined: there is no such instance. */
  statusOf(instanceId: string): Promise<InstanceNow | undefined>;
  /** Starts an analysis at most once, however many ask. */
  start(instanceId: string, about: { readonly record: OpenClip; readonly revision: number }): Promise<void>;
  terminate(instanceId: string, reason: string): Promise<void>;
}

/** How it stands with the latest analysis of a clip. */
export type LatestState =
  /** Nobody has begun one. */
  | 'none'
  /** Somebody has written its marker and not started it. */
  | 'starting'
  | 'live'
  | 'completed'
  /** It ended without an output. */
  | 'broken'
  /** An operator ended it. */
  | 'terminated'
  /** It was started, and the runtime does not know it. */
  | 'missing';

export interface Latest {
  readonly revision: number;
  readonly instanceId: string;
  readonly state: LatestState;
  /** Since its marker was written, by the storage server's clock. */
  readonly ageMs: number;
  /** What the runtime says of its end. */
  readonly why: string;
  /** The verdict of a completed one, as it was meant to be stored. */
  readonly document: Verdict | undefined;
}

export interface HeldDelivery extends Delivery {
  readonly ageMs: number;
}

/** All that is stored about a clip. */
export interface ClipFacts {
  readonly record: OpenClip;
  readonly latest: Latest;
  readonly verdict: Verdict | undefined;
  readonly results: readonly ProcessingResult[];
  /** Since the last of them was stored. */
  readonly resultsAgeMs: number;
  readonly deliveries: ReadonlyMap<NotificationKind, HeldDelivery>;
}

/** An orchestration that the keeper ended because it was beyond any deadline says so. */
export const OVERDUE = 'beyond its deadline; the keeper goes on without it';

const MOST_NAMES = 1_000;
const CLIP_KINDS = ['person-seen', 'no-answer', 'analysis-failed'] as const;

/** Reads what is stored about a clip, and asks the runtime about its latest analysis. Changes nothing. */
export async function readClipFacts(
  storage: Pick<StoragePort, 'listBlobs' | 'readBlob'>,
  runtime: Pick<Runtime, 'statusOf'>,
  firstId: string,
  record: OpenClip,
): Promise<ClipFacts> {
  const { blobName } = record.clip;
  const listed = await storage.listBlobs(CONTAINER_INSTANCES, firstId, MOST_NAMES);
  const names = listed.map(({ name }) => name);
  const revision = Math.max(0, ...startedRevisions(firstId, names));
  const instanceId = revision > 1 ? laterInstanceId(firstId, revision) : firstId;
  const latest = await readLatest(storage, runtime, instanceId, revision);
  const results = await readResults(storage, firstId, blobName, names);
  const stored = resultNames(firstId, names);
  const resultsAgeMs = Math.min(
    ...listed.filter(({ name }) => stored.includes(name)).map(({ ageMs }) => ageMs),
  );
  const deliveries = new Map<NotificationKind, HeldDelivery>();
  for (const kind of CLIP_KINDS) {
    const place = deliveryPlace({ id: '', kind, clip: { blobName } });
    if (!names.includes(place.name)) continue;
    const blob = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
    const delivery = blob && readDelivery(blob.bytes);
    if (blob && delivery) deliveries.set(kind, { ...delivery, ageMs: blob.ageMs });
  }
  // Last: whoever stores a verdict has stored all the rest before.
  const name = verdictBlobName(blobName.slice(CONTAINER_CLIPS.length + 1));
  const document = await storage.readBlob({ container: CONTAINER_CLIPS, name }, MAX_DOCUMENT_BYTES);
  return {
    record,
    latest,
    results,
    resultsAgeMs,
    deliveries,
    verdict: document && readVerdict(document.bytes),
  };
}

async function readLatest(
  storage: Pick<StoragePort, 'readBlob'>,
  runtime: Pick<Runtime, 'statusOf'>,
  instanceId: string,
  revision: number,
): Promise<Latest> {
  const now = await runtime.statusOf(instanceId);
  const marker = await storage.readBlob(startMarkerPlace(instanceId), MAX_DOCUMENT_BYTES);
  const output = now?.output as Partial<ClipAnalysisOutput> | null | undefined;
  return {
    revision: Math.max(1, revision),
    instanceId,
    state: now ? stateOf(now) : !marker ? 'none' : isStarted(marker.bytes) ? 'missing' : 'starting',
    ageMs: marker?.ageMs ?? 0,
    why: typeof now?.output === 'string' ? now.output : (now?.status ?? 'the runtime does not know it'),
    document: now?.status === 'Completed' ? (output?.document ?? undefined) : undefined,
  };
}

function stateOf({ status, output }: InstanceNow): LatestState {
  if (status === 'Completed') return 'completed';
  if (status === 'Terminated') return output === OVERDUE ? 'broken' : 'terminated';
  return status === 'Failed' || status === 'Canceled' ? 'broken' : 'live';
}

function isStarted(bytes: Buffer): boolean {
  try {
    return (JSON.parse(bytes.toString('utf8')) as { state?: unknown } | null)?.state === 'started';
  } catch {
    return false;
  }
}
