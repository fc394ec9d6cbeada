import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';

/** How long the history of an orchestration that ended can be looked at. The verdict stays beside its clip, and the marker
 *  of its start outlives clip and history, so nothing begins anew when a history goes. */
export const HISTORY_DAYS = 30;
const DAY_MS = 86_400_000;
/** Before the first of all histories: a purge has to name a beginning. */
const BEGINNING = new Date(Date.UTC(2020, 0, 1));
/** One purge may remove only a part; what is left after so many waits for the next day. */
const ROUNDS_MAX = 20;
const { Completed, Failed, Terminated } = OrchestrationRuntimeStatus;

/** Removes the histories of orchestrations that have ended and were begun longer than `HISTORY_DAYS` ago. Those that still
 *  run stay, however old they are.
 *  @returns how many were removed
 *  @throws what the runtime says */
export async function purgeHistories(
  client: Pick<DurableClient, 'purgeInstanceHistoryBy'>,
  nowMs: number,
): Promise<number> {
  const createdTimeTo = new Date(nowMs - HISTORY_DAYS * DAY_MS);
  let purged = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const { instancesDeleted } = await client.purgeInstanceHistoryBy({
      createdTimeFrom: BEGINNING,
      createdTimeTo,
      runtimeStatus: [Completed, Failed, Terminated],
    });
    if (instancesDeleted === 0) break;
    purged += instancesDeleted;
  }
  return purged;
}
