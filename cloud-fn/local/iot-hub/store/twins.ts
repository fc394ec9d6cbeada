import type { Db } from './database.ts';

export type Json = Readonly<Record<string, unknown>>;

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

export class TwinTooLarge extends Error {
  override readonly name = 'TwinTooLarge';
}

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Null deletes, objects merge, everything else replaces. Keys that begin with `$` belong to the hub. */
export function mergePatch(target: Json, patch: Json): Json {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete merged[key];
    else if (isJson(value)) merged[key] = mergePatch(isJson(merged[key]) ? merged[key] : {}, value);
    else merged[key] = value;
  }
  return merged;
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
   *  @throws TwinTooLarge */
  report(deviceId: string, patch: Json): number;
  /** The service's wish: tags and desired properties, merged in or, with `replace`, put in their place.
   *  @throws TwinTooLarge */
  wish(deviceId: string, wish: { tags?: Json; desired?: Json; replace: boolean }): Twin | undefined;
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
  const saveWish = db.prepare(
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
      const twin = get(deviceId);
      const reported = within(SECTION_LIMIT_BYTES, mergePatch(twin?.reported ?? {}, patch));
      saveReported.run(reported, deviceId);
      return (twin?.reportedVersion ?? 0) + 1;
    }),
    wish: db.transaction((deviceId: string, wish: { tags?: Json; desired?: Json; replace: boolean }) => {
      const twin = get(deviceId);
      if (!twin) return undefined;
      const changed = (old: Json, patch: Json | undefined) =>
        patch ? mergePatch(wish.replace ? {} : old, patch) : old;
      const version = twin.desiredVersion + (wish.desired ? 1 : 0);
      const desired = within(SECTION_LIMIT_BYTES, changed(twin.desired, wish.desired));
      saveWish.run(desired, version, within(TAGS_LIMIT_BYTES, changed(twin.tags, wish.tags)), deviceId);
      return get(deviceId);
    }),
  };
}

function within(limit: number, section: Json): string {
  const text = JSON.stringify(section);
  if (Buffer.byteLength(text) > limit) throw new TwinTooLarge('Twin size too large');
  return text;
}

const parseRow = (row: Row): Twin => ({
  ...row,
  desired: JSON.parse(row.desired) as Json,
  reported: JSON.parse(row.reported) as Json,
  tags: JSON.parse(row.tags) as Json,
});
