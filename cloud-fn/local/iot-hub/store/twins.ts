import { isJson, type Json } from '@dachawatch/contracts';
import type { Db } from './database.ts';
import { isTooDeep, TOO_DEEP, twinFault, twinSize } from './twin-rules.ts';

export interface Twin {
  readonly deviceId: string;
  readonly desired: Json;
  readonly desiredVersion: number;
  readonly reported: Json;
  readonly reportedVersion: number;
  readonly tags: Json;
  readonly etag: number;
}

/** Desired and reported properties may not grow beyond this, each. */
export const SECTION_LIMIT_BYTES = 32 * 1024;
const TAGS_LIMIT_BYTES = 8 * 1024;

/** A section that the hub does not take; nothing of it was kept. */
export class TwinUnfit extends Error {
  override readonly name: string = 'TwinUnfit';
}
export class TwinTooLarge extends TwinUnfit {
  override readonly name = 'TwinTooLarge';
}

/** What the hub adds to a section by itself, and takes back from those who send what they read. */
const HUB_KEYS = new Set(['$version', '$metadata', '$etag']);

/** Null deletes, objects merge, everything else replaces. */
export function mergePatch(target: Json, patch: Json): Json {
  // A map, because a key may be called __proto__.
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (HUB_KEYS.has(key)) continue;
    const old = merged.get(key);
    if (value === null) merged.delete(key);
    else merged.set(key, isJson(value) ? mergePatch(isJson(old) ? old : {}, value) : value);
  }
  return Object.fromEntries(merged);
}

interface Row {
  deviceId: string;
  desired: string;
  desiredVersion: number;
  reported: string;
  reportedVersion: number;
  tags: string;
  etag: number;
}

export interface Twins {
  get(deviceId: string): Twin | undefined;
  list(): Twin[];
  /** @returns the new version of the reported properties
   *  @throws TwinUnfit */
  report(deviceId: string, patch: Json): number;
  /** What the service wants: tags and desired properties, merged in or, with `replace`, put in their place.
   *  @throws TwinUnfit */
  change(
    deviceId: string,
    change: { readonly tags?: Json; readonly desired?: Json; readonly replace: boolean },
  ): Twin | undefined;
}

/** Device twins: JSON documents with a version each. */
export function createTwins(db: Db): Twins {
  const columns = `device_id AS deviceId, desired, desired_version AS desiredVersion, reported,
    reported_version AS reportedVersion, tags, etag`;
  const select = db.prepare<[string], Row>(`SELECT ${columns} FROM twins WHERE device_id = ?`);
  const selectAll = db.prepare<[], Row>(`SELECT ${columns} FROM twins ORDER BY device_id LIMIT 1000`);
  const saveReported = db.prepare(
    'UPDATE twins SET reported = ?, reported_version = reported_version + 1, etag = etag + 1 WHERE device_id = ?',
  );
  const save = db.prepare(
    'UPDATE twins SET desired = ?, desired_version = ?, tags = ?, etag = etag + 1 WHERE device_id = ?',
  );
  const get = (deviceId: string) => {
    const row = select.get(deviceId);
    return row && parseRow(row);
  };

  return {
    get,
    list: () => selectAll.all().map(parseRow),
    report: db.transaction((deviceId: string, patch: Json) => {
      refuseDeep({ patch });
      const twin = get(deviceId);
      const reported = within(SECTION_LIMIT_BYTES, mergePatch(twin?.reported ?? {}, patch));
      saveReported.run(reported, deviceId);
      return (twin?.reportedVersion ?? 0) + 1;
    }),
    change: db.transaction((deviceId: string, wanted: Parameters<Twins['change']>[1]) => {
      refuseDeep(wanted);
      const twin = get(deviceId);
      if (!twin) return undefined;
      const changed = (old: Json, patch: Json | undefined) =>
        patch ? mergePatch(wanted.replace ? {} : old, patch) : old;
      const version = twin.desiredVersion + (wanted.desired ? 1 : 0);
      const desired = within(SECTION_LIMIT_BYTES, changed(twin.desired, wanted.desired));
      save.run(desired, version, within(TAGS_LIMIT_BYTES, changed(twin.tags, wanted.tags)), deviceId);
      return get(deviceId);
    }),
  };
}

function refuseDeep(sections: object): void {
  for (const section of Object.values(sections)) if (isTooDeep(section)) throw new TwinUnfit(TOO_DEEP);
}

function within(limit: number, section: Json): string {
  if (twinSize(section) > limit) throw new TwinTooLarge('Twin size too large');
  const fault = twinFault(section);
  if (fault !== undefined) throw new TwinUnfit(fault);
  return JSON.stringify(section);
}

const parseRow = (row: Row): Twin => ({
  ...row,
  desired: JSON.parse(row.desired) as Json,
  reported: JSON.parse(row.reported) as Json,
  tags: JSON.parse(row.tags) as Json,
});
