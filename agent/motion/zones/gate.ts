import { isDeepStrictEqual } from 'node:util';
import type { SuppressionReason } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { type Crossing, createLineWatch } from './lines.ts';
import { checkFrame, type FrameSize } from '../frame-size.ts';
import type { MotionDecision } from '../decision.ts';
import type { MotionDetector, MotionDetectorDeps } from '../detector.ts';
import { copyRegion, createRegionList, type Region } from '../region-list.ts';
import { createSchedule } from './schedule.ts';
import {
  type Cause,
  DEFAULT_TIME_ZONE,
  judgedZones,
  judgeRegion,
  nearerReason,
  type ZoneSettings,
} from './judge.ts';
import { createMaskedFrames } from './mask.ts';
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

export interface MotionGate {
  /** Like `MotionDetector.analyse`, for the whole camera: what it returns is valid until the next frame.
   *  @throws Failure `rejected` `motion.frame-size` for a frame of another size; nothing is touched then */
  analyse(frame: Uint8Array, atMs: number): GateDecision;
  /** The last frame as the model saw it: masked. */
  seen(): Uint8Array;
  /** About the last frame. Only valid until the next. */
  state(): readonly ModelState[];
  /** What another gate may go on with. */
  readonly settings: ZoneSettings;
  readonly detectors: ReadonlyMap<number, MotionDetector>;
}

export interface MotionGateDeps {
  readonly settings: ZoneSettings;
  readonly size: FrameSize;
  readonly framesPerSecond: number;
  readonly createDetector: (deps: MotionDetectorDeps) => MotionDetector;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The gate of the same camera until now, which is not used any more: what its model knows of the scene goes on,
   *  unless other pixels are masked. */
  readonly before?: MotionGate;
}

const QUIET: GateDecision = { kind: 'quiet' };
const NO_CAUSE: Cause = { kind: 'picture' };
/** More regions than this that count at a time are not told one by one. */
const MOST_COUNTED = 64;
/** A object may be out of sight, or out of a zone, for so many frames or so long before it counts as gone. */
const PATIENCE_FRAMES = 2.5;
const MIN_PATIENCE_MS = 1_500;
/** Key frames come every two seconds; a longer pause is a pause. */
const LONGEST_FRAME_MS = 2_000;
/** What crossed a line counts when the model confirms it within this time. */
const CONFIRM_MS = 3_000;

/** The model behind masks, zones and lines.
 *  Invariants
 *  1. A masked pixel never reaches the model.
 *  2. Only a region that the model confirmed starts a recording, and only where, when and as large as a zone asks,
 *     or by crossing a line.
 *  3. Each sensitivity in use is one run of the model, so a zone behaves like a camera with its sensitivity. */
export function createMotionGate(deps: MotionGateDeps): MotionGate {
  const { settings, size, framesPerSecond, clock } = deps;
  const aspect = size.height / size.width;
  const masked = createMaskedFrames(settings.masks ?? [], size);
  const zones = judgedZones(settings);
  const lines = (settings.lines ?? []).map((line) => ({
    id: line.id,
    step: createLineWatch(line, aspect),
    active: createSchedule(line.schedule, settings.timeZone ?? DEFAULT_TIME_ZONE),
  }));
  const sensitivities = new Set(zones.map(({ sensitivity }) => sensitivity));
  // Lines have the camera's own.
  if (lines.length > 0) sensitivities.add(settings.sensitivity);
  const detectors = detectorsFor(deps, sensitivities, masked?.analysed);
  const models = [...sensitivities].map((sensitivity) => createModel(sensitivity));
  let seen: Uint8Array = new Uint8Array(size.width * size.height);
  const pace = { lastMs: Number.NaN, frameMs: 1000 / framesPerSecond };

  function createModel(sensitivity: number) {
    const here = zones.filter((zone) => zone.sensitivity === sensitivity);
    const watched = sensitivity === settings.sensitivity ? lines : [];
    const detector = detectors.get(sensitivity) as MotionDetector;
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
        const stays = object && noteStays(object, atMs, patienceMs);
        let byRegion = object && crossed(object, atMs, nowMs);
        for (let i = 0; i < here.length; i++) {
          const zone = here[i] as (typeof here)[number];
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

    function noteStays(object: ZoneObject, atMs: number, patienceMs: number): readonly Stay[] {
      for (let i = 0; i < here.length; i++) {
        const stay = object.stays[i] as Stay;
        if (here[i]?.shape.has(object.region)) {
          if (Number.isNaN(stay.sinceMs)) stay.sinceMs = atMs;
          stay.lastMs = atMs;
        } else if (atMs - stay.lastMs > patienceMs) leave(stay);
      }
      return object.stays;
    }

    function crossed(object: ZoneObject, atMs: number, nowMs: number): Cause | undefined {
      let cause: Cause | undefined;
      for (let i = 0; i < watched.length; i++) {
        const line = watched[i] as (typeof watched)[number];
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

  return {
    analyse(frame, atMs) {
      checkFrame(frame, size);
      seen = masked ? masked.apply(frame) : frame;
      const sinceMs = Math.min(LONGEST_FRAME_MS, Math.max(0, atMs - pace.lastMs));
      if (!Number.isNaN(sinceMs)) pace.frameMs += 0.2 * (sinceMs - pace.frameMs);
      pace.lastMs = atMs;
      const patienceMs = Math.max(MIN_PATIENCE_MS, PATIENCE_FRAMES * pace.frameMs);
      let best: GateDecision = QUIET;
      for (let i = 0; i < models.length; i++)
        best = nearer(best, (models[i] as (typeof models)[number]).analyse(seen, atMs, patienceMs));
      return best;
    },
    seen: () => seen,
    state: () => models.map((model) => model.state()),
    settings,
    detectors,
  };
}

/** One run of the model for each sensitivity: the one there was, else one that is left over and can be retuned, else
 *  a new one, which learns the scene first. */
function detectorsFor(
  { settings, size, framesPerSecond, createDetector, before }: MotionGateDeps,
  sensitivities: ReadonlySet<number>,
  mask: Uint8Array | undefined,
): Map<number, MotionDetector> {
  const sameMasks = before && isDeepStrictEqual(before.settings.masks ?? [], settings.masks ?? []);
  const old = new Map(sameMasks ? before.detectors : []);
  const spare = [...old].filter(([sensitivity]) => !sensitivities.has(sensitivity));
  return new Map(
    [...sensitivities].map((sensitivity) => {
      const same = old.get(sensitivity);
      if (same) return [sensitivity, same];
      const [, other] = spare.shift() ?? [];
      if (!other?.retune)
        return [
          sensitivity,
          createDetector({ size, framesPerSecond, sensitivity, ...(mask ? { mask } : {}) }),
        ];
      other.retune(sensitivity);
      return [sensitivity, other];
    }),
  );
}

/** How long a object has been in a zone; undefined when the region is not there. A region that nobody could follow
 *  has just come. */
function stayedMs(stay: Stay | undefined, inside: boolean, atMs: number): number | undefined {
  if (!inside) return undefined;
  return stay && !Number.isNaN(stay.sinceMs) ? atMs - stay.sinceMs : 0;
}

/** Of two runs of the model, what came closer to a recording; a line is more telling than a zone. */
function nearer(a: GateDecision, b: GateDecision): GateDecision {
  if (a.kind === 'motion') return b.kind === 'motion' && b.cause.kind === 'line' ? b : a;
  if (b.kind === 'motion' || a.kind === 'quiet') return b;
  if (b.kind === 'quiet') return a;
  return nearerReason(a.reason, b.reason) === a.reason ? a : b;
}
