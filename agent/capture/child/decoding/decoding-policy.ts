import type { SuppressionReason } from '@dachawatch/contracts';
import type { GateDecision } from '../../../motion/motion.ts';

/** `quiet`: nothing moves · `suspicious`: something may · `event`: something does. */
export type Alertness = 'quiet' | 'suspicious' | 'event';
/** What is decoded of the watched stream: its key pictures, or all. */
export type Decoding = 'keys' | 'all';

/** `atMs`: when a picture was taken, monotonic milliseconds. */
export interface DecodingPolicy {
  /** A picture of the watched stream came. */
  came(picture: { readonly key: boolean; readonly reordered: boolean; readonly atMs: number }): void;
  /** A key picture that came alone shows something that may become motion. */
  suspected(atMs: number): void;
  /** What was made of a picture. */
  judged(decision: GateDecision, atMs: number): void;
  /** Somebody wants pictures now, or the model has to learn.
   *  @param nowMs monotonic milliseconds */
  demanded(nowMs: number): void;
  /** Key pictures that are given to the decoder alone do not come out at once.
   *  @param nowMs monotonic milliseconds */
  keysComeLate(nowMs: number): void;
  /** Only key pictures are decoded, whatever moves and however far apart they are, until it is told otherwise. */
  spare(sparing: boolean): void;
  isSparing(): boolean;
  decoding(nowMs: number): Decoding;
  alertness(): Alertness;
}

type Sign = 'nothing' | 'candidate' | 'motion';

/** Where a sign leads; `over`: nothing that speaks for the state was seen for `OVER_MS`. */
const TRANSITIONS: Readonly<Record<Alertness, Readonly<Record<Sign, Alertness> & { over: Alertness }>>> = {
  quiet: { nothing: 'quiet', candidate: 'suspicious', motion: 'event', over: 'quiet' },
  suspicious: { nothing: 'suspicious', candidate: 'suspicious', motion: 'event', over: 'quiet' },
  event: { nothing: 'event', candidate: 'event', motion: 'event', over: 'suspicious' },
};
/** Long enough for somebody behind a bush to come out again, and for tracks to be forgotten as in a stream that is
 *  decoded all the time. */
const OVER_MS = 3_000;
/** What was asked for comes at once also when it is asked for again. */
const DEMAND_MS = 3_000;
/** Then it is tried again: it may have been a busy machine. */
const LATE_KEYS_MS = 60_000;
/** Key pictures further apart come too late to begin with: everything is decoded. */
export const MAX_KEY_DISTANCE_MS = 2_250;
/** So many distances must have been short before they are believed to stay so. */
const STEADY = 3;

/** Nothing that becomes motion begins like this: what grows is noticed at the next key picture. */
const HARMLESS: ReadonlySet<SuppressionReason> = new Set(['too-small', 'lighting']);

/** Decides what is decoded of the watched stream. It has no clock: every call says when.
 *  Invariants
 *  1. Only key pictures are decoded in a quiet scene, and only while they come at most `MAX_KEY_DISTANCE_MS` apart.
 *  2. Everything is decoded from the first sign of motion until nothing has been seen for `OVER_MS`.
 *  3. While it spares, everything is decoded only where somebody wants pictures, and where invariant 4 asks for it.
 *  4. A stream with B pictures is decoded whole: its key pictures come out of the decoder late when they come alone. */
export function createDecodingPolicy(): DecodingPolicy {
  let state: Alertness = 'suspicious';
  /** The last moment that spoke for each state; before the first picture there is none. */
  let lastMs: { event: number; suspicious: number } | undefined;
  let wholeUntilMs = Number.NEGATIVE_INFINITY;
  let lastKeyMs: number | undefined;
  let newestMs = 0;
  let steady = 0;
  let reorders = false;
  let isSparing = false;

  function sign(seen: Sign, atMs: number): void {
    lastMs ??= { event: atMs, suspicious: atMs };
    if (seen === 'motion') lastMs.event = atMs;
    if (seen !== 'nothing') lastMs.suspicious = atMs;
    state = TRANSITIONS[state][seen];
    while (state !== 'quiet' && atMs - lastMs[state] >= OVER_MS) state = TRANSITIONS[state].over;
  }

  function wholeFor(ms: number, nowMs: number): void {
    wholeUntilMs = Math.max(wholeUntilMs, nowMs + ms);
  }

  const isFar = (sinceKeyMs: number) => sinceKeyMs > MAX_KEY_DISTANCE_MS;

  return {
    came: ({ key, reordered, atMs }) => {
      newestMs = Math.max(newestMs, atMs);
      reorders ||= reordered;
      const sinceKeyMs = lastKeyMs === undefined ? 0 : newestMs - lastKeyMs;
      if (isFar(sinceKeyMs)) steady = 0;
      else if (key && lastKeyMs !== undefined) steady++;
      if (key) lastKeyMs = atMs;
    },
    suspected: (atMs) => sign('candidate', atMs),
    judged: (decision, atMs) => sign(signOf(decision), atMs),
    demanded: (nowMs) => wholeFor(DEMAND_MS, nowMs),
    keysComeLate: (nowMs) => wholeFor(LATE_KEYS_MS, nowMs),
    spare: (sparing) => {
      isSparing = sparing;
    },
    isSparing: () => isSparing,
    decoding: (nowMs) => {
      if (reorders || nowMs < wholeUntilMs) return 'all';
      return isSparing || (state === 'quiet' && steady >= STEADY) ? 'keys' : 'all';
    },
    alertness: () => state,
  };
}

function signOf(decision: GateDecision): Sign {
  if (decision.kind !== 'suppressed') return decision.kind === 'motion' ? 'motion' : 'nothing';
  return HARMLESS.has(decision.reason) ? 'nothing' : 'candidate';
}
