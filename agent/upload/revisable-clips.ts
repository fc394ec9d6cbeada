import { type BackoffPolicy, backoffMs } from '../kernel/waiting/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Clip, Ledger } from '../ledger/ledger.ts';

/** How long after its verdict a clip may be asked about. */
const REVISED_WITHIN_MS = 24 * 3_600_000;
/** Questions about a clip of which nobody knows what it shows, and about another one. */
const QUESTIONS = { undecided: 4, decided: 1 };

export interface RevisableClipsDeps {
  readonly ledger: Pick<Ledger, 'judgedWithoutPerson'>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'nowMs'>;
  /** From when a clip is first seen judged to the first question, and between two questions. */
  readonly again: BackoffPolicy;
  readonly random?: (() => number) | undefined;
}

/** Which judged clips may have a later verdict whose message was lost, and whose turn it is. Nobody would notice that it
 *  was lost, so they are asked about too, but rarely: what shows a person cannot become more.
 *  Invariant: a process asks about a clip four times at most, and only once unless its verdict is undecided. */
export function createRevisableClips({ ledger, clock, again, random }: RevisableClipsDeps) {
  let seen = new Map<string, { readonly times: number; readonly nextMs: number }>();
  const questionsAbout = ({ verdict }: Clip) =>
    verdict?.verdict === 'undecided' ? QUESTIONS.undecided : QUESTIONS.decided;
  const isDue = (clip: Clip) => {
    const { times, nextMs } = seen.get(clip.clipId) ?? { times: 0, nextMs: Infinity };
    return times < questionsAbout(clip) && nextMs <= clock.monotonicMs();
  };
  const noted = (times: number) => ({
    times,
    nextMs: clock.monotonicMs() + backoffMs(again, times, random),
  });

  return {
    /** Those that are due now. */
    due(): Clip[] {
      const clips = ledger.judgedWithoutPerson(clock.nowMs() - REVISED_WITHIN_MS);
      seen = new Map(clips.map(({ clipId }) => [clipId, seen.get(clipId) ?? noted(0)]));
      return clips.filter(isDue);
    },
    /** It is being asked about now, whatever comes of it. */
    asked({ clipId }: Clip): void {
      seen.set(clipId, noted((seen.get(clipId)?.times ?? 0) + 1));
    },
  };
}
