import type { EventStore, PendingEvent } from './event-store.ts';

/** Event Grid waits so long for an answer. */
const ANSWER_WITHIN_MS = 30_000;
const RETRY = { firstMs: 1000, maxMs: 60_000 };
/** Given up only after both: so often, and so old. A machine that was off is no reason. */
const GIVE_UP = { attempts: 30, ageMs: 86_400_000 };
/** Answers after which Event Grid does not try again. */
const FINAL = new Set([400, 401, 403, 413]);

export interface DeliverDeps {
  readonly store: EventStore;
  /** Address of the webhook, key included. */
  readonly endpoint: URL;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

const post = (endpoint: URL, type: string, body: unknown, attempts: number, signal: AbortSignal) =>
  fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'aeg-event-type': type,
      'aeg-delivery-count': String(attempts),
      'aeg-data-version': '',
      'aeg-metadata-version': '1',
    },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  });

/** The handshake Event Grid makes before it delivers. Undefined when it succeeded, else why not. */
export async function validateEndpoint(endpoint: URL, signal: AbortSignal): Promise<string | undefined> {
  const validationCode = crypto.randomUUID();
  const event = {
    id: crypto.randomUUID(),
    topic: '',
    subject: '',
    eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    eventTime: new Date().toISOString(),
    data: { validationCode },
    dataVersion: '1',
    metadataVersion: '1',
  };
  try {
    const response = await post(endpoint, 'SubscriptionValidation', [event], 0, signal);
    const answer = await response.text();
    if (!response.ok) return `it answered ${response.status}`;
    return answer.includes(validationCode) ? undefined : 'it did not give the validation code back';
  } catch (error) {
    return reasonOf(error);
  }
}

/** Delivers what is due, one event a request, at least once each.
 *  @returns how many were tried */
export async function deliverDue(deps: DeliverDeps, signal: AbortSignal): Promise<number> {
  const due = deps.store.due(deps.nowMs(), 32);
  for (const event of due) {
    if (signal.aborted) return 0;
    await deliverOne(deps, event, signal);
  }
  return due.length;
}

async function deliverOne(deps: DeliverDeps, pending: PendingEvent, signal: AbortSignal): Promise<void> {
  const { store, log } = deps;
  const about = { eventId: pending.event.id, subject: pending.event.subject, attempt: pending.attempts + 1 };
  const { status, reason } = await tryOnce(deps.endpoint, pending, signal);
  if (status >= 200 && status < 300) {
    store.delivered(pending);
    return log({ event: 'delivered', ...about });
  }
  if (signal.aborted) return undefined;
  const tooOld = pending.attempts + 1 >= GIVE_UP.attempts && deps.nowMs() - pending.createdMs > GIVE_UP.ageMs;
  if (FINAL.has(status) || tooOld) {
    store.bury(pending, reason, deps.nowMs());
    return log({ event: 'dead-lettered', ...about, reason });
  }
  const waitMs = Math.min(RETRY.maxMs, RETRY.firstMs * 2 ** Math.min(pending.attempts, 20));
  store.retryAt(pending, deps.nowMs() + Math.round(waitMs * (0.5 + deps.random())));
  return log({ event: 'not-delivered', ...about, reason });
}

/** Status 0: no answer. */
async function tryOnce(endpoint: URL, pending: PendingEvent, signal: AbortSignal) {
  try {
    const response = await post(endpoint, 'Notification', [pending.event], pending.attempts, signal);
    const text = (await response.text()).slice(0, 200);
    return { status: response.status, reason: `the endpoint answered ${response.status} ${text}`.trim() };
  } catch (error) {
    return { status: 0, reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
