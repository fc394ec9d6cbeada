import type { SuppressionReason } from '@dachawatch/contracts';
import type { Region } from '../region-list.ts';
import type { Thumbnail } from './pictures.ts';
import type { ModelState } from '../zones/zone-model.ts';
import {
  type Cause,
  type JudgedZone,
  judgedZones,
  judgeRegion,
  LIMIT_REASONS,
  nearerReason,
  type ZoneSettings,
} from '../zones/judge.ts';
import type { Stay, ZoneObject } from '../zones/objects.ts';

/** A `SuppressionReason`, or one of another version of the appliance: a record is read back from the disk. */
export type KeptReason = string;

/** One region as it was judged, in numbers. Lengths are widths of the picture, areas shares of it. */
export interface Sighting {
  readonly region: Region;
  /** The model has taken the object for motion at least once. */
  readonly confirmed: boolean;
  readonly seenMs: number;
  readonly frames: number;
  /** From where it was first seen to where it is, and the way it went. */
  readonly travel: number;
  readonly path: number;
  readonly stays: readonly { readonly zone: string; readonly ms: number; readonly told: boolean }[];
}

/** One run of the model in one picture. */
export interface SeenBy {
  readonly sensitivity: number;
  /** Null: the model confirmed motion. */
  readonly reason: KeptReason | null;
  readonly quiet: boolean;
  readonly sightings: readonly Sighting[];
}

/** Why something that moved did not start a recording: what the model found, what was configured, and how it
 *  looked. JSON, a few kilobytes. */
export interface SuppressedRecord {
  readonly version: 1;
  /** Wall time, Unix milliseconds. */
  readonly atMs: number;
  readonly reason: KeptReason;
  readonly models: readonly SeenBy[];
  /** The last picture with the same reason before the note was closed: how long a stay became, how far the way. */
  readonly last?: { readonly afterMs: number; readonly models: readonly SeenBy[] };
  readonly settings: Omit<ZoneSettings, 'masks'>;
  readonly pictures: readonly Thumbnail[];
}

/** Writes down the last decision of a gate. */
export function suppressedRecordOf(deps: {
  readonly atMs: number;
  readonly monotonicMs: number;
  readonly reason: SuppressionReason;
  readonly settings: ZoneSettings;
  readonly models: readonly ModelState[];
  readonly aspect: number;
  readonly pictures: readonly Thumbnail[];
}): SuppressedRecord {
  const { sensitivity, timeZone, zones, lines } = deps.settings;
  return {
    version: 1,
    atMs: deps.atMs,
    reason: deps.reason,
    models: seenBy(deps.models, deps.monotonicMs, deps.aspect),
    settings: {
      sensitivity,
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(zones === undefined ? {} : { zones }),
      ...(lines === undefined ? {} : { lines }),
    },
    pictures: deps.pictures,
  };
}

/** What the runs of the model saw at this moment, in numbers. */
export function seenBy(models: readonly ModelState[], atMs: number, aspect: number): SeenBy[] {
  return models.map(({ sensitivity, decision, objects, zoneIds }) => ({
    sensitivity,
    reason: decision.kind === 'suppressed' ? decision.reason : null,
    quiet: decision.kind === 'quiet',
    sightings: objects.map((object) => sightingOf(object, zoneIds, atMs, aspect)),
  }));
}

function sightingOf(
  object: ZoneObject,
  zoneIds: readonly (string | undefined)[],
  atMs: number,
  aspect: number,
): Sighting {
  const stays = zoneIds.flatMap((zone, i) => {
    const stay = object.stays[i] as Stay;
    return zone === undefined || Number.isNaN(stay.sinceMs)
      ? []
      : [{ zone, ms: Math.round(atMs - stay.sinceMs), told: stay.told }];
  });
  return {
    // Not rounded: the border of a zone's cell lies exactly on that of a pixel, and would be on its other side. A copy:
    // the object goes on.
    region: [...object.region],
    confirmed: object.confirmed,
    seenMs: Math.round(atMs - object.firstMs),
    frames: object.frames,
    travel: short(Math.hypot(object.x - object.fromX, (object.y - object.fromY) * aspect)),
    path: short(object.path),
    stays,
  };
}

/** A tenth of a pixel of 320 is fine enough. */
const short = (value: number) => Math.round(value * 10_000) / 10_000;

export type Replay =
  | { readonly kind: 'quiet' }
  | { readonly kind: 'suppressed'; readonly reason: KeptReason }
  | { readonly kind: 'motion'; readonly cause: Cause };

/** Decides again, from the numbers of a record, by the rule that decides for the camera. With the settings of
 *  then it comes to the same reason; with others it tells what those would have done. It cannot tell what another
 *  sensitivity of the model would have seen, nor what crossed a line. Motion whose clip would have been one too many
 *  keeps that reason: no setting of zones changes it. */
export function replayRecord(record: SuppressedRecord, settings: ZoneSettings = record.settings): Replay {
  const zones = judgedZones(settings);
  const { models, atMs, last } = record;
  if ((LIMIT_REASONS as readonly string[]).includes(record.reason))
    return { kind: 'suppressed', reason: record.reason };
  const first = decideAgain(models, zones, atMs);
  if (first.kind === 'motion' || !last) return first;
  const later = decideAgain(last.models, zones, atMs + last.afterMs);
  if (later.kind !== 'suppressed' || first.kind === 'quiet') return later.kind === 'quiet' ? first : later;
  return { kind: 'suppressed', reason: nearerReason(first.reason, later.reason) };
}

function decideAgain(models: readonly SeenBy[], zones: readonly JudgedZone[], atMs: number): Replay {
  let best: KeptReason | undefined;
  for (const model of models) {
    const here = zones.filter((zone) => usedModel(models, zone) === model.sensitivity);
    if (!model.quiet && model.reason !== null) best = nearerReason(best, model.reason);
    for (const sighting of model.sightings) {
      const outcome = judgeSighting(here, sighting, model.reason === null, atMs);
      if (outcome?.cause) return { kind: 'motion', cause: outcome.cause };
      if (outcome?.reason) best = nearerReason(best, outcome.reason);
    }
    if (!model.quiet && model.reason === null && here.length === 0)
      best = nearerReason(best, 'outside-zones');
  }
  return best === undefined ? { kind: 'quiet' } : { kind: 'suppressed', reason: best };
}

/** The run of the model that speaks for a zone: that of its sensitivity, else the nearest there was. */
function usedModel(models: readonly SeenBy[], { sensitivity }: JudgedZone): number | undefined {
  const distance = (one: { sensitivity: number }) => Math.abs(one.sensitivity - sensitivity);
  return models.toSorted((a, b) => distance(a) - distance(b))[0]?.sensitivity;
}

function judgeSighting(
  zones: readonly JudgedZone[],
  { region, confirmed, stays, seenMs }: Sighting,
  moving: boolean,
  atMs: number,
): { cause?: Cause; reason?: KeptReason } | undefined {
  let reason: KeptReason | undefined;
  for (const zone of zones) {
    const stay = stays.find((one) => one.zone === zone.id);
    if (!moving && !(zone.dwellMs > 0 && confirmed && !stay?.told)) continue;
    // Of a zone that was not there then, only this is known: it has been in sight so long.
    const stayedMs = zone.shape.has(region) ? (stay?.ms ?? seenMs) : undefined;
    const why = judgeRegion(zone, region, stayedMs, atMs);
    if (!why) return { cause: zone.cause };
    if (moving || why === 'zone-dwell') reason = nearerReason(reason, why);
  }
  return reason === undefined ? undefined : { reason };
}
