import { OPEN_CLIPS_PREFIX } from '../ports/instance-places.ts';
import { CONTAINER_INSTANCES } from '../ports/storage.ts';
import { keepClip } from './keep-clip.ts';
import type { KeeperDeps } from './moves.ts';

/** A clip that was announced, or got an answer, less than this ago is left to its orchestration. */
export const LOOK_AFTER_MS = 20_000;
/** Well below the time a function may take. */
const ROUND_MS = 200_000;
/** How many of the open clips one listing names. More than these wait until there are fewer. */
const LISTED_MAX = 5_000;
const AT_ONCE = 8;

/** One round of the keeper: looks at every open clip, and goes on with those that nobody goes on with. The cost depends on
 *  how many clips are open, not on how many there are. What fails about one keeps no other from its turn.
 *  @returns how many were looked at and how many were moved on */
export async function keepClips(
  deps: KeeperDeps,
): Promise<{ looked: number; moved: number; failed: number }> {
  const { storage, clock, log } = deps;
  const endMs = clock.nowMs() + ROUND_MS;
  const listed = await storage.listBlobs(CONTAINER_INSTANCES, OPEN_CLIPS_PREFIX, LISTED_MAX);
  const due = turned(
    listed.filter(({ ageMs }) => ageMs >= LOOK_AFTER_MS).map(({ name }) => idOf(name)),
    clock.nowMs(),
  );
  const count = { looked: 0, moved: 0, failed: 0 };

  async function work(): Promise<void> {
    for (let id = due.shift(); id !== undefined && clock.nowMs() < endMs; id = due.shift()) {
      count.looked += 1;
      try {
        if ((await keepClip(deps, id)).length > 0) count.moved += 1;
      } catch (error) {
        count.failed += 1;
        log.warn({ event: 'keeper.failed', instanceId: id }, (error as Error).message);
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return count;
}

const idOf = (name: string) => name.slice(OPEN_CLIPS_PREFIX.length).replace(/\.json$/, '');

/** Begins somewhere else each minute: when a round does not come to the end of the list, the next ones do. */
function turned(ids: readonly string[], nowMs: number): string[] {
  const at = ids.length === 0 ? 0 : (Math.floor(nowMs / 60_000) * 997) % ids.length;
  return [...ids.slice(at), ...ids.slice(0, at)];
}
