import { Type } from 'typebox';
import { CLIP_ID_PATTERN } from './clip-id.ts';

/** Longest sentence for a person that a document carries. */
export const SENTENCE_MAX = 4_000;
/** Longest address and longest name of a blob, with container or account in front. */
export const ADDRESS_MAX = 4_096;
/** Name of an orchestration. */
export const InstanceId = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });

export const Sentence = (description: string) => Type.String({ maxLength: SENTENCE_MAX, description });
/** A word or two: name of a class, a version, a code. */
export const Word = (description: string) => Type.String({ maxLength: 256, description });
export const Address = (description: string) =>
  Type.String({ minLength: 1, maxLength: ADDRESS_MAX, description });

/** A whole number from `minimum` on, as large as a program can count exactly: a larger one in a document is a fault of
 *  its writer, and would break whoever stores it. */
export const Count = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description });

/** ISO 8601 date and time with a zone (`Z` or an offset) that exists. */
export const IsoTime = (description: string) =>
  Type.Refine(
    Type.String({
      description,
      pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:?\\d{2})$',
    }),
    (text) => Number.isFinite(Date.parse(text)),
    () => 'must be a time that exists',
  );

export const Sha256 = (description: string) => Type.String({ description, pattern: '^[0-9a-f]{64}$' });

/** Identifiers that become file names, blob names and MQTT topics: ASCII, no separators. */
export const Name = (description: string) =>
  Type.String({ description, pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$' });

export const ClipId = Type.String({
  description: 'Clip id: time-ordered and unique, 26 characters of Crockford base 32',
  pattern: `^${CLIP_ID_PATTERN}$`,
});

/** Some detectors draw boxes that reach over the edge. */
const Edge = Type.Number({ minimum: -1, maximum: 2 });

/** Box in relative picture coordinates: left, top, right, bottom, each 0 to 1. */
export const Box = Type.Tuple([Edge, Edge, Edge, Edge], {
  description: 'Box: left, top, right, bottom, relative to the picture (0 to 1)',
});

/** One string out of a list. (A union of literals, so that JSON Schema says `anyOf const`.) */
export const OneOf = <const T extends readonly string[]>(values: T, description: string) =>
  Type.Enum<[...T]>([...values], { description });
