import type { ProcessingResult, Verdict } from '@dachawatch/contracts';
import { worthOf, worthOfVerdict } from '../orchestrators/decide-verdict.ts';
import { ATTEMPT_MS, ATTEMPTS_MAX, UNCERTAIN_MAX } from '../ports/notification-outbox.ts';
import type { NotificationKind } from '../ports/notification.ts';
import type { ClipFacts, HeldDelivery } from './clip-facts.ts';

/** What the keeper does about a clip. */
export type Move =
  /** Somebody is at it, or it is too early. */
  | { readonly do: 'wait' }
  /** Has it analysed. `again`: not for the first time. */
  | { readonly do: 'start'; readonly revision: number; readonly again: boolean }
  | { readonly do: 'terminate'; readonly instanceId: string }
  | { readonly do: 'judge'; readonly result: ProcessingResult; readonly revision: number }
  /** Stores the verdict that an orchestration made and could not store. */
  | { readonly do: 'store'; readonly verdict: Verdict }
  /** Says in a verdict what could not be done. */
  | { readonly do: 'give-up'; readonly why: string; readonly revision: number }
  | { readonly do: 'tell'; readonly kind: ToldKind; readonly verdict: Verdict }
  /** Says in a verdict whether somebody was told, which it does not say rightly. */
  | { readonly do: 'correct'; readonly verdict: Verdict; readonly told: boolean; readonly why: string }
  /** Everything is done. */
  | { readonly do: 'close'; readonly verdict: Verdict };

export type ToldKind = Exclude<NotificationKind, 'message-unusable'>;

/** Of how long starting takes well below a second. */
const STARTING_MS = 60_000;
/** Beyond its own wait an orchestration may take so long: messages of a killed host stay hidden for ten minutes, and
 *  interrupted activities for five. */
export const GRACE_MS = 30 * 60_000;
/** A stored answer that its orchestration has not judged after so long is judged here, although it lives: what interrupted
 *  it may hold it for minutes. When it goes on, it finds the verdict and the delivery that are there. */
const JUDGING_MS = 150_000;
/** How often a clip is analysed again by itself. Of an orchestration that was lost: at once, and then each time a minute
 *  after the last, because what broke that one may still be going on. Of one that ended and could not ask: after a minute,
 *  then after twice as long each time. */
export const ASKED_MAX = 6;
const ASK_AGAIN_MS = 60_000;
/** A notification that could not be delivered is tried again after so long, twice as long each time. */
const TELL_AGAIN_MS = { first: 60_000, most: 60 * 60_000 };

/** What is to be done next about a clip, by nothing but what is stored about it. Each move changes a fact, and each is
 *  bounded, so that they come to an end: `close`. */
export function nextMove(facts: ClipFacts): Move {
  const { record, latest, verdict, results } = facts;
  const isLive = latest.state === 'live';
  if (isLive && latest.ageMs > record.waitMs + GRACE_MS)
    return { do: 'terminate', instanceId: latest.instanceId };
  if (isLive && facts.resultsAgeMs < JUDGING_MS) return { do: 'wait' };
  if (latest.state === 'starting' && latest.ageMs < STARTING_MS) return { do: 'wait' };

  const best = results.toSorted((one, other) => worthOf(other) - worthOf(one))[0];
  const revision = Math.max(latest.revision, (verdict?.revision ?? 0) + 1);
  if (best && (!verdict || worthOf(best) > worthOfVerdict(verdict.verdict)))
    return { do: 'judge', result: best, revision };
  if (isLive) return { do: 'wait' };
  if (latest.document && latest.document.revision > (verdict?.revision ?? 0))
    return { do: 'store', verdict: latest.document };

  const isUnfinished = latest.revision > (verdict?.revision ?? 0) && latest.state !== 'completed';
  if (isUnfinished && latest.state === 'none') return { do: 'start', revision: 1, again: false };
  if (isUnfinished && latest.state === 'starting')
    return { do: 'start', revision: latest.revision, again: false };
  if (isUnfinished && latest.state !== 'terminated' && record.asked < ASKED_MAX)
    return record.asked > 0 && latest.ageMs < ASK_AGAIN_MS
      ? { do: 'wait' }
      : { do: 'start', revision: latest.revision + 1, again: true };
  if (!verdict) return { do: 'give-up', why: whyNotJudged(facts), revision };
  const telling = whoIsToBeTold(facts, verdict);
  if (!isBrokenByTrouble(facts, verdict)) return telling;
  // Told before it is tried for a second time, because that can take long. Before the first it may be over in a minute.
  if (record.asked > 0 && telling.do === 'tell') return telling;
  return latest.ageMs < ASK_AGAIN_MS * 2 ** record.asked
    ? { do: 'wait' }
    : { do: 'start', revision: Math.max(latest.revision + 1, revision), again: true };
}

/** The analysis ended before anybody had answered, because something was away: its queue, its worker's starter. What the
 *  worker itself calls a failure stays one. */
const isBrokenByTrouble = ({ latest, results, record }: ClipFacts, { decision }: Verdict) =>
  decision === 'failed' && latest.state === 'completed' && results.length === 0 && record.asked < ASKED_MAX;

function whoIsToBeTold({ deliveries }: ClipFacts, verdict: Verdict): Move {
  const kind = kindOf(verdict);
  if (!kind) return { do: 'close', verdict };
  const delivery = deliveries.get(kind);
  if (delivery?.state === 'accepted')
    return verdict.verdict === 'person' && verdict.decision !== 'notified'
      ? { do: 'correct', verdict, told: true, why: '' }
      : { do: 'close', verdict };
  if (delivery && isGivenUp(delivery))
    return verdict.decision === 'notified'
      ? { do: 'correct', verdict, told: false, why: delivery.reason ?? 'nobody knows whether it arrived' }
      : { do: 'close', verdict };
  return delivery && delivery.ageMs < tellAgainMs(delivery) ? { do: 'wait' } : { do: 'tell', kind, verdict };
}

/** What a verdict asks to be told. */
export function kindOf({ verdict, decision }: Pick<Verdict, 'verdict' | 'decision'>): ToldKind | undefined {
  if (verdict === 'person') return 'person-seen';
  if (decision === 'escalated') return 'no-answer';
  return decision === 'failed' ? 'analysis-failed' : undefined;
}

const isGivenUp = ({ state, attempts, uncertain }: HeldDelivery) =>
  state === 'failed' && (attempts >= ATTEMPTS_MAX || uncertain >= UNCERTAIN_MAX);

const tellAgainMs = ({ state, attempts }: HeldDelivery) =>
  state === 'sending'
    ? ATTEMPT_MS
    : Math.min(TELL_AGAIN_MS.first * 2 ** Math.max(0, attempts - 1), TELL_AGAIN_MS.most);

const SENTENCES: Readonly<Partial<Record<ClipFacts['latest']['state'], (facts: ClipFacts) => string>>> = {
  terminated: ({ latest }) => `its analysis was terminated (${latest.why})`,
  missing: ({ record }) =>
    `its analysis was begun ${record.asked + 1} times, and the runtime lost it each time`,
  completed: () => 'its analysis ended without a verdict',
};

const whyNotJudged = (facts: ClipFacts): string =>
  SENTENCES[facts.latest.state]?.(facts) ??
  `its analysis was begun ${facts.record.asked + 1} times and broke each time, the last time with: ${facts.latest.why}`;
