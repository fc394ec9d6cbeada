/** One round: the house works while things go wrong, then everything may recover. */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { type Damage, spoil } from './disk/damage.ts';
import { type ClipNow, type HouseOrder, type HouseReport, isAtEnd } from './processes/house.ts';
import type { Kill, NetFault, Plan } from './plan.ts';
import { pause, within } from './wait.ts';
import type { World } from './world.ts';

/** Longest that an episode may take, with all its faults. */
const PLAY_MS = 10_000;
const TELL_MS = 15_000;
/** Of a ticket whose answer did not come, nobody knows: only the hub's hour ends it. */
const LOSES_TICKETS: ReadonlySet<NetFault['action']> = new Set([
  'answer lost',
  'answer cut',
  'black hole',
  'kill after',
]);
/** Nothing may begin at all when the faults come at once. */
const BEGUN_MS = 1_500;

export interface Stage {
  /** Plays the faults of a plan.
   *  @returns how many calls and requests went wrong, and how many processes were killed */
  play(plan: Plan): Promise<{ fired: number; killed: number }>;
  /** Starts what is down, without faults. */
  recover(): Promise<void>;
  /** What the house says of these clips and of all that are not at their end; undefined when it does not answer. */
  ask(clipIds: readonly string[]): Promise<{ clips: readonly ClipNow[]; recording: boolean } | undefined>;
  /** Waits until no clip is under way in the house.
   *  @param options.known and until all of these have a row: after damage it finds the files of clips again beside
   *  everything else. Without damage a row that is missing is one too many
   *  @returns whether it came to that, and what it waited for last */
  calm(
    clipIds: () => readonly string[],
    options: { readonly ms: number; readonly known: boolean },
  ): Promise<{ calm: boolean; waited: string }>;
}

