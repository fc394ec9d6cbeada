/** The agent without cameras and page, to be killed and to have its disk and network calls fail: ledger, clip store,
 *  clip broker, uploader and hub link as they are, and a recorder process for each camera. Argument: JSON of
 *  `HouseArguments`. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { recoverTornClip } from '../../../../../agent/capture/recovery/recover.ts';
import { createClipBroker } from '../../../../../agent/capture/supervision/clip-broker.ts';
import type { ClipStore } from '../../../../../agent/capture/capture.ts';
import { createClipStore } from '../../../../../agent/clip-store.ts';
import { createHubLink } from '../../../../../agent/hub/hub.ts';
import { type Clock, systemClock } from '../../../../../agent/kernel/clock.ts';
import { createConditions } from '../../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';
import { createLedgerUpkeep } from '../../../../../agent/ledger/upkeep.ts';
import { createRecordingLimit, createRefusedRecordings } from '../../../../../agent/health/health.ts';
import { createCare } from '../../../../../agent/ledger/care/care.ts';
import { createLedgerService } from '../../../../../agent/ledger/ledger-service.ts';
import { createOptionalService } from '../../../../../agent/kernel/services/optional-service.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createOpenBlob } from '../../../../../agent/upload/ticket-blob-client.ts';
import { createUploader, UPLOAD_SETTINGS } from '../../../../../agent/upload/upload.ts';
import { type ClipNow, type HouseOrder, type HouseReport, isAtEnd } from './house.ts';
import { openJournal } from '../journal.ts';
import type { Order, Report } from './recorder-process.ts';
import { createSaboteur } from './sabotage.ts';
import { ANSWER_MS, CLIP_BYTES_MAX, DEVICE, HASTE, type HouseArguments } from '../settings.ts';

const args = JSON.parse(process.argv[2] ?? '{}') as HouseArguments;
const LEASE_MS = 15 * 60_000 * 4;
const RECORDER_AGAIN_MS = 50;
const LISTED = 200;

/** Time of the rooms that wait: faster than in life. */
const clock: Clock = {
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs() * HASTE,
  sleep: (ms, signal) => systemClock.sleep(ms / HASTE, signal),
};
const log = createLog('warn', (line) => process.stderr.write(line));
const journal = openJournal(args.journalFile);
journal.write({ did: 'started' });
const say = (report: HouseReport) => process.send?.(report, undefined, undefined, () => undefined);

const conditions = createConditions({ clock, log });
const ledger = createLedgerService({
  dir: args.dir,
  care: createCare({ dir: args.dir, log }),
  onOpen: () => {
    uploader.wake();
    hub.wakeOutbox();
  },
  conditions,
  clock,
  log,
  maxBytes: CLIP_BYTES_MAX,
  leaseMs: LEASE_MS,
  recoverTorn: recoverTornClip,
  onEvent: () => hub.wakeOutbox(),
});
const hub = createHubLink({
  ...args.hub,
  store: (message) => ledger.storeMessage(message),
  onMessage: () => void ledger.drainInbox(),
  onOnline: () => uploader.wake(),
  outbox: ledger,
  onDesired: () => undefined,
  ticketsFile: join(args.dir, 'upload-tickets.json'),
  methods: {},
  clock: systemClock,
  log,
  timings: {
    ...{ retry: { minMs: 20, maxMs: 300 }, unreachable: { minMs: 20, maxMs: 200 }, refusedMinMs: 100 },
    ...{ probeMs: 2_000, stableMs: 1_000, callMs: ANSWER_MS, closeMs: 300, reportEveryMs: 50 },
  },
});
const openBlob = createOpenBlob({ ...UPLOAD_SETTINGS, requestMs: ANSWER_MS, blockMs: ANSWER_MS });
const saboteur = createSaboteur(args.sabotage, { ledger, hub, openBlob, dir: args.dir });
const uploader = createUploader({
  ledger,
  tickets: hub,
  conditions,
  clock,
  log,
  deviceId: DEVICE,
  framesDir: join(args.dir, 'frames'),
  online: () => hub.status().state === 'online',
  settings: {
    ticketMs: ANSWER_MS,
    requestMs: ANSWER_MS,
    blockMs: ANSWER_MS,
    verdictAfterMs: 5_000,
    verdictAfterConnectMs: 2_000,
  },
  openBlob: saboteur.openBlob,
});

