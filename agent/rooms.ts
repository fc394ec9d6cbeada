import { join } from 'node:path';
import { type Capture, createCapture, recoverTornClip } from './capture/capture.ts';
import { createBatterySaving } from './battery-saving.ts';
import { createClipStore } from './clip-store.ts';
import { createDashboard, type Dashboard } from './dashboard/dashboard.ts';
import {
  type ApplianceSources,
  applianceStatus,
  createCaptureCheck,
  createHealth,
  createLedgerCheck,
  createRecordingLimit,
  createRefusedRecordings,
  createWatchdog,
  progressMark,
  readAppliance,
  statusSentence,
  type Watchdog,
} from './health/health.ts';
import { type Ground, logOf, type Rooms } from './ground.ts';
import { createDirectMethods, createHubLink, type HubLink } from './hub/hub.ts';
import { ifAnswers } from './kernel/if-answers.ts';
import type { Service } from './kernel/services/lifecycle.ts';
import { createCare } from './ledger/care/care.ts';
import { createLedgerService, type LedgerService } from './ledger/ledger-service.ts';
import { createLedgerUpkeep } from './ledger/upkeep.ts';
import { createSuppressedStore } from './motion/motion.ts';
import { createPower, type Power } from './power/power.ts';
import { createWires } from './power/gpio/wires.ts';
import { requestPowerOff } from './power-off.ts';
import { createReports, type Reports } from './reports/reports.ts';
import { createSettings, readText } from './settings/settings.ts';
import { createTroubleLight } from './trouble-light.ts';
import { createUploader, type Uploader } from './upload/upload.ts';

const LEASE_MS = 15 * 60_000;
/** The link asks the hub something each five minutes, or tries to reach it far more often. */
const HUB_TURN_MS = 10 * 60_000;

/** Builds the rooms and wires them to each other; nothing is started.
 *  A room asks another one only when both are built: inside a function, never while it is being built itself.
 *  @throws Failure rejected for a secret or a file that the configuration names and that cannot be read */
export function buildRooms(ground: Ground): Rooms {
  const { clock, conditions, files } = ground;
  const rooms = {} as { -readonly [K in keyof Rooms]: Rooms[K] };
  rooms.refusedRecordings = createRefusedRecordings({ conditions, clock });
  rooms.hubTurn = progressMark({ name: 'the hub link', clock, longestMs: HUB_TURN_MS });
  rooms.ledger = buildLedger(ground, rooms);
  rooms.recordingLimit = createRecordingLimit({
    dailyMinutes: () => rooms.settings.settings().recording.dailyMinutes,
    ledger: rooms.ledger,
    conditions,
    clock,
  });
  rooms.upkeep = createLedgerUpkeep({
    ledger: rooms.ledger,
    onSealed: () => rooms.uploader.wake(),
    clock,
    log: logOf(ground, 'ledger'),
  });
  rooms.settings = createSettings({
    files,
    dir: ground.dataDir,
    apply: (watching) => rooms.capture.apply(watching),
    log: logOf(ground, 'settings'),
  });
  rooms.hub = buildHub(ground, rooms);
  rooms.uploader = buildUploader(ground, rooms);
  rooms.suppressed = createSuppressedStore({
    dir: join(ground.dataDir, 'suppressed'),
    clock,
    log: logOf(ground, 'motion'),
  });
  rooms.capture = buildCapture(ground, rooms);
  rooms.health = createHealth({ dataDir: ground.dataDir, clock, log: logOf(ground, 'health') });
  const { gpio } = files.config.power;
  rooms.wires = gpio ? createWires({ config: gpio, clock, log: logOf(ground, 'power') }) : undefined;
  rooms.power = buildPower(ground, rooms);
  rooms.reports = buildReports(ground, rooms);
  rooms.dashboard = buildDashboard(ground, rooms);
  rooms.troubleLight = createTroubleLight({
    status: () => applianceStatus(readAppliance(sourcesOf(ground, rooms))),
    power: rooms.power,
    clock,
  });
  rooms.watchdog = buildWatchdog(ground, rooms);
  return rooms;
}

/** In the order in which they are started. */
export function servicesOf(rooms: Rooms): Service[] {
  const { wires } = rooms;
  const wired: Service[] = wires
    ? [{ name: wires.name, start: () => wires.start(), stop: async () => wires.stop() }]
    : [];
  const { ledger, upkeep, suppressed, health, dashboard, capture, hub, uploader, reports } = rooms;
  return [
    // The ledger first, so that it is closed last.
    ...[ledger, upkeep, suppressed, health, dashboard, capture, hub, uploader, reports],
    ...[...wired, rooms.power, rooms.troubleLight, rooms.watchdog],
  ];
}

/** One sentence on how the appliance is, for `systemctl status`. */
export const statusLine = ({ conditions }: Ground, rooms: Rooms): string =>
  statusSentence({
    cameras: rooms.capture.status(),
    waiting: ifAnswers(() => rooms.ledger.summary().waiting),
    power: rooms.power.status(),
    link: rooms.hub.status(),
    conditions: conditions.list(),
  });

function buildLedger(ground: Ground, rooms: Rooms): LedgerService {
  const { clock, conditions, dataDir } = ground;
  const log = logOf(ground, 'ledger');
  return createLedgerService({
    dir: dataDir,
    care: createCare({ dir: dataDir, log }),
    onOpen: () => {
      rooms.uploader.wake();
      rooms.hub.wakeOutbox();
    },
    conditions,
    clock,
    log,
    maxBytes: ground.files.config.storage.maxBytes,
    leaseMs: LEASE_MS,
    recoverTorn: recoverTornClip,
    onEvent: () => rooms.hub.wakeOutbox(),
  });
}

