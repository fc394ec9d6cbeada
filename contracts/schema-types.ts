import { Type } from 'typebox';

/** ISO 8601 date and time with a zone (`Z` or an offset). */
export const IsoTime = (description: string) =>
  Type.String({
    description,
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:?\\d{2})$',
  });

export const Sha256 = (description: string) => Type.String({ description, pattern: '^[0-9a-f]{64}$' });

/** Identifiers that become file names, blob names and MQTT topics: ASCII, no separators. */
export const Name = (description: string) =>
  Type.String({ description, pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$' });

/** 26 characters of Crockford base 32: time first, so clips sort by it; unique without a right clock. */
export const ClipId = Type.String({
  description: 'Clip id: time-ordered and unique, 26 characters of Crockford base 32',
  pattern: '^[0-9A-HJKMNP-TV-Z]{26}$',
});

/** Box in relative picture coordinates: left, top, right, bottom, each 0 to 1. */
export const Box = Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()], {
  description: 'Box: left, top, right, bottom, relative to the picture (0 to 1)',
});

/** One string out of a list. (A union of literals, so that JSON Schema says `anyOf const`.) */
export const OneOf = <const T extends readonly string[]>(values: T, description: string) =>
  Type.Enum<[...T]>([...values], { description });
