import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Footage, prepareFootage } from '../../../../hardware/simulators/camera/footage.ts';
import { withDeadline } from '../../../../agent/kernel/waiting/deadline.ts';
import type { LiveDeps } from './live.ts';
import type { BenchClip } from './manifest.ts';
import type { Run } from './measure.ts';
import type { Span } from './spans.ts';

/** motion warms up in its first seconds, as ours learns. */
const WARM_UP_S = 5;
const SLACK_S = 60;
const EVENT_GAP_S = 1;
/** motion counts the gap in whole seconds: its events end a gap and half a second late on average. */
const LATE_S = EVENT_GAP_S + 0.5;
/** Of a process's CPU time in /proc; the same on every Linux that Debian builds. */
const TICKS_PER_S = 100;
/** Begins each access unit of prepared footage. */
const DELIMITER = Buffer.from([0, 0, 0, 1, 9]);

/** What a careful owner sets for a 640 x 360 sub-stream: the threshold raised with the picture, noise tuned by motion
 *  itself (its default), single pixels removed, light switches ignored, three pictures in a row. Nothing is written. */
const settings = (video: string, fps: number): string => `
daemon off
setup_mode off
log_level 6
netcam_url file://${video}
netcam_params capture_rate = ${fps}
width 640
height 360
framerate ${fps}
threshold 1500
despeckle_filter EedDl
lightswitch_percent 50
minimum_motion_frames 3
event_gap ${EVENT_GAP_S}
pre_capture 0
post_capture 0
picture_output off
movie_output off
webcontrol_port 0
stream_port 0
`;

/** One clip in real time through Debian's motion. It gets the coded pictures of the sub-stream that the simulated
 *  camera would send, as a file: over RTSP it starts seconds late and lags more and more. */
export async function runPeer(clip: BenchClip, deps: Omit<LiveDeps, 'sensitivity'>): Promise<Run> {
  const { cacheDir, signal } = deps;
  const footage = await prepareFootage({ video: clip.path, cacheDir, signal });
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-peer-'));
  try {
    const fps = footage.fps.num / footage.fps.den;
    const groups = Math.ceil((Math.max(clip.leadInS, WARM_UP_S) * fps) / footage.gopFrames);
    const video = join(dir, 'sub.mp4');
    await packSub(footage, groups, video);
    await writeFile(join(dir, 'motion.conf'), settings(video, Math.round(fps)));
    const played = await play(dir, clip.durationS + SLACK_S + clip.leadInS, signal);
    const leadInS = (groups * footage.gopFrames) / fps;
    // The file's end is its last picture standing still: not part of the clip.
    const alarms = played.alarms
      .map(({ fromS, toS }) => ({
        fromS: fromS - leadInS,
        toS: Math.min(toS - leadInS, footage.durationS),
      }))
      .filter(({ fromS, toS }) => fromS <= toS);
    return { alarms, watchedS: played.watchedS, cpuS: played.cpuS };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Puts the sub-stream into a file as it is, its first still group of pictures as often as wanted. */
async function packSub({ subFile, gopFrames, fps }: Footage, groups: number, file: string): Promise<void> {
  const stream = await readFile(subFile);
  let end = 0;
  for (let unit = 0; unit < gopFrames; unit++) end = stream.indexOf(DELIMITER, end + DELIMITER.length);
  const still = stream.subarray(0, end);
  const rate = `${fps.num}/${fps.den}`;
  const child = spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-y', '-framerate', rate, '-f', 'h264'],
      ...['-i', 'pipe:0', '-c', 'copy', file],
    ],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  // A broken pipe is told by the exit code.
  child.stdin.on('error', () => undefined);
  for (let group = 0; group < groups; group++) child.stdin.write(still);
  child.stdin.end(stream.subarray(end));
  if ((await ended) !== 0) throw new Error(`ffmpeg cannot pack ${subFile} for motion`);
}

/** Plays `motion.conf` of `dir` once. Times from the first picture of the file. motion tells when it has opened the
 *  file and when it opens it again at its end; between the two it keeps real time. */
async function play(
  dir: string,
  longestS: number,
  signal: AbortSignal,
): Promise<{ alarms: Span[]; watchedS: number; cpuS: number }> {
  const child = spawn('motion', ['-n', '-c', join(dir, 'motion.conf')], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const alarms: Span[] = [];
  let openedMs: number | undefined;
  let eventS: number | undefined;
  let cpuBefore = 0;
  const pid = child.pid ?? 0;
  let last = '';
  const played = new Promise<{ watchedS: number; cpuS: number }>((resolve, reject) => {
    const hear = (line: string): void => {
      last = line;
      const atS = (performance.now() - (openedMs ?? performance.now())) / 1000;
      if (openedMs === undefined) {
        if (!/netcam_rtsp_connect: .* connected/.test(line)) return;
        openedMs = performance.now();
        cpuBefore = cpuSeconds(pid);
      } else if (/Motion detected - starting event/.test(line)) eventS = atS;
      else if (/End of event/.test(line)) endEvent(atS - LATE_S);
      else if (/netcam_rtsp_handler_reconnect/.test(line)) {
        endEvent(atS);
        resolve({ watchedS: atS, cpuS: cpuSeconds(pid) - cpuBefore });
      }
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', hear);
    child.once('error', reject);
    void closed.then(() => reject(new Error(`motion ended by itself: ${last}`)));
  });
  function endEvent(atS: number): void {
    if (eventS === undefined) return;
    alarms.push({ fromS: eventS, toS: Math.max(eventS, atS) });
    eventS = undefined;
  }
  try {
    const cost = await withDeadline(played, longestS * 1000, 'motion playing a clip', 'bench.peer');
    return { alarms, ...cost };
  } finally {
    // It writes nothing that would have to be closed.
    child.kill('SIGKILL');
    await closed;
  }
}

/** CPU seconds of a process so far, all its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}
