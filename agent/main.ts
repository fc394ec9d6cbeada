/** Composition root of the agent: reads the configuration, builds the rooms, starts them in order and stops
 *  them in reverse. The only file of the agent that reads the environment. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ContractError } from '@dachawatch/contracts';
import { createCapture, recoverTornClip } from './capture/capture.ts';
import { createClipStore } from './clip-store.ts';
import { createDashboard } from './dashboard/dashboard.ts';
import {
  type ApplianceSources,
  applianceStatus,
  createCaptureCheck,
  createHealth,
  createLedgerCheck,
  createRefusedRecordings,
  createWatchdog,
  progressMark,
  readAppliance,
  statusSentence,
} from './health/health.ts';
import { createDirectMethods, createHubLink } from './hub/hub.ts';
import { systemClock } from './kernel/clock.ts';
import { createConditions } from './kernel/conditions.ts';
import { createOptionalService } from './kernel/services/optional-service.ts';
import { Failure } from './kernel/failure.ts';
import { isBug } from './kernel/is-bug.ts';
import { ifAnswers } from './kernel/if-answers.ts';
import { createLifecycle, type Service } from './kernel/services/lifecycle.ts';
import { createLog, type Log } from './kernel/log.ts';
import { createServiceManager } from './kernel/services/service-manager.ts';
import { createCare } from './ledger/care/care.ts';
import { createLedgerService } from './ledger/ledger-service.ts';
import { createLedgerUpkeep } from './ledger/upkeep.ts';
import { createSuppressedStore } from './motion/motion.ts';
import { createPower } from './power/power.ts';
import { createReports } from './reports/reports.ts';
import { createSettings, openConfigFiles, readText } from './settings/settings.ts';
import { createWires } from './power/gpio/wires.ts';
import { requestPowerOff } from './power-off.ts';
import { createTroubleLight } from './trouble-light.ts';
import { createUploader } from './upload/upload.ts';

const HELP = `agent/main.ts [--config FILE] [--data DIR] [--credentials DIR]

Records what moves in front of the cameras, keeps it, uploads it, and shows what became of it.
  --config       appliance.json; default: DACHAWATCH_CONFIG, else /etc/dachawatch/appliance.json
  --data         ledger and clips; default: STATE_DIRECTORY
  --credentials  folder of the credential files; default: CREDENTIALS_DIRECTORY
`;

/** Longest that one room may take to stop; capture needs the time to seal running clips. */
const STOP_DEADLINE_MS = 10_000;
const LEASE_MS = 15 * 60_000;
/** The link asks the hub something each five minutes, or tries to reach it far more often. */
const HUB_TURN_MS = 10 * 60_000;

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

