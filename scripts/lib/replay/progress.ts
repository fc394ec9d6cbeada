const EVERY_MS = 10_000;

export interface ProgressDeps {
  /** 0: nobody knows. */
  readonly lengthS: number;
  readonly nowMs: () => number;
  readonly tell: (line: string) => void;
}

/** Tells now and then how far a long file is. A short one passes in silence. */
export function createProgress({ lengthS, nowMs, tell }: ProgressDeps) {
  let toldMs = nowMs();
  return (doing: string, atS: number): void => {
    if (nowMs() - toldMs < EVERY_MS) return;
    toldMs = nowMs();
    tell(`${doing}, ${Math.round(atS)}${lengthS > 0 ? ` of ${Math.round(lengthS)}` : ''} s`);
  };
}
