/** The recording half of a capture process, to be killed and to have its disk calls fail: ring, recorder and clip writer
 *  as they are, fed with real fragments in place of a camera. Its clock is the footage's, so that it does the same again.
 *  Argument: JSON of `RecorderArguments`. Speaks with its parent as a capture process does with the agent. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createClipWriter } from '../../../../../agent/capture/child/clips/clip-writer.ts';
import { createFragmentRing } from '../../../../../agent/capture/child/fragment-ring.ts';
import { createMediaClock } from '../../../../../agent/capture/packing/media-clock.ts';
import type { FromChild, ToChild } from '../../../../../agent/capture/messages.ts';
import type { ClipSlot } from '../../../../../agent/capture/child/clips/open-clip.ts';
import { createRecorder, type RecorderDeps } from '../../../../../agent/capture/child/recorder.ts';
import { readFootage } from '../footage.ts';
import { openJournal } from '../journal.ts';
import { FEED_DEADLINE_MS, PRE_ROLL_MS, RECORDING, type RecorderArguments } from '../settings.ts';

/** Parent to recorder, beside the places of clips. */
export type Order =
  | Extract<ToChild, { type: 'place' | 'no-place' }>
  | { readonly type: 'move'; readonly seconds: number };
/** Recorder to parent, beside what a capture process says. */
export type Report =
  | Extract<FromChild, { type: 'trigger' | 'written' | 'abandoned' }>
  | { readonly type: 'still' };

const { footageFile, journalFile, offset } = JSON.parse(process.argv[2] ?? '{}') as RecorderArguments;
const journal = openJournal(journalFile);
const footage = readFootage(footageFile);
const say = (report: Report) => process.send?.(report, undefined, undefined, () => undefined);
process.on('disconnect', () => process.exit(0));

const ring = createFragmentRing({ keepMs: PRE_ROLL_MS + 2_000, maxBytes: 64 * 1024 * 1024 });
const mediaClock = createMediaClock();
/** Time of this process: where the footage is, and a little more while it waits. */
const beganMs = Date.now();
let mediaMs = footage.fragment(offset).startMs;
let fedAt = performance.now();
const sinceFedMs = () => Math.min(900, performance.now() - fedAt);
const clock = {
  monotonicMs: () => mediaMs + sinceFedMs(),
  nowMs: () => beganMs + sinceFedMs() + mediaMs - footage.fragment(offset).startMs,
};

const asked = new Map<number, (place: ClipSlot | undefined) => void>();
let requests = 0;
/** A fragment comes just now; what the writer is given at other times comes from the ring. */
let feeding = false;
/** The writer that is at work. */
let current: Work | undefined;
interface Work {
  given: number;
  durable: number;
  closing: boolean;
  over: boolean;
}

const askSlot: RecorderDeps['askSlot'] = (triggeredMs, cause) => {
  const requestId = ++requests;
  const place = new Promise<ClipSlot | undefined>((resolve) => asked.set(requestId, resolve));
  say({ type: 'trigger', requestId, triggeredMs: Math.round(triggeredMs), cause });
  return place;
};

/** The real writer; what it is given and what the disk answers is noted. */
const createWriter: RecorderDeps['createWriter'] = (deps) => {
  const clipId = basename(deps.file).replace('.mp4.part', '');
  const work: Work = { given: 0, durable: 0, closing: false, over: false };
  current = work;
  let bytes = 0;
  const synced = () => {
    journal.write({ did: 'synced', clipId, fragments: work.durable, bytes });
  };
  const openFile = async (file: string) => {
    const handle = await open(file, 'wx');
    return {
      async writev(parts: readonly NodeJS.ArrayBufferView[]) {
        const result = await handle.writev([...parts]);
        bytes += result.bytesWritten;
        return result;
      },
      async datasync() {
        await handle.datasync();
        // Once for each fragment.
        work.durable++;
        synced();
      },
      async sync() {
        await handle.sync();
        synced();
      },
      async truncate(length: number) {
        await handle.truncate(length);
        bytes = length;
      },
      close: () => handle.close(),
    } as FileHandle;
  };
  const writer = createClipWriter({
    ...deps,
    openFile,
    // It is closed now, and recording goes on in another clip: a camera does not send ten seconds in that time.
    onFailure(failure) {
      work.closing = true;
      deps.onFailure(failure);
    },
  });
  return {
    append(fragment) {
      const hash = createHash('sha256');
      for (const part of fragment.mdat) hash.update(part);
      const ms = Math.round(fragment.endMs - fragment.startMs);
      journal.write({ did: 'given', clipId, sha256: hash.digest('hex'), ms, live: feeding });
      work.given++;
      writer.append(fragment);
    },
    close() {
      work.closing = true;
      return writer.close().finally(() => {
        work.over = true;
      });
    },
  };
};

const recorder = createRecorder({
  recording: RECORDING,
  ring,
  mediaClock,
  clock,
  askSlot,
  createWriter,
  written: (clipId, clip) => say({ type: 'written', clipId, clip }),
  abandoned: (clipId, reason) => say({ type: 'abandoned', clipId, reason }),
});

let next = offset;
/** The camera's next second. It waits until the disk has answered for what came before, as at a camera's own pace. */
async function feed(): Promise<void> {
  const deadline = performance.now() + FEED_DEADLINE_MS;
  const atWork = () =>
    current !== undefined && !current.over && (current.closing || current.durable < current.given);
  do await new Promise((resolve) => setTimeout(resolve, 2));
  while ((asked.size > 0 || atWork()) && performance.now() < deadline);
  // Whoever looks for a cause finds it at the end of the house's log.
  if (performance.now() >= deadline)
    process.stderr.write(
      `recorder: waited in vain, ${JSON.stringify({ asked: [...asked.keys()], current })}\n`,
    );
  const fragment = footage.fragment(next++);
  mediaMs = fragment.arrivedMs;
  fedAt = performance.now();
  mediaClock.observe(fragment);
  ring.push(fragment);
  feeding = true;
  recorder.fragment(fragment);
  feeding = false;
}

/** So many seconds of motion, and on until no clip runs. */
async function move(seconds: number): Promise<void> {
  while (ring.count * 1_000 < PRE_ROLL_MS) await feed();
  const cause = { kind: 'request' } as const;
  for (let second = 0; second <= seconds; second++) {
    recorder.motion(clock.monotonicMs(), cause);
    await feed();
  }
  for (let more = 0; recorder.recording() && more < 60; more++) await feed();
  say({ type: 'still' });
}

let moving = Promise.resolve();
process.on('message', (order: Order) => {
  if (order.type === 'move') {
    moving = moving.then(() => move(order.seconds));
    return;
  }
  const place = order.type === 'place' ? { clipId: order.clipId, partFile: order.partFile } : undefined;
  asked.get(order.requestId)?.(place);
  asked.delete(order.requestId);
});
