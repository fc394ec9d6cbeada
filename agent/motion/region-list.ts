/** A moving region, in relative coordinates: left, top, right, bottom, 0 to 1. */
export type Region = readonly [number, number, number, number];

/** A region that is written anew for every frame. */
export type OwnRegion = [left: number, top: number, right: number, bottom: number];

/** The regions of one frame after the other, always in the same arrays: what is listed is valid until `clear`. */
export interface RegionList {
  clear(): void;
  /** How many there are since `clear`. */
  count(): number;
  /** One more, for the caller to fill; undefined when there are as many as there may be. */
  next(): OwnRegion | undefined;
  list(): readonly Region[];
}

/** @param most how many there may be in a frame */
export function createRegionList(most: number): RegionList {
  const regions = Array.from({ length: most }, (): OwnRegion => [0, 0, 0, 0]);
  const lists = arraysOf(regions);
  let count = 0;
  return {
    clear() {
      count = 0;
    },
    count: () => count,
    next: () => (count < most ? regions[count++] : undefined),
    list: () => lists[count] as readonly Region[],
  };
}

/** The first none, one, two … of them: an array for each length, because one that grows and shrinks is allocated again
 *  and again. */
export function arraysOf<T>(items: readonly T[]): readonly T[][] {
  return Array.from({ length: items.length + 1 }, (_, length) => items.slice(0, length));
}

export function copyRegion(from: Region, into: OwnRegion): void {
  into[0] = from[0];
  into[1] = from[1];
  into[2] = from[2];
  into[3] = from[3];
}
