import type { Clock } from '../../kernel/clock.ts';
import { absenceOf } from '../stream-error.ts';
import { Failure } from '../../kernel/failure.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import { askStream, type AskedStream, type StreamFinding } from '../rtsp/ask-stream.ts';
import { openCameraStream } from '../rtsp/camera-stream.ts';
import { adviseOn, type Advice } from './advice.ts';
import type { CheckedStream } from './checked-stream.ts';
import { createStreamMeasure, type KeyPicture } from './stream-measure.ts';

export interface CameraCheck {
  /** Whether the camera can be recorded and watched as it is. */
  readonly usable: boolean;
  readonly streams: readonly CheckedStream[];
  readonly advice: readonly Advice[];
  /** The last key frame of the first stream that has one, for a decoder (annex B), if it was wanted. */
  readonly keyPicture: KeyPicture | undefined;
}

export interface CheckCameraDeps {
  /** Main first. */
  readonly streams: readonly AskedStream[];
  readonly clock: Clock;
  readonly keepsPicture?: boolean;
  /** How long each stream is watched, from its first packet. Milliseconds. */
  readonly watchMs?: number;
  /** Longest that a camera may take to answer, and then to send its first packet. */
  readonly answerMs?: number;
  /** Ends it early: what was seen until then counts. */
  readonly signal: AbortSignal;
}

export const WATCH_MS = 10_000;
const ANSWER_MS = 15_000;

/** Watches both streams of a camera as recording does, and says what they are and what is wrong with them.
 *  Invariants
 *  1. A login that was refused is not sent again: the streams that are left are not asked with it.
 *  2. At most one connection for each stream at a time, and an end after `answerMs` for each stream, once more `answerMs`,
 *     and `watchMs`. */
export async function checkCamera(deps: CheckCameraDeps): Promise<CameraCheck> {
  const { answerMs = ANSWER_MS, signal } = deps;
  const found: { readonly stream: AskedStream; readonly finding: StreamFinding }[] = [];
  for (const stream of deps.streams) {
    const refused = found.find(({ finding }) => finding.kind === 'refused');
    const finding =
      refused && sameLogin(refused.stream, stream)
        ? ({
            kind: 'unwatchable',
            why: 'it was not asked, because the camera refused the same login already',
            absence: 'refused',
          } as const)
        : await answered(stream, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
    found.push({ stream, finding });
  }
  const watched = await Promise.all(
    found.map(({ stream, finding }) => watchIfWatchable(stream, finding, deps)),
  );
  const streams = watched.map(({ checked }) => checked);
  const advice = adviseOn(streams, isOneStream(deps.streams));
  return {
    usable: !advice.some(({ isFatal }) => isFatal),
    streams,
    advice,
    keyPicture: watched.find(({ keyPicture }) => keyPicture)?.keyPicture,
  };
}

async function watchIfWatchable(
  stream: AskedStream,
  finding: StreamFinding,
  deps: CheckCameraDeps,
): Promise<{ readonly checked: CheckedStream; readonly keyPicture: KeyPicture | undefined }> {
  const { name } = stream;
  if (finding.kind !== 'watchable') {
    const checked = { stream: name, loginBy: null, trouble: finding.why, measures: null };
    return { checked, keyPicture: undefined };
  }
  const { trouble, measures, keyPicture } = await watch(stream, deps);
  return { checked: { stream: name, loginBy: finding.loginBy ?? null, trouble, measures }, keyPicture };
}

async function answered(stream: AskedStream, signal: AbortSignal): Promise<StreamFinding> {
  try {
    return await askStream(stream, signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'unwatchable', why: error.message, absence: absenceOf(error.message) };
  }
}

const sameLogin = (one: AskedStream, other: AskedStream): boolean =>
  one.credential?.username === other.credential?.username &&
  one.credential?.password === other.credential?.password;

const isOneStream = ([main, sub]: readonly AskedStream[]): boolean =>
  sub !== undefined && main?.address === sub.address;

async function watch({ address, credential }: AskedStream, deps: CheckCameraDeps) {
  const { clock, answerMs = ANSWER_MS, watchMs = WATCH_MS } = deps;
  const measure = createStreamMeasure({ keepsPicture: deps.keepsPicture ?? false });
  const begun = new AbortController();
  const ended = new AbortController();
  const over = AbortSignal.any([ended.signal, deps.signal]);
  let trouble: string | null = null;
  let now = 0;
  const end = (what: string) => {
    trouble ??= what;
    ended.abort();
  };
  const stream = openCameraStream({
    ...{ address, credential: credential ?? null, clock },
    onPacket: () => {
      now = clock.monotonicMs();
      measure.packet(now);
      begun.abort();
    },
    onUnit: (unit) => {
      try {
        if (!over.aborted) measure.unit(unit, now);
      } catch (error) {
        if (!(error instanceof Failure) || error.kind === 'bug') throw error;
        end(error.message);
      }
    },
    onEnd: ({ what }) => end(what),
  });
  try {
    if (await sleepUnlessAborted(clock, answerMs, AbortSignal.any([begun.signal, over])))
      end(`no picture came for ${Math.round(answerMs / 1000)} s`);
    if (!over.aborted) await sleepUnlessAborted(clock, watchMs, over);
  } finally {
    stream.close();
  }
  return {
    trouble,
    measures: begun.signal.aborted ? measure.result() : null,
    keyPicture: measure.keyPicture(),
  };
}
