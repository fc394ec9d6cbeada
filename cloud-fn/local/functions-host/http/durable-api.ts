import { randomUUID } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import type { History } from '../engine/history.ts';
import type { InstanceRow } from '../engine/history-sql.ts';
import { json, problem, type Handler, type HostRequest, type HostResponse } from './http-server.ts';
import { PAGE_MAX, type InstanceFilter, type InstanceQueries } from '../engine/instance-queries.ts';
import { createInstanceCommands } from './instance-commands.ts';
import { jsonText } from './json-text.ts';
import { isOneOf, type HostKeys } from './keys.ts';
import { isFinal, iso } from '../engine/wire.ts';

export const TASK_HUB = 'Local';
const MANAGEMENT = '/runtime/webhooks/durabletask';
const INSTANCE_ID_MAX = 256;

export interface DurableApiDeps {
  readonly history: History;
  readonly queries: InstanceQueries;
  readonly engine: Pick<Engine, 'kick'>;
  readonly orchestrators: ReadonlySet<string>;
  readonly keys: HostKeys;
  readonly nowMs: () => number;
}

/** The HTTP API of Durable Functions: for the app's own client below a secret address, and for management
 *  below `/runtime/webhooks/durabletask` with the key. */
export function createDurableApi(deps: DurableApiDeps): Handler {
  const { history, queries, engine, keys, nowMs } = deps;
  const command = createInstanceCommands({ history, onChanged: () => engine.kick(), nowMs });

  const start = (request: HostRequest, name: string, given: string | undefined): HostResponse => {
    const id = given ?? randomUUID().replaceAll('-', '');
    const refusal = refusalOfId(id);
    if (refusal !== undefined) return problem(400, refusal);
    if (!deps.orchestrators.has(name))
      return problem(
        400,
        `The orchestrator function '${name}' doesn't exist, is disabled, or is not an orchestrator.`,
      );
    const input = jsonText(request.body);
    if (input === undefined) return problem(400, 'The body is not JSON.');
    const version = request.url.searchParams.get('version') ?? undefined;
    if (!history.start({ id, name, input, version }, nowMs()))
      return problem(409, `An instance with the id ${id} is still running.`);
    engine.kick();
    const links = managementUrls(request.url.origin, keys, id);
    return json(202, links, { location: links.statusQueryGetUri, 'retry-after': '10' });
  };

  const list = (request: HostRequest): HostResponse => {
    const query = request.url.searchParams;
    const limit = Math.min(PAGE_MAX, Math.max(1, Number(query.get('top') ?? PAGE_MAX) || PAGE_MAX));
    const token = String(request.headers['x-ms-continuation-token'] ?? '');
    const after = Buffer.from(token, 'base64url').toString('utf8');
    const { rows, next } = queries.list(filterOf(query), after, limit);
    const headers =
      next === undefined ? {} : { 'x-ms-continuation-token': Buffer.from(next).toString('base64url') };
    return json(
      200,
      rows.map((row) => statusBody(row, query)),
      headers,
    );
  };

  const show = (request: HostRequest, id: string): HostResponse => {
    const row = history.instance(id);
    if (row === undefined) return problem(404, `No instance with the id ${id}.`);
    const query = request.url.searchParams;
    const events = query.get('showHistory')?.toLowerCase() === 'true' ? history.eventsOf(id) : undefined;
    const body = { ...statusBody(row, query), ...(events ? { historyEvents: events } : {}) };
    if (isFinal(row.status)) return json(200, body);
    return json(202, body, { location: request.url.href, 'retry-after': '10' });
  };

  const purge = (ids: readonly string[]): HostResponse => {
    const instancesDeleted = ids.filter((id) => history.purge(id)).length;
    return instancesDeleted === 0 ? problem(404, 'Nothing to purge.') : json(200, { instancesDeleted });
  };

  const route = (request: HostRequest, path: string): HostResponse => {
    const [collection, first, verb, rest, ...tooMuch] = path
      .split('/')
      .map((segment) => (segment.includes('%') ? safeDecode(segment) : segment));
    const { method } = request;
    if (tooMuch.length > 0 || (collection === 'orchestrators' && rest !== undefined))
      return problem(400, 'An instance id or event name must not contain slashes.');
    if (collection === 'orchestrators' && first !== undefined)
      return method === 'POST' ? start(request, first, verb || undefined) : problem(405, 'Use POST.');
    if (collection === 'entities') return problem(501, 'The local Functions host does not emulate entities.');
    if (collection !== 'instances') return problem(404, `There is no ${path}.`);
    if (first === undefined || first === '') {
      if (method === 'GET') return list(request);
      return method === 'DELETE'
        ? purge(queries.finished(filterOf(request.url.searchParams)))
        : problem(405, 'Use GET or DELETE.');
    }
    if (verb !== undefined && verb !== '')
      return method === 'POST' ? command(request, first, verb, rest) : problem(405, 'Use POST.');
    if (method === 'GET') return show(request, first);
    return method === 'DELETE' ? purge([first]) : problem(405, 'Use GET or DELETE.');
  };

  return async (request) => {
    const { pathname, searchParams } = request.url;
    const rpc = rpcPath(keys);
    if (pathname.startsWith(rpc)) return route(request, pathname.slice(rpc.length));
    if (!pathname.startsWith(`${MANAGEMENT}/`)) return undefined;
    const given = searchParams.get('code') ?? String(request.headers['x-functions-key'] ?? '');
    return isOneOf(given, [keys.durableTask, keys.master])
      ? route(request, pathname.slice(MANAGEMENT.length + 1))
      : { status: 401 };
  };
}

