import { ContractError, parse, TELEMETRY_DATA, Telemetry } from '@dachawatch/contracts';
import type { Breathe } from '../breathe.ts';
import type { Database } from '../database/database.ts';
import { foldedIn } from '../clips/folded-clips.ts';
import type { ClipEvent } from '../clips/clip-states.ts';
import type { OutgoingEvent } from '../queues/outbox.ts';

export interface OutboxFinding {
  readonly eventId: string;
  readonly problem: string;
}

/** The move without which an event about a clip is a lie. */
const MOVE_OF: Readonly<Record<string, ClipEvent>> = {
  'clip.sealed': 'seal',
  'clip.uploaded': 'upload',
  'clip.lost': 'lose',
};

/** A newer program, rolled back since, may have told what this one does not know: that is not judged. */
const isOurs = (event: string, message: unknown): boolean => {
  const schema = (message as { schema?: unknown } | null)?.schema;
  const isNewer = typeof schema === 'string' && /^dachawatch\/telemetry\/(?!1$)\d+$/.test(schema);
  return event in TELEMETRY_DATA && !isNewer;
};

const PAGE = 100;

/** Events that wait for the hub and cannot be what was told. Nothing is changed. */
export async function* outboxFindings(db: Database, breathe: Breathe): AsyncGenerator<OutboxFinding> {
  // Looked at from outside, the ledger may be that of a program that had no outbox yet.
  const tables = db.prepare("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'outbox'");
  if (tables.pluck().get() === 0) return;
  const page = db.prepare<[string, number], OutgoingEvent>(
    'SELECT event_id AS eventId, event, body FROM outbox WHERE event_id > ? ORDER BY event_id LIMIT ?',
  );
  const lastGiven = db.prepare<[], string>('SELECT event_id FROM outbox_last').pluck();
  const folded = foldedIn(db);
  const hasMove = db
    .prepare<[string, string], number>('SELECT count(*) FROM custody WHERE clip_id = ? AND event = ?')
    .pluck();

  function problemOf({ eventId, event, body }: OutgoingEvent, last: string): string | undefined {
    let message: { readonly eventId?: unknown; readonly event?: unknown };
    let data: Readonly<Record<string, unknown>> = {};
    try {
      message = JSON.parse(body) as typeof message;
      if (isOurs(event, message)) {
        const ours = parse(Telemetry, message);
        data = parse(TELEMETRY_DATA[ours.event], ours.data);
      }
    } catch (error) {
      if (error instanceof ContractError) return `cannot be read: ${error.message}`;
      if (error instanceof SyntaxError) return 'is not JSON';
      throw error;
    }
    if (message?.eventId !== eventId || message.event !== event) return 'says it is another one';
    if (eventId > last) return 'has an id that was never given';
    const move = MOVE_OF[event];
    const clipId = String(data['clipId']);
    if (move !== undefined && hasMove.get(clipId, move) === 0 && !folded(clipId))
      return `tells of clip ${clipId} what never happened to it`;
    return undefined;
  }

  for (
    let events = page.all('', PAGE);
    events.length > 0;
    events = page.all(events.at(-1)?.eventId ?? '~', PAGE)
  ) {
    // Events before what they are compared with: the owner may be telling more meanwhile.
    const last = lastGiven.get() ?? '';
    for (const event of events) {
      const problem = problemOf(event, last);
      if (problem !== undefined)
        yield { eventId: event.eventId, problem: `event ${event.eventId} for the hub ${problem}` };
    }
    await breathe();
  }
}
