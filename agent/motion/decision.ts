import type { SuppressionReason } from '@dachawatch/contracts';
import type { FrameSize } from './frame-size.ts';
import { arraysOf, createRegionList, type Region, type RegionList } from './region-list.ts';
import type { Patch } from './tracking/regions.ts';

export type MotionDecision =
  | { readonly kind: 'quiet' }
  /** Something moves, but it does not count. */
  | { readonly kind: 'suppressed'; readonly reason: SuppressionReason; readonly regions: readonly Region[] }
  | {
      readonly kind: 'motion';
      readonly regions: readonly Region[];
      /** The track of each region: the same number as long as it is the same thing. */
      readonly tracks: readonly number[];
      /** Nothing goes anywhere now; what came stands there and stirs. */
      readonly presence: boolean;
    };

const NOWHERE: readonly Region[] = [];
/** Until the first one is said. */
const NO_REASON: SuppressionReason = 'learning';

/** What is said about one frame after the other, always with the same objects and arrays: nothing is allocated for a
 *  frame, and a decision is valid until the next.
 *  @param most regions in a frame */
export function createDecisions({ width, height }: FrameSize, most: number) {
  const moving = createRegionList(most);
  const others = createRegionList(most);
  const ids = new Int32Array(most);
  const idLists = arraysOf<number>(Array.from(ids));
  const motion = {
    kind: 'motion' as const,
    regions: NOWHERE,
    tracks: idLists[0] as number[],
    presence: false,
  };
  const suppressed = { kind: 'suppressed' as const, reason: NO_REASON, regions: NOWHERE };

  function add(list: RegionList, patch: Patch): void {
    const region = list.next();
    if (!region) return;
    region[0] = patch.left / width;
    region[1] = patch.top / height;
    region[2] = patch.right / width;
    region[3] = patch.bottom / height;
  }

  function suppress(reason: SuppressionReason, regions: readonly Region[]): MotionDecision {
    suppressed.reason = reason;
    suppressed.regions = regions;
    return suppressed;
  }

  return {
    /** Before the patches of a frame. */
    beginFrame(): void {
      moving.clear();
      others.clear();
    },
    /** A patch that counts.
     *  @param id of its track */
    addMoving(patch: Patch, id: number): void {
      ids[moving.count()] = id;
      add(moving, patch);
    },
    addOther: (patch: Patch) => add(others, patch),
    anyMoving: () => moving.count() > 0,
    motion(presence: boolean): MotionDecision {
      const tracks = idLists[moving.count()] as number[];
      for (let i = 0; i < tracks.length; i++) tracks[i] = ids[i] as number;
      motion.regions = moving.list();
      motion.tracks = tracks;
      motion.presence = presence;
      return motion;
    },
    /** Nothing of what moves counts. */
    suppressed: (reason: SuppressionReason) => suppress(reason, others.list()),
    /** The frame was not looked at for regions. */
    unjudged: (reason: SuppressionReason) => suppress(reason, NOWHERE),
  };
}
