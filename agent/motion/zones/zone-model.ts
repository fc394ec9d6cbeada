import type { SuppressionReason } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { MotionDecision } from '../decision.ts';
import type { MotionDetector } from '../detector.ts';
import { copyRegion, createRegionList, type Region } from '../region-list.ts';
import { type Cause, type JudgedZone, judgeRegion, nearerReason } from './judge.ts';
import type { createLineWatch, Crossing } from './lines.ts';
import type { Active } from './schedule.ts';
import { createZoneObjects, leave, type Stay, type ZoneObject } from './objects.ts';

/** What the model and the zones make of a frame. */
export type GateDecision =
  | Exclude<MotionDecision, { kind: 'motion' }>
  | { readonly kind: 'motion'; readonly regions: readonly Region[]; readonly cause: Cause };

/** What one run of the model saw last, and what became of it: enough to explain and to replay the decision. */
export interface ModelState {
  readonly sensitivity: number;
  readonly decision: MotionDecision;
  /** Those of the last frame. */
  readonly objects: readonly ZoneObject[];
  readonly zoneIds: readonly (string | undefined)[];
}

export interface WatchedLine {
  readonly id: string;
  readonly step: ReturnType<typeof createLineWatch>;
  readonly active: Active;
}

export interface ZoneModelDeps {
  readonly sensitivity: number;
  readonly detector: MotionDetector;
  /** Those of this sensitivity. */
  readonly zones: readonly JudgedZone[];
  readonly lines: readonly WatchedLine[];
  /** Height through width of the picture. */
  readonly aspect: number;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface ZoneModel {
  /** What it returns is valid until the next frame.
   *  @param patienceMs a thing may be out of sight, or out of a zone, for so long */
  analyse(frame: Uint8Array, atMs: number, patienceMs: number): GateDecision;
  state(): ModelState;
}

export const QUIET: GateDecision = { kind: 'quiet' };
const NO_CAUSE: Cause = { kind: 'picture' };
/** More regions than this that count at a time are not told one by one. */
const MOST_COUNTED = 64;
/** What crossed a line counts when the model confirms it within this time. */
const CONFIRM_MS = 3_000;

/** One run of the model, and what its regions mean to the zones of its sensitivity and to lines. */
export function createZoneModel({
  sensitivity,
  detector,
  zones: here,
  lines: watched,
  aspect,
  clock,
}: ZoneModelDeps): ZoneModel {
  const followed = createZoneObjects(here.length, watched.length, aspect);
  const counted = createRegionList(MOST_COUNTED);
  const motion = { kind: 'motion' as const, regions: counted.list(), cause: NO_CAUSE };
  const suppressed = {
    kind: 'suppressed' as const,
    reason: 'outside-zones' as SuppressionReason,
    regions: counted.list(),
  };
  let decision: MotionDecision = { kind: 'quiet' };

  function analyse(frame: Uint8Array, atMs: number, patienceMs: number): GateDecision {
    decision = detector.analyse(frame, atMs);
    followed.beginFrame();
    const verdict = decision.kind === 'quiet' ? QUIET : judge(decision, atMs, patienceMs);
    followed.endFrame(atMs, patienceMs);
    return verdict;
  }

  function judge(
    found: Exclude<MotionDecision, { kind: 'quiet' }>,
    atMs: number,
    patienceMs: number,
  ): GateDecision {
    const nowMs = clock.nowMs();
    const moving = found.kind === 'motion';
    let reason = moving ? undefined : found.reason;
    let cause: Cause | undefined;
    counted.clear();
    for (let n = 0; n < found.regions.length; n++) {
      const region = found.regions[n] as Region;
      const object = followed.follow(region, moving, atMs);
      const stays = object && noteStays(here, object, atMs, patienceMs);
      let byRegion = object && crossed(watched, object, atMs, nowMs);
      for (let i = 0; i < here.length; i++) {
        const zone = here[i] as JudgedZone;
        const stay = stays?.[i];
        // Without its confirmed past only what the model confirms now can count.
        if (!moving && !(zone.dwellMs > 0 && object?.confirmed && stay && !stay.told)) continue;
        const why = judgeRegion(zone, region, stayedMs(stay, zone.shape.has(region), atMs), nowMs);
        if (why) reason = moving || why === 'zone-dwell' ? nearerReason(reason, why) : reason;
        else {
          byRegion ??= zone.cause;
          if (stay) stay.told = true;
        }
      }
      if (!byRegion) continue;
      const own = counted.next();
      if (own) copyRegion(region, own);
      if (!cause || (byRegion.kind === 'line' && cause.kind !== 'line')) cause = byRegion;
    }
    if (cause) {
      motion.regions = counted.list();
      motion.cause = cause;
      return motion;
    }
    suppressed.reason = reason ?? 'outside-zones';
    suppressed.regions = found.regions;
    return suppressed;
  }

  return {
    analyse,
    state: (): ModelState => ({
      sensitivity,
      decision,
      objects: followed.objects.filter((object) => object.used && object.seen),
      zoneIds: here.map(({ id }) => id),
    }),
  };
}

/** Since when a thing has been in each zone. */
function noteStays(
  here: readonly JudgedZone[],
  object: ZoneObject,
  atMs: number,
  patienceMs: number,
): readonly Stay[] {
  for (let i = 0; i < here.length; i++) {
    const stay = object.stays[i] as Stay;
    if (here[i]?.shape.has(object.region)) {
      if (Number.isNaN(stay.sinceMs)) stay.sinceMs = atMs;
      stay.lastMs = atMs;
    } else if (atMs - stay.lastMs > patienceMs) leave(stay);
  }
  return object.stays;
}

/** Which line a thing has crossed, once the model has confirmed it. */
function crossed(
  watched: readonly WatchedLine[],
  object: ZoneObject,
  atMs: number,
  nowMs: number,
): Cause | undefined {
  let cause: Cause | undefined;
  for (let i = 0; i < watched.length; i++) {
    const line = watched[i] as WatchedLine;
    const side = object.sides[i];
    const now: Crossing | undefined = side && line.step(side, object);
    if (now && line.active(nowMs)) {
      object.crossedMs[i] = atMs;
      object.crossedTo[i] = now === 'left-to-right' ? 1 : -1;
    }
    if (!object.confirmed || !(atMs - (object.crossedMs[i] as number) <= CONFIRM_MS)) continue;
    object.crossedMs[i] = Number.NaN;
    // Not the side on which it is now: it may have gone back meanwhile, which need not count.
    const direction = object.crossedTo[i] === 1 ? 'left-to-right' : 'right-to-left';
    cause ??= { kind: 'line', id: line.id, direction };
  }
  return cause;
}

/** How long a object has been in a zone; undefined when the region is not there. A region that nobody could follow
 *  has just come. */
function stayedMs(stay: Stay | undefined, inside: boolean, atMs: number): number | undefined {
  if (!inside) return undefined;
  return stay && !Number.isNaN(stay.sinceMs) ? atMs - stay.sinceMs : 0;
}