const rpcPath = (keys: HostKeys) => `/durabletask/${keys.rpc}/`;
const requiredQuery = (keys: HostKeys) => `taskHub=${TASK_HUB}&connection=Storage&code=${keys.durableTask}`;

/** The management links of an instance, as Durable Functions gives them. */
function managementUrls(origin: string, keys: HostKeys, id: string) {
  const at = `${origin}${MANAGEMENT}/instances/${id}`;
  const query = requiredQuery(keys);
  return {
    id,
    statusQueryGetUri: `${at}?${query}`,
    sendEventPostUri: `${at}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${at}/terminate?reason={text}&${query}`,
    rewindPostUri: `${at}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${at}?${query}`,
    suspendPostUri: `${at}/suspend?reason={text}&${query}`,
    resumePostUri: `${at}/resume?reason={text}&${query}`,
  };
}

/** What a `durableClient` binding receives. */
export function durableClientPayload(origin: string, keys: HostKeys): object {
  const create = `${origin}${MANAGEMENT}/orchestrators/{functionName}[/{instanceId}]?${requiredQuery(keys)}`;
  return {
    taskHubName: TASK_HUB,
    creationUrls: { createNewInstancePostUri: create, createAndWaitOnNewInstancePostUri: create },
    managementUrls: managementUrls(origin, keys, 'INSTANCEID'),
    baseUrl: `${origin}${MANAGEMENT}`,
    requiredQueryStringParameters: requiredQuery(keys),
    rpcBaseUrl: `${origin}${rpcPath(keys)}`,
  };
}

/** Why an instance id cannot be used, as the extension rules it. */
function refusalOfId(id: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[/\\?#\u0000-\u001f\u007f-\u009f]/.test(id))
    return 'An instance id must not contain / \\ ? # or control characters.';
  return id.length > INSTANCE_ID_MAX
    ? `An instance id has at most ${INSTANCE_ID_MAX} characters.`
    : undefined;
}

function statusBody(row: InstanceRow, query: URLSearchParams) {
  const value = (text: string | null) => (text === null ? null : (JSON.parse(text) as unknown));
  return {
    name: row.name,
    instanceId: row.id,
    runtimeStatus: row.status,
    input: query.get('showInput')?.toLowerCase() === 'false' ? null : value(row.input),
    customStatus: value(row.custom_status),
    output: value(row.output),
    createdTime: iso(row.created_ms),
    lastUpdatedTime: iso(row.updated_ms),
  };
}

function filterOf(query: URLSearchParams): InstanceFilter {
  const time = (name: string) => {
    const ms = Date.parse(query.get(name) ?? '');
    return Number.isNaN(ms) ? undefined : ms;
  };
  const statuses = query
    .get('runtimeStatus')
    ?.split(',')
    .filter((one) => one !== '');
  return { createdFromMs: time('createdTimeFrom'), createdToMs: time('createdTimeTo'), statuses };
}

function safeDecode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
