import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { promisify } from 'node:util';

export interface VideoFacts {
  /** Index of the video stream among all streams of the file. */
  readonly stream: number;
  /** Size as it is meant to be seen: rotated, with square pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames per second as a fraction that ffmpeg reads, like `30000/1001`. */
  readonly fps: { readonly num: number; readonly den: number };
  /** 0 when the file does not say. */
  readonly durationS: number;
}

interface ProbedStream {
  index: number;
  codec_type?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  avg_frame_rate?: string;
  r_frame_rate?: string;
  duration?: string;
  disposition?: { attached_pic?: number };
  side_data_list?: { rotation?: number }[];
}

/** What kind of video a file holds. Throws an Error with one sentence for a person when it holds none. */
export async function probeVideo(file: string): Promise<VideoFacts> {
  if (!existsSync(file)) throw new Error(`The video ${file} does not exist.`);
  if (!statSync(file).isFile()) throw new Error(`The video ${file} is not a file.`);
  const probed = await ffprobe(file);
  const stream = probed.streams?.find(
    (candidate) => candidate.codec_type === 'video' && candidate.disposition?.attached_pic !== 1,
  );
  if (!stream?.width || !stream.height) throw new Error(`The file ${file} has no video stream.`);

  const aspect = fraction(stream.sample_aspect_ratio?.replace(':', '/'));
  const seen = { width: stream.width * (aspect ? aspect.num / aspect.den : 1), height: stream.height };
  const rotation = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  const upright = Math.abs(rotation) % 180 === 90 ? { width: seen.height, height: seen.width } : seen;
  return {
    stream: stream.index,
    ...upright,
    fps: fraction(stream.avg_frame_rate) ?? fraction(stream.r_frame_rate) ?? { num: 15, den: 1 },
    durationS: Number(stream.duration ?? probed.format?.duration ?? 0) || 0,
  };
}

async function ffprobe(file: string): Promise<{ streams?: ProbedStream[]; format?: { duration?: string } }> {
  const wanted = ['-show_streams', '-show_entries', 'format=duration', '-of', 'json'];
  try {
    // `file:` keeps a name with a colon from being read as a protocol.
    const args = ['-v', 'error', ...wanted, `file:${file}`];
    const { stdout } = await promisify(execFile)('ffprobe', args, { timeout: 60_000, maxBuffer: 2 ** 24 });
    return JSON.parse(stdout) as { streams?: ProbedStream[] };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error('ffprobe is not installed (Debian package ffmpeg).', { cause });
    }
    throw new Error(`The file ${file} is not a video that ffmpeg can read.`, { cause });
  }
}

/** undefined for what ffprobe prints when it does not know: `0/0`, `N/A`, nothing. */
function fraction(text: string | undefined): { num: number; den: number } | undefined {
  const [num = 0, den = 0] = (text ?? '').split('/').map(Number);
  return num > 0 && den > 0 ? { num, den } : undefined;
}
