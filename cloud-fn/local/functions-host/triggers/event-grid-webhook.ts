import type { HostedFunction } from './bindings.ts';
import { json, problem, type Handler } from '../http/http-server.ts';
import type { Invoke } from './invoke.ts';
import { isOneOf, type HostKeys } from '../http/keys.ts';

const PATH = '/runtime/webhooks/eventgrid';

export interface EventGridWebhookDeps {
  readonly functions: ReadonlyMap<string, HostedFunction>;
  readonly keys: HostKeys;
  readonly invoke: Invoke;
}

/** Where Event Grid delivers: `POST /runtime/webhooks/eventgrid?functionName=NAME&code=KEY`. Answers the
 *  validation handshake; a notification is accepted (202) only after the function has taken every event of it. */
export function createEventGridWebhook({ functions, keys, invoke }: EventGridWebhookDeps): Handler {
  return async (request) => {
    if (request.url.pathname.toLowerCase() !== PATH) return undefined;
    if (request.method !== 'POST') return problem(405, 'Use POST.');
    const query = request.url.searchParams;
    const given = query.get('code') ?? String(request.headers['x-functions-key'] ?? '');
    if (!isOneOf(given, [keys.eventGrid, keys.master])) return { status: 401 };
    const target = functions.get(query.get('functionName') ?? '');
    if (target === undefined)
      return problem(404, `No Event Grid function '${query.get('functionName') ?? ''}'.`);
    const events = eventsOf(request.body);
    if (events === undefined) return problem(400, 'The body is not an event or a list of events.');

    switch (request.headers['aeg-event-type'] ?? '') {
      case 'SubscriptionValidation':
        return json(200, { validationResponse: events[0]?.data?.validationCode });
      case 'Unsubscribe':
        return { status: 200 };
      case 'Notification':
        try {
          for (const event of events) await invoke(target, { data: { json: JSON.stringify(event) } });
          return { status: 202 };
        } catch {
          // Logged with its error where it was invoked; Event Grid delivers again.
          return { status: 500 };
        }
      default:
        return problem(400, 'The header aeg-event-type is missing or unknown.');
    }
  };
}

interface GridEvent {
  readonly data?: { readonly validationCode?: unknown };
}

function eventsOf(body: Buffer): readonly GridEvent[] | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown;
    const events = Array.isArray(value) ? (value as unknown[]) : [value];
    return events.length > 0 && events.every(isObject) ? events : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is GridEvent => typeof value === 'object' && value !== null;