const onSealed = () => uploader.wake();
const refusedRecordings = createRefusedRecordings({ conditions, clock });
const limit = createRecordingLimit({ dailyMinutes: () => undefined, ledger, conditions, clock });
const real = createClipStore({ ledger, onSealed, refusedRecordings, limit, clock, log });
const store: ClipStore = {
  open(request) {
    const place = real.open(request);
    if (place && 'clipId' in place)
      journal.write({
        ...{ did: 'opened', cameraId: request.cameraId },
        ...{ ...place, hasRow: saboteur.hasRow(place.clipId) },
      });
    return place;
  },
  written(clipId, written) {
    real.written(clipId, saboteur.written(clipId, written));
    saboteur.sealed(clipId);
  },
  thumbnail: (partFile, jpeg) => real.thumbnail(partFile, jpeg),
  abandoned: (clipId, reason) => real.abandoned(clipId, reason),
};

/** A camera's recorder, forked again when it dies, as capture does. */
function watch(cameraId: string, offset: number) {
  let child: ChildProcess | undefined;
  let moving = false;
  const send = (order: Order) => child?.connected && child.send(order, undefined, undefined, () => undefined);
  const broker = createClipBroker({
    cameraId,
    store,
    log,
    send: (message) => void ((message.type === 'place' || message.type === 'no-place') && send(message)),
  });
  const still = () => {
    moving = false;
    say({ still: cameraId });
  };
  function start(): void {
    const one = fork(
      join(import.meta.dirname, 'recorder-process.ts'),
      [JSON.stringify({ ...args, offset })],
      {
        env: { ...process.env, ...args.recorderEnvironment },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    );
    child = one;
    if (one.pid !== undefined) say({ recorder: one.pid });
    one.on('message', (report: Report) => (report.type === 'still' ? still() : broker.take(report)));
    one.once('exit', () => void startAgain());
  }
  async function startAgain(): Promise<void> {
    await broker.settle('the capture process ended');
    if (moving) still();
    await systemClock.sleep(RECORDER_AGAIN_MS);
    start();
  }
  start();
  return {
    move(seconds: number) {
      moving = true;
      send({ type: 'move', seconds });
    },
    moving: () => moving,
    kill: () => void child?.kill('SIGKILL'),
  };
}

const recorders = new Map(
  args.cameras.map((id, index) => [id, watch(id, ((args.seed + index * 7) >>> 0) % 40)]),
);

const recording = () => [...recorders.values()].some((recorder) => recorder.moving());

function clipsNow(clipIds: readonly string[]): ClipNow[] {
  const open = ledger.clips({ limit: LISTED }).filter((clip) => !isAtEnd(clip));
  const wanted = clipIds.flatMap((id) => ledger.clip(id) ?? []);
  return [...new Map([...open, ...wanted].map((clip) => [clip.clipId, clip])).values()].map(
    ({ clipId, cameraId, state, reason, bytes, sha256, blobUrl, verdict }) => ({
      ...{ clipId, cameraId, state, reason, bytes, sha256, blobUrl, revision: verdict?.revision ?? null },
    }),
  );
}

function tell(clipIds: readonly string[]): void {
  try {
    say({ clips: clipsNow(clipIds), recording: recording() });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say({ closed: error.message });
  }
}

process.on('message', (order: HouseOrder) => {
  if (order.do === 'move') recorders.get(order.cameraId)?.move(order.seconds);
  if (order.do === 'kill recorder') recorders.get(order.cameraId)?.kill();
  if (order.do === 'tell') tell(order.clipIds);
});
process.on('disconnect', () => process.exit(0));
const upkeep = createLedgerUpkeep({ ledger, onSealed, clock, log });
for (const room of [ledger, upkeep, hub, uploader])
  await createOptionalService(room, { clock, conditions, log }).start();
say({ ready: true });
