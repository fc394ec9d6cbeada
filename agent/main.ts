/** Where the agent begins: reads its options and the configuration, has the rooms built (rooms.ts), starts them in order
 *  and stops them in reverse. The only file of the agent that reads the environment. */
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { ContractError } from '@dachawatch/contracts';
import { refuseVoidOptions } from './given-options.ts';
import type { Ground } from './ground.ts';
import { systemClock } from './kernel/clock.ts';
import { createConditions } from './kernel/conditions.ts';
import { Failure } from './kernel/failure.ts';
import { isBug } from './kernel/is-bug.ts';
import { createLog, type Log } from './kernel/log.ts';
import { createLifecycle, type Service } from './kernel/services/lifecycle.ts';
import { createOptionalService } from './kernel/services/optional-service.ts';
import { createServiceManager } from './kernel/services/service-manager.ts';
import { buildRooms, servicesOf, statusLine } from './rooms.ts';
import { openConfigFiles } from './settings/settings.ts';

const HELP = `agent/main.ts [--config FILE] [--data DIR] [--credentials DIR]

Records what moves in front of the cameras, keeps it, uploads it, and shows what became of it.
  --config       appliance.json; default: DACHAWATCH_CONFIG, else /etc/dachawatch/appliance.json
  --data         ledger and clips; default: STATE_DIRECTORY
  --credentials  folder of the credential files; default: CREDENTIALS_DIRECTORY
`;

/** Longest that one room may take to stop; capture needs the time to seal running clips. */
const STOP_DEADLINE_MS = 10_000;

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

function options() {
  const { values, tokens } = parseArgs({
    tokens: true,
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      credentials: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  refuseVoidOptions(tokens);
  // An empty variable counts as unset.
  const dataDir = values.data ?? process.env['STATE_DIRECTORY'];
  if (!dataDir)
    throw new Failure(
      'rejected',
      'config.no-data-dir',
      'no folder for the data: give --data or STATE_DIRECTORY',
    );
  return {
    configFile: values.config ?? (process.env['DACHAWATCH_CONFIG'] || '/etc/dachawatch/appliance.json'),
    credentialsDir: values.credentials ?? (process.env['CREDENTIALS_DIRECTORY'] || undefined),
    dataDir,
    runtimeDir: process.env['RUNTIME_DIRECTORY'],
    logLevel: process.env['DACHAWATCH_LOG'] || 'info',
    serviceManager: {
      socket: process.env['NOTIFY_SOCKET'],
      watchdogUsec: process.env['WATCHDOG_USEC'],
      watchdogPid: process.env['WATCHDOG_PID'],
    },
    captureEnvironment: Object.fromEntries(
      ['HOME', 'GST_REGISTRY', 'XDG_CACHE_HOME', 'NODE_COMPILE_CACHE'].flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
  };
}

/** What nobody caught. An error of the world (the link, the disk, one message) concerns one thing at a time, and its
 *  room goes on; a bug may have left anything behind: the process ends, and is started again. */
function goOnUnlessBug(log: Log): void {
  process.on('uncaughtException', (error, origin) => {
    if (isBug(error)) {
      log.error({ event: 'agent.bug', origin, err: error }, 'the agent ends because of a bug');
      process.exit(1);
    }
    log.error(
      { event: 'agent.uncaught', origin, err: error },
      'an error that nobody took; the agent goes on',
    );
  });
}

async function main(): Promise<void> {
  const { configFile, credentialsDir, logLevel, serviceManager, ...places } = options();
  const log = createLog(logLevel);
  goOnUnlessBug(log);
  const clock = systemClock;
  const kernelLog = log.child({ room: 'kernel' });
  const ground: Ground = {
    ...places,
    files: openConfigFiles(configFile, credentialsDir),
    manager: createServiceManager({ ...serviceManager, log: kernelLog }),
    conditions: createConditions({ clock, log: kernelLog }),
    clock,
    log,
  };
  const rooms = buildRooms(ground);
  const running = startAll(servicesOf(rooms), ground);
  await running.started;
  if (running.isStopping()) return;

  await ground.manager.ready(statusLine(ground, rooms));
  const { dashboard } = rooms;
  const ready = { ready: true, ...(dashboard.isUp() ? { dashboard: dashboard.url() } : {}) };
  log.info({ event: 'agent.ready', ...ready }, 'the agent watches');
  // Without somebody to take the error it would end the process in disorder; whoever is orphaned hears of it, too.
  process.send?.(ready, undefined, undefined, () => undefined);
  // Node itself does it at an end in good order only, to which an appliance seldom comes.
  flushCompileCache();
}

/** Starts the services one after the other. The process ends in order with a signal, or with the process that started
 *  it: what was started is stopped in reverse. */
function startAll(services: readonly Service[], { manager, conditions, clock, log }: Ground) {
  // None of them must keep the others from starting: a port that is taken is no reason to watch no camera.
  const lifecycle = createLifecycle(
    services.map((service) => createOptionalService(service, { clock, conditions, log })),
    { log, stopDeadlineMs: STOP_DEADLINE_MS },
  );
  const started = lifecycle.start();
  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    manager.stopping();
    log.info({ event: 'agent.stopping', why }, 'stopping');
    const end = async () => {
      await lifecycle.stop();
      process.exit(0);
    };
    void started.then(end);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  const orphaned = () => stop('the process that started the agent is gone');
  if (process.send) process.on('disconnect', orphaned);
  // It may have gone before anybody listened.
  if (process.send && !process.connected) orphaned();
  return { started, isStopping: () => stopping };
}

try {
  await main();
} catch (error) {
  const usage =
    error instanceof Failure ||
    error instanceof ContractError ||
    (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`dachawatch agent: ${usage ? sentence(error) : (error as Error).stack}\n`);
  process.exit(usage ? 2 : 1);
}
