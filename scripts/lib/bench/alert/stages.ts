import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { median } from '../motion/score.ts';

/** Milliseconds from the trigger of one clip. */
export interface Timeline {
  /** The file is whole and on disk. */
  readonly triggerToSealedMs: number;
  /** It is in storage. */
  readonly triggerToUploadedMs: number;
  /** The worker has looked at it. */
  readonly triggerToAnalysedMs: number;
  /** The house has the verdict. */
  readonly triggerToVerdictMs: number;
}

interface Figure {
  readonly median: number;
  readonly worst: number;
}

/** Of all events that came to a verdict; null when none did. */
export type Stages = Readonly<Record<keyof Timeline, Figure | null>>;

/** What is read of the object that `scripts/run --until-verdict --json` prints. */
const Printed = Type.Object({
  timeline: Type.Object({
    triggered: Type.String(),
    sealed: Type.String(),
    uploaded: Type.String(),
    analysed: Type.String(),
    judged: Type.String(),
  }),
});

/** @param stdout of `scripts/run --until-verdict --json`
 *  @returns undefined when it did not come to a verdict, or a stage is missing */
export function readTimeline(stdout: string): Timeline | undefined {
  const printed = parsed(stdout.trim().split('\n').at(-1) ?? '');
  if (!Value.Check(Printed, printed)) return undefined;
  const { timeline } = printed;
  const since = (utc: string) => Date.parse(utc) - Date.parse(timeline.triggered);
  const read: Timeline = {
    triggerToSealedMs: since(timeline.sealed),
    triggerToUploadedMs: since(timeline.uploaded),
    triggerToAnalysedMs: since(timeline.analysed),
    triggerToVerdictMs: since(timeline.judged),
  };
  return Object.values(read).every((ms) => Number.isFinite(ms)) ? read : undefined;
}

/** Median and worst of each stage. */
export function stagesOf(timelines: readonly Timeline[]): Stages {
  const of = (stage: keyof Timeline): Figure | null => {
    const all = timelines.map((timeline) => timeline[stage]);
    return all.length > 0 ? { median: median(all) ?? 0, worst: Math.max(...all) } : null;
  };
  return {
    triggerToSealedMs: of('triggerToSealedMs'),
    triggerToUploadedMs: of('triggerToUploadedMs'),
    triggerToAnalysedMs: of('triggerToAnalysedMs'),
    triggerToVerdictMs: of('triggerToVerdictMs'),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
