/** `scripts/camera check`. */
import { rm } from 'node:fs/promises';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { type CameraCheck, checkCamera } from '../../../agent/capture/check/check-camera.ts';
import type { CheckedStream } from '../../../agent/capture/check/checked-stream.ts';
import { CODINGS } from '../../../agent/capture/packing/codings.ts';
import type { StreamMeasures } from '../../../agent/capture/check/stream-measure.ts';
import type { AskedStream } from '../../../agent/capture/rtsp/ask-stream.ts';
import { needWritable } from '../command/folders.ts';
import type { CameraLogin } from '../run/camera-logins.ts';
import { loginOfStreams } from './login.ts';
import type { CameraOptions } from './options.ts';
import { writePicture } from './picture.ts';
import { say, sayJson, tell } from './say.ts';

/** @returns 0 when the camera can be used as it is, 1 when not
 *  @throws Refusal */
export async function check(options: CameraOptions, signal: AbortSignal): Promise<number> {
  const { picture } = options;
  if (picture !== undefined) needWritable('--picture', picture);
  const addresses = [...options.words, ...(options.sub === undefined ? [] : [options.sub])];
  const login = await loginOfStreams(options, addresses, signal);
  const streams = streamsOf(login).slice(0, addresses.length);
  const found = await watchCamera(streams, { keepsPicture: picture !== undefined, signal });
  signal.throwIfAborted();
  const wrote = await keepPicture(found, picture, signal);
  if (options.json) sayJson(asJson(found, streams, wrote ? (picture ?? null) : null));
  else for (const line of linesOf(found, streams)) say(line);
  if (wrote && !options.json) say(`a picture of it is in ${picture}`);
  return found.usable ? 0 : 1;
}

/** The streams as the camera is asked for them, main first. */
export const streamsOf = (login: CameraLogin): AskedStream[] => [
  { name: 'main', address: login.main, credential: login.login },
  { name: 'sub', address: login.sub, credential: login.subLogin ?? login.login },
];

/** Watches a camera, and says so. */
export async function watchCamera(
  streams: readonly AskedStream[],
  { keepsPicture, signal }: { readonly keepsPicture: boolean; readonly signal: AbortSignal },
): Promise<CameraCheck> {
  tell(`watching ${streams.map(({ address }) => address).join(' and ')} for ten seconds`);
  return await checkCamera({ streams, keepsPicture, clock: systemClock, signal });
}

/** @returns whether there is one */
async function keepPicture(
  { keyPicture }: CameraCheck,
  file: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (file === undefined) return false;
  if (!keyPicture) {
    tell('there is no picture: no key frame came');
    return false;
  }
  const problem = await writePicture(keyPicture, file, signal);
  if (problem === undefined) return true;
  await rm(`${file}.tmp`, { force: true });
  tell(`there is no picture: ${problem}`);
  return false;
}

const asJson = (
  { usable, streams, advice }: CameraCheck,
  asked: readonly AskedStream[],
  picture: string | null,
) => ({
  usable,
  streams: streams.map((one, index) => ({ address: asked[index]?.address, ...one })),
  advice: advice.map(({ stream, isFatal, sentence }) => ({ stream, isFatal, sentence })),
  picture,
});

/** What was found, for a person. */
export function linesOf({ usable, streams, advice }: CameraCheck, asked: readonly AskedStream[]): string[] {
  const lines = streams.flatMap((one, index) => [
    `${one.stream} stream, ${asked[index]?.address}`,
    ...describeStream(one).map((line) => `  ${line}`),
    ...advice
      .filter(({ stream }) => stream === one.stream)
      .map(({ isFatal, sentence }) => `  ${isFatal ? 'cannot be used' : 'could be better'}: ${sentence}`),
  ]);
  const many = advice.filter(({ isFatal }) => !isFatal).length;
  const verdict = usable
    ? `the camera can be used${many > 0 ? `; ${many === 1 ? 'one thing' : `${many} things`} could be better` : ' as it is'}`
    : 'the camera cannot be used as it is';
  return [...lines, verdict];
}

function describeStream({ loginBy, measures }: CheckedStream): string[] {
  if (!measures) return [];
  const size = measures.widthPx === null ? 'of unknown size' : `${measures.widthPx}×${measures.heightPx}`;
  return [
    [
      `${measures.encoding === null ? 'nothing that can be read' : CODINGS[measures.encoding].plain} ${measures.profile ?? 'of unknown profile'}`,
      size,
      rateOf(measures),
      keysOf(measures),
      bitsOf(measures),
    ]
      .filter(Boolean)
      .join(', '),
    [
      clockOf(measures),
      `parameter sets in ${SETS[measures.parameterSets]}`,
      measures.slices > 1 ? `${measures.slices} slices a picture` : '',
      measures.bPictures ? 'with B pictures' : 'no B pictures',
      loginBy === null ? 'no login wanted' : `login by ${loginBy}`,
    ]
      .filter(Boolean)
      .join('; '),
  ];
}

const SETS = {
  stream: 'the stream',
  description: 'the description only',
  both: 'stream and description',
  none: 'neither stream nor description',
} as const;

const rateOf = ({ framesPerSecond }: StreamMeasures) =>
  framesPerSecond === null ? '' : `${framesPerSecond.toFixed(1)} pictures a second`;
const keysOf = ({ keyFrameMs, keyFrames }: StreamMeasures) => {
  if (keyFrameMs === null) return 'no key frame';
  return keyFrames === 1 ? 'one key frame in all' : `a key frame every ${(keyFrameMs / 1000).toFixed(1)} s`;
};
const bitsOf = ({ bitsPerSecond }: StreamMeasures) =>
  bitsPerSecond === null ? '' : `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`;

function clockOf({ clockRate }: StreamMeasures): string {
  if (clockRate === null) return 'too little came to compare its clock with ours';
  if (clockRate === 0) return 'its clock stands still';
  return Math.abs(clockRate - 1) < 0.005
    ? 'its clock runs as ours'
    : `its clock runs at ${clockRate.toFixed(3)} of ours`;
}
