/** Many rounds on one house: what each leaves is looked at when it is over, what the cloud makes of it a little later. */
import { type Finding, TORN_SECONDS_MAX } from './findings.ts';
import { tornMsOf } from './clip-bytes.ts';
import type { ClipNow } from './processes/house.ts';
import type { JournalClip } from './journal.ts';
import type { Plan } from './plan.ts';
import { createStage } from './round.ts';
import { getsRowLater, instancesOver, verifyAll, verifyClip, verifyParked } from './verify.ts';
import { within } from './wait.ts';
import type { World } from './world.ts';

/** For a house that has no faults any more to finish what it has. */
const CALM_MS = 60_000;
/** After damage it finds all its clips again, and asks storage for each. */
const CALM_AFTER_DAMAGE_MS = 180_000;
/** For the cloud: a worker's lease, retries, and an answer that never comes. */
const JUDGED_MS = 150_000;
/** Rounds between two looks at storage and cloud as a whole. */
const DRAIN_EVERY = 25;

/** States from which no verdict comes any more by itself. */
const isOver = (state: ClipNow['state'] | undefined) =>
  state === 'judged' || state === 'lost' || state === 'parked';

export interface Totals {
  clips: number;
  fired: number;
  killed: number;
  ended: number;
  givenUp: number;
  parked: number;
  tornMsMax: number;
}

// oxlint-disable-next-line max-lines-per-function -- a round, its settling and the drain hand the same sets of clips on: open, known, waiting for a verdict
export function createCampaign(world: World, { found }: { readonly found: (finding: Finding) => void }) {
  const stage = createStage(world);
  const totals: Totals = { clips: 0, fired: 0, killed: 0, ended: 0, givenUp: 0, parked: 0, tornMsMax: 0 };
  /** Round in which a clip began. */
  const roundOf = new Map<string, number>();
  /** Clips that are not yet looked at for good. */
  const open = new Set<string>();
  const awaitingVerdict = new Set<string>();
  /** Clips that had a row: whatever is spoiled, they have one. */
  const known = new Set<string>();
  let played = 0;
  let round = 0;
  let spoiled = false;

  function readJournal(): string[] {
    world.journal.read();
    const fresh = [...world.journal.clips.keys()].filter((id) => !roundOf.has(id));
    for (const id of fresh) {
      roundOf.set(id, round);
      open.add(id);
    }
    return fresh;
  }

  const complain = (problem: Omit<Finding, 'round'>) =>
    found({ ...problem, round: (problem.clipId !== null && roundOf.get(problem.clipId)) || round });

  /** Waits for the house and looks at every clip that is open.
   *  @returns what was waited for last */
  async function settle(): Promise<string> {
    readJournal();
    const { calm, waited } = await stage.calm(
      () => {
        readJournal();
        // The house finds its clips again beside everything else: only then is it what it will be.
        const due = [...open].filter((id) => getsRowLater(world.journal.clips.get(id), spoiled));
        return { asked: [...open], due: spoiled ? [...known, ...due] : due };
      },
      spoiled ? CALM_AFTER_DAMAGE_MS : CALM_MS,
    );
    readJournal();
    const answer = await stage.ask(spoiled ? [...known, ...open] : [...open]);
    if (!answer) {
      const what = `the house does not come back: ${world.house.words()}`;
      complain({ kind: 'unexplained', clipId: null, what });
      return waited;
    }
    if (!calm && answer.recording)
      complain({ kind: 'unexplained', clipId: null, what: 'a recorder does not come to its end' });
    const now = new Map(answer.clips.map((clip) => [clip.clipId, clip]));
    if (spoiled)
      for (const clipId of known) {
        if (now.has(clipId) || open.has(clipId)) continue;
        complain({ kind: 'unexplained', clipId, what: 'it had a row before the database was spoiled' });
        known.delete(clipId);
      }
    for (const clipId of now.keys()) known.add(clipId);
    await lookAll(now);
    if (!calm) {
      const words = world.house.words();
      // It does not do it by itself: told above. With a new start it may, and the next round shall not inherit it.
      await world.house.kill();
      await stage.recover();
      return `${waited}; its log ends with\n${words}`;
    }
    return waited;
  }

  async function lookAll(now: ReadonlyMap<string, ClipNow>): Promise<void> {
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

  /** Waits for the verdicts and looks at everything. */
  async function drain(): Promise<void> {
    await stage.recover();
    if (world.cloud) {
      for await (const { name } of world.clips.listBlobsFlat())
        world.eventGrid.found(name, `${world.clips.url}/${encodeURI(name)}`);
      await within(
        JUDGED_MS,
        async () => {
          await stage.recover();
          const answer = await stage.ask([...awaitingVerdict]);
          const states = new Map(answer?.clips.map(({ clipId, state }) => [clipId, state]));
          const waits = [...awaitingVerdict].some((id) => !isOver(states.get(id)));
          if (waits || !world.eventGrid.idle()) return undefined;
          return (await instancesOver(world).catch(() => false)) || undefined;
        },
        200,
      );
    }
    const answer = await stage.ask([...awaitingVerdict]);
    const clips = answer?.clips ?? [];
    const states = new Map(clips.map(({ clipId, state }) => [clipId, state]));
    if (world.cloud)
      for (const clipId of awaitingVerdict) {
        const state = states.get(clipId) ?? 'without a row';
        if (state !== 'judged')
          complain({ kind: 'unexplained', clipId, what: `it is ${state} and has no verdict` });
      }
    const done = clips.filter(({ clipId }) => awaitingVerdict.has(clipId));
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

  return {
    async begin(): Promise<void> {
      await stage.recover();
      const { calm, waited } = await stage.calm(() => ({ asked: [], due: [] }), CALM_MS);
      if (!calm) throw new Error(`the house does not start: ${waited}`);
      if (world.cloud && !(world.cloud.host.alive() && world.cloud.worker.alive()))
        throw new Error(`the cloud does not start: ${world.cloud.host.words()}${world.cloud.worker.words()}`);
    },
    /** @returns how many clips it had, how long it took, and what was waited for last */
    async round(plan: Plan): Promise<{ clips: number; ms: number; waited: string }> {
      const began = performance.now();
      round = plan.round;
      spoiled = plan.damage !== undefined;
      const before = roundOf.size;
      const { fired, killed } = await stage.play(plan);
      totals.fired += fired;
      totals.killed += killed;
      const waited = await settle();
      if (++played % DRAIN_EVERY === 0) await drain();
      return { clips: roundOf.size - before, ms: performance.now() - began, waited };
    },
    async end(): Promise<void> {
      await settle();
      await drain();
      const parked = (await stage.ask([...open]))?.clips.filter(({ clipId }) => open.has(clipId)) ?? [];
      for (const clip of parked) for (const problem of await verifyParked(world, clip)) complain(problem);
      totals.clips = roundOf.size;
      totals.parked = open.size;
      for (const victim of world.victims.values()) totals.ended += victim.endedByItself();
    },
    totals: (): Readonly<Totals> => totals,
  };
}
