import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type Capture,
  type CaptureDeps,
  createCapture,
  recoverTornClip,
  type RecoveredClip,
} from '../../../agent/capture/capture.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { isSlice, splitUnits, typeOf } from '../../../hardware/simulators/camera/made-pictures.ts';
import type { WrittenClip } from '../../../agent/ledger/ledger.ts';
import type { Cause } from '../../../agent/motion/motion.ts';

const run = promisify(execFile);

export interface Kept {
  readonly clipId: string;
  readonly file: string;
  readonly cameraId: string;
  readonly triggeredMs: number;
  readonly cause: Cause;
  written?: WrittenClip;
  thumbnail?: Buffer;
  abandoned?: { reason: string; recovered: RecoveredClip | undefined };
}

export interface CaptureRig {
  readonly dir: string;
  readonly kept: Kept[];
  readonly logged: string[];
  capture(settings: { main: string; sub: string } & Partial<CaptureDeps>): Capture;
  /** Stops every capture and removes the folder. */
  close(): Promise<void>;
}

/** Captures into a folder of its own, with a store that only notes and recovers. */
export async function createRig(): Promise<CaptureRig> {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-capture-'));
  const kept: Kept[] = [];
  const logged: string[] = [];
  const captures: Capture[] = [];
  const find = (clipId: string) => kept.find((one) => one.clipId === clipId) as Kept;
  return {
    dir,
    kept,
    logged,
    capture({ main, sub, ...more }) {
      const capture = createCapture({
        cameras: [{ config: { id: 'gate', main, sub, sensitivity: 5 }, credential: undefined }],
        recording: { preRollMs: 2000, postRollMs: 4000 },
        clock: systemClock,
        log: createLog('debug', (line) => logged.push(line)),
        // Long enough for a busy machine: nothing here is slow, but its turn may come late.
        timings: { heartbeatMs: 200, stalledMs: 4000, giveUpMs: 8000, killMs: 20_000, connectMs: 30_000 },
        backoff: { minMs: 100, maxMs: 1000 },
        store: {
          open: ({ cameraId, triggeredMs, cause }) => {
            const clipId = `clip-${kept.length}`;
            const place = { clipId, file: join(dir, `${clipId}.part`), cameraId, triggeredMs, cause };
            kept.push(place);
            return { clipId, partFile: place.file };
          },
          written: (clipId, written) => {
            find(clipId).written = written;
          },
          thumbnail: (partFile, jpeg) => {
            const clip = kept.find(({ file }) => file === partFile) as Kept;
            clip.thumbnail = jpeg;
          },
          abandoned: async (clipId, reason) => {
            const clip = find(clipId);
            clip.abandoned = { reason, recovered: await recoverTornClip(clip.file) };
          },
        },
        ...more,
      });
      captures.push(capture);
      return capture;
    },
    close: async () => {
      for (const capture of captures) await capture.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Asks until there is an answer. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) assert.fail(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(50);
  }
}

export async function probe(file: string) {
  const show = [
    '-show_entries',
    'format=duration,start_time:stream=codec_name,nb_read_frames',
    '-count_frames',
  ];
  const { stdout, stderr } = await run('ffprobe', ['-v', 'warning', ...show, '-of', 'json', file]);
  const { format, streams } = JSON.parse(stdout) as {
    format: { duration: string; start_time: string };
    streams: { codec_name: string; nb_read_frames: string }[];
  };
  return {
    warnings: stderr,
    durationMs: Number(format.duration) * 1000,
    startMs: Number(format.start_time) * 1000,
    codecs: streams.map(({ codec_name: codec }) => codec),
    frames: Number(streams[0]?.nb_read_frames),
  };
}

/** What a full decode complains about; empty for a clean file. */
export async function decodeComplaints(file: string): Promise<string> {
  const { stderr } = await run('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'rawvideo', '-y', '/dev/null']);
  return stderr;
}

/** Hashes of the coded slices of a file, in order: of an MP4 by way of ffmpeg, not of our own reader. */
export async function sliceHashes(file: string): Promise<{ hash: string; key: boolean }[]> {
  const options = ['-v', 'error', '-f', file.endsWith('.h264') ? 'h264' : 'mp4', '-i', file, '-c', 'copy'];
  const annexB = [...(file.endsWith('.h264') ? [] : ['-bsf:v', 'h264_mp4toannexb']), '-f', 'h264', '-'];
  const { stdout } = await run('ffmpeg', [...options, ...annexB], { encoding: 'buffer', maxBuffer: 1 << 28 });
  return splitUnits(stdout)
    .filter(isSlice)
    .map((unit) => ({ hash: createHash('sha1').update(unit).digest('hex'), key: typeOf(unit) === 5 }));
}
