import { LONG_GROUP_MS, SET_KEY_FRAMES } from '../child/key-frame-advice.ts';
import type { StreamName } from '../stream-error.ts';
import type { CheckedStream } from './checked-stream.ts';
import type { StreamMeasures } from './stream-measure.ts';

/** One thing that is wrong, or could be better, and what to set. */
export interface Advice {
  readonly stream: StreamName;
  /** The stream cannot be used as it is. */
  readonly isFatal: boolean;
  /** A sentence for a person, without its subject. */
  readonly sentence: string;
}

/** What `tune` sets, and what the sentences recommend for the sub stream. */
export const SUB_STREAM_TARGET = { widthPx: 640, heightPx: 360, framesPerSecond: 5 } as const;

/** A quarter more than configured does not matter. */
const MUCH_LARGER = 1.25;
const MANY_FRAMES = 8;
const FEW_FRAMES = 3.5;
const FAR_KEYS_MS = { main: 2_500, sub: 1_500 } as const;
/** As of recording: below it the clock counts as ours (camera-time.ts). */
const SAME_RATE = 0.03;
/** At this rate a minute takes 60 MB of card and link. */
const MUCH_BITS = 8_000_000;
const FAST_MAIN = 30.5;

type Rule = (measures: StreamMeasures) => string | undefined | false;

const isSaid = (text: string | undefined | false): text is string => typeof text === 'string';
const seconds = (ms: number) => (ms < 9_950 ? (ms / 1000).toFixed(1) : String(Math.round(ms / 1000)));

/** Of both streams. The first sentence of a stream is the most important one. */
const RULES: readonly Rule[] = [
  ({ losses }) =>
    losses > 0 &&
    `packets were missing ${losses === 1 ? 'once' : `${losses} times`}; after each loss pictures are left out up to the next key frame: the camera or its network is overloaded, lower its bit rate or use a cable`,
  ({ clockRate }) =>
    clockRate !== null &&
    clockRate === 0 &&
    'its time stamps stand still; we time its pictures by our own clock',
  ({ clockRate }) =>
    clockRate !== null &&
    clockRate !== 0 &&
    Math.abs(clockRate - 1) >= SAME_RATE &&
    `its clock runs at ${clockRate.toFixed(2)} of ours; we correct that, and newer firmware may`,
  ({ clockSteps }) =>
    clockSteps > 0 &&
    'its clock was set meanwhile, which ends a clip each time; let it set its clock by NTP, which does it in small steps',
  ({ bPictures }) =>
    bPictures &&
    'it has B pictures, which are sent late; switch them off (B frames 0, or profile Main or Baseline) if the camera lets you',
];

const RULES_OF: Readonly<Record<StreamName, readonly Rule[]>> = {
  main: [
    ({ encoding }) =>
      encoding === 'H265' &&
      'it is H.265, which is recorded as it is, but which not every browser plays; if yours does not, set it to H.264',
    ({ bitsPerSecond }) =>
      bitsPerSecond !== null &&
      bitsPerSecond > MUCH_BITS &&
      `it has ${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s, which fills card and link; 2 to 4 Mbit/s are enough for 1080p`,
    ({ framesPerSecond }) =>
      framesPerSecond !== null &&
      framesPerSecond > FAST_MAIN &&
      `it has ${Math.round(framesPerSecond)} pictures a second; 10 to 15 are enough and leave more bits for each`,
  ],
  sub: [
    ({ encoding }) =>
      encoding === 'H265' && 'it is H.265, which costs more to decode than H.264; set it to H.264',
    ({ widthPx, heightPx }) =>
      widthPx !== null &&
      heightPx !== null &&
      widthPx * heightPx > SUB_STREAM_TARGET.widthPx * SUB_STREAM_TARGET.heightPx * MUCH_LARGER &&
      `it is ${widthPx}×${heightPx}, and every picture of it is decoded; set it to ${SUB_STREAM_TARGET.widthPx}×${SUB_STREAM_TARGET.heightPx}`,
    ({ widthPx }) =>
      widthPx !== null &&
      widthPx < 320 &&
      `it is only ${widthPx} wide, too little to see people who are far away; set it to ${SUB_STREAM_TARGET.widthPx}×${SUB_STREAM_TARGET.heightPx}`,
    ({ framesPerSecond }) =>
      framesPerSecond !== null &&
      framesPerSecond > MANY_FRAMES &&
      `it has ${Math.round(framesPerSecond)} pictures a second; motion is looked for in ${SUB_STREAM_TARGET.framesPerSecond}, and decoding the others is most of what a camera costs; set it to ${SUB_STREAM_TARGET.framesPerSecond}`,
    ({ framesPerSecond }) =>
      framesPerSecond !== null &&
      framesPerSecond < FEW_FRAMES &&
      `it has only ${framesPerSecond.toFixed(1)} pictures a second; set it to ${SUB_STREAM_TARGET.framesPerSecond}, so that what passes quickly is seen`,
  ],
};

/** @param isOneStream main and sub are the same address */
export function adviseOn(streams: readonly CheckedStream[], isOneStream: boolean): Advice[] {
  const advice = streams.flatMap((one) => [...fatal(one), ...better(one)]);
  if (!isOneStream) return advice;
  const sentence =
    "it is the main stream, whose pictures are large to decode; give the address of the camera's small stream";
  return [...advice, { stream: 'sub', isFatal: false, sentence }];
}

function fatal({ stream, trouble, measures }: CheckedStream): Advice[] {
  const sentences = trouble === null ? [] : [trouble];
  if (measures && measures.keyFrames === 0)
    sentences.push(`its pictures come, but no key frame that can be decoded came; ${SET_KEY_FRAMES}`);
  return sentences.map((sentence) => ({ stream, isFatal: true, sentence }));
}

function better({ stream, measures }: CheckedStream): Advice[] {
  if (!measures) return [];
  const far = keyFrames(stream, measures);
  const found = [far, ...[...RULES, ...RULES_OF[stream]].map((rule) => rule(measures))];
  return found.filter(isSaid).map((sentence) => ({ stream, isFatal: false, sentence }));
}

function keyFrames(stream: StreamName, { keyFrameMs }: StreamMeasures): string | undefined {
  if (keyFrameMs === null || keyFrameMs <= FAR_KEYS_MS[stream]) return undefined;
  const apart = `its key frames are ${keyFrameMs > LONG_GROUP_MS * 0.9 ? 'at least ' : ''}${seconds(keyFrameMs)} s apart`;
  return stream === 'main'
    ? `${apart}, and a clip can begin with a key frame only; ${SET_KEY_FRAMES}`
    : `${apart}; set one a second`;
}
