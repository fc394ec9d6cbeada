import { setTimeout as delay } from 'node:timers/promises';
import { deliverDue, validateEndpoint, type DeliverDeps } from './deliver.ts';
import { scanContainer, type ScanDeps } from './scan.ts';

/** Between two listings. Nothing new: longer, and never more than a tenth of the time is spent listing. */
const SCAN = { minMs: 500, maxMs: 3000, timesItsDuration: 10, maxRestMs: 10_000 };
const DELIVER_EVERY_MS = 250;
const TROUBLE = { firstMs: 500, maxMs: 30_000 };

export type BridgeDeps = ScanDeps & DeliverDeps;

/** Event Grid on one machine: watches a container and tells a webhook about new blobs.
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

  let idleMs = SCAN.minMs;
  const scan = async () => {
    const began = performance.now();
    const found = await scanContainer(deps, signal);
    if (found > 0) deps.log({ event: 'blobs.found', found });
    idleMs = found > 0 ? SCAN.minMs : Math.min(SCAN.maxMs, idleMs * 1.5);
    // A listing that took long because storage was away must not make the next one late.
    const restMs = Math.min(SCAN.maxRestMs, (performance.now() - began) * SCAN.timesItsDuration);
    return Math.max(idleMs, restMs);
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
      loops = Promise.all([repeat('scan', scan), repeat('deliver', deliver)]);
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}
