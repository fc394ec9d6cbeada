/** Many rounds on one house: what each leaves is looked at when it is over, what the cloud makes of it a little later. */
import { createCampaignClips } from './campaign-clips.ts';
import { drain } from './drain.ts';
import type { Finding } from './findings.ts';
import type { Plan } from './plan.ts';
import { createStage } from './round.ts';
import { CALM_MS, settle } from './settling.ts';
import { verifyParked } from './verify.ts';
import type { World } from './world.ts';

/** Rounds between two looks at storage and cloud as a whole. */
const DRAIN_EVERY = 25;

export interface Totals {
  clips: number;
  fired: number;
  killed: number;
  ended: number;
  givenUp: number;
  parked: number;
  tornMsMax: number;
}

export function createCampaign(world: World, { found }: { readonly found: (finding: Finding) => void }) {
  const stage = createStage(world);
  const clips = createCampaignClips(world, found);
  const totals: Totals = { clips: 0, fired: 0, killed: 0, ended: 0, givenUp: 0, parked: 0, tornMsMax: 0 };
  const settling = { world, stage, clips, totals };
  /** Of each process, how many of its ends were told. */
  const told = new Map<string, number>();
  let played = 0;
  let spoiled = false;

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
      clips.nextRound(plan.round);
      spoiled = plan.damage !== undefined;
      const before = clips.count();
      const { fired, killed } = await stage.play(plan);
      totals.fired += fired;
      totals.killed += killed;
      const waited = await settle(settling, spoiled);
      if (++played % DRAIN_EVERY === 0) await drain(world, stage, clips);
      return { clips: clips.count() - before, ms: performance.now() - began, waited };
    },
    async end(): Promise<void> {
      await settle(settling, spoiled);
      await drain(world, stage, clips);
      const { open, complain } = clips;
      const parked = (await stage.ask([...open]))?.clips.filter(({ clipId }) => open.has(clipId)) ?? [];
      for (const clip of parked) for (const problem of await verifyParked(world, clip)) complain(problem);
      totals.clips = clips.count();
      totals.parked = open.size;
      for (const victim of world.victims.values()) totals.ended += victim.endedByItself().length;
    },
    totals: (): Readonly<Totals> => totals,
    /** Which processes ended by themselves since it was asked last, and what they said. */
    endings: (): string[] =>
      [...world.victims].flatMap(([name, victim]) => {
        const ends = victim.endedByItself();
        const fresh = ends.slice(told.get(name) ?? 0);
        told.set(name, ends.length);
        return fresh.map((end) => `${name} ended by itself, ${end}`);
      }),
  };
}
