/** The clips of a campaign, and what is still to be looked at of each. */
import type { Finding } from './findings.ts';
import type { World } from './world.ts';

export type CampaignClips = ReturnType<typeof createCampaignClips>;

export function createCampaignClips({ journal }: Pick<World, 'journal'>, found: (finding: Finding) => void) {
  /** Round in which a clip began. */
  const roundOf = new Map<string, number>();
  /** Clips that are not yet looked at for good. */
  const open = new Set<string>();
  let round = 0;

  return {
    open,
    awaitingVerdict: new Set<string>(),
    /** Clips that had a row: whatever is spoiled, they have one. */
    known: new Set<string>(),
    count: () => roundOf.size,
    nextRound(number: number): void {
      round = number;
    },
    /** Clips that have begun since are of this round, and open. */
    readJournal(): void {
      journal.read();
      for (const id of journal.clips.keys()) {
        if (roundOf.has(id)) continue;
        roundOf.set(id, round);
        open.add(id);
      }
    },
    /** Told of the round in which the clip began, or of this one. */
    complain: (problem: Omit<Finding, 'round'>): void =>
      found({ ...problem, round: (problem.clipId !== null && roundOf.get(problem.clipId)) || round }),
  };
}
