/** Holds what became of clips against what their writers said. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parse, parseClipBlobName, Verdict, verdictBlobName } from '@dachawatch/contracts';
import { clipPaths } from '../../../../agent/ledger/clips/clip-files.ts';
import { inspectLedger } from '../../../../agent/ledger/check/inspect.ts';
import { checkBlobs } from '../../fsck/blobs.ts';
import { readClip } from './clip-bytes.ts';
import type { Finding, Kind } from './findings.ts';
import { type ClipNow, isAtEnd } from './processes/house.ts';
import type { JournalClip } from './journal.ts';
import { DEVICE, verdictOfSha256 } from './settings.ts';
import type { World } from './world.ts';

export type Problem = Omit<Finding, 'round'>;

/** Policies that may give up what was never uploaded. They name themselves in the row. */
const POLICY = /byte budget|disk nearly full/;

export interface ClipOutcome {
  readonly problems: readonly Problem[];
  /** Checksums of the fragments that are in storage. */
  readonly kept: ReadonlySet<string>;
  /** It was given up by a policy that says so. */
  readonly givenUp: boolean;
}

/** A row goes with the database when nothing else of its clip was on disk. One that began while the ledger could not
 *  be used is known to its process alone until the ledger can, or some of it is on disk. */
export const mayBeUnknown = (clip: JournalClip | undefined, spoiled: boolean) =>
  clip?.durable === 0 && (spoiled || (!clip.hadRow && clip.isOfBefore));

/** Its row comes when the ledger can be used again, or from its file: that is waited for. */
export const getsRowLater = (clip: JournalClip | undefined, spoiled: boolean) =>
  (spoiled || clip?.hadRow === false) && !mayBeUnknown(clip, spoiled);

/** One clip whose way through the house is over.
 *  @param now undefined: the house does not know it
 *  @param spoiled the database was spoiled in this round */
export async function verifyClip(
  world: World,
  clip: JournalClip,
  now: ClipNow | undefined,
  spoiled: boolean,
): Promise<ClipOutcome> {
  const { clipId } = clip;
  const outcome = (more: Partial<ClipOutcome>): ClipOutcome => ({
    ...{ problems: [], kept: new Set<string>(), givenUp: false },
    ...more,
  });
  const is = (kind: Kind, what: string) => outcome({ problems: [{ kind, clipId, what }] });
  if (!now && mayBeUnknown(clip, spoiled)) return outcome({});
  if (!now) return is('unexplained', 'a place was given for it and it has no row');
  if (!isAtEnd(now)) return is('unexplained', `it stays ${now.state} (${now.reason ?? 'no reason'})`);
  if (now.state === 'lost') {
    if (!now.reason) return is('unexplained', 'it is lost without a reason');
    if (POLICY.test(now.reason)) return outcome({ givenUp: true });
    if (clip.durable === 0) return outcome({});
    return is('lost', `${clip.durable} of its fragments were on disk and it was given up: ${now.reason}`);
  }
  if (now.state === 'parked') return outcome({});
  const name = blobNameOf(now.blobUrl ?? '');
  const bytes = await blobOf(world, name);
  if (!bytes) return is('lost', `its row says ${now.state} and ${name} is not in storage`);
  if (createHash('sha256').update(bytes).digest('hex') !== now.sha256)
    return is('lost', `${name} has other bytes than its row says`);
  const { foreign, fragments } = readClip(bytes, world.init, clip);
  return foreign
    ? { ...is('lost', `${name} is not what was recorded: ${foreign}`), kept: fragments }
    : outcome({ kept: fragments });
}

/** A clip that storage would not have is kept as it was sealed. */
export async function verifyParked(
  world: World,
  { clipId, cameraId, sha256, reason }: ClipNow,
): Promise<Problem[]> {
  const { file } = clipPaths(world.houseDir, cameraId, clipId);
  const kept = existsSync(file) && createHash('sha256').update(readFileSync(file)).digest('hex') === sha256;
  if (kept) return [];
  return [
    {
      kind: 'lost',
      clipId,
      what: `it is parked (${reason ?? 'no reason'}) and its file is not what was sealed`,
    },
  ];
}

async function blobOf(world: World, name: string): Promise<Buffer | undefined> {
  const blob = world.clips.getBlobClient(name);
  return (await blob.exists()) ? blob.downloadToBuffer() : undefined;
}

export const blobNameOf = (url: string): string => {
  const path = decodeURIComponent(new URL(url).pathname);
  return path.slice(path.indexOf(`/${DEVICE}/`) + 1);
};