function options() {
  const { values } = parseArgs({
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
  const dataDir = values.data ?? process.env['STATE_DIRECTORY'];
  if (!dataDir)
    throw new Failure(
      'rejected',
      'config.no-data-dir',
      'no folder for the data: give --data or STATE_DIRECTORY',
    );
  return {
    configFile: values.config ?? process.env['DACHAWATCH_CONFIG'] ?? '/etc/dachawatch/appliance.json',
    credentialsDir: values.credentials ?? process.env['CREDENTIALS_DIRECTORY'],
    dataDir,
    runtimeDir: process.env['RUNTIME_DIRECTORY'],
    logLevel: process.env['DACHAWATCH_LOG'] ?? 'info',
    serviceManager: {
      socket: process.env['NOTIFY_SOCKET'],
      watchdogUsec: process.env['WATCHDOG_USEC'],
      watchdogPid: process.env['WATCHDOG_PID'],
    },
    captureEnvironment: ['HOME', 'GST_REGISTRY', 'XDG_CACHE_HOME'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
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
  const { configFile, credentialsDir, dataDir, runtimeDir, logLevel, serviceManager, captureEnvironment } =
    options();
  const log = createLog(logLevel);
  goOnUnlessBug(log);
  const clock = systemClock;
  const files = openConfigFiles(configFile, credentialsDir);
  const { config } = files;
  const manager = createServiceManager({ ...serviceManager, log: log.child({ room: 'kernel' }) });
  const conditions = createConditions({ clock, log: log.child({ room: 'kernel' }) });
  const refusedRecordings = createRefusedRecordings({ conditions, clock });

  const ledgerLog = log.child({ room: 'ledger' });
  const ledger = createLedgerService({
    dir: dataDir,
    care: createCare({ dir: dataDir, log: ledgerLog }),
    onOpen: () => {
      uploader.wake();
      hub.wakeOutbox();
    },
    conditions,
    clock,
    log: ledgerLog,
    maxBytes: config.storage.maxBytes,
    leaseMs: LEASE_MS,
    recoverTorn: recoverTornClip,
    onEvent: () => hub.wakeOutbox(),
  });

  const settings = createSettings({
    files,
    dir: dataDir,
    apply: (watching) => capture.apply(watching),
    log: log.child({ room: 'settings' }),
  });

  const hubTurn = progressMark({ name: 'the hub link', clock, longestMs: HUB_TURN_MS });
  const hub = createHubLink({
    connectionString: files.secret(config.hub.credential, 'the hub link'),
    mqttEndpoint: config.hub.mqttEndpoint,
    httpsEndpoint: config.hub.httpsEndpoint,
    ca:
      config.hub.caFile === undefined
        ? undefined
        : readText(config.hub.caFile, 'the certificate authority of the hub'),
    store: (message) => ledger.storeMessage(message),
    onMessage: () => {
      ledger.drainInbox();
    },
    onOnline: () => uploader.wake(),
    onTurn: () => hubTurn.beat(),
    outbox: ledger,
    onDesired: (document) => settings.take(document),
    ticketsFile: join(dataDir, 'upload-tickets.json'),
    methods: createDirectMethods({
      cameras: () => capture.status(),
      snapshot: (cameraId, signal) => capture.snapshot(cameraId, signal),
      recordNow: (cameraId, signal) => capture.recordNow(cameraId, signal),
      retryClip: (clipId) => {
        const outcome = ledger.retryClip(clipId);
        uploader.wake();
        return outcome;
      },
    }),
    clock,
    log: log.child({ room: 'hub' }),
  });
  const uploader = createUploader({
    ledger,
    tickets: hub,
    online: () => hub.status().state === 'online',
    deviceId: config.deviceId,
    framesDir: join(dataDir, 'frames'),
    conditions,
    clock,
    log: log.child({ room: 'upload' }),
  });
  const suppressed = createSuppressedStore({
    dir: join(dataDir, 'suppressed'),
    clock,
    log: log.child({ room: 'motion' }),
  });
  const capture = createCapture({
    ...settings.watching(),
    suppressed,
    store: createClipStore({
      ledger,
      onSealed: () => uploader.wake(),
      refusedRecordings,
      clock,
      log: log.child({ room: 'ledger' }),
    }),
    conditions,
    environment: Object.fromEntries(captureEnvironment),
    loginsFile: join(dataDir, 'camera-logins.json'),
    clock,
    log: log.child({ room: 'capture' }),
  });

  const health = createHealth({ dataDir, clock, log: log.child({ room: 'health' }) });
  const powerLog = log.child({ room: 'power' });
  const wires = config.power.gpio
    ? createWires({ config: config.power.gpio, clock, log: powerLog })
    : undefined;
  const power = createPower({
    config: config.power,
    actions: {
      seal: (signal) => capture.pause(signal),
      tell: async (signal) => {
        hub.report(reports.reported());
        await hub.flush(signal);
      },
      powerOff: () => requestPowerOff(runtimeDir, powerLog),
      resume: () => capture.resume(),
    },
    onChange: (status) => reports.powerChanged(status),
    ...(wires ? { wires } : {}),
    clock,
    log: powerLog,
  });
  const reports = createReports({
    cameras: () => capture.status(),
    link: () => hub.status(),
    power: () => power.status(),
    ledger,
    disk: () => health.disk(),
    facts: () => health.facts(),
    versions: () => health.versions(),
    settings: () => settings.settings(),
    desired: () => settings.desired(),
    conditions: () => conditions.list(),
    refusedRecordings,
    clipBytesMax: config.storage.maxBytes,
    report: (reported) => hub.report(reported),
    clock,
    log: log.child({ room: 'reports' }),
  });
  const appliance: ApplianceSources = {
    cameras: () => capture.status(),
    link: () => hub.status(),
    upload: () => uploader.status(),
    ledger,
    power: () => power.status(),
    health,
    storage: () => reports.storage(),
    desired: () => settings.desired(),
    conditions: () => conditions.list(),
  };
  const dashboard = createDashboard({
    ...appliance,
    deviceId: config.deviceId,
    host: config.dashboard.host,
    port: config.dashboard.port,
    ledger,
    bestFrame: (clipId) => uploader.bestFrame(clipId),
    suppressed,
    clock,
    log: log.child({ room: 'dashboard' }),
  });
  const troubleLight = createTroubleLight({
    status: () => applianceStatus(readAppliance(appliance)),
    power,
    clock,
  });
  const statusLine = () =>
    statusSentence({
      cameras: capture.status(),
      waiting: ifAnswers(() => ledger.summary().waiting),
      power: power.status(),
      link: hub.status(),
      conditions: conditions.list(),
    });
  const watchdog = createWatchdog({
    checks: [
      createLedgerCheck({ ledger, clock }),
      hubTurn,
      createCaptureCheck({
        cameras: () => capture.status(),
        clock,
      }),
    ],
    manager,
    statusLine,
    clock,
    log: log.child({ room: 'health' }),
  });

  const wired: Service[] = wires
    ? [{ name: wires.name, start: () => wires.start(), stop: async () => wires.stop() }]
    : [];
  const upkeep = createLedgerUpkeep({
    ledger,
    onSealed: () => uploader.wake(),
    clock,
    log: log.child({ room: 'ledger' }),
  });
  const rooms = [
    // The ledger first, so that it is closed last.
    ...[ledger, upkeep, suppressed, health, dashboard, capture, hub, uploader, reports],
    ...[...wired, power, troubleLight, watchdog],
  ];
  // None of them must keep the others from starting: a port that is taken is no reason to watch no camera.
  const lifecycle = createLifecycle(
    rooms.map((room) => createOptionalService(room, { clock, conditions, log })),
    { log, stopDeadlineMs: STOP_DEADLINE_MS },
  );
  const starting = lifecycle.start();
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
    void starting.then(end);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  const orphaned = () => stop('the process that started the agent is gone');
  if (process.send) process.on('disconnect', orphaned);
  // It may have gone before anybody listened.
  if (process.send && !process.connected) orphaned();
  await starting;
  if (stopping) return;

  await manager.ready(statusLine());
  const ready = { ready: true, ...(dashboard.isUp() ? { dashboard: dashboard.url() } : {}) };
  log.info({ event: 'agent.ready', ...ready }, 'the agent watches');
  // Without somebody to take the error it would end the process in disorder; `orphaned` hears of it, too.
  process.send?.(ready, undefined, undefined, () => undefined);
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
