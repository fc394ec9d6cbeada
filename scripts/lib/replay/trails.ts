import type { ModelView } from '../../../agent/motion/model-view.ts';

/** Where each track has been. */
export interface Trails {
  of(id: number): readonly (readonly [x: number, y: number])[];
}

/** About six seconds at five pictures a second. */
const LONGEST = 30;

export function createTrails() {
  let trails = new Map<number, (readonly [number, number])[]>();
  return {
    of: (id: number): readonly (readonly [number, number])[] => trails.get(id) ?? [],
    /** Once for each picture. */
    note(model: ModelView | undefined): void {
      const going = new Map<number, (readonly [number, number])[]>();
      for (const { used, seen, id, x, y } of model?.tracks ?? []) {
        if (!used) continue;
        const trail = trails.get(id) ?? [];
        going.set(id, seen ? [...trail, [x, y] as const].slice(-LONGEST) : trail);
      }
      trails = going;
    },
  };
}
