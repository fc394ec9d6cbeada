/** `scripts/bench packets`: whether clips hold the camera's own packets, byte for byte, while scenes, parameter sets and
 *  the line to the camera change. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Capture, createCapture } from '../../../../agent/capture/capture.ts';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { startMadeCamera } from '../../../../hardware/simulators/camera/made-camera.ts';
import { pictureAt } from '../../../../hardware/simulators/camera/made-channel.ts';
import { makePictures, type MadePicture } from '../../../../hardware/simulators/camera/made-pictures.ts';
import type { Take } from '../../../../hardware/simulators/camera/made-stream.ts';
import {
  type Break,
  startTroubleLine,
  type TroubleLine,
} from '../../../../hardware/simulators/camera/trouble-line.ts';
import { choice, flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { type Comparison, compare, type RecordedClip } from './recorded.ts';

const FPS = 10;
/** The scene: something moves for a while, then nothing does. */
const [MOVING_S, STILL_S] = [12, 16];
/** From one set of parameters to the other; it fits neither the scene nor the faults. */
const FORMAT_S = 34;
/** From one fault to the next. */
const FAULT_EVERY_S = 37;
const FAULTS: readonly Break[] = ['reset', 'half-packet', 'refuse', 'garbage', 'end'];
const BROKEN_MS = 2_000;
const LOOK_EVERY_MS = 200;
const LIVE_WITHIN_MS = 180_000;

export interface PacketsOptions {
  readonly seconds: number;
  readonly sabotage?: 'flip-byte' | undefined;
}

export interface PacketsOutcome extends Comparison {
  readonly seconds: number;
  readonly clips: number;
  readonly sent: number;
  readonly faults: number;
  /** How watchful the decoding was, and how often it changed. */
  readonly modes: readonly string[];
  readonly changes: number;
}

/** @returns exit code: 1 when something was not recorded as it was sent */
export async function benchPackets(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    seconds: whole(40, 86_400),
    sabotage: choice(['flip-byte']),
    json: flag,
  });
  requireNoWords(words);
  const { seconds = 600, sabotage, json } = values;
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await recordPackets({ seconds, sabotage }, tell, signal);
  const { findings, ...figures } = outcome;
  for (const line of findings) tell(line);
  const table = Object.entries(figures).map(([name, value]) => `${name.padEnd(10)} ${String(value)}`);
  process.stdout.write(`${json ? JSON.stringify(outcome) : table.join('\n')}\n`);
  return findings.length === 0 ? 0 : 1;
}

/** Has the capture room watch and record a camera for so long, then compares. */
export async function recordPackets(
  { seconds, sabotage }: PacketsOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<PacketsOutcome> {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-packets-'));
  const takes = await takesOf(seconds);
  const camera = await startMadeCamera({
    main: { fps: FPS, takes: takes.main, numbered: true },
    sub: { fps: FPS, takes: takes.sub },
  });
  const line = await startTroubleLine(Number(new URL(camera.mainUrl).port));
  const clips: RecordedClip[] = [];
  const capture = captureOf(line, dir, clips);
  try {
    await capture.start();
    await live(capture, signal);
    tell(`the camera is live; ${seconds} s of it are recorded`);
    const watched = await watch({ capture, line, seconds, tell, signal });
    await capture.stop();
    if (sabotage === 'flip-byte') await flipByte(clips[0]);
    const at = pictureAt(takes.main);
    const sent = { fps: FPS, group: FPS, picture: (number: number): MadePicture => at(number).picture };
    const comparison = await compare(clips, sent);
    return { seconds, clips: clips.length, sent: camera.sent('main'), ...watched, ...comparison };
  } finally {
    await capture.stop();
    await line.stop();
    await camera.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Both streams for so long, and somewhat longer. */
async function takesOf(seconds: number): Promise<{ main: Take[]; sub: Take[] }> {
  const take = (width: number, height: number) => makePictures({ width, height, fps: FPS, seconds: 2 });
  const [large, small, scene] = [await take(320, 180), await take(160, 120), await take(320, 180)];
  // A key picture again and again: nothing moves.
  const still = scene.slice(0, 1);
  const longS = seconds * 2 + 600;
  const main = Array.from({ length: Math.ceil(longS / FORMAT_S) }, (_, n) => ({
    pictures: n % 2 === 0 ? large : small,
    times: FORMAT_S / 2,
  }));
  const sub = Array.from({ length: Math.ceil(longS / (MOVING_S + STILL_S)) }, () => [
    { pictures: still, times: STILL_S * FPS },
    { pictures: scene, times: MOVING_S / 2 },
  ]).flat();
  return { main, sub };
}

function captureOf(line: TroubleLine, dir: string, clips: RecordedClip[]): Capture {
  let begun = 0;
  const { HOME = '', PATH = '' } = process.env;
  const file = (clipId: string) => join(dir, `${clipId}.mp4.part`);
  return createCapture({
    cameras: [
      { config: { id: 'gate', main: line.mainUrl, sub: line.subUrl, sensitivity: 5 }, credential: undefined },
    ],
    // Shorter than something moves: clips follow each other without a gap.
    recording: { preRollMs: 2_000, postRollMs: 4_000 },
    clock: systemClock,
    log: createLog('silent'),
    environment: { HOME, PATH },
    timings: { heartbeatMs: 200, stalledMs: 4_000, giveUpMs: 8_000, killMs: 30_000, connectMs: 30_000 },
    backoff: { minMs: 100, maxMs: 500 },
    store: {
      open: () => {
        const clipId = `clip-${++begun}`;
        return { clipId, partFile: file(clipId) };
      },
      written: (clipId, { startedMs, durationMs }) =>
        void clips.push({ clipId, file: file(clipId), startedMs, durationMs }),
      thumbnail: () => undefined,
      abandoned: async () => undefined,
    },
  });
}

async function live(capture: Capture, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + LIVE_WITHIN_MS;
  while (capture.status()[0]?.state !== 'live') {
    if (performance.now() > deadlineMs) throw new Error('the camera did not become live');
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

interface Watching {
  readonly capture: Capture;
  readonly line: TroubleLine;
  readonly seconds: number;
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** Breaks the line now and then, and notes how watchful the decoding is. */
async function watch({ capture, line, seconds, tell, signal }: Watching) {
  const modes = new Set<string>();
  let mode: string | undefined;
  let [changes, faults] = [0, 0];
  const beganMs = performance.now();
  for (;;) {
    const passedS = (performance.now() - beganMs) / 1000;
    if (passedS >= seconds) return { modes: [...modes].toSorted(), changes, faults };
    const now = capture.status()[0]?.alertness;
    if (now && now !== mode) {
      if (mode !== undefined) changes++;
      modes.add(now);
      mode = now;
    }
    if (passedS >= (faults + 1) * FAULT_EVERY_S && passedS < seconds - BROKEN_MS / 1000) {
      const how = FAULTS[faults++ % FAULTS.length] as Break;
      tell(`${Math.round(passedS)} s: ${how}`);
      await line.break(how);
      if (how === 'refuse') await delay(BROKEN_MS, undefined, { signal });
      await line.mend();
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** In the middle of the last pictures of the clip. */
async function flipByte(clip: RecordedClip | undefined): Promise<void> {
  if (!clip) return;
  const bytes = await readFile(clip.file);
  const box = bytes.lastIndexOf('mdat');
  const at = box + Math.floor(bytes.readUInt32BE(box - 4) / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(clip.file, bytes);
}
