/** What became of the clips of a storm, by what is stored and by what the webhook showed. */
import { buffer } from 'node:stream/consumers';
import { type BlobClient, BlobServiceClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS, parseDocument, Verdict, verdictBlobName } from '@dachawatch/contracts';
import { OPEN_CLIPS_PREFIX } from '../../../../cloud-fn/ports/instance-places.ts';
import { CONTAINER_INSTANCES } from '../../../../cloud-fn/ports/storage.ts';
import type { Webhook } from '../../../../test/engine/webhook.ts';
import type { StormClip } from './clips.ts';

export interface StormNow {
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Clips that the keeper has not closed. */
  readonly open: number;
}

export interface StormOutcome {
  /** Clips with the verdict that their picture asks for. */
  readonly right: number;
  readonly noVerdict: number;
  /** Verdicts that say `notified` while nobody saw the notification. */
  readonly falselyNotified: number;
  /** Persons of whom nobody saw a notification. */
  readonly untold: number;
  /** Clips of whose person somebody saw more than one notification. */
  readonly toldTwice: number;
  /** Deliveries that came again although they had been taken. The webhook knows them by their key and shows them once;
   *  to a person behind one that does not look at it they are told again. */
  readonly redelivered: number;
  /** Kills of processes or times that storage was away, and requests to the worker. */
  readonly kills: number;
  /** On our own host: how often the process of the app ended. */
  readonly deaths: number;
  readonly asked: number;
  readonly seconds: number;
  /** From the announcements to the decision of the verdict that is there now; null without any. */
  readonly medianMs: number | null;
  readonly worstMs: number | null;
  /** How many verdicts are of which revision. */
  readonly revisions: Readonly<Record<string, number>>;
}

export async function lookAt(storage: string, clips: readonly StormClip[]): Promise<StormNow> {
  const account = BlobServiceClient.fromConnectionString(storage);
  const container = account.getContainerClient(CONTAINER_CLIPS);
  const there = new Set<string>();
  for await (const { name } of container.listBlobsFlat()) there.add(name);
  const verdicts = new Map<string, Verdict>();
  for (const { name } of clips) {
    const document = verdictBlobName(name);
    if (there.has(document))
      verdicts.set(name, parseDocument(Verdict, await bytesOf(container.getBlobClient(document))));
  }
  let open = 0;
  const instances = account.getContainerClient(CONTAINER_INSTANCES);
  if (await instances.exists())
    for await (const _ of instances.listBlobsFlat({ prefix: OPEN_CLIPS_PREFIX })) open += 1;
  return { verdicts, open };
}

/** In one request: between two the verdict may be replaced by a longer one. */
async function bytesOf(blob: BlobClient): Promise<Buffer> {
  const { readableStreamBody } = await blob.download();
  return readableStreamBody ? buffer(readableStreamBody) : Buffer.alloc(0);
}

const isRight = ({ name, person }: StormClip, { verdicts }: StormNow) =>
  verdicts.get(name)?.verdict === (person ? 'person' : 'nothing');

/** Whether nothing more is to come. */
export const isSettled = (clips: readonly StormClip[], now: StormNow): boolean =>
  now.open === 0 && clips.every((clip) => isRight(clip, now));

export function outcomeOf(
  clips: readonly StormClip[],
  now: StormNow,
  webhook: Pick<Webhook, 'shownAbout' | 'redelivered'>,
  counts: Pick<StormOutcome, 'kills' | 'deaths' | 'asked' | 'seconds' | 'medianMs' | 'worstMs'>,
): StormOutcome {
  const seen = ({ name }: StormClip) =>
    webhook.shownAbout(`${CONTAINER_CLIPS}/${name}`).filter((kind) => kind === 'person-seen').length;
  const count = (holds: (clip: StormClip) => boolean) => clips.filter(holds).length;
  const revisions: Record<string, number> = {};
  for (const { revision } of now.verdicts.values()) revisions[revision] = (revisions[revision] ?? 0) + 1;
  return {
    right: count((clip) => isRight(clip, now)),
    noVerdict: clips.length - now.verdicts.size,
    falselyNotified: count(
      (clip) => now.verdicts.get(clip.name)?.decision === 'notified' && seen(clip) === 0,
    ),
    untold: count((clip) => clip.person && seen(clip) === 0),
    toldTwice: count((clip) => seen(clip) > 1),
    redelivered: webhook.redelivered(),
    ...counts,
    revisions,
  };
}

export function decidedAfter(
  clips: readonly StormClip[],
  { verdicts }: Pick<StormNow, 'verdicts'>,
  startedUtcMs: number,
): Pick<StormOutcome, 'medianMs' | 'worstMs'> {
  const took = clips
    .flatMap(({ name }) => verdicts.get(name)?.decided_utc ?? [])
    .map((decidedUtc) => Date.parse(decidedUtc) - startedUtcMs)
    .toSorted((one, other) => one - other);
  return { medianMs: took[took.length >> 1] ?? null, worstMs: took.at(-1) ?? null };
}
