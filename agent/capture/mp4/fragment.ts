import type { FragmentInfo, TrackInfo } from './boxes.ts';

/** What pictures from one key frame on are decoded with, until the camera changes it. */
export interface StreamFormat {
  /** Counts the changes, beginning with 1. Fragments of different formats never share a file. */
  readonly number: number;
  /** Init segment: `ftyp` and `moov`. */
  readonly init: Buffer;
  readonly track: TrackInfo;
}

/** One `moof` + `mdat` pair, about a second of video. The coded pictures are the camera's, never copied, never
 *  changed. */
export interface Fragment {
  readonly format: StreamFormat;
  readonly moof: Buffer;
  /** The `mdat` box, header included, in pieces. */
  readonly mdat: readonly Buffer[];
  readonly bytes: number;
  readonly info: FragmentInfo;
  /** Place on the media time line, milliseconds of real time since the first picture. */
  readonly startMs: number;
  readonly endMs: number;
  readonly lastSampleMs: number;
  /** Monotonic milliseconds when its last picture was known to be whole. */
  readonly arrivedMs: number;
}
