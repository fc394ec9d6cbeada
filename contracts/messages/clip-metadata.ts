import { Type, type Static } from 'typebox';
import { ClipId, IsoTime, Name, OneOf, Sha256 } from '../schema-types.ts';

export const CLOCK_QUALITIES = ['synchronised', 'unsynchronised'] as const;

/** Blob metadata of a clip. Storage carries metadata as strings, so every value here is one. */
export const ClipMetadata = Type.Object(
  {
    device_id: Name('Device that recorded it'),
    camera_id: Name('Camera that saw it'),
    clip_id: ClipId,
    event_start_utc: IsoTime('Time of the first frame of the clip'),
    pre_roll_ms: Type.String({ pattern: '^\\d{1,15}$', description: 'Milliseconds before the trigger' }),
    duration_ms: Type.String({ pattern: '^\\d{1,15}$', description: 'Length of the clip in milliseconds' }),
    sha256: Sha256('SHA-256 of the file'),
    clock_quality: OneOf(CLOCK_QUALITIES, 'Whether the wall clock could be trusted'),
    schema: Type.Literal('dachawatch/clip-metadata/1'),
  },
  { $id: 'dachawatch/clip-metadata/1' },
);
export type ClipMetadata = Static<typeof ClipMetadata>;
