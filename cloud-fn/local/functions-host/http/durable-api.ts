import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../engine/engine.ts';
import type { History } from '../engine/history.ts';
import type { InstanceQueries } from '../engine/instance-queries.ts';
import { isFinal } from '../engine/wire.ts';
import {
  alreadyExists,
  EMPTY_404,
  error,
  exception,
  flag,
  instanceBody,
  notJson,
  parameter,
  wentWrong,
} from './durable-answers.ts';
import { filterOf, pageOf, purgeFilterOf } from './durable-filters.ts';
import { CONNECTION, managementLinks, MANAGEMENT, rpcPath } from './durable-links.ts';
import { json, problem, type Handler, type HostRequest, type HostResponse } from './http-server.ts';
import { createInstanceCommands } from './instance-commands.ts';
import { jsonText, whyNotJson } from '../../json-text.ts';
import { isOneOf, type HostKeys } from './keys.ts';

const INSTANCE_ID_MAX = 256;
/** Longest that a start waits for the end of its instance. */
const WAIT_MAX_MS = 230_000;

export interface DurableApiDeps {
  readonly history: History;
  readonly queries: InstanceQueries;
  readonly engine: Pick<Engine, 'kick'>;
  /** `extensions.durableTask.hubName` of host.json. */
  readonly hub: string;
  readonly keys: HostKeys;
  readonly nowMs: () => number;
}

/** The HTTP API of Durable Functions: for the app's own client below a secret address, and for management
 *  below `/runtime/webhooks/durabletask` with the key. Status codes, bodies and the order of fields are the real
 *  extension's; where it is dangerous, ours refuses (docs/functions-host.md). */
