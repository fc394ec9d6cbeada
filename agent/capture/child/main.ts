/** A capture child: one camera, in a process of its own, because the native media code in it may hang or crash.
 *  Forked by camera-process.ts. It gets everything by IPC and gives everything back by IPC.
 *  Invariants
 *  1. It never outlives its parent: when the channel closes it ends at once, whatever native threads do.
 *  2. It never reconnects: a stream that ended or stalled ends the process, with the reason, after the running clip
 *     is closed and reported. */
import { writeLogLine } from '@dachawatch/contracts/standard-error';
import { systemClock } from '../../kernel/clock.ts';
import { withDeadline } from '../../kernel/waiting/deadline.ts';
import type { Cause } from '../../motion/motion.ts';
import { Failure } from '../../kernel/failure.ts';
import type { FromChild, Question, ToChild } from '../messages.ts';
import type { ClipSlot, NoSlot } from './clips/open-clip.ts';
import { createCameraSession, type CameraSession } from './camera-session.ts';

/** The parent only writes a row. */
const PLACE_MS = 5_000;
/** To close a running clip on a slow disk. */
const FINISH_MS = 5_000;

type Place = ClipSlot | NoSlot | undefined;

const places = new Map<number, (place: Place) => void>();
let requests = 0;
let session: CameraSession | undefined;
let ending = false;

let lastSent: Promise<void> = Promise.resolve();

function send(message: FromChild): void {
  if (!process.connected) return;
  lastSent = new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

function askSlot(triggeredMs: number, cause: Cause): Promise<Place> {
  const requestId = ++requests;
  const { promise, resolve } = Promise.withResolvers<Place>();
  const timer = setTimeout(() => resolve(undefined), PLACE_MS);
  places.set(requestId, resolve);
  send({ type: 'trigger', requestId, triggeredMs, cause });
  return promise.finally(() => {
    clearTimeout(timer);
    places.delete(requestId);
  });
}

/** Answers a trigger. A place that comes too late is given back, so that it does not stay open for ever. */
function answer(requestId: number, place: Place): void {
  const resolve = places.get(requestId);
  if (resolve) return resolve(place);
  if (place && 'clipId' in place)
    send({ type: 'abandoned', clipId: place.clipId, reason: 'transient: the place came too late' });
}

async function ask({ type, requestId }: Question): Promise<void> {
  try {
    if (!session) throw new Failure('bug', 'capture.order', 'A question came before the settings');
    if (type === 'pause') {
      await session.pause();
      send({ type: 'paused', requestId });
    } else if (type === 'record') send({ type: 'recording', requestId, clipId: await session.record() });
    else send({ type: 'picture', requestId, ...(await session.snapshot()) });
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'bug') throw error;
    const { kind, code, message } = error;
    send({ type: 'refused', requestId, kind, code, message });
  }
}

/** Closes the clip, tells the last, lets go of the camera, and ends. Not by `exit`: that waits for the threads that wait in
 *  a pipeline, and the one at its bus is not always woken by the stop. What counts is on disk and told. */
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  try {
    if (session) await withDeadline(session.finish(), FINISH_MS, 'closing the clip', 'capture.finish');
  } catch (error) {
    writeLogLine(`${error instanceof Error ? error.stack : String(error)}\n`);
  }
  await lastSent;
  session?.stop();
  process.kill(process.pid, 'SIGKILL');
}

function beat(): void {
  if (session && !ending) send(session.heartbeat());
}

function configure(order: Extract<ToChild, { type: 'configure' }>): void {
  const { camera, credentials, recording, timings, paused, sparing = false } = order;
  session = createCameraSession({
    camera,
    credentials,
    recording,
    timings,
    paused,
    clock: systemClock,
    askSlot,
    // The camera is live from now on, not from the next turn on.
    shows: () => void setImmediate(beat),
    written: (clipId, clip) => send({ type: 'written', clipId, clip }),
    abandoned: (clipId, reason) => send({ type: 'abandoned', clipId, reason }),
    thumbnail: (clipId, jpeg) => send({ type: 'thumbnail', clipId, jpeg }),
    suppressed: (record) => send({ type: 'suppressed', record }),
    fail: (detail, more) => {
      send({ type: 'failing', detail, ...more });
      void end();
    },
  });
  session.spare(sparing);
  session.start();
  setInterval(beat, timings.heartbeatMs);
}

function obey(message: Exclude<ToChild, { type: 'configure' }>): void {
  switch (message.type) {
    case 'place':
      return answer(message.requestId, message);
    case 'no-place':
      return answer(message.requestId, message.suppressed && { suppressed: message.suppressed });
    case 'reconfigure':
      return session?.reconfigure(message);
    case 'spare':
      return session?.spare(message.sparing);
    case 'resume':
      return session?.resume();
    case 'pause':
    case 'record':
    case 'snapshot':
      return void ask(message);
    case 'stop':
      return void end();
  }
}

process.on('message', (message: ToChild) => {
  if (message.type === 'configure') configure(message);
  else obey(message);
});

// Every written fragment is on disk already, and the ledger cuts what is torn: nothing is gained by waiting.
process.on('disconnect', () => {
  if (!ending) process.kill(process.pid, 'SIGKILL');
});
// Ctrl-C reaches the whole terminal group; the parent decides when children end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => void end());
