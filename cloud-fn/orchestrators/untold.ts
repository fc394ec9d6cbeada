import { SENTENCE_MAX, type Verdict } from '@dachawatch/contracts';
import type { Problem } from './clip-analysis-steps.ts';

/** A verdict whose notification could not be delivered: it says so, and never that somebody was notified. */
export const untold = (verdict: Verdict, { message }: Problem): Verdict => ({
  ...verdict,
  decision: verdict.decision === 'notified' ? 'recorded' : verdict.decision,
  reason: `${verdict.reason} The notification could not be delivered: ${message}`.slice(0, SENTENCE_MAX),
});