// oxlint-disable-next-line max-lines-per-function -- the routes of one API with a function for each: all answer from the same history, and `route` is their table
export function createDurableApi(deps: DurableApiDeps): Handler {
  const { history, queries, engine, keys, nowMs, hub } = deps;
  const command = createInstanceCommands({ history, nowMs });

  const started = (request: HostRequest, id: string): HostResponse => {
    const links = managementLinks({ origin: request.url.origin, hub, keys }, id);
    return json(202, links, { location: links.statusQueryGetUri, 'retry-after': '10' });
  };

  const show = (request: HostRequest, id: string): HostResponse => {
    const query = request.url.searchParams;
    const row = history.instance(id);
    if (row === undefined) return EMPTY_404;
    const events = flag(query, 'showHistory') === true ? history.explanationOf(id) : undefined;
    const body = instanceBody(row, query, events);
    if (!isFinal(row.status)) return json(202, body, { location: request.url.href, 'retry-after': '5' });
    const asError = row.status === 'Failed' && flag(query, 'returnInternalServerErrorOnFailure') === true;
    return json(asError ? 500 : 200, body);
  };

  /** Waits as long as the query says; then the bare output, or what a start is answered with. */
  const startedOrEnded = async (request: HostRequest, id: string): Promise<HostResponse> => {
    const query = request.url.searchParams;
    const [timeoutS, pollS] = ['timeout', 'pollingInterval'].map((name) =>
      Number(parameter(query, name) ?? Number.NaN),
    );
    if (!isPositive(timeoutS) || !isPositive(pollS)) return started(request, id);
    if (pollS > timeoutS)
      return error(400, `Total timeout ${timeoutS} should be bigger than retry timeout ${pollS}`);
    const deadline = performance.now() + Math.min(timeoutS * 1000, WAIT_MAX_MS);
    for (;;) {
      const row = history.instance(id);
      if (row !== undefined && isFinal(row.status))
        return row.status === 'Completed' ? json(200, JSON.parse(row.output ?? 'null')) : show(request, id);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return started(request, id);
      await delay(Math.min(pollS * 1000, leftMs));
    }
  };

  const start = async (request: HostRequest, name: string, given: string | undefined) => {
    const id = given ?? randomUUID().replaceAll('-', '');
    const refusal = refusalOfId(id);
    if (refusal !== undefined) return error(400, refusal);
    const input = jsonText(request.body);
    if (input === undefined)
      return breaksOff(request.body)
        ? wentWrong('The body is not JSON.', 'Newtonsoft.Json.JsonSerializationException')
        : notJson(whyNotJson(request.body));
    const version = parameter(request.url.searchParams, 'version');
    if (!(await history.together(() => history.start({ id, name, input, version }, nowMs()))))
      return error(409, alreadyExists(history.instance(id)?.status ?? 'Running'));
    engine.kick();
    return startedOrEnded(request, id);
  };

  const restart = async (request: HostRequest, id: string) => {
    const row = history.instance(id);
    if (row === undefined)
      return exception(
        400,
        'InstanceId does not match a valid orchestration instance.',
        `No instance with ID '${id}' was found. (Parameter 'instanceId')`,
        'System.ArgumentException',
      );
    const sameId = flag(request.url.searchParams, 'restartWithNewInstanceId') === false;
    const next = sameId ? id : randomUUID().replaceAll('-', '');
    const { name, input, version } = row;
    const instance = { id: next, name, input, version: version ?? undefined };
    if (!(await history.together(() => history.start(instance, nowMs()))))
      return exception(
        409,
        'A non-terminal instance with this instance ID already exists.',
        alreadyExists(row.status),
        'DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException',
      );
    engine.kick();
    return startedOrEnded(request, next);
  };

  const list = (request: HostRequest): HostResponse => {
    const query = request.url.searchParams;
    const { after, limit } = pageOf(request);
    const { rows, next } =
      limit === 0 ? { rows: [], next: undefined } : queries.list(filterOf(query), after, limit);
    const token =
      next === undefined ? {} : { 'x-ms-continuation-token': Buffer.from(next).toString('base64') };
    return json(
      200,
      rows.map((row) => instanceBody(row, query)),
      token,
    );
  };

  const purgeMany = (request: HostRequest): HostResponse => {
    const filter = purgeFilterOf(request.url.searchParams);
    if ('refusal' in filter) return json(400, filter.refusal);
    const instancesDeleted = queries.finished(filter).filter((id) => history.purge(id)).length;
    return instancesDeleted === 0 ? EMPTY_404 : json(200, { instancesDeleted });
  };

  const purgeOne = (id: string): HostResponse => {
    const row = history.instance(id);
    if (row === undefined) return EMPTY_404;
    if (history.purge(id)) return json(200, { instancesDeleted: 1 });
    return json(
      412,
      'Only orchestrations in a terminal state can be purged, ' +
        `but the orchestration with instance ID ${id} has status ${row.status}`,
    );
  };

  const act = (request: HostRequest, path: string): HostResponse | Promise<HostResponse> => {
    const [collection = '', first, verb = '', rest, ...tooMuch] = path
      .replace(/\/+$/, '')
      .split('/')
      .map(decoded);
    const { method } = request;
    const room = collection.toLowerCase();
    const hubAsked = parameter(request.url.searchParams, 'taskHub');
    const connection = parameter(request.url.searchParams, 'connection');
    if (
      connection !== undefined &&
      connection !== '' &&
      connection.toLowerCase() !== CONNECTION.toLowerCase()
    )
      return wentWrong(`Unable to resolve the Azure Storage connection named '${connection}'.`);
    const isOtherHub =
      hubAsked !== undefined && hubAsked !== '' && hubAsked.toLowerCase() !== hub.toLowerCase();
    if (tooMuch.length > 0 || (rest !== undefined && verb.toLowerCase() !== 'raiseevent') || isOtherHub)
      return EMPTY_404;
    if (room === 'entities') return method === 'GET' ? (first ? EMPTY_404 : json(200, [])) : noEntities();
    if (room === 'orchestrators')
      return method === 'POST' && first ? start(request, first, verb || undefined) : EMPTY_404;
    if (room !== 'instances') return EMPTY_404;
    if (first === undefined || first === '') {
      if (method === 'GET') return list(request);
      return method === 'DELETE' ? history.together(() => purgeMany(request)) : EMPTY_404;
    }
    if (verb !== '' && method === 'POST' && verb.toLowerCase() === 'restart') return restart(request, first);
    if (verb !== '')
      return method === 'POST'
        ? history.together(() => command(request, first, verb.toLowerCase(), rest))
        : EMPTY_404;
    if (method === 'GET') return show(request, first);
    return method === 'DELETE' ? history.together(() => purgeOne(first)) : EMPTY_404;
  };
  const route = async (request: HostRequest, path: string): Promise<HostResponse> => {
    const answer = await act(request, path);
    // Whatever it was, it may have moved something.
    if (request.method !== 'GET') engine.kick();
    return answer;
  };

  return async (request) => {
    const { pathname, searchParams } = request.url;
    const rpc = rpcPath(keys);
    if (pathname.startsWith(rpc)) return route(request, pathname.slice(rpc.length));
    if (!pathname.toLowerCase().startsWith(`${MANAGEMENT}/`)) return undefined;
    const given = String(request.headers['x-functions-key'] ?? searchParams.get('code') ?? '');
    if (isOneOf(given, [keys.durableTask, keys.master]))
      return route(request, pathname.slice(MANAGEMENT.length + 1));
    if (isOneOf(given, [keys.function, keys.eventGrid])) return { status: 403 };
    return { status: 401, headers: { 'www-authenticate': 'Bearer' } };
  };
}

const noEntities = () => problem(501, 'The local Functions host does not emulate entities.');
const isPositive = (value: number | undefined): value is number => value !== undefined && value > 0;

/** Whether a JSON object or list simply ends too early: the extension calls that its own fault. */
function breaksOff(body: Buffer): boolean {
  const text = body.toString('utf8').trimEnd();
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    const { message } = error as Error;
    return (
      /^\s*[[{]/.test(text) && (/end of JSON/.test(message) || message.includes(`position ${text.length} `))
    );
  }
}

/** Why an instance id cannot be used: as the extension's documentation rules it. */
function refusalOfId(id: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[/\\?#\u0000-\u001f\u007f-\u009f]/.test(id))
    return 'An instance id must not contain / \\ ? # or control characters.';
  return id.length > INSTANCE_ID_MAX
    ? `An instance id has at most ${INSTANCE_ID_MAX} characters.`
    : undefined;
}

/** A segment of a path, in which a plus is a blank. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment.replaceAll('+', ' '));
  } catch {
    return segment;
  }
}
