import type { Log } from '../log.ts';
import type { Intake } from '../queue/intake.ts';
import type { MetadataService } from './metadata-service.ts';
import { concerns, type EventDocument, reactionTo, type ScheduledEvent } from './scheduled-event.ts';

const POLL_MS = 1_000;
/** While the service does not answer, or refuses an approval. */
const RETRY_MAX_MS = 30_000;

export interface WatchDeps {
  readonly service: MetadataService;
  readonly intake: Pick<Intake, 'close' | 'open'>;
  readonly log: Log;
  /** Name of this machine in the events; undefined: the service is asked. */
  readonly vmName?: string | undefined;
  readonly monotonicMs: () => number;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Asks the metadata service once a second what is going to happen to this machine, until the signal is aborted.
 *  Invariants
 *  1. An event that stops the machine is approved only after nothing is worked on, and nothing is taken again before it
 *     is gone from the document: carried out, or cancelled.
 *  2. Only events that name this machine and have not begun are approved, each once.
 *  3. A service that does not answer changes nothing: what is held stays held, what runs goes on. */
export async function watchEvents(deps: WatchDeps, stop: AbortSignal): Promise<void> {
  const { service, log, sleep } = deps;
  const watch = createEventWatch(deps);
  let { vmName } = deps;
  let failures = 0;
  while (!stop.aborted) {
    try {
      vmName ??= await service.vmName(stop);
      await watch.see(await service.events(stop), vmName, stop);
      if (failures > 0)
        log.info({ event: 'maintenance.reachable', failures }, 'the metadata service answers again');
      failures = 0;
    } catch (error) {
      if (stop.aborted) return;
      failures++;
      // Once is enough: it goes on failing a while.
      if (failures === 1)
        log.warn({ event: 'maintenance.unreachable', err: text(error) }, 'scheduled events cannot be read');
    }
    await sleep(Math.min(RETRY_MAX_MS, POLL_MS * 2 ** Math.min(10, failures)), stop);
  }
}

function createEventWatch({ service, intake, log, monotonicMs }: WatchDeps) {
  let incarnation: number | undefined;
  let known: ReadonlyMap<string, ScheduledEvent> = new Map();
  const approved = new Set<string>();
  const refusals = new Map<string, { count: number; nextMs: number }>();

  async function see(document: EventDocument, vmName: string, stop: AbortSignal): Promise<void> {
    const ours = document.events.filter((event) => concerns(event, vmName));
    if (document.incarnation !== incarnation) {
      incarnation = document.incarnation;
      tellChanges(ours);
    }
    const stops = ours.some((event) => reactionTo(event) === 'leave');
    if (stops) await intake.close();
    else intake.open();
    for (const event of ours) {
      if (event.status !== 'Scheduled' || approved.has(event.id) || reactionTo(event) === 'log') continue;
      await approve(event, stop);
    }
  }

  function tellChanges(ours: readonly ScheduledEvent[]): void {
    const now = new Map(ours.map((event) => [event.id, event]));
    for (const [id, event] of now) {
      const before = known.get(id);
      if (before?.status === event.status) continue;
      log.warn(
        { event: 'maintenance.event', ...event, reaction: reactionTo(event) },
        `${event.type} of this machine: ${event.status}`,
      );
    }
    for (const [id, { type, status }] of known) {
      if (now.has(id)) continue;
      log.info(
        { event: 'maintenance.over', id, type, cancelled: status === 'Scheduled' && !approved.has(id) },
        `${type} of this machine is over or cancelled`,
      );
      approved.delete(id);
      refusals.delete(id);
    }
    known = now;
  }

  /** Refusals and lost answers do not end the watch: it is tried again, more and more seldom, while the event stands. */
  async function approve({ id, type }: ScheduledEvent, stop: AbortSignal): Promise<void> {
    const refused = refusals.get(id);
    if (refused && monotonicMs() < refused.nextMs) return;
    try {
      await service.approve(id, stop);
      approved.add(id);
      log.info({ event: 'maintenance.approved', id, type }, `${type} of this machine may begin`);
    } catch (error) {
      if (stop.aborted) return;
      const count = (refused?.count ?? 0) + 1;
      const waitMs = Math.min(RETRY_MAX_MS, POLL_MS * 2 ** Math.min(10, count));
      refusals.set(id, { count, nextMs: monotonicMs() + waitMs });
      log.warn(
        { event: 'maintenance.not-approved', id, type, count, err: text(error) },
        'an approval failed',
      );
    }
  }

  return { see };
}

const text = (error: unknown): string => {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return [message ?? String(error), cause?.message].filter((part) => part !== undefined).join(': ');
};
