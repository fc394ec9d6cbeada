import {
  hostedFunctions,
  textOf,
  type AppFunctions,
  type HostedFunction,
  type TriggerKind,
} from './triggers/bindings.ts';
import type { HostClock } from './clock.ts';
import type { LoadedApp } from './core-api.ts';
import { openDatabase } from './engine/database.ts';
import { createHostileParts, type Hostile } from './hostile/hostile-parts.ts';
import { createDurableApi } from './http/durable-api.ts';
import { durableClientPayload } from './http/durable-links.ts';
import { createEngine } from './engine/engine.ts';
import { createEventGridWebhook } from './triggers/event-grid-webhook.ts';
import { createHistory } from './engine/history.ts';
import type { HostSettings } from './host-json.ts';
import { createHttpFunctions } from './http/http-functions.ts';
import { createHttpServer } from './http/http-server.ts';
import { createInstanceQueries } from './engine/instance-queries.ts';
import { createInvoker, type Invoke, type Invoker, type InvokerDeps, type Log } from './triggers/invoke.ts';
import { loadKeys } from './http/keys.ts';
import { queueServiceOf, resolveName, type AppSettings } from './triggers/queue-connections.ts';
import { createQueuePump, type QueuePump } from './triggers/queue-pump.ts';
import { createTimerTriggers } from './triggers/timer-triggers.ts';

const STOP_WITHIN_MS = 10_000;

/** An app whose functions are called in a way of its own. */
export interface AppElsewhere extends AppFunctions {
  readonly createInvoker: (deps: Omit<InvokerDeps, 'app'>) => Invoker;
}

type CreatePump = (target: HostedFunction, invoke: Invoke) => Pick<QueuePump, 'start' | 'stop'>;

export interface FunctionsHostDeps {
  /** In this process, or in one of its own. */
  readonly app: LoadedApp | AppElsewhere;
  /** Where the state is kept; one host at a time. */
  readonly dataDir: string;
  readonly hostSettings: HostSettings;
  /** The app's environment, from which queue connections and names are resolved. */
  readonly appSettings: AppSettings;
  readonly clock: HostClock;
  readonly log: Log;
  /** How messages come to queue triggers; absent: from Storage. */
  readonly createPump?: CreatePump;
  /** Does to the app whatever the real host may do to it, and more often. */
  readonly hostile?: Hostile;
}

/** Azure Functions with Durable Functions in one process: runs an unmodified app.
 *
 *  Invariants
 *  1. What an orchestration is, is on disk: a SIGKILL at any moment loses nothing, and a restart goes on.
 *  2. Activities, queue messages and Event Grid deliveries reach their function at least once.
 *  3. It listens on 127.0.0.1 only.
 *  @throws Error naming a function that needs something this host does not emulate, or a missing app setting */
export function createFunctionsHost(deps: FunctionsHostDeps) {
  const { app, clock, log, hostSettings, appSettings } = deps;
  const functions = hostedFunctions(app);
  const ofKind = (kind: TriggerKind) => functions.filter((one) => one.kind === kind);
  const byName = (kind: TriggerKind): ReadonlyMap<string, HostedFunction> =>
    new Map(ofKind(kind).map((one) => [one.name, one]));
  const createPump = deps.createPump ?? pumpsFromStorage(deps, ofKind('queueTrigger'));

  const db = openDatabase(deps.dataDir);
  const keys = loadKeys(deps.dataDir);
  const { hostile } = deps;
  const nowMs = () => clock.nowMs();
  const history = createHistory({ db, hostility: hostile?.hostility });
  let origin = '';
  const invokerDeps: Omit<InvokerDeps, 'app'> = {
    durableClient: () => durableClientPayload({ origin, hub: hostSettings.hubName, keys }),
    log,
    timeoutMs: hostSettings.functionTimeoutMs,
  };
  const invoker =
    'createInvoker' in app ? app.createInvoker(invokerDeps) : createInvoker({ ...invokerDeps, app });
  const { invoke, written, read, hidden } = createHostileParts(hostile, {
    history,
    invoke: invoker.invoke,
    nowMs,
  });
  const orchestrators = byName('orchestrationTrigger');
  const engine = createEngine({
    history: written,
    orchestrators,
    activities: byName('activityTrigger'),
    invoke,
    clock,
    concurrency: hostSettings.maxConcurrentActivities,
    hidden,
    log,
  });
  const http = createHttpServer({
    handlers: [
      createDurableApi({
        history: read,
        queries: createInstanceQueries({ db }),
        engine,
        hub: hostSettings.hubName,
        keys,
        nowMs,
      }),
      createEventGridWebhook({ functions: byName('eventGridTrigger'), keys, invoke }),
      createHttpFunctions({
        functions: ofKind('httpTrigger'),
        keys,
        invoke,
        routePrefix: hostSettings.routePrefix,
      }),
    ],
    log,
  });
  const pumps = ofKind('queueTrigger').map((target) => createPump(target, invoke));
  const timers = createTimerTriggers({
    db,
    functions: ofKind('timerTrigger'),
    settings: appSettings,
    invoke,
    clock,
    log,
  });

  return {
    functions: functions.map(({ name, kind }) => ({ name, kind })),
    keys,
    history,
    /** Resolves when no orchestration can move until time passes or something arrives. */
    atRest: engine.atRest,
    /** Resolves with the port once requests are answered. `listening` is told the port before anything runs.
     *  @param port 0: chosen by the system */
    start: async (port: number, listening: (port: number) => void = () => undefined): Promise<number> => {
      const used = await http.start(port);
      origin = `http://127.0.0.1:${used}`;
      listening(used);
      await invoker.appStarted();
      engine.start();
      for (const pump of pumps) pump.start();
      timers.start();
      return used;
    },
    stop: async () => {
      await Promise.all(pumps.map((pump) => pump.stop()));
      await timers.stop();
      await engine.stop(STOP_WITHIN_MS);
      await invoker.appTerminating();
      await http.stop();
      db.close();
    },
  };
}

/** @throws Error for a queue whose setting is missing: before anything is opened */
function pumpsFromStorage(
  { appSettings, hostSettings, log }: FunctionsHostDeps,
  targets: readonly HostedFunction[],
): CreatePump {
  const queueOf = ({ trigger }: HostedFunction) => ({
    service: queueServiceOf(textOf(trigger, 'connection') ?? 'Storage', appSettings),
    queueName: resolveName(textOf(trigger, 'queueName') ?? '', appSettings),
  });
  for (const target of targets) queueOf(target);
  return (target, invoke) =>
    createQueuePump({ target, ...queueOf(target), settings: hostSettings.queues, invoke, log });
}

export type FunctionsHost = ReturnType<typeof createFunctionsHost>;
