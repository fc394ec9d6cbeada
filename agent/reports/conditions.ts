import type { TelemetryData } from '@dachawatch/contracts';
import type { Condition } from '../kernel/conditions.ts';
import { createNews, type News, type NewsDeps } from './news.ts';

type ConditionData = TelemetryData<'condition.state'>;

export interface ConditionReport {
  /** @returns whether anything was told */
  look(standing: readonly Condition[]): boolean;
}

export interface ConditionReportDeps extends Omit<NewsDeps<ConditionData>, 'tell'> {
  readonly tell: (data: ConditionData) => boolean;
  /** Makes a detail fit for telling. */
  readonly detail: (detail: string | null) => Pick<ConditionData, 'detail'>;
}

/** Conditions remembered, so that one that comes and goes keeps its hourly share. */
const KNOWN_MAX = 128;

interface Known {
  readonly news: News<ConditionData>;
  last: Pick<ConditionData, 'code' | 'level' | 'subject'>;
  /** Whether the hub was told of it, so that its end is news. */
  told: boolean;
}

/** Tells that a condition stands, and that it is over. One that was never told does not end either. */
export function createConditionReport({ detail, ...deps }: ConditionReportDeps): ConditionReport {
  const known = new Map<string, Known>();

  function lookAt(condition: Condition): boolean {
    const key = `${condition.code} ${condition.subject ?? ''}`;
    const { code, level, subject } = condition;
    const last = { code, level, ...(subject === null ? {} : { subject }) };
    const entry = known.get(key) ?? { news: createNews<ConditionData>(deps), last, told: false };
    entry.last = last;
    known.set(key, entry);
    const told = entry.news.look('raised', { ...last, state: 'raised', ...detail(condition.detail) });
    if (told) entry.told = true;
    return told;
  }

  function lookAtAbsent(entry: Known): boolean {
    const told = entry.told && entry.news.look('cleared', { ...entry.last, state: 'cleared' });
    if (told) entry.told = false;
    return told;
  }

  return {
    look(standing) {
      const present = new Set(standing.map(({ code, subject }) => `${code} ${subject ?? ''}`));
      const told = standing.map(lookAt).includes(true);
      let toldEnd = false;
      for (const [key, entry] of known) {
        if (present.has(key)) continue;
        if (lookAtAbsent(entry)) toldEnd = true;
        if (known.size > KNOWN_MAX && !entry.told) known.delete(key);
      }
      return told || toldEnd;
    },
  };
}
