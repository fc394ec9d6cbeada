/** A stretch of a clip's time, seconds from its first picture. */
export interface Span {
  readonly fromS: number;
  readonly toS: number;
}

export const lengthS = (spans: readonly Span[]): number =>
  spans.reduce((sum, { fromS, toS }) => sum + toS - fromS, 0);

/** Touching counts, so that an instant inside a span overlaps it. */
export const overlaps = (a: Span, b: Span): boolean => a.fromS <= b.toS && b.fromS <= a.toS;

/** Sorted, without overlaps. */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromS - b.fromS)) {
    const last = joined.at(-1);
    if (last && span.fromS <= last.toS)
      joined[joined.length - 1] = { fromS: last.fromS, toS: Math.max(last.toS, span.toS) };
    else joined.push(span);
  }
  return joined;
}

export function intersection(a: readonly Span[], b: readonly Span[]): Span[] {
  const shared = a.flatMap((one) =>
    b.map((other) => ({
      fromS: Math.max(one.fromS, other.fromS),
      toS: Math.min(one.toS, other.toS),
    })),
  );
  return union(shared.filter(({ fromS, toS }) => fromS < toS));
}

/** What of `spans` is in none of `holes`. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  let rest = union(spans);
  for (const hole of holes) {
    rest = rest.flatMap((span) =>
      [
        { fromS: span.fromS, toS: Math.min(span.toS, hole.fromS) },
        { fromS: Math.max(span.fromS, hole.toS), toS: span.toS },
      ].filter(({ fromS, toS }) => fromS < toS),
    );
  }
  return rest;
}

export const widen = (spans: readonly Span[], beforeS: number, afterS: number): Span[] =>
  spans.map(({ fromS, toS }) => ({ fromS: fromS - beforeS, toS: toS + afterS }));
