import type { Difference } from './transcript.ts';

/** A difference between the real engine and our host that stays, because a user is better off with it. */
export interface AcceptedDifference {
  readonly name: string;
  /** Why, in a sentence a user would accept. */
  readonly reason: string;
  readonly covers: (difference: Difference) => boolean;
}

export const ACCEPTED: readonly AcceptedDifference[] = [];
