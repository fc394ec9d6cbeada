/** What a run has found, and whether the promise holds. */
export type Kind = 'lost' | 'duplicated' | 'unexplained' | 'torn';

export interface Finding {
  readonly kind: Kind;
  readonly round: number;
  readonly clipId: string | null;
  readonly what: string;
}

/** Seconds of a recording that a fault may cost. */
export const TORN_SECONDS_MAX = 2;

export interface Findings {
  /** The same said twice counts once.
   *  @returns whether it is new */
  add(finding: Finding): boolean;
  list(): readonly Finding[];
  count(kind: Kind): number;
}

export function createFindings(): Findings {
  const found = new Map<string, Finding>();
  return {
    add(finding) {
      const key =
        finding.clipId === null ? `${finding.kind} ${finding.what}` : `${finding.kind} ${finding.clipId}`;
      if (found.has(key)) return false;
      found.set(key, finding);
      return true;
    },
    list: () => [...found.values()],
    count: (kind) => [...found.values()].filter((finding) => finding.kind === kind).length,
  };
}
