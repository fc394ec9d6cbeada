/** After a round: the house comes to rest, and every clip that is open is looked at. */
import type { CampaignClips } from './campaign-clips.ts';
import { tornMsOf } from './clip-bytes.ts';
import { TORN_SECONDS_MAX } from './findings.ts';
import type { JournalClip } from './journal.ts';
import type { ClipNow } from './processes/house.ts';
import type { Stage } from './round.ts';
import { getsRowLater, verifyClip } from './verify.ts';
import type { World } from './world.ts';

/** For a house that has no faults any more to finish what it has. */
export const CALM_MS = 60_000;
/** After damage it finds all its clips again, and asks storage for each. */
const CALM_AFTER_DAMAGE_MS = 180_000;

export interface SettlingDeps {
  readonly world: World;
  readonly stage: Stage;
  readonly clips: CampaignClips;
  readonly totals: { givenUp: number; tornMsMax: number };
}

/** Waits for the house and looks at every clip that is open.
 *  @param spoiled its database was damaged in this round
 *  @returns what was waited for last */
export async function settle(deps: SettlingDeps, spoiled: boolean): Promise<string> {
  const { world, stage, clips } = deps;
  const { open, known, complain } = clips;
  clips.readJournal();
  const { calm, waited } = await stage.calm(
    () => {
      clips.readJournal();
      // The house finds its clips again beside everything else: only then is it what it will be.
      const due = [...open].filter((id) => getsRowLater(world.journal.clips.get(id), spoiled));
      return { asked: [...open], due: spoiled ? [...known, ...due] : due };
    },
    spoiled ? CALM_AFTER_DAMAGE_MS : CALM_MS,
  );
  clips.readJournal();
  const answer = await stage.ask(spoiled ? [...known, ...open] : [...open]);
  if (!answer) {
    const what = `the house does not come back: ${world.house.words()}`;
    complain({ kind: 'unexplained', clipId: null, what });
    return waited;
  }
  if (!calm && answer.recording)
    complain({ kind: 'unexplained', clipId: null, what: 'a recorder does not come to its end' });
  const now = new Map(answer.clips.map((clip) => [clip.clipId, clip]));
  if (spoiled) complainOfLostRows(clips, now);
  for (const clipId of now.keys()) known.add(clipId);
  await lookAll(deps, now, spoiled);
  if (calm) return waited;
  const words = world.house.words();
  // It does not do it by itself: told above. With a new start it may, and the next round shall not inherit it.
  await world.house.kill();
  await stage.recover();
  return `${waited}; its log ends with\n${words}`;
}

function complainOfLostRows(
  { known, open, complain }: CampaignClips,
  now: ReadonlyMap<string, ClipNow>,
): void {
  for (const clipId of known) {
    if (now.has(clipId) || open.has(clipId)) continue;
    complain({ kind: 'unexplained', clipId, what: 'it had a row before the database was spoiled' });
    known.delete(clipId);
  }
}

async function lookAll(
  { world, clips, totals }: SettlingDeps,
  now: ReadonlyMap<string, ClipNow>,
  spoiled: boolean,
): Promise<void> {
  const { open, awaitingVerdict, complain } = clips;
  const looked: { clip: JournalClip; whole: boolean }[] = [];
  const kept = new Set<string>();
  for (const clipId of open) {
    const clip = world.journal.clips.get(clipId);
    if (!clip) continue;
    const outcome = await verifyClip(world, clip, now.get(clipId), spoiled);
    for (const problem of outcome.problems) complain(problem);
    for (const sha256 of outcome.kept) kept.add(sha256);
    if (outcome.givenUp) totals.givenUp++;
    const state = now.get(clipId)?.state;
    if (state === 'parked') continue;
    open.delete(clipId);
    if (state === 'uploaded' || state === 'judged') awaitingVerdict.add(clipId);
    // One that is lost, or is not what was recorded, was told of above.
    looked.push({ clip, whole: outcome.problems.length === 0 && !outcome.givenUp });
  }
  for (const { clip, whole } of looked) {
    const tornMs = whole ? tornMsOf(clip, kept) : 0;
    totals.tornMsMax = Math.max(totals.tornMsMax, tornMs);
    if (tornMs > TORN_SECONDS_MAX * 1_000)
      complain({
        kind: 'torn',
        clipId: clip.clipId,
        what: `${tornMs} ms of it were recorded and are gone`,
      });
  }
}
