/** Real video for the recorder: fragmented as a camera's muxer hands it on. */
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Fragment } from '../../../../agent/capture/mp4/fragment.ts';
import { readFragments } from '../../fragmented-mp4.ts';

const SECONDS = 40;
/** At the end of the last sample: enough to tell fragments apart, without a meaning for the container. */
const MARK_BYTES = 16;

/** Draws a minute of noisy video, one key frame a second: clips of it take more than one block in storage. */
export async function drawFootage(dir: string): Promise<string> {
  const file = join(dir, 'footage.mp4');
  await promisify(execFile)('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', '-f', 'lavfi'],
    ...['-i', `testsrc2=size=320x180:rate=10,noise=alls=60:allf=t`, '-t', String(SECONDS)],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      '-crf',
      '24',
      '-g',
      '10',
      '-keyint_min',
      '10',
    ],
    ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', file],
  ]);
  return file;
}

export interface Footage {
  /** The n-th second, without end: the media time grows. */
  fragment(index: number): Fragment;
}

export function readFootage(file: string): Footage {
  const { fragments, format } = readFragments(readFileSync(file));
  if (fragments.length === 0) throw new Error(`${file} holds no video`);
  const lengthMs = fragments.at(-1)?.endMs ?? 0;
  return {
    fragment(index) {
      const one = fragments[index % fragments.length] as Fragment;
      const laterMs = Math.floor(index / fragments.length) * lengthMs;
      const [startMs, endMs] = [one.startMs + laterMs, one.endMs + laterMs];
      const baseTicks = one.info.baseTicks + Math.round((laterMs * format.track.timescale) / 1000);
      return {
        ...{ ...one, info: { ...one.info, baseTicks }, startMs, endMs, arrivedMs: endMs + one.lastSampleMs },
        mdat: [marked(Buffer.concat(one.mdat))],
      };
    },
  };
}

/** No two fragments are alike: whatever comes twice, or in another clip, shows. */
function marked(mdat: Buffer): Buffer {
  randomFillSync(mdat, mdat.length - MARK_BYTES);
  return mdat;
}
