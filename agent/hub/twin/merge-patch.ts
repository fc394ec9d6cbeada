import { isDeepStrictEqual } from 'node:util';
import { isJson, type Json } from '@dachawatch/contracts';

/** RFC 7396: null deletes, objects merge, everything else replaces. Arrays are replaced whole. */
export function mergePatch(target: Json, patch: Json): Json {
  // A map, not assignments: a key may be called `__proto__`.
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (isJson(value)) {
      const old = merged.get(key);
      merged.set(key, mergePatch(isJson(old) ? old : {}, value));
    } else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** The smallest patch that makes `wanted` of `known`; undefined when they say the same. */
export function difference(known: Json, wanted: Json): Json | undefined {
  const patch = new Map<string, unknown>();
  const old = new Map(Object.entries(known));
  for (const key of old.keys()) if (!Object.hasOwn(wanted, key)) patch.set(key, null);
  for (const [key, value] of Object.entries(wanted)) {
    const before = old.get(key);
    if (isJson(before) && isJson(value)) {
      const inner = difference(before, value);
      if (inner) patch.set(key, inner);
    } else if (!old.has(key) || !isDeepStrictEqual(before, value)) patch.set(key, value);
  }
  return patch.size > 0 ? Object.fromEntries(patch) : undefined;
}

/** What a hub would hold after it was sent this: as JSON, without the properties that are null or undefined. */
export const asDocument = (value: object): Json =>
  JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    isJson(inner) ? Object.fromEntries(Object.entries(inner).filter(([, each]) => each !== null)) : inner,
  ) as Json;