/** Everything there is in storage and in the functions host. To be asked when all clips are at their end. */
export async function verifyAll(world: World, clips: readonly ClipNow[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  const names = new Map<string, string[]>();
  for await (const { name } of world.clips.listBlobsFlat({ prefix: `${DEVICE}/` })) {
    const clipId = parseClipBlobName(name)?.clipId;
    if (clipId !== undefined) names.set(clipId, [...(names.get(clipId) ?? []), name]);
  }
  for (const [clipId, all] of names)
    if (all.length > 1)
      problems.push({ kind: 'duplicated', clipId, what: `it is in storage as ${all.join(' and ')}` });
  const instances = await instancesOf(world);
  if (world.cloud)
    for (const clip of clips)
      if (clip.state === 'judged') problems.push(...(await verifyVerdict(world, clip, instances)));
  problems.push(...verifyInstances(instances));
  problems.push(...(await verifyLedger(world)));
  return problems;
}

async function verifyVerdict(
  world: World,
  clip: ClipNow,
  instances: readonly Instance[],
): Promise<Problem[]> {
  const { clipId } = clip;
  const bytes = await blobOf(world, verdictBlobName(blobNameOf(clip.blobUrl ?? '')));
  if (!bytes)
    return [{ kind: 'unexplained', clipId, what: 'it is judged and no verdict lies beside its blob' }];
  const verdict = parse(Verdict, JSON.parse(bytes.toString('utf8')));
  const wanted = verdictOfSha256(clip.sha256 ?? '');
  const wrong = (what: string): Problem[] => [{ kind: 'unexplained', clipId, what: `its verdict ${what}` }];
  if (verdict.clip_id !== clipId) return wrong(`is that of ${verdict.clip_id}`);
  if (verdict.verdict !== wanted && verdict.verdict !== 'undecided')
    return wrong(`is ${verdict.verdict} instead of ${wanted}`);
  if (verdict.revision > 1 && !mayReplace(verdict, instances))
    return [
      { kind: 'duplicated', clipId, what: `its verdict has revision ${verdict.revision}: ${verdict.reason}` },
    ];
  return [];
}

/** An orchestration, as the functions host tells it. */
export interface Instance {
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: { readonly clip?: { readonly clip_id?: string } } | null;
  readonly output?: unknown;
}

/** Why a verdict of a higher revision is not one too many: what could not be delivered at first was delivered later, or
 *  an analysis of the clip ended without an answer, so that a later one says more. */
export const mayReplace = (
  { clip_id, reason }: Pick<Verdict, 'clip_id' | 'reason'>,
  instances: readonly Instance[],
): boolean =>
  reason.includes('It was delivered later') ||
  instances.some((instance) => instance.input?.clip?.clip_id === clip_id && !hasJudged(instance));

function hasJudged({ output }: Instance): boolean {
  const document = (output as { readonly document?: Partial<Verdict> } | null | undefined)?.document;
  return document !== undefined && document.verdict !== 'undecided';
}

/** States in which nothing more is to come: what else an instance is, it is not for long. */
const OVER = /^(Completed|Failed|Terminated|Canceled)$/;

/** Whether no orchestration has anything left to do. The house can read a verdict beside its clip before the
 *  orchestration that stored it has told anybody. */
export const instancesOver = async (world: World): Promise<boolean> =>
  (await instancesOf(world)).every(({ runtimeStatus }) => OVER.test(runtimeStatus));

/** One orchestration for each clip, or one more after each that could not judge it, and all of them over. */
export function verifyInstances(instances: readonly Instance[]): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  for (const instance of instances) {
    const { instanceId, runtimeStatus, input } = instance;
    const clipId = input?.clip?.clip_id ?? null;
    const earlier = clipId === null ? undefined : seen.get(clipId);
    if (earlier !== undefined)
      problems.push({
        kind: 'duplicated',
        clipId,
        what: `orchestrations ${earlier} and ${instanceId} are both its`,
      });
    if (clipId !== null && hasJudged(instance)) seen.set(clipId, instanceId);
    if (runtimeStatus !== 'Completed')
      problems.push({
        kind: 'unexplained',
        clipId,
        what: `its orchestration ${instanceId} is ${runtimeStatus}`,
      });
  }
  return problems;
}

/** All that the functions host knows; none without a cloud. */
async function instancesOf(world: World): Promise<Instance[]> {
  const there = world.keysOf();
  if (!there) return [];
  const all: Instance[] = [];
  for (let token = ''; ; ) {
    const answer = await fetch(
      `${there.base}/runtime/webhooks/durabletask/instances?code=${there.keys['durableTask']}&top=200&showInput=true`,
      { headers: token ? { 'x-ms-continuation-token': token } : {} },
    );
    all.push(...((await answer.json()) as Instance[]));
    token = answer.headers.get('x-ms-continuation-token') ?? '';
    if (token === '') return all;
  }
}

/** What `scripts/fsck --deep` says. */
async function verifyLedger(world: World): Promise<Problem[]> {
  const inspection = inspectLedger(world.houseDir);
  try {
    const { problems } = await inspection.check({ deep: true });
    const blobs = await checkBlobs(inspection, world.connectionString(), {
      deep: true,
      say: () => undefined,
    });
    return [...problems, ...(blobs?.problems ?? [{ clipId: null, problem: 'storage does not answer' }])].map(
      ({ clipId, problem }) => ({ kind: 'unexplained' as const, clipId, what: `fsck: ${problem}` }),
    );
  } finally {
    inspection.close();
  }
}
