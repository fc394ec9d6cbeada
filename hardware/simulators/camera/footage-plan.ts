import type { VideoFacts } from './video-probe.ts';

/** How a video is encoded as a camera would. Part of the cache key, so any change here makes new footage. */
export interface FootagePlan {
  readonly version: 1;
  readonly stream: number;
  readonly fps: { readonly num: number; readonly den: number };
  readonly gopFrames: number;
  readonly main: StreamPlan;
  readonly sub: StreamPlan;
}

export interface StreamPlan {
  readonly width: number;
  readonly height: number;
  readonly bitrateKbps: number;
}

const LONGEST = { width: 1920, height: 1080, fps: 15 };
const GOP_MS = 2_000;

/** Main: the video's own size and rate, at most 1080p15. Sub: always 640x360.
 *
 *  The whole picture is scaled into the sub-stream, also when it is not 16:9, as cameras with such sensors do.
 *  Padding it would keep shapes true but would make a place in the sub-stream differ from the same place in the
 *  main stream, and zones are drawn on one and watched on the other.
 *  @param gopMs from one key frame to the next */
export function planFootage(facts: VideoFacts, gopMs = GOP_MS): FootagePlan {
  const scale = Math.min(1, LONGEST.width / facts.width, LONGEST.height / facts.height);
  const width = even(facts.width * scale);
  const height = even(facts.height * scale);
  const rate = facts.fps.num / facts.fps.den;
  // Below one picture a second (time lapse) a two-second GOP would have no P frame.
  const fps = rate > LONGEST.fps ? { num: LONGEST.fps, den: 1 } : rate < 1 ? { num: 1, den: 1 } : facts.fps;
  return {
    version: 1,
    stream: facts.stream,
    fps,
    gopFrames: Math.max(2, Math.round(((fps.num / fps.den) * gopMs) / 1000)),
    main: { width, height, bitrateKbps: bitrateKbps(width * height) },
    sub: { width: 640, height: 360, bitrateKbps: 500 },
  };
}

/** The size H.264 4:2:0 can hold; 16 is the smallest picture that every decoder takes. */
const even = (pixels: number) => Math.max(16, Math.floor(pixels / 2) * 2);

/** 3 Mbit/s at 1080p. Small pictures need more bits for each pixel, hence the exponent. */
function bitrateKbps(pixels: number): number {
  return Math.max(200, Math.round(3000 * (pixels / (1920 * 1080)) ** 0.75));
}

/** ffmpeg's arguments. Before and after the footage stands still what the camera shows while nothing happens:
 *  one GOP of the first picture, and enough of the last to fill its GOP and one more. */
export function encoderArguments(video: string, plan: FootagePlan, files: { main: string; sub: string }) {
  const { fps, gopFrames, main, sub, stream } = plan;
  const still = `tpad=start=${gopFrames}:start_mode=clone:stop=${2 * gopFrames}:stop_mode=clone`;
  const graph = [
    `[0:${stream}]setpts=PTS-STARTPTS,fps=${fps.num}/${fps.den},scale=${main.width}:${main.height},setsar=1`,
    `format=yuv420p,${still},split[m][whole];[whole]scale=${sub.width}:${sub.height},setsar=1[s]`,
  ].join(',');
  const input = ['-nostdin', '-hide_banner', '-v', 'error', '-progress', 'pipe:1', '-nostats', '-y'];
  return [
    ...[...input, '-i', `file:${video}`, '-filter_complex', graph],
    ...encoder('[m]', main, gopFrames, files.main),
    ...encoder('[s]', sub, gopFrames, files.sub),
  ];
}

function encoder(label: string, { bitrateKbps }: StreamPlan, gop: number, file: string): string[] {
  const rate = `${bitrateKbps}k`;
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-bf', '0'];
  const gops = ['-g', `${gop}`, '-keyint_min', `${gop}`, '-sc_threshold', '0'];
  // Each access unit begins with a delimiter, which is how the simulator finds it again.
  const delimiters = ['-x264-params', 'aud=1:open-gop=0'];
  const rates = ['-b:v', rate, '-maxrate', rate, '-bufsize', rate];
  const output = ['-fps_mode', 'passthrough', '-f', 'h264', `file:${file}`];
  return ['-map', label, ...codec, ...gops, ...delimiters, ...rates, ...output];
}
