import { type FragmentInfo, readInit } from '../mp4/boxes.ts';
import type { CameraTime } from './camera-time.ts';
import type { CodedPicture } from './coded-pictures.ts';
import { type StreamSets, unitsOfSets } from './known-sets.ts';
import type { Fragment, StreamFormat } from '../mp4/fragment.ts';
import { dataHeader, fragmentIndex, initSegment, type Sample, TIMESCALE } from '../mp4/format-boxes.ts';

export interface Fragmenter {
  push(picture: CodedPicture, now: number): void;
  /** Hands on what has come of a fragment that is not full. */
  flush(now: number): void;
}

const FRAGMENT_MS = 1_000;
/** Decoded this much before it is shown, in a stream with B pictures. More than cameras reorder. */
const DELAY_TICKS = TIMESCALE;
const TICKS_PER_MS = TIMESCALE / 1000;
/** A fragment's bytes and pictures are bounded whatever the clocks say. */
const MAX_FRAGMENT_BYTES = 32 * 1024 * 1024;
const MAX_PICTURES = 1_000;

interface Shown {
  readonly picture: CodedPicture;
  readonly ticks: number;
}

/** Packs a camera's pictures into fragments of about a second.
 *  Invariants
 *  1. A key frame begins a fragment. One whose parameter sets differ from those in force begins another format, and
 *     so does the first one after the camera's clock was set.
 *  2. Times never go back, and each sample ends where the next one begins. With B pictures, a fragment ends before a
 *     picture that is shown later than all before it.
 *  3. At most one fragment is held. */
export function createFragmenter(deps: {
  readonly time: CameraTime;
  onFragment(fragment: Fragment): void;
}): Fragmenter {
  const { time } = deps;
  let held: Shown[] = [];
  let heldBytes = 0;
  let format: StreamFormat | undefined;
  let made: { sets: StreamSets; delayed: boolean } | undefined;
  /** Those of the newest key frame. */
  let sets: StreamSets | undefined;
  let formats = 0;
  let reorders = false;
  /** The camera's clock was set: since the last key frame, and before it. */
  let stepped = false;
  let renewed = false;
  let endTicks = 0;

  function push(picture: CodedPicture, now: number): void {
    const placed = time.place(picture);
    const ticks = Math.round(placed.mediaMs * TICKS_PER_MS);
    stepped ||= placed.stepped;
    const [first] = held;
    const full =
      first !== undefined &&
      (ticks - first.ticks >= FRAGMENT_MS * TICKS_PER_MS ||
        heldBytes + picture.bytes > MAX_FRAGMENT_BYTES ||
        held.length >= MAX_PICTURES);
    if (picture.sets || (full && !picture.reordered)) close(picture.reordered ? undefined : ticks, now);
    if (picture.sets) {
      ({ sets } = picture);
      renewed ||= stepped;
      stepped = false;
    }
    reorders ||= picture.reordered;
    held.push({ picture, ticks });
    heldBytes += picture.bytes;
  }

  /** @param nextTicks when the next picture is shown; undefined when there is none yet */
  function close(nextTicks: number | undefined, now: number): void {
    const shown = held;
    held = [];
    heldBytes = 0;
    const [first] = shown;
    if (!first || !sets) return;
    if (first.picture.sets) chooseFormat(sets);
    if (!format || !made) return;
    deps.onFragment(pack(shown, nextTicks, made.delayed, format, now));
  }

  /** Known only when the fragment is full: by then B pictures have shown themselves. */
  function chooseFormat(next: StreamSets): void {
    if (made && !renewed && made.delayed === reorders && sameSets(made.sets, next)) return;
    renewed = false;
    made = { sets: next, delayed: reorders };
    const init = initSegment(next, reorders ? DELAY_TICKS : 0);
    format = { number: ++formats, init, track: readInit(init) };
  }

  function pack(
    shown: readonly Shown[],
    nextTicks: number | undefined,
    delayed: boolean,
    into: StreamFormat,
    now: number,
  ): Fragment {
    const decoded = decodeTimes(shown, endTicks);
    const last = decoded.at(-1) as number;
    const usual = Math.max(1, Math.round(time.frameMs * TICKS_PER_MS));
    // Behind B pictures the next one in time is not the next one that came.
    const end = nextTicks === undefined || delayed ? last + usual : Math.max(last + 1, nextTicks);
    const delay = delayed ? DELAY_TICKS : 0;
    const reordered = shown.some(({ picture }) => picture.reordered);
    const samples: Sample[] = shown.map(({ picture, ticks }, index) => ({
      bytes: picture.bytes,
      ticks: (decoded[index + 1] ?? end) - (decoded[index] as number),
      compositionTicks: (reordered ? ticks - (decoded[index] as number) : 0) + delay,
      key: picture.sets !== undefined,
    }));
    endTicks = last + 1;
    return fragmentOf(samples, shown, decoded[0] as number, into, now);
  }

  return { push, flush: (now) => close(undefined, now) };
}

/** When pictures are decoded: one after another, at the times at which they are shown, in order. */
function decodeTimes(shown: readonly Shown[], notBefore: number): number[] {
  let least = notBefore;
  return shown
    .map(({ ticks }) => ticks)
    .toSorted((a, b) => a - b)
    .map((ticks) => {
      const at = Math.max(ticks, least);
      least = at + 1;
      return at;
    });
}

function fragmentOf(
  samples: readonly Sample[],
  shown: readonly Shown[],
  baseTicks: number,
  format: StreamFormat,
  arrivedMs: number,
): Fragment {
  const payloadBytes = samples.reduce((sum, { bytes }) => sum + bytes, 0);
  const durationTicks = samples.reduce((sum, { ticks }) => sum + ticks, 0);
  const lastSampleTicks = samples.at(-1)?.ticks ?? 0;
  const moof = fragmentIndex(samples, baseTicks);
  const info: FragmentInfo = {
    baseTicks,
    durationTicks,
    lastSampleTicks,
    samples: samples.length,
    sampleBytes: payloadBytes,
    startsWithKeyFrame: samples[0]?.key ?? false,
  };
  return {
    format,
    moof,
    mdat: [dataHeader(payloadBytes), ...shown.flatMap(({ picture }) => picture.units.map(withLength))],
    bytes: moof.length + 8 + payloadBytes,
    info,
    startMs: baseTicks / TICKS_PER_MS,
    endMs: (baseTicks + durationTicks) / TICKS_PER_MS,
    lastSampleMs: lastSampleTicks / TICKS_PER_MS,
    arrivedMs,
  };
}

/** MP4 has the length of a NAL unit where a stream has its start code. */
function withLength(unit: Buffer): Buffer {
  unit.writeUInt32BE(unit.length - 4);
  return unit;
}

function sameSets(a: StreamSets, b: StreamSets): boolean {
  const [one, other] = [unitsOfSets(a), unitsOfSets(b)];
  return one.length === other.length && one.every((unit, index) => unit.equals(other[index] as Buffer));
}
