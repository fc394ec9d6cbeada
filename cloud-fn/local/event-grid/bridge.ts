import { setTimeout as delay } from 'node:timers/promises';
import { deliverDue, validateEndpoint, type DeliverDeps } from './deliver.ts';
import { type FollowDeps, followChanges } from './follow.ts';

const DELIVER_EVERY_MS = 250;
const TROUBLE = { firstMs: 500, maxMs: 30_000 };

export type BridgeDeps = FollowDeps & DeliverDeps;

/** Event Grid on one machine: hears from storage about new blobs of a container and tells a webhook.
 *
 *  Invariants
 *  1. Every blob that is still there is told at least once, whatever is killed in between; the same event keeps
 *     its id when it is told again.
 *  2. Nothing is delivered before the endpoint has passed the validation handshake. */
export function createBridge(deps: BridgeDeps) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => undefined);
  let loops: Promise<unknown> | undefined;

  /** Runs `step` until stopped; it answers how long to wait. Trouble is logged and waited out. */
  const repeat = async (name: string, step: () => Promise<number>) => {
    let troubleMs = TROUBLE.firstMs;
    while (!signal.aborted)
      try {
        await pause(await step());
        troubleMs = TROUBLE.firstMs;
      } catch (error) {
        if (signal.aborted) return;
        deps.log({ event: 'trouble', in: name, message: (error as Error).message, againInMs: troubleMs });
        await pause(troubleMs);
        troubleMs = Math.min(TROUBLE.maxMs, troubleMs * 2);
      }
  };

  let isValidated = false;
  const deliver = async () => {
    if (!isValidated) {
      const reason = await validateEndpoint(deps.endpoint, signal);
      if (reason !== undefined) throw new Error(`the endpoint is not valid: ${reason}`);
      isValidated = true;
      deps.log({ event: 'endpoint.validated' });
    }
    return (await deliverDue(deps, signal)) > 0 ? 0 : DELIVER_EVERY_MS;
  };

  return {
    start: () => {
      loops = Promise.all([repeat('follow', () => followChanges(deps, signal)), repeat('deliver', deliver)]);
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}
