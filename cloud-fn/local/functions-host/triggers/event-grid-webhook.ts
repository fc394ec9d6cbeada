import type { HostedFunction } from './bindings.ts';
import type { Handler, HostRequest, HostResponse } from '../http/http-server.ts';
import type { Invoke } from './invoke.ts';
import { isOneOf, type HostKeys } from '../http/keys.ts';

const PATH = '/runtime/webhooks/eventgrid';

export interface EventGridWebhookDeps {
  readonly functions: ReadonlyMap<string, HostedFunction>;
  readonly keys: HostKeys;
  readonly invoke: Invoke;
}

/** Where Event Grid delivers: `POST /runtime/webhooks/eventgrid?functionName=NAME&code=KEY`. Answers the
 *  validation handshake; a notification is accepted (202) only after the function has taken every event of it, and
 *  one that is not taken keeps none of the others from it. Answers are the real host's. */
export function createEventGridWebhook({ functions, keys, invoke }: EventGridWebhookDeps): Handler {
  const handOver = async (target: HostedFunction, events: readonly GridEvent[]): Promise<HostResponse> => {
    const outcomes = await Promise.allSettled(
      events.map((event) => {
        const data = { json: JSON.stringify(event) };
        return invoke(target, { data, metadata: { data: { json: JSON.stringify(event.data ?? null) } } });
      }),
    );
    // Logged with its error where it was invoked; Event Grid delivers again.
    const failed = outcomes.some(({ status }) => status === 'rejected');
    return failed
      ? text(500, `Exception while executing function: Functions.${target.name}`)
      : { status: 202 };
  };

  return async (request) => {
    if (request.url.pathname.toLowerCase() !== PATH) return undefined;
    const query = request.url.searchParams;
    const refusal = refusalOfKey(request, keys);
    if (refusal !== undefined) return refusal;
    const name = query.get('functionName') ?? '';
    const target = functions.get(name);
    if (target === undefined) return text(404, `cannot find function: '${name}'`);
    if (request.method === 'OPTIONS') {
      const origin = String(request.headers['webhook-request-origin'] ?? '');
      return { status: 200, headers: { 'webhook-allowed-origin': origin } };
    }
    const type = String(request.headers['aeg-event-type'] ?? '').toLowerCase();
    if (request.method !== 'POST' || !TYPES.includes(type)) return { status: 400 };
    if (type === 'unsubscribe') return { status: 202 };
    const events = eventsOf(request.body);
    if (events === undefined) return { status: 500 };
    if (type === 'notification') return handOver(target, events);
    return text(200, JSON.stringify({ validationResponse: events[0]?.data?.validationCode }));
  };
}

const TYPES = ['subscriptionvalidation', 'unsubscribe', 'notification'];

const text = (status: number, body: string): HostResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});

function refusalOfKey(request: HostRequest, keys: HostKeys): HostResponse | undefined {
  const given = String(request.headers['x-functions-key'] ?? request.url.searchParams.get('code') ?? '');
  if (isOneOf(given, [keys.eventGrid, keys.master])) return undefined;
  if (isOneOf(given, [keys.function, keys.durableTask])) return { status: 403 };
  return { status: 401, headers: { 'www-authenticate': 'Bearer' } };
}

interface GridEvent {
  readonly data?: { readonly validationCode?: unknown };
}

function eventsOf(body: Buffer): readonly GridEvent[] | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown;
    const events = Array.isArray(value) ? (value as unknown[]) : [value];
    return events.every(isObject) ? events : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is GridEvent => typeof value === 'object' && value !== null;
