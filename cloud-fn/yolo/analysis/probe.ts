import { ClipProblem } from '../clip-problem.ts';
import { ONLY_THIS_FILE, outputOf, runMediaTool } from './run-media-tool.ts';

/** What has to be known of a clip before it is decoded. */
export interface ClipShape {
  /** Pixels, as shown: rotation applied. */
  readonly width: number;
  readonly height: number;
  /** How long the container says it is; undefined when it does not tell. */
  readonly durationMs: number | undefined;
  /** Where the container's time begins. */
  readonly startMs: number;
}

const OUTPUT_LIMIT = 64 * 1024;
const DEADLINE_MS = 30_000;
/** Larger pictures than any camera has: a header that lies must not make us reserve memory. */
const MAX_SIDE = 16_384;
/** In a smaller picture nobody would find anybody. */
const MIN_SIDE = 32;

interface ProbeOutput {
  readonly streams?: readonly {
    width?: number;
    height?: number;
    duration?: string;
    side_data_list?: readonly { rotation?: number }[];
  }[];
  readonly format?: { duration?: string; start_time?: string };
}

/** @throws ClipProblem `clip.undecodable` when there is no video in it, `analysis.deadline` when reading it hangs */
export async function probeClip(
  file: string,
  { signal, whitelist = ONLY_THIS_FILE }: { signal: AbortSignal; whitelist?: readonly string[] },
): Promise<ClipShape> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const tool = runMediaTool(
    'ffprobe',
    [
      ...['-v', 'error', ...whitelist, '-select_streams', 'v:0'],
      ...[
        '-show_entries',
        'stream=width,height,duration:stream_side_data=rotation:format=duration,start_time',
        '-of',
        'json',
        file,
      ],
    ],
    { signal: AbortSignal.any([signal, deadline]) },
  );
  const text = (await outputOf(tool, OUTPUT_LIMIT)).toString('utf8');
  signal.throwIfAborted();
  if (deadline.aborted)
    throw new ClipProblem('analysis.deadline', `the clip could not be read in ${DEADLINE_MS / 1000} s`, {
      final: true,
    });
  const { code } = await tool.ended;
  const output = code === 0 ? (JSON.parse(text) as ProbeOutput) : {};
  const stream = output.streams?.[0];
  const { width = 0, height = 0 } = stream ?? {};
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
    throw new ClipProblem(
      'clip.undecodable',
      `no video in the clip: ${tool.complaint() || 'no picture size'}`,
      {
        final: true,
      },
    );
  if (width < MIN_SIDE || height < MIN_SIDE)
    throw new ClipProblem(
      'clip.too-small',
      `the pictures of the clip have ${width}×${height} pixels: nothing can be recognised in them`,
      { final: true },
    );
  const rotation = stream?.side_data_list?.find((entry) => entry.rotation !== undefined)?.rotation ?? 0;
  const turned = Math.abs(rotation) % 180 === 90;
  return {
    width: turned ? height : width,
    height: turned ? width : height,
    durationMs: milliseconds(stream?.duration) ?? milliseconds(output.format?.duration),
    startMs: Number(output.format?.start_time ?? 0) * 1000 || 0,
  };
}

function milliseconds(text: string | undefined): number | undefined {
  const seconds = Number(text);
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1000) : undefined;
}
