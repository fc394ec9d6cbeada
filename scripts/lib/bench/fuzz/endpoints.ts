/** The addresses of functions host and app, and odd requests to each. */
import { CONTAINER_CLIPS, ROUTE_MANUAL_START } from '@dachawatch/contracts';
import type { HostKeys } from '../../../../cloud-fn/local/functions-host/http/keys.ts';
import type { Random } from '../faults/random.ts';
import { damaged, oddDocument, oddWord } from './odd.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface OddRequest {
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Endpoint {
  readonly name: string;
  /** What a refusal says is wrong; every one has to say something. Without it the real host's own bodies are empty. */
  readonly reasonOf?: (body: string) => string | undefined;
  /** False: it only has to leave the service alive. */
  readonly isOurs?: false;
  draw(random: Random): OddRequest;
}

/** A service in a process of its own that odd inputs are sent to. */
export interface Service {
  readonly endpoints: readonly Endpoint[];
  /** Of its queues, if it has any: connection string. */
  readonly storage?: string;
  /** Sent now and then: puts back what odd requests have done to what nobody misses. */
  readonly restore: readonly OddRequest[];
  readonly send: (odd: OddRequest) => Promise<Answer>;
  readonly isAlive: () => boolean;
  /** What is not as it has to be when all is over; undefined: nothing. */
  disturbed(): Promise<string | undefined>;
  stop(): Promise<void>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const MANAGEMENT = '/runtime/webhooks/durabletask';
const VERBS = ['raiseEvent', 'terminate', 'suspend', 'resume', 'rewind', 'restart', 'nothing'];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'];
const TYPES = [
  'application/json',
  'text/plain',
  'application/octet-stream',
  'application/json; charset=utf-16',
  '',
];

/** @param clip one that is there and waits; requests name it now and then
 *  @param victim an instance that nobody misses */
// oxlint-disable-next-line max-lines-per-function -- a table: an entry for each address
export function functionsEndpoints(
  keys: HostKeys,
  clip: { readonly name: string; readonly url: string },
  victim: string,
): Endpoint[] {
  const code = `code=${keys.durableTask}`;
  const word = (random: Random, usual: string) => (random.chance(0.5) ? usual : oddWord(random));
  const query = (random: Random, usual: Readonly<Record<string, string>>) =>
    Object.entries(usual)
      .filter(() => random.chance(0.7))
      .flatMap(([name, value]) => {
        const one = `${name}=${word(random, value)}`;
        return random.chance(0.1) ? [one, one] : [one];
      })
      .concat(random.chance(0.1) ? [`${oddWord(random)}=${oddWord(random)}`] : [])
      .join('&');
  const type = (random: Random) => (random.chance(0.7) ? JSON_TYPE : { 'content-type': random.pick(TYPES) });
  const manage = (path: string, more: string) => `${MANAGEMENT}/${path}?${code}${more && `&${more}`}`;
  const filters = {
    createdTimeFrom: '2026-11-30T00:00:00Z',
    createdTimeTo: '2000-01-01T00:00:00Z',
    runtimeStatus: 'Completed',
    instanceIdPrefix: 'none-such',
  };
  const request = { blobURL: clip.url, blobName: `${CONTAINER_CLIPS}/${clip.name}` };
  const event = {
    id: clip.name,
    topic: '/fuzz',
    subject: `/blobServices/default/containers/${CONTAINER_CLIPS}/blobs/${clip.name}`,
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: '2026-11-30T00:00:00Z',
    data: { api: 'PutBlockList', contentLength: 4, url: clip.url },
    dataVersion: '',
    metadataVersion: '1',
  };
  const eventGrid = `/runtime/webhooks/eventgrid?functionName=OnVideoBlobCreated&code=${keys.eventGrid}`;
  const start = `/api/${ROUTE_MANUAL_START}`;
  return [
    {
      name: 'orchestrators',
      draw: (random) => ({
        method: 'POST',
        path: manage(
          `orchestrators/${word(random, 'nobody')}/${oddWord(random)}${random.chance(0.1) ? '/x' : ''}`,
          query(random, { timeout: '0.01', pollingInterval: '0.005', version: '9' }),
        ),
        headers: type(random),
        body: oddDocument(random, { clip: { a: 1 } }),
      }),
    },
    {
      name: 'list of instances',
      draw: (random) => ({
        method: 'GET',
        path: manage('instances', query(random, { ...filters, top: '2', showInput: 'false' })),
        headers: random.chance(0.3) ? { 'x-ms-continuation-token': oddWord(random) } : {},
        body: '',
      }),
    },
    {
      name: 'purge of instances',
      // Always with a prefix that nothing has: what is asked for rightly is done.
      draw: (random) => ({
        method: 'DELETE',
        path: manage('instances', `${query(random, filters)}&instanceIdPrefix=none-such`),
        headers: {},
        body: '',
      }),
    },
    {
      name: 'one instance',
      draw: (random) => ({
        method: random.pick(['GET', 'GET', 'HEAD', 'PUT', 'PATCH']),
        path: manage(
          `instances/${word(random, victim)}`,
          query(random, {
            showHistory: 'true',
            showHistoryOutput: 'true',
            showInput: 'true',
            ...(random.chance(0.1) ? { taskHub: 'other', connection: 'Nope' } : {}),
          }),
        ),
        headers: {},
        body: '',
      }),
    },
    {
      name: 'verbs of an instance',
      draw: (random) => ({
        method: random.chance(0.9) ? 'POST' : random.pick(METHODS),
        path: manage(
          `instances/${word(random, victim)}/${word(random, random.pick(VERBS))}${random.chance(0.5) ? `/${oddWord(random)}` : ''}`,
          query(random, { reason: 'enough', restartWithNewInstanceId: 'false' }),
        ),
        headers: type(random),
        body: oddDocument(random, { data: [1] }),
      }),
    },
    {
      name: 'Event Grid',
      draw: (random) => ({
        method: 'POST',
        path: random.chance(0.95)
          ? eventGrid
          : `/runtime/webhooks/eventgrid?functionName=${oddWord(random)}&code=${keys.eventGrid}`,
        headers: {
          ...type(random),
          'aeg-event-type': random.chance(0.9)
            ? 'Notification'
            : random.pick(['SubscriptionValidation', 'Unsubscribe', 'x', '']),
        },
        body: oddDocument(random, [event]),
      }),
    },
    {
      name: 'start by hand',
      reasonOf: reasonOfApp,
      draw: (random) => ({
        method: 'POST',
        path: start,
        headers: { ...type(random), 'x-functions-key': keys.function },
        body: random.chance(0.9) ? oddDocument(random, request) : damaged(random, JSON.stringify(request)),
      }),
    },
    {
      name: 'paths, methods and keys',
      draw: (random) => {
        const path = random.pick([
          start,
          eventGrid.split('?', 1)[0] ?? '',
          MANAGEMENT,
          '/admin/host/status',
          '/api',
          '',
        ]);
        return {
          method: random.pick(METHODS),
          path: `${path}/${oddWord(random)}?code=${oddWord(random)}`,
          headers: random.chance(0.5) ? { 'x-functions-key': 'wrong' } : {},
          body: random.chance(0.5) ? oddDocument(random, request) : '',
        };
      },
    },
  ];
}

/** `{error: {code, message}}`. */
export function reasonOfApp(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: string; message?: string } };
    return error?.code ? error.message : undefined;
  } catch {
    return undefined;
  }
}
