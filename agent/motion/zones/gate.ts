import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../kernel/clock.ts';
import { checkFrame, type FrameSize } from '../frame-size.ts';
import type { MotionDetector, MotionDetectorDeps } from '../detector.ts';
import { DEFAULT_TIME_ZONE, judgedZones, nearerReason, type ZoneSettings } from './judge.ts';
import { createLineWatch } from './lines.ts';
import { createMaskedFrames } from './mask.ts';
import { createSchedule } from './schedule.ts';
import { createZoneModel, type GateDecision, type ModelState, QUIET, type ZoneModel } from './zone-model.ts';

export interface MotionGate {
  /** Like `MotionDetector.analyse`, for the whole camera: what it returns is valid until the next frame.
   *  @throws Failure `rejected` `motion.frame-size` for a frame of another size; nothing is touched then */
  analyse(frame: Uint8Array, atMs: number): GateDecision;
  /** Like `MotionDetector.suspects`; yes where a model cannot tell. */
  suspects(frame: Uint8Array): boolean;
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

/** A object may be out of sight, or out of a zone, for so many frames or so long before it counts as gone. */
const PATIENCE_FRAMES = 2.5;
const MIN_PATIENCE_MS = 1_500;
/** Key frames come every two seconds; a longer pause is a pause. */
const LONGEST_FRAME_MS = 2_000;
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
  const models = [...sensitivities].map((sensitivity) => modelOf(sensitivity));
  let seen: Uint8Array = new Uint8Array(size.width * size.height);
  const pace = { lastMs: Number.NaN, frameMs: 1000 / framesPerSecond };

  function modelOf(sensitivity: number): ZoneModel {
    return createZoneModel({
      sensitivity,
      detector: detectors.get(sensitivity) as MotionDetector,
      zones: zones.filter((zone) => zone.sensitivity === sensitivity),
      lines: sensitivity === settings.sensitivity ? lines : [],
      aspect,
      clock,
    });
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
    suspects(frame) {
      checkFrame(frame, size);
      const shown = masked ? masked.apply(frame) : frame;
      for (const detector of detectors.values()) if (detector.suspects?.(shown) ?? true) return true;
      return false;
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

/** Of two runs of the model, what came closer to a recording; a line is more telling than a zone. */
function nearer(a: GateDecision, b: GateDecision): GateDecision {
  if (a.kind === 'motion') return b.kind === 'motion' && b.cause.kind === 'line' ? b : a;
  if (b.kind === 'motion' || a.kind === 'quiet') return b;
  if (b.kind === 'quiet') return a;
  return nearerReason(a.reason, b.reason) === a.reason ? a : b;
}
