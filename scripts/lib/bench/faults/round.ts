/** One round: the house works while things go wrong, then everything may recover. */
import { type Damage, spoil } from './disk/damage.ts';
import { createFaultsInForce } from './faults-in-force.ts';
import type { Plan } from './plan.ts';
import { createHouseTalk, type HouseTalk } from './processes/house-talk.ts';
import { isAtEnd } from './processes/house.ts';
import { createKills } from './processes/kills.ts';
import { pause, within } from './wait.ts';
import type { World } from './world.ts';

/** Longest that an episode may take, with all its faults. */
const PLAY_MS = 10_000;
/** Nothing may begin at all when the faults come at once. */
const BEGUN_MS = 1_500;

type ClipsAwaited = () => { readonly asked: readonly string[]; readonly due: readonly string[] };

export interface Stage {
  /** Plays the faults of a plan.
   *  @returns how many calls and requests went wrong, and how many processes were killed */
  play(plan: Plan): Promise<{ fired: number; killed: number }>;
  /** Starts what is down, without faults. */
  recover(): Promise<void>;
  readonly ask: HouseTalk['ask'];
  /** Waits until no clip is under way in the house.
   *  @param clips `due`: until these have a row, too. Of other ones that were `asked` for, a row that is missing is one
   *  too many
   *  @returns whether it came to that, and what it waited for last */
  calm(clips: ClipsAwaited, ms: number): Promise<{ calm: boolean; waited: string }>;
}

export function createStage(world: World): Stage {
  const { house, cloud } = world;
  const talk = createHouseTalk(world);
  const faults = createFaultsInForce(world);
  const parts = () => [house, ...(cloud ? [cloud.host, cloud.worker] : [])];
  const kills = createKills(world, talk);
  const startParts = async () => {
    await kills.powerBack();
    await Promise.all(parts().map((part) => part.start()));
  };

  async function spoilHouse(damage: Damage, lingerMs: number): Promise<void> {
    await house.kill();
    await talk.endRecorders();
    const undo = spoil(world.houseDir, damage);
    await house.start();
    await pause(lingerMs);
    if (!undo) return;
    await house.kill();
    await talk.endRecorders();
    undo();
  }

  function hasBegun(before: number): true | undefined {
    world.journal.read();
    return world.journal.clips.size > before || undefined;
  }

  async function play(plan: Plan): Promise<{ fired: number; killed: number }> {
    world.journal.read();
    const before = world.journal.clips.size;
    faults.begin(plan);
    for (const { cameraId, seconds } of plan.episodes) talk.move(cameraId, seconds);
    const began = performance.now();
    let killed = 0;
    let fired = 0;
    const begun = within(BEGUN_MS, () => hasBegun(before), 10);
    const killing = plan.kills.map(async (one) => {
      await begun;
      await pause(one.afterMs);
      await kills.kill(one, plan);
      killed++;
    });
    if (plan.linkCutMs !== undefined) killing.push(pause(plan.linkCutMs).then(() => world.cutLink()));
    await within(PLAY_MS, () => talk.isStill() || undefined);
    if (plan.backUnderFire && parts().some((part) => !part.alive())) {
      fired += faults.beginDiskAnew(plan);
      await startParts();
    }
    await pause(Math.min(plan.lingerMs, Math.max(0, PLAY_MS - (performance.now() - began))));
    await Promise.all(killing);
    talk.forgetMoves();
    fired += faults.end(plan);
    if (plan.damage) await spoilHouse(plan.damage, plan.lingerMs);
    return { fired, killed };
  }

  async function recover(): Promise<void> {
    await world.startStorage();
    await startParts();
  }

  /** What is waited for, in words; undefined when nothing is. */
  async function underWay({ asked, due }: ReturnType<ClipsAwaited>): Promise<string | undefined> {
    const answer = await talk.ask([...asked, ...due]);
    if (!answer) return `the house: ${talk.whyNot()}`;
    const under = answer.clips.filter((clip) => !isAtEnd(clip));
    const rows = new Set(answer.clips.map(({ clipId }) => clipId));
    const unknown = due.filter((id) => !rows.has(id));
    if (!answer.recording && under.length + unknown.length === 0) return undefined;
    const waiting = [
      ...under.map(({ state, reason }) => `${state} (${reason ?? 'no reason'})`),
      ...unknown.map((id) => `the row of ${id}`),
    ];
    return waiting.join(', ') || 'a recorder';
  }

  async function calm(clips: ClipsAwaited, ms: number) {
    let waited = 'nothing';
    const isCalm = async (): Promise<true | undefined> => {
      await recover();
      const waiting = await underWay(clips());
      if (waiting === undefined) return true;
      waited = waiting;
      return undefined;
    };
    const done = await within(ms, isCalm, 60);
    return { calm: done ?? false, waited };
  }

  return { play, recover, ask: (clipIds) => talk.ask(clipIds), calm };
}
