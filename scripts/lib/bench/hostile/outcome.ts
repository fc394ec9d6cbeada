/** What became of the clips of a hostile seed, by what is stored and by what the webhook heard. */
import { CONTAINER_CLIPS, type Verdict } from '@dachawatch/contracts';
import { kindOf } from '../../../../cloud-fn/keeper/next-move.ts';
import type { HostileClip } from './clips.ts';
import type { Played } from './world.ts';

export interface SeedOutcome {
  readonly right: number;
  readonly noVerdict: number;
  readonly falselyNotified: number;
  readonly untold: number;
  readonly toldTwice: number;
  /** Clips nobody has closed, and verdicts that were replaced by none of a higher revision. */
  readonly unfinished: number;
  /** What was told once more because nobody could know that it had arrived; the `id` is the same. */
  readonly toldAgain: number;
  /** A sentence for each that is not right. */
  readonly findings: readonly string[];
}

export function outcomeOf(played: Played): SeedOutcome {
  const { clips, verdicts, revisions, open, hearing } = played;
  const findings: string[] = [];
  const count = (what: string, holds: (clip: HostileClip, verdict: Verdict | undefined) => boolean) => {
    const found = clips.filter((clip) => holds(clip, verdicts.get(clip.name)));
    for (const clip of found)
      findings.push(`${what}: ${clip.story} (${clip.beginning}, ${clip.hearing}), ${clip.name}`);
    return found.length;
  };
  const toldOf = ({ name }: HostileClip, verdict: Verdict | undefined) => {
    const kind = verdict && kindOf(verdict);
    return kind ? hearing.about(name, kind) : [];
  };
  const wrong = count(
    'wrong verdict',
    (clip, verdict) => verdict !== undefined && verdict.verdict !== clip.verdict,
  );
  const noVerdict = count('no verdict', (_, verdict) => verdict === undefined);
  const falselyNotified = count(
    'says notified, and nobody was',
    (clip, verdict) => verdict?.decision === 'notified' && toldOf(clip, verdict).length === 0,
  );
  const untold = count(
    'nobody was told',
    (clip, verdict) =>
      verdict !== undefined && kindOf(verdict) !== undefined && toldOf(clip, verdict).length === 0,
  );
  const repeats = (clip: HostileClip) =>
    (['person-seen', 'no-answer', 'analysis-failed'] as const).map((kind) => {
      const heard = hearing.about(clip.name, kind);
      const ids = new Set(heard.map(({ id }) => id)).size;
      return { again: Math.max(0, heard.length - 1), ids, excused: hearing.excusedFor(clip.name, kind) };
    });
  const toldTwice = count('told twice', (clip) =>
    repeats(clip).some(({ again, ids, excused }) => ids > 1 || again > excused),
  );
  const unfinished =
    count('a lower revision replaced a higher', ({ name }) => {
      const all = revisions.get(name) ?? [];
      return all.some((revision, at) => at > 0 && revision <= (all[at - 1] ?? 0));
    }) + open.length;
  for (const name of open) findings.push(`not closed: ${name}`);
  return {
    right: clips.length - wrong - noVerdict,
    noVerdict,
    falselyNotified,
    untold,
    toldTwice,
    unfinished,
    toldAgain: clips.flatMap(repeats).reduce((sum, { again }) => sum + again, 0),
    findings: findings.map((line) => line.replace(`${CONTAINER_CLIPS}/`, '')),
  };
}
