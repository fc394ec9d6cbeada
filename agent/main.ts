/** Composition root of the agent: reads the configuration, builds the rooms, starts them in order and stops
 *  them in reverse. The only file of the agent that reads the environment. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ApplianceConfig,
  CameraCredential,
  type CameraConfig,
  ContractError,
  parse,
  parseWithDefaults,
} from '@dachawatch/contracts';
import { type ClipKeeper, createCapture, recoverTornClip } from './capture/capture.ts';
import { createDashboard } from './dashboard/dashboard.ts';
import { createHubLink } from './hub/hub.ts';
import { clockQuality } from './kernel/clock-quality.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import { Failure } from './kernel/failure.ts';
import { createLifecycle } from './kernel/lifecycle.ts';
import { createLog, type Log } from './kernel/log.ts';
import { createLedger, type Ledger } from './ledger/ledger.ts';
import { causeText, createSignatureStore } from './motion/motion.ts';
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
const LEDGER_WAIT_MS = 20_000;

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure('rejected', 'config.unreadable', `${what} cannot be read: ${sentence(error)}`, {
      cause: error,
    });
  }
}

function readJson(file: string, what: string): unknown {
  const text = readText(file, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure('rejected', 'config.not-json', `${what} ${file} is not JSON: ${sentence(error)}`, {
      cause: error,
    });
  }
}

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
    logLevel: process.env['DACHAWATCH_LOG'] ?? 'info',
  };
}

/** What capture asks of the ledger: a place to write, and custody of what was written. */
function clipKeeper(ledger: Ledger, wakeUploader: () => void, clock: Clock, log: Log): ClipKeeper {
  return {
    open({ cameraId, triggeredMs, cause }) {
      try {
        const clip = ledger.openClip({
          cameraId,
          triggeredMs,
          clockQuality: clockQuality(clock.nowMs()),
          detail: `triggered by ${causeText(cause)}`,
        });
        return { clipId: clip.clipId, partFile: clip.partFile };
      } catch (error) {
        if (!(error instanceof Failure) || error.kind === 'bug') throw error;
        log.error(
          { event: 'clip.refused', cameraId, code: error.code },
          `no clip can be recorded: ${error.message}`,
        );
        return undefined;
      }
    },
    written(clipId, written) {
      try {
        ledger.sealClip(clipId, written);
      } catch (error) {
        // The file is not what its writer reported: what is whole in it is kept as after a torn end.
        if (!(error instanceof Failure) || error.kind !== 'corrupt') throw error;
        log.error({ event: 'clip.seal-refused', clipId, code: error.code }, error.message);
        void ledger.recoverClip(clipId).then(wakeUploader);
        return;
      }
      wakeUploader();
    },
    async abandoned(clipId, reason) {
      log.warn(
        { event: 'clip.abandoned', clipId, reason },
        'the clip writer ended early; keeping what is whole',
      );
      await ledger.recoverClip(clipId);
      wakeUploader();
    },
  };
}

/** An agent whose parent was killed ends by itself within seconds: its successor waits for the ledger. */
async function whenFree<T>(open: () => T, clock: Clock): Promise<T> {
  const endAt = clock.monotonicMs() + LEDGER_WAIT_MS;
  for (;;) {
    try {
      return open();
    } catch (error) {
      const inUse = error instanceof Failure && error.code === 'ledger.in-use';
      if (!inUse || clock.monotonicMs() > endAt) throw error;
    }
    await clock.sleep(250);
  }
}

async function main(): Promise<void> {
  const { configFile, credentialsDir, dataDir, logLevel } = options();
  const log = createLog(logLevel);
  const clock = systemClock;
  const config = parseWithDefaults(ApplianceConfig, readJson(configFile, 'the configuration'));

  const credentialFile = (name: string, neededBy: string) => {
    if (!credentialsDir)
      throw new Failure(
        'rejected',
        'config.no-credentials',
        `${neededBy} needs credential "${name}", but no credentials folder was given`,
      );
    return join(credentialsDir, name);
  };
  const cameraLogin = (camera: CameraConfig) =>
    camera.credential === undefined
      ? undefined
      : parse(
          CameraCredential,
          readJson(
            credentialFile(camera.credential, `camera ${camera.id}`),
            `the login of camera ${camera.id}`,
          ),
        );

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const ledger = await whenFree(
    () =>
      createLedger({
        dir: dataDir,
        clock,
        log: log.child({ room: 'ledger' }),
        maxBytes: config.storage.maxBytes,
        leaseMs: LEASE_MS,
        recoverTorn: recoverTornClip,
      }),
    clock,
  );
  const found = await ledger.check({ repair: true });
  log.info({ event: 'ledger.checked', ...found }, 'ledger checked after start');

  const hub = createHubLink({
    connectionString: readText(
      credentialFile(config.hub.credential, 'the hub link'),
      'the IoT Hub credential',
    ).trim(),
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
    outbox: { outgoing: () => [], settleOutgoing: () => {} },
    onDesired: () => {},
    methods: {},
    clock,
    log: log.child({ room: 'hub' }),
  });
  const uploader = createUploader({
    ledger,
    tickets: hub,
    online: () => hub.status().state === 'online',
    deviceId: config.deviceId,
    framesDir: join(dataDir, 'frames'),
    clock,
    log: log.child({ room: 'upload' }),
  });
  const suppressed = createSignatureStore({
    dir: join(dataDir, 'suppressed'),
    clock,
    log: log.child({ room: 'motion' }),
  });
  const capture = createCapture({
    cameras: config.cameras.map((camera) => ({
      config: config.timeZone === undefined ? camera : { timeZone: config.timeZone, ...camera },
      credential: cameraLogin(camera),
    })),
    suppressed,
    recording: config.recording,
    keeper: clipKeeper(ledger, () => uploader.wake(), clock, log),
    clock,
    log: log.child({ room: 'capture' }),
  });
  const dashboard = createDashboard({
    deviceId: config.deviceId,
    host: config.dashboard.host,
    port: config.dashboard.port,
    ledger,
    cameras: () => capture.status(),
    link: () => hub.status(),
    upload: () => uploader.status(),
    bestFrame: (clipId) => uploader.bestFrame(clipId),
    suppressed,
    clock,
    log: log.child({ room: 'dashboard' }),
  });

  // Messages stored by a process that died before it read them.
  ledger.drainInbox();
  const lifecycle = createLifecycle([suppressed, dashboard, capture, hub, uploader], {
    log,
    stopDeadlineMs: STOP_DEADLINE_MS,
  });
  await lifecycle.start();

  const ready = { ready: true, dashboard: dashboard.url() };
  log.info({ event: 'agent.ready', ...ready }, 'the agent watches');
  process.send?.(ready);

  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ event: 'agent.stopping', why }, 'stopping');
    void lifecycle.stop().then(() => {
      ledger.close();
      process.exit(0);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  if (process.send) process.on('disconnect', () => stop('the process that started the agent is gone'));
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
