import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CameraSimulator } from '../../../../hardware/simulators/camera/camera.ts';
import type { WatchOptions } from './watch-program.ts';

/** Something that watches or records a camera, and what it costs. */
export interface Subject {
  readonly name: string;
  readonly process: ChildProcess;
  /** It receives its camera's pictures.
   *  @throws Error with its last words when it ends before */
  ready(): Promise<void>;
  /** Clips that it has begun; undefined: it does not say. */
  clips(): Promise<number | undefined>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 120_000;
const ASK_EVERY_MS = 500;
/** What does not say of itself that it receives pictures is believed to after this long. */
const SETTLES_MS = 10_000;

interface Told {
  readonly states: readonly string[];
  readonly clips: number;
}

function subjectOf(
  name: string,
  child: ChildProcess,
  isReady: () => Promise<boolean>,
  clips: Subject['clips'],
): Subject {
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2_000);
    });
  const gone = once(child, 'exit');
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    process: child,
    clips,
    ready: async () => {
      const deadlineMs = performance.now() + READY_WITHIN_MS;
      while (!(await isReady())) {
        if (isGone()) throw new Error(`${name} ended: ${words.trim().split('\n').at(-1)}`);
        if (performance.now() > deadlineMs) throw new Error(`${name} did not get to see its camera`);
        await delay(ASK_EVERY_MS);
      }
      if (isGone()) throw new Error(`${name} ended: ${words.trim().split('\n').at(-1)}`);
    },
    stop: async () => {
      if (isGone()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** A program of ours that answers each message with how it is. */
function ours(name: string, program: string, argument: string): Subject {
  const child = fork(new URL(program, import.meta.url), [argument], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ask = async (): Promise<Told | undefined> => {
    if (!child.connected) return undefined;
    child.send({}, () => undefined);
    const answer = once(child, 'message').then(([told]) => told as Told);
    return await Promise.race([answer, delay(5_000).then(() => undefined)]);
  };
  const isLive = async () => (await ask())?.states.every((state) => state === 'live') ?? false;
  return subjectOf(name, child, isLive, async () => (await ask())?.clips);
}

export const agentCapture = (name: string, cameras: readonly CameraSimulator[], dir: string): Subject => {
  const options: WatchOptions = {
    cameras: cameras.map(({ mainUrl, subUrl }) => ({ main: mainUrl, sub: subUrl })),
    dir,
  };
  return ours(name, 'watch-program.ts', JSON.stringify(options));
};

export const ringAlone = (camera: CameraSimulator): Subject =>
  ours('ours, ring', 'ring-program.ts', camera.mainUrl);

function settling(name: string, child: ChildProcess): Subject {
  const sinceMs = performance.now();
  const settled = async () => performance.now() - sinceMs > SETTLES_MS;
  return subjectOf(name, child, settled, async () => undefined);
}

/** The least that a recorder does: the main stream into MP4 files of a minute, untouched. */
export async function gstreamerFloor(camera: CameraSimulator, dir: string): Promise<Subject> {
  await mkdir(dir, { recursive: true });
  const launch = [
    ...['rtspsrc', `location=${camera.mainUrl}`, 'protocols=tcp', 'latency=200'],
    // A picture a buffer, with the time of its packets: the muxer refuses what has none.
    ...['!', 'rtph264depay', '!', 'video/x-h264,stream-format=avc,alignment=au', '!', 'h264parse'],
    ...['!', 'splitmuxsink', `location=${join(dir, '%d.mp4')}`, 'max-size-time=60000000000', 'max-files=2'],
  ];
  return settling('floor', spawn('gst-launch-1.0', ['-q', ...launch], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Debian's motion: looks at the sub stream, records the main stream as it is. Settings of a careful owner. */
export async function peerMotion(name: string, camera: CameraSimulator, dir: string): Promise<Subject> {
  await mkdir(dir, { recursive: true });
  const file = join(dir, 'motion.conf');
  await writeFile(
    file,
    `daemon off
setup_mode off
log_level 4
target_dir ${dir}
netcam_url ${camera.subUrl}
netcam_params rtsp_transport=tcp
netcam_high_url ${camera.mainUrl}
netcam_high_params rtsp_transport=tcp
width 640
height 360
framerate 15
threshold 1500
event_gap 10
pre_capture 5
post_capture 5
picture_output off
movie_output on
movie_passthrough on
movie_codec mp4
movie_max_time 60
movie_filename clip
webcontrol_port 0
stream_port 0
`,
  );
  return settling(name, spawn('motion', ['-n', '-c', file], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] }));
}
