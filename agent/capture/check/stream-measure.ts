import { accessUnit } from '../packing/access-unit.ts';
import { createCameraTime, createDrift } from '../packing/camera-time.ts';
import { type CodedPicture, createPictureCutter } from '../packing/coded-pictures.ts';
import { ifReadable } from '../packing/known-sets.ts';
import type { Coding, Encoding, Sps } from '../packing/coding.ts';
import { CODINGS } from '../packing/codings.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';

/** What a stream was while it was watched. */
export interface StreamMeasures {
  /** Null: nothing of it came. */
  readonly encoding: Encoding | null;
  /** Like `High 4.0`; null: no parameter set could be read. */
  readonly profile: string | null;
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  /** Pictures that could be decoded, from the first key frame on. */
  readonly pictures: number;
  /** Null: too few to say. */
  readonly framesPerSecond: number | null;
  readonly keyFrames: number;
  /** Longest time between two key frames, or from the last one to the end when that is longer; null: there was none. */
  readonly keyFrameMs: number | null;
  /** All that came, for as long as something came. */
  readonly bitsPerSecond: number | null;
  /** Seconds of the camera's stamps in a second of ours; 0: its clock stands still; null: too little came to say. */
  readonly clockRate: number | null;
  /** How often its clock was set meanwhile. */
  readonly clockSteps: number;
  readonly bPictures: boolean;
  /** Most slices of a picture. */
  readonly slices: number;
  readonly parameterSets: 'stream' | 'description' | 'both' | 'none';
  /** How often packets were missing. */
  readonly losses: number;
}

export interface KeyPicture {
  readonly encoding: Encoding;
  readonly bytes: Buffer;
}

export interface StreamMeasure {
  packet(now: number): void;
  /** @throws Failure `corrupt` for a picture beyond all bounds */
  unit(unit: StreamUnit, now: number): void;
  /** Of all until now. */
  result(): StreamMeasures;
  /** The last key frame for a decoder (annex B); undefined: there was none, or it was not wanted. */
  keyPicture(): KeyPicture | undefined;
}

const HEAD = 4;

/** Looks at a stream's units and tells what kind of stream it is. Keeps one key frame at most. */
export function createStreamMeasure({ keepsPicture }: { readonly keepsPicture: boolean }): StreamMeasure {
  const time = createCameraTime();
  const drift = createDrift();
  const counts = { bytes: 0, losses: 0, pictures: 0, keyFrames: 0, clockSteps: 0, slices: 0 };
  const from = { stream: false, description: false };
  let packets: { readonly firstMs: number; lastMs: number } | undefined;
  let coding: Coding | undefined;
  let sps: Sps | undefined;
  let media: { readonly firstMs: number; lastMs: number } | undefined;
  let lastKeyMs: number | undefined;
  let longestMs = 0;
  let rate: number | undefined;
  let bPictures = false;
  let key: CodedPicture | undefined;

  function onPicture(picture: CodedPicture): void {
    const { mediaMs, stepped } = time.place(picture);
    media ??= { firstMs: mediaMs, lastMs: mediaMs };
    media.lastMs = Math.max(media.lastMs, mediaMs);
    counts.pictures++;
    if (stepped) counts.clockSteps++;
    const slices = picture.units.filter((unit) => coding?.kindOf(unit.subarray(HEAD)) === 'slice').length;
    counts.slices = Math.max(counts.slices, slices);
    bPictures ||= picture.reordered;
    if (picture.stampMs !== undefined && !picture.reordered)
      rate = drift.measure(picture.stampMs, picture.arrivedMs) ?? rate;
    if (!picture.sets) return;
    ({ sps } = picture.sets);
    counts.keyFrames++;
    if (lastKeyMs !== undefined) longestMs = Math.max(longestMs, mediaMs - lastKeyMs);
    lastKeyMs = mediaMs;
    if (keepsPicture) key = picture;
  }

  const cutter = createPictureCutter({ onPicture });

  return {
    packet: (now) => {
      packets ??= { firstMs: now, lastMs: now };
      packets.lastMs = now;
    },
    unit: (unit, now) => {
      const bare = unit.unit.subarray(HEAD);
      const read = (coding ??= CODINGS[unit.encoding]);
      if (read.kindOf(bare) === 'sps') {
        from[packets ? 'stream' : 'description'] = true;
        sps ??= ifReadable(() => read.readSps(bare));
      }
      if (packets) counts.bytes += bare.length;
      if (unit.afterLoss) counts.losses++;
      cutter.push(unit, now);
    },
    result: () => {
      const watchedMs = packets ? packets.lastMs - packets.firstMs : 0;
      const mediaMs = media ? media.lastMs - media.firstMs : 0;
      const sinceKeyMs = lastKeyMs === undefined || !media ? undefined : media.lastMs - lastKeyMs;
      return {
        encoding: coding?.encoding ?? null,
        profile: (sps && coding?.profileOf(sps)) ?? null,
        widthPx: sps?.widthPx ?? null,
        heightPx: sps?.heightPx ?? null,
        pictures: counts.pictures,
        framesPerSecond: mediaMs > 0 ? ((counts.pictures - 1) * 1000) / mediaMs : null,
        keyFrames: counts.keyFrames,
        keyFrameMs: sinceKeyMs === undefined ? null : Math.round(Math.max(longestMs, sinceKeyMs)),
        bitsPerSecond: watchedMs > 0 ? Math.round((counts.bytes * 8_000) / watchedMs) : null,
        clockRate: rate === undefined ? null : 1 / rate,
        clockSteps: counts.clockSteps,
        bPictures,
        slices: counts.slices,
        parameterSets:
          from.stream && from.description
            ? 'both'
            : from.stream
              ? 'stream'
              : from.description
                ? 'description'
                : 'none',
        losses: counts.losses,
      };
    },
    keyPicture: () => key?.sets && { encoding: key.sets.encoding, bytes: accessUnit(key) },
  };
}
