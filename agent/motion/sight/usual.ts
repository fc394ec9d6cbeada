import type { SightMeasures } from './measures.ts';

/** What a scene looks like most of the time: means over the last minutes. */
export interface Usual {
  level: number;
  detail: number;
  readonly coarse: Float32Array;
  readonly cellLevels: Float32Array;
  /** Share of looks, 0 to 1, in which each cell showed something. */
  readonly structured: Float32Array;
}

export interface UsualScene {
  /** Makes it a little more like this. */
  learn(seen: SightMeasures, dtMs: number): void;
  /** Undefined while too little has been seen. */
  known(): Usual | undefined;
  forget(): void;
}

/** What a scene looks like is known after so long … */
const LEARN_MS = 60_000;
/** … and follows the day with this time constant. */
const USUAL_MS = 300_000;

export function createUsualScene(): UsualScene {
  let usual: Usual | undefined;
  let learntMs = 0;
  return {
    learn: (seen, dtMs) => {
      if (!usual) {
        usual = {
          level: seen.level,
          detail: seen.detail,
          coarse: seen.coarse.slice(),
          cellLevels: seen.cellLevels.slice(),
          structured: Float32Array.from(seen.structured),
        };
        learntMs = 0;
        return;
      }
      learntMs += dtMs;
      // At first the mean of all there is.
      const share = 1 - Math.exp(-dtMs / Math.min(USUAL_MS, Math.max(learntMs, dtMs)));
      const towards = (from: number, to: number) => from + (to - from) * share;
      usual.level = towards(usual.level, seen.level);
      usual.detail = towards(usual.detail, seen.detail);
      for (const name of ['coarse', 'cellLevels', 'structured'] as const)
        for (let at = 0; at < usual[name].length; at++)
          usual[name][at] = towards(usual[name][at] as number, seen[name][at] as number);
    },
    known: () => (learntMs < LEARN_MS ? undefined : usual),
    forget: () => {
      usual = undefined;
      learntMs = 0;
    },
  };
}
