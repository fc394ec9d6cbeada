import { boxes, readInit, readMoof } from '../../agent/capture/mp4/boxes.ts';
import type { Fragment, StreamFormat } from '../../agent/capture/mp4/fragment.ts';

/** Reads a fragmented MP4 file back, as the recorder hands its fragments on.
 *  @throws Failure `corrupt` when it is none */
export function readFragments(file: Buffer): { format: StreamFormat; fragments: Fragment[] } {
  const all = [...boxes(file)];
  const index = all.findIndex(({ type }) => type === 'moov');
  const init = file.subarray(0, all[index]?.end ?? 0);
  const format = { number: 1, init, track: readInit(init) };
  const ms = (ticks: number) => (ticks * 1000) / format.track.timescale;
  const fragments: Fragment[] = [];
  let moof: Buffer | undefined;
  for (const { type, start, end } of all) {
    const whole = file.subarray(start - 8, end);
    if (type === 'moof') moof = whole;
    if (type !== 'mdat' || !moof) continue;
    const info = readMoof(moof, format.track);
    const endMs = ms(info.baseTicks + info.durationTicks);
    const lastSampleMs = ms(info.lastSampleTicks);
    fragments.push({
      format,
      moof,
      mdat: [whole],
      bytes: moof.length + whole.length,
      info,
      startMs: ms(info.baseTicks),
      endMs,
      lastSampleMs,
      arrivedMs: endMs + lastSampleMs,
    });
  }
  return { format, fragments };
}
