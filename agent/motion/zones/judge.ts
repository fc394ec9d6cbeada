import type { CameraConfig, SuppressionReason, Zone } from '@dachawatch/contracts';
import type { Region } from '../region-list.ts';
import { type Active, createSchedule } from './schedule.ts';
import { createZoneShape, WHOLE_PICTURE, type ZoneShape } from './shape.ts';

/** The part of a camera's settings that says where motion counts. */
export type ZoneSettings = Pick<CameraConfig, 'sensitivity' | 'timeZone' | 'zones' | 'masks' | 'lines'>;

/** What started a recording. */
export type Cause =
  | { readonly kind: 'picture' }
  /** Nothing that moved: a person asked for it. */
  | { readonly kind: 'request' }
  | { readonly kind: 'zone'; readonly id: string }
  | {
      readonly kind: 'line';
      readonly id: string;
      readonly direction: 'left-to-right' | 'right-to-left';
    };

export interface JudgedZone {
  /** Undefined: the whole picture. */
  readonly id: string | undefined;
  readonly cause: Cause;
  readonly sensitivity: number;
  readonly shape: ZoneShape;
  readonly minSize: number;
  readonly dwellMs: number;
  readonly active: Active;
}

/** Reasons that zones add to those of the model, from the farthest to the nearest to a recording. */
export const ZONE_REASONS = [
  'outside-zones',
  'zone-inactive',
  'zone-too-small',
  'zone-dwell',
] as const satisfies readonly SuppressionReason[];
/** Why motion that counts is not recorded: its clip would be one too many. */
export const LIMIT_REASONS = ['cooldown', 'daily-limit'] as const satisfies readonly SuppressionReason[];
const RANKS: readonly string[] = [...ZONE_REASONS, ...LIMIT_REASONS];
export type ZoneReason = (typeof ZONE_REASONS)[number];

export const DEFAULT_TIME_ZONE = 'UTC';

/** The zones of a camera. None: the whole picture is one. An empty list beside lines: only the lines count. */
export function judgedZones({ sensitivity, timeZone, zones, lines }: ZoneSettings): JudgedZone[] {
  if (zones?.length) return zones.map((zone) => judgedZone(zone, sensitivity, timeZone));
  if (zones && lines?.length) return [];
  const always = createSchedule(undefined, DEFAULT_TIME_ZONE);
  return [
    {
      id: undefined,
      cause: { kind: 'picture' },
      sensitivity,
      shape: WHOLE_PICTURE,
      minSize: 0,
      dwellMs: 0,
      active: always,
    },
  ];
}

function judgedZone(zone: Zone, sensitivity: number, timeZone = DEFAULT_TIME_ZONE): JudgedZone {
  return {
    id: zone.id,
    cause: { kind: 'zone', id: zone.id },
    sensitivity: zone.sensitivity ?? sensitivity,
    shape: createZoneShape(zone.polygon),
    minSize: zone.minSize ?? 0,
    dwellMs: zone.dwellMs ?? 0,
    active: createSchedule(zone.schedule, timeZone),
  };
}

export const areaOf = (region: Region) => (region[2] - region[0]) * (region[3] - region[1]);

/** The one rule by which a region counts in a zone, for the camera and for the replay of a record.
 *  @param stayedMs how long it has been in the zone; undefined: it is not there
 *  @returns undefined when it counts */
export function judgeRegion(
  zone: JudgedZone,
  region: Region,
  stayedMs: number | undefined,
  nowMs: number,
): ZoneReason | undefined {
  if (stayedMs === undefined) return 'outside-zones';
  if (!zone.active(nowMs)) return 'zone-inactive';
  if (areaOf(region) < zone.minSize) return 'zone-too-small';
  if (stayedMs < zone.dwellMs) return 'zone-dwell';
  return undefined;
}

/** The reason that came closest to a recording: the model's own are farther away than those of zones, and those than the
 *  bounds of what is recorded. A kept record
 *  may have one that this version does not know. */
export function nearerReason<R extends string>(a: R | undefined, b: R): R {
  return a === undefined || rankOf(b) > rankOf(a) ? b : a;
}

const rankOf = (reason: string) => RANKS.indexOf(reason);

/** `zone gate`, `line fence left-to-right`, `motion in the picture`, `a person's request`: for custody and the log. */
export function causeText(cause: Cause): string {
  if (cause.kind === 'picture') return 'motion in the picture';
  if (cause.kind === 'request') return "a person's request";
  return cause.kind === 'zone' ? `zone ${cause.id}` : `line ${cause.id} ${cause.direction}`;
}