function buildHub(ground: Ground, rooms: Rooms): HubLink {
  const { files, clock } = ground;
  const { credential, mqttEndpoint, httpsEndpoint, caFile } = files.config.hub;
  return createHubLink({
    credential: files.secret(credential, 'the hub link'),
    mqttEndpoint,
    httpsEndpoint,
    ca: caFile === undefined ? undefined : readText(caFile, 'the certificate authority of the hub'),
    store: (message) => rooms.ledger.storeMessage(message),
    onMessage: () => {
      rooms.ledger.drainInbox();
    },
    onOnline: () => rooms.uploader.wake(),
    onTurn: () => rooms.hubTurn.beat(),
    outbox: rooms.ledger,
    onDesired: (document) => rooms.settings.take(document),
    ticketsFile: join(ground.dataDir, 'upload-tickets.json'),
    methods: createDirectMethods({
      cameras: () => rooms.capture.status(),
      snapshot: (cameraId, signal) => rooms.capture.snapshot(cameraId, signal),
      recordNow: (cameraId, signal) => rooms.capture.recordNow(cameraId, signal),
      checkCamera: (cameraId, signal) => rooms.capture.check(cameraId, signal),
      retryClip: (clipId) => {
        const outcome = rooms.ledger.retryClip(clipId);
        rooms.uploader.wake();
        return outcome;
      },
    }),
    clock,
    log: logOf(ground, 'hub'),
  });
}

function buildUploader(ground: Ground, rooms: Rooms): Uploader {
  const { clock, conditions } = ground;
  return createUploader({
    ledger: rooms.ledger,
    tickets: rooms.hub,
    online: () => rooms.hub.status().state === 'online',
    deviceId: ground.files.config.deviceId,
    framesDir: join(ground.dataDir, 'frames'),
    conditions,
    clock,
    log: logOf(ground, 'upload'),
  });
}

function buildCapture(ground: Ground, rooms: Rooms): Capture {
  const { clock, conditions } = ground;
  return createCapture({
    ...rooms.settings.watching(),
    suppressed: rooms.suppressed,
    store: createClipStore({
      ledger: rooms.ledger,
      onSealed: () => rooms.uploader.wake(),
      refusedRecordings: rooms.refusedRecordings,
      limit: rooms.recordingLimit,
      clock,
      log: logOf(ground, 'ledger'),
    }),
    conditions,
    environment: ground.captureEnvironment,
    loginsFile: join(ground.dataDir, 'camera-logins.json'),
    clock,
    log: logOf(ground, 'capture'),
  });
}

function buildPower(ground: Ground, rooms: Rooms): Power {
  const log = logOf(ground, 'power');
  const { wires, capture } = rooms;
  const saving = createBatterySaving({ enabled: ground.files.config.power.keyPicturesOnBattery, capture });
  return createPower({
    config: ground.files.config.power,
    actions: {
      seal: (signal) => rooms.capture.pause(signal),
      tell: async (signal) => {
        rooms.hub.report(rooms.reports.reported());
        await rooms.hub.flush(signal);
      },
      powerOff: () => requestPowerOff(ground.runtimeDir, log),
      resume: () => rooms.capture.resume(),
    },
    onChange: (status) => {
      saving.powerChanged(status);
      rooms.reports.powerChanged(status);
    },
    ...(wires ? { wires } : {}),
    clock: ground.clock,
    log,
  });
}

function buildReports(ground: Ground, rooms: Rooms): Reports {
  return createReports({
    cameras: () => rooms.capture.status(),
    link: () => rooms.hub.status(),
    power: () => rooms.power.status(),
    ledger: rooms.ledger,
    disk: () => rooms.health.disk(),
    facts: () => rooms.health.facts(),
    versions: () => rooms.health.versions(),
    settings: () => rooms.settings.settings(),
    desired: () => rooms.settings.desired(),
    conditions: () => ground.conditions.list(),
    refusedRecordings: rooms.refusedRecordings,
    recordingLimit: rooms.recordingLimit,
    clipBytesMax: ground.files.config.storage.maxBytes,
    report: (reported) => rooms.hub.report(reported),
    clock: ground.clock,
    log: logOf(ground, 'reports'),
  });
}

/** What the page and the status light show. */
function sourcesOf({ conditions }: Ground, rooms: Rooms): ApplianceSources {
  return {
    cameras: () => rooms.capture.status(),
    link: () => rooms.hub.status(),
    upload: () => rooms.uploader.status(),
    ledger: rooms.ledger,
    power: () => rooms.power.status(),
    health: rooms.health,
    storage: () => rooms.reports.storage(),
    desired: () => rooms.settings.desired(),
    conditions: () => conditions.list(),
  };
}

function buildDashboard(ground: Ground, rooms: Rooms): Dashboard {
  const { deviceId, dashboard, timeZone } = ground.files.config;
  return createDashboard({
    ...sourcesOf(ground, rooms),
    deviceId,
    host: dashboard.host,
    port: dashboard.port,
    timeZone: timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    names: dashboard.names ?? [],
    dataDir: ground.dataDir,
    register: ground.conditions,
    ledger: rooms.ledger,
    bestFrame: (clipId) => rooms.uploader.bestFrame(clipId),
    suppressed: rooms.suppressed,
    clock: ground.clock,
    log: logOf(ground, 'dashboard'),
  });
}

function buildWatchdog(ground: Ground, rooms: Rooms): Watchdog {
  const { clock, manager } = ground;
  return createWatchdog({
    checks: [
      createLedgerCheck({ ledger: rooms.ledger, clock }),
      rooms.hubTurn,
      createCaptureCheck({ cameras: () => rooms.capture.status(), clock }),
    ],
    manager,
    statusLine: () => statusLine(ground, rooms),
    clock,
    log: logOf(ground, 'health'),
  });
}
