/** The Node process of the real engine: loads an unmodified app as our own host does, and makes the calls that
 *  `host/` asks for. HTTP functions, Event Grid and timers are answered here, by our host's code: what is compared
 *  with this engine is orchestrations, their management API and queues.
 *
 *  Usage: worker.ts APP HOST-JSON; keys in ENGINE_KEYS. Prints `{port, functions}` when it is ready. */
import { resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { systemHostClock } from '../../cloud-fn/local/functions-host/clock.ts';
import { loadApp, type RpcData } from '../../cloud-fn/local/functions-host/core-api.ts';
import { readHostSettings } from '../../cloud-fn/local/functions-host/host-json.ts';
import { createHttpFunctions } from '../../cloud-fn/local/functions-host/http/http-functions.ts';
import {
  createHttpServer,
  json,
  type Handler,
  type HostRequest,
} from '../../cloud-fn/local/functions-host/http/http-server.ts';
import type { HostKeys } from '../../cloud-fn/local/functions-host/http/keys.ts';
import {
  hostedFunctions,
  textOf,
  type TriggerKind,
} from '../../cloud-fn/local/functions-host/triggers/bindings.ts';
import { createEventGridWebhook } from '../../cloud-fn/local/functions-host/triggers/event-grid-webhook.ts';
import { createInvoker } from '../../cloud-fn/local/functions-host/triggers/invoke.ts';
import { resolveName } from '../../cloud-fn/local/functions-host/triggers/queue-connections.ts';
import { createTimerTriggers } from '../../cloud-fn/local/functions-host/triggers/timer-triggers.ts';
import { logLine } from '../../cloud-fn/local/service-process.ts';

const [, , appFile = '', hostJson = ''] = process.argv;
const keys = JSON.parse(process.env['ENGINE_KEYS'] ?? '{}') as HostKeys;
const settings = readHostSettings(hostJson);
const app = await loadApp(resolve(appFile));
const functions = hostedFunctions(app);
const byName = new Map(functions.map((one) => [one.name, one]));
const ofKind = (kind: TriggerKind) => functions.filter((one) => one.kind === kind);

const payload = Promise.withResolvers<object>();
let client: object = {};
const { invoke, appStarted } = createInvoker({
  app,
  durableClient: () => client,
  log: logLine,
  timeoutMs: settings.functionTimeoutMs,
});

interface Call {
  readonly value: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Calls a function with its trigger's text, and answers with what it returned or with its error. */
async function called(name: string, { value, metadata }: Call) {
  const target = byName.get(name);
  if (target === undefined) throw new Error(`There is no function ${name}.`);
  await payload.promise;
  const data: RpcData = value === null ? {} : { string: value };
  try {
    const more = Object.entries(metadata).map(([key, one]) => [key, { json: JSON.stringify(one) }] as const);
    // The real host gives an activity its input three times.
    const same = target.kind === 'activityTrigger' ? { [target.triggerName]: data, data } : {};
    return (await invoke(target, { data, metadata: { ...Object.fromEntries(more), ...same } })) ?? {};
  } catch (error) {
    // What is not an Error has no stack either; the real worker makes the same of it.
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { error: { message, stack: stack ?? '' } };
  }
}

const engine: Handler = async ({ url, body }: HostRequest) => {
  const [, room, verb, name = ''] = url.pathname.split('/');
  if (room !== 'engine') return undefined;
  const given = JSON.parse(body.toString('utf8')) as object;
  if (verb === 'invoke') return json(200, await called(decodeURIComponent(name), given as Call));
  client = given;
  payload.resolve(given);
  return json(200, {});
};

const httpFunctions = createHttpFunctions({
  functions: ofKind('httpTrigger'),
  keys,
  invoke,
  routePrefix: settings.routePrefix,
});
const eventGrid = createEventGridWebhook({
  functions: new Map(ofKind('eventGridTrigger').map((one) => [one.name, one])),
  keys,
  invoke,
});
const server = createHttpServer({
  handlers: [
    engine,
    async (request) => {
      await payload.promise;
      return (await eventGrid(request)) ?? httpFunctions(request);
    },
  ],
  log: logLine,
});
// Where occurrences are remembered is of no interest here.
const db = new Sqlite(':memory:');
db.exec('CREATE TABLE schedules (function TEXT PRIMARY KEY, last_ms INTEGER, next_ms INTEGER NOT NULL)');
const timers = createTimerTriggers({
  db,
  functions: ofKind('timerTrigger'),
  settings: process.env,
  invoke,
  clock: systemHostClock,
  log: logLine,
});

const port = await server.start(0);
await appStarted();
void payload.promise.then(() => timers.start());
const described = functions.map(({ name, kind, trigger }) => ({
  name,
  kind,
  queueName: resolveName(textOf(trigger, 'queueName') ?? '', process.env),
  connection: textOf(trigger, 'connection') ?? 'Storage',
}));
process.stdout.write(`${JSON.stringify({ port, functions: described })}\n`);
// Ends with the host that started it.
process.stdin.resume().once('end', () => process.exit(0));
