import { loseUnsynced } from '../disk/power-cut.ts';
import type { Kill, Plan } from '../plan.ts';
import type { World } from '../world.ts';
import type { HouseTalk } from './house-talk.ts';

/** The kills of a round, with power cuts among them. */
export interface Kills {
  /** Resolves when it is over: after a power cut, when what was not synced is lost. */
  kill(one: Kill, plan: Pick<Plan, 'episodes'>): Promise<void>;
  /** Resolves when there is power: without it nothing may start. */
  powerBack(): Promise<void>;
}

export function createKills(world: World, talk: Pick<HouseTalk, 'killRecorder' | 'endRecorders'>): Kills {
  let powerless: Promise<void> = Promise.resolve();

  async function cutPower(share: number): Promise<void> {
    await talk.endRecorders();
    world.journal.read();
    loseUnsynced(world.journal.clips.values(), share);
  }

  return {
    async kill({ process, powerCut }, { episodes }) {
      if (process === 'storage') return world.killStorage();
      if (process === 'recorder') return talk.killRecorder(episodes[0]?.cameraId ?? '');
      const killed = world.victims.get(process)?.kill();
      if (powerCut !== undefined) powerless = Promise.all([powerless, killed]).then(() => cutPower(powerCut));
      await killed;
      return powerless;
    },
    powerBack: () => powerless,
  };
}
