/** An event of Azure's Scheduled Events (metadata service, api-version 2020-07-01). */
export interface ScheduledEvent {
  readonly id: string;
  /** `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`; a kind that is added later, as it is. */
  readonly type: string;
  readonly status: 'Scheduled' | 'Started';
  /** Names of virtual machines. */
  readonly resources: readonly string[];
  readonly source: string;
  /** Undefined when the platform does not know (-1). */
  readonly durationS: number | undefined;
  readonly description: string;
  /** As it is told; empty once the event has started. */
  readonly notBefore: string;
}

export interface EventDocument {
  /** Greater when the events have changed. */
  readonly incarnation: number;
  readonly events: readonly ScheduledEvent[];
}

/** What a machine does about an event of its own.
 *  `leave`: it is stopped or loses its disk: nothing may be under way. Then the event is approved.
 *  `approve`: it does not matter, or somebody waits for it: approved at once.
 *  `log`: it happens when it happens. */
export type Reaction = 'leave' | 'approve' | 'log';

const STOPS = new Set(['Preempt', 'Terminate', 'Reboot', 'Redeploy']);
/** A longer pause than this breaks connections. */
const SHORT_FREEZE_S = 9;

/** A person who restarts the machine waits no longer than until its clip has gone back. */
export function reactionTo({ type, source, durationS }: ScheduledEvent): Reaction {
  if (STOPS.has(type)) return 'leave';
  if (source === 'User') return 'approve';
  if (type === 'Freeze' && durationS !== undefined && durationS < SHORT_FREEZE_S) return 'approve';
  return 'log';
}

/** Names are compared without regard to case, as Azure does; old documents put `_` before them. */
export const concerns = ({ resources }: ScheduledEvent, vmName: string): boolean =>
  resources.some((name) => name.replace(/^_/, '').toLowerCase() === vmName.toLowerCase());

const MOST_EVENTS = 1_000;

/** @throws Error with one sentence when it is not such a document */
export function readEventDocument(text: string): EventDocument {
  let document: { DocumentIncarnation?: unknown; Events?: unknown } | null;
  try {
    document = JSON.parse(text) as typeof document;
  } catch {
    throw new Error('the document of scheduled events is not JSON');
  }
  const incarnation = Number(document?.DocumentIncarnation ?? Number.NaN);
  const events = document?.Events;
  if (!Number.isFinite(incarnation) || !Array.isArray(events))
    throw new Error('the document of scheduled events lacks DocumentIncarnation or Events');
  if (events.length > MOST_EVENTS) throw new Error(`the document has more than ${MOST_EVENTS} events`);
  // An event that cannot be read does not hide the others.
  return { incarnation, events: events.flatMap((event) => readEvent(event) ?? []) };
}

function readEvent(event: unknown): ScheduledEvent | undefined {
  const fields = (event ?? {}) as Readonly<Record<string, unknown>>;
  const { EventId: id, EventType: type, EventStatus: status, Resources: resources } = fields;
  if (typeof id !== 'string' || typeof type !== 'string') return undefined;
  if (status !== 'Scheduled' && status !== 'Started') return undefined;
  if (!Array.isArray(resources)) return undefined;
  const seconds = Number(fields['DurationInSeconds'] ?? -1);
  return {
    ...{ id, type, status },
    resources: resources.filter((name) => typeof name === 'string'),
    source: text(fields['EventSource']),
    durationS: seconds >= 0 ? seconds : undefined,
    description: text(fields['Description']),
    notBefore: text(fields['NotBefore']),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 300) : '');