export function createStage(world: World): Stage {
  const { house, cloud } = world;
  const order = (one: HouseOrder) => house.send(one);
  const moving = new Set<string>();
  const recorders = new Set<number>();
  let told: Extract<HouseReport, { clips: unknown } | { closed: string }> | undefined;
  /** Why the ledger cannot be used. */
  let closed: string | null = null;
  world.onHouse((message) => {
    const report = message as HouseReport;
    if ('still' in report) moving.delete(report.still);
    if ('recorder' in report) recorders.add(report.recorder);
    if ('clips' in report || 'closed' in report) told = report;
  });

  /** @returns how many calls had gone wrong before */
  function armDisk({ disk }: Pick<Plan, 'disk'>): number {
    let fired = 0;
    for (const [process, rules] of world.rules) {
      fired += rules.fired();
      rules.set(disk.filter((one) => one.process === process).map(({ fault }) => fault));
    }
    return fired;
  }

  function arm({ disk, net, hub, toldTwice }: Plan): void {
    if (hub) world.breakHub(hub);
    armDisk({ disk });
    for (const [route, proxy] of world.proxies) proxy.set(net.filter((fault) => fault.route === route));
    world.eventGrid.tellTwice(toldTwice);
  }

  function disarm({ hub, net }: Plan): number {
    if (hub) world.breakHub(undefined);
    if (net.some(({ route, action }) => route === 'hub' && LOSES_TICKETS.has(action))) world.forgetTickets();
    let fired = 0;
    for (const rules of world.rules.values()) {
      fired += rules.fired();
      rules.set([]);
    }
    for (const proxy of world.proxies.values()) {
      fired += proxy.fired();
      proxy.set([]);
    }
    world.eventGrid.tellTwice(false);
    return fired;
  }

  async function kill({ process, powerCut }: Kill, plan: Plan): Promise<void> {
    if (process === 'storage') return world.killStorage();
    if (process === 'recorder')
      return order({ do: 'kill recorder', cameraId: plan.episodes[0]?.cameraId ?? '' });
    await world.victims.get(process)?.kill();
    if (powerCut !== undefined) await cutPower(powerCut);
  }

  /** What was not synced is gone, or zeros, from some byte on. */
  async function cutPower(share: number): Promise<void> {
    await endRecorders();
    world.journal.read();
    for (const { partFile, durableBytes } of world.journal.clips.values()) {
      const size = statSync(partFile, { throwIfNoEntry: false })?.size;
      if (size === undefined || size <= durableBytes) continue;
      const keep = durableBytes + Math.floor((size - durableBytes) * share);
      const fd = openSync(partFile, 'r+');
      if (share < 0.5) ftruncateSync(fd, keep);
      else writeSync(fd, Buffer.alloc(size - keep), 0, undefined, keep);
      closeSync(fd);
    }
  }

  async function spoilHouse(damage: Damage, lingerMs: number): Promise<void> {
    await house.kill();
    await endRecorders();
    const undo = spoil(world.houseDir, damage);
    await house.start();
    await pause(lingerMs);
    if (!undo) return;
    await house.kill();
    await endRecorders();
    undo();
  }

  async function endRecorders(): Promise<void> {
    for (const pid of recorders) await endProcess(pid);
    recorders.clear();
  }

  function hasBegun(before: number): true | undefined {
    world.journal.read();
    return world.journal.clips.size > before || undefined;
  }

  const parts = () => [house, ...(cloud ? [cloud.host, cloud.worker] : [])];

  async function play(plan: Plan): Promise<{ fired: number; killed: number }> {
    world.journal.read();
    const before = world.journal.clips.size;
    arm(plan);
    for (const { cameraId, seconds } of plan.episodes) {
      moving.add(cameraId);
      order({ do: 'move', cameraId, seconds });
    }
    const began = performance.now();
    let killed = 0;
    let fired = 0;
    const begun = within(BEGUN_MS, () => hasBegun(before), 10);
    const kills = plan.kills.map(async (one) => {
      await begun;
      await pause(one.afterMs);
      await kill(one, plan);
      killed++;
    });
    if (plan.linkCutMs !== undefined) kills.push(pause(plan.linkCutMs).then(() => world.cutLink()));
    const over = () => (moving.size === 0 || !house.alive() ? true : undefined);
    await within(PLAY_MS, over);
    if (plan.backUnderFire && parts().some((part) => !part.alive())) {
      // Counted anew: the faults meet the start.
      fired += armDisk(plan);
      await Promise.all(parts().map((part) => part.start()));
    }
    await pause(Math.min(plan.lingerMs, Math.max(0, PLAY_MS - (performance.now() - began))));
    await Promise.all(kills);
    moving.clear();
    fired += disarm(plan);
    if (plan.damage) await spoilHouse(plan.damage, plan.lingerMs);
    return { fired, killed };
  }

  async function recover(): Promise<void> {
    await world.startStorage();
    await Promise.all(parts().map((part) => part.start()));
  }

  async function ask(clipIds: readonly string[]) {
    told = undefined;
    order({ do: 'tell', clipIds });
    const answer = await within(TELL_MS, () => (house.alive() ? told : null) ?? undefined, 10);
    closed = answer && 'closed' in answer ? answer.closed : null;
    return answer && 'clips' in answer ? answer : undefined;
  }

  async function calm(clipIds: () => readonly string[], options: { ms: number; known: boolean }) {
    let waited = 'nothing';
    const done = await within(
      options.ms,
      async () => {
        await recover();
        const answer = await ask(clipIds());
        const under = answer?.clips.filter((clip) => !isAtEnd(clip)) ?? [];
        const known = new Set(answer?.clips.map(({ clipId }) => clipId));
        const unknown = options.known ? clipIds().filter((id) => !known.has(id)) : [];
        if (answer && !answer.recording && under.length + unknown.length === 0) return true;
        const waiting = [
          ...under.map(({ state, reason }) => `${state} (${reason ?? 'no reason'})`),
          ...unknown.map((id) => `the row of ${id}`),
        ];
        waited = answer
          ? waiting.join(', ') || 'a recorder'
          : `the house: ${closed ?? house.words().slice(-300)}`;
        return undefined;
      },
      60,
    );
    return { calm: done ?? false, waited };
  }

  return { play, recover, ask, calm };
}

async function endProcess(pid: number): Promise<void> {
  const gone = () => {
    try {
      process.kill(pid, 'SIGKILL');
      return undefined;
    } catch {
      // There is no such process.
      return true;
    }
  };
  await within(5_000, gone, 5);
}
