/** Every some rounds: the cloud judges what it has, and house and storage are looked at as a whole. */
import type { CampaignClips } from './campaign-clips.ts';
import type { ClipNow } from './processes/house.ts';
import type { Stage } from './round.ts';
import { instancesOver, verifyAll } from './verify.ts';
import { within } from './wait.ts';
import type { World } from './world.ts';

/** For the cloud: a worker's lease, retries, and an answer that never comes. */
const JUDGED_MS = 150_000;

/** States from which no verdict comes any more by itself. */
const isOver = (state: ClipNow['state'] | undefined) =>
  state === 'judged' || state === 'lost' || state === 'parked';

/** Waits for the verdicts and looks at everything. */
export async function drain(world: World, stage: Stage, clips: CampaignClips): Promise<void> {
  const { awaitingVerdict, complain } = clips;
  await stage.recover();
  if (world.cloud) {
    for await (const { name } of world.clips.listBlobsFlat())
      world.eventGrid.found(name, `${world.clips.url}/${encodeURI(name)}`);
    await within(JUDGED_MS, () => areJudged(world, stage, clips), 200);
  }
  const answer = await stage.ask([...awaitingVerdict]);
  const now = answer?.clips ?? [];
  const states = new Map(now.map(({ clipId, state }) => [clipId, state]));
  if (world.cloud)
    for (const clipId of awaitingVerdict) {
      const state = states.get(clipId) ?? 'without a row';
      if (state !== 'judged')
        complain({ kind: 'unexplained', clipId, what: `it is ${state} and has no verdict` });
    }
  const done = now.filter(({ clipId }) => awaitingVerdict.has(clipId));
  try {
    for (const problem of await verifyAll(world, done)) complain(problem);
  } catch (error) {
    const what = `house and storage cannot be looked at: ${(error as Error).message}`;
    complain({ kind: 'unexplained', clipId: null, what });
  }
  awaitingVerdict.clear();
  // A kill between the hub's answer and the house's note of it leaves one, now and then.
  world.forgetTickets();
}

/** True when nothing is under way any more between storage, cloud and house; undefined: not yet. */
async function areJudged(
  world: World,
  stage: Stage,
  { awaitingVerdict }: CampaignClips,
): Promise<true | undefined> {
  await stage.recover();
  const answer = await stage.ask([...awaitingVerdict]);
  const states = new Map(answer?.clips.map(({ clipId, state }) => [clipId, state]));
  const waits = [...awaitingVerdict].some((id) => !isOver(states.get(id)));
  if (waits || !world.eventGrid.idle()) return undefined;
  // A cloud that does not answer is not over yet: asked again until the time is up.
  return (await instancesOver(world).catch(() => false)) || undefined;
}
