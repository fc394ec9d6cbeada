import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClipWriter } from '../../../../agent/capture/child/clips/clip-writer.ts';
import type { Fragment } from '../../../../agent/capture/mp4/fragment.ts';
import { readFragments } from '../../../../scripts/lib/fragmented-mp4.ts';
import { makeVideo, type VideoOptions } from '../../../fakes/media.ts';

const run = promisify(execFile);

/** A real H.264 stream in fragments of a second with a key frame each, as the recorder's muxer hands them on. */
export async function realStream(
  settings: VideoOptions,
): Promise<{ init: Buffer; timescale: number; fragments: Fragment[] }> {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-stream-'));
  try {
    const [whole, cut] = [join(dir, 'whole.mp4'), join(dir, 'cut.mp4')];
    await makeVideo(whole, { width: 320, height: 180, kind: 'still', fps: 10, ...settings });
    const flags = [
      '-movflags',
      '+frag_keyframe+empty_moov+default_base_moof',
      '-video_track_timescale',
      '1500',
    ];
    const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0', '-sc_threshold', '0'];
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-i', whole, ...encode, ...flags, cut], {
      timeout: 240_000,
    });
    const { format, fragments } = readFragments(await readFile(cut));
    return { init: format.init, timescale: format.track.timescale, fragments };
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Writes the stream as the recorder does. */
export async function writeClip(
  file: string,
  { init, timescale, fragments }: Awaited<ReturnType<typeof realStream>>,
) {
  const writer = createClipWriter({
    file,
    init,
    timescale,
    maxQueuedBytes: 1 << 28,
    onFailure: (failure) => {
      throw failure;
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  return writer.close();
}

/** What FFmpeg makes of a clip: how many pictures it decodes, and what it complains of. */
export async function decode(
  file: string,
): Promise<{ pictures: number; complaints: string; times: number[] }> {
  const arguments_ = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'frame=pts_time',
    '-of',
    'csv=p=0',
  ];
  const { stdout, stderr } = await run('ffprobe', [...arguments_, file], {
    timeout: 240_000,
    maxBuffer: 1 << 24,
  });
  const times = stdout.split('\n').filter(Boolean).map(parseFloat);
  return { pictures: times.length, complaints: stderr, times };
}
