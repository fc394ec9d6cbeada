import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What the made video shows. All kinds share one textured, still background.
 *  moving-box: a solid box the size of a walking person crosses from left to right ·
 *  still: sensor noise only, nothing may be reported ·
 *  noise: the heavy noise of a cheap camera at night ·
 *  light-switch: the whole scene gets brighter in one frame ·
 *  ramp: black that becomes white evenly, so that the brightness of a picture tells its time ·
 *  black: nothing at all. */
export type VideoKind = 'moving-box' | 'still' | 'noise' | 'light-switch' | 'ramp' | 'black';

export interface VideoOptions {
  readonly seconds?: number;
  readonly fps?: number;
  readonly width?: number;
  readonly height?: number;
  readonly kind?: VideoKind;
  /** When the box enters, or the light goes on; default a third of the video. */
  readonly fromS?: number;
  /** When the box has left; default the end of the video. */
  readonly toS?: number;
}

/** Makes a small H.264 file whose content is known. The container follows the file's extension. */
export async function makeVideo(file: string, options: VideoOptions = {}): Promise<void> {
  const { seconds = 4, fps = 10, width = 640, height = 360, kind = 'moving-box' } = options;
  const { fromS = seconds / 3, toS = seconds } = options;
  const graph = scene({ seconds, fps, width, height, kind, fromS, toS });
  const input = ['-v', 'error', '-y', '-filter_complex', `${graph},format=yuv420p[out]`, '-map', '[out]'];
  const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '23', file];
  await promisify(execFile)('ffmpeg', ['-nostdin', ...input, ...output], { timeout: 300_000 });
}

function scene({ seconds, fps, width, height, kind, fromS, toS }: Required<VideoOptions>): string {
  const size = `s=${width}x${height}:r=${fps}`;
  // Without the rate at its end the last picture lasts no time, and FFmpeg 7 passes over it.
  const length = `trim=duration=${seconds},setpts=N/(${fps}*TB),fps=${fps}`;
  if (kind === 'black') return `color=c=black:${size},${length}`;
  if (kind === 'ramp') return `nullsrc=${size},geq=lum='16+219*T/${seconds}':cb=128:cr=128,${length}`;
  // One frame is computed and repeated: the formula is the slow part.
  const texture = `geq=lum='120+30*sin(X/13)*cos(Y/17)+20*sin(X*Y/997)':cb='124+6*sin(Y/41)':cr=130`;
  const background = `nullsrc=${size}:d=${1 / fps},${texture},loop=loop=-1:size=1:start=0,${length}`;
  const sensor = 'noise=alls=4:allf=t:all_seed=7';
  if (kind === 'still') return `${background},${sensor}`;
  if (kind === 'noise') return `${background},noise=alls=40:allf=t:all_seed=7`;
  if (kind === 'light-switch') {
    return `${background},lutyuv=y=clip(val+60\\,16\\,235):enable='gte(t,${fromS})',${sensor}`;
  }
  const walk = `-w+(W+w)*(t-${fromS})/(${toS - fromS})`;
  const x = `'if(between(t,${fromS},${toS}),${walk},-w)'`;
  const boxSize = `${Math.round(width / 10)}x${Math.round(height / 3)}`;
  const box = `color=c=0xC03020:s=${boxSize}:r=${fps}:d=${seconds}`;
  return `${background}[bg];${box}[box];[bg][box]overlay=x=${x}:y=H/2,${sensor}`;
}
