import { Type, type Static } from 'typebox';
import { Address, Box, Count, OneOf, Sha256, Word } from '../schema-types.ts';
import { BOXES_MAX, LABELS_MAX } from './verdict.ts';

/** Most tracks told of one label. */
export const TRACKS_MAX = 20;

/** What the worker found in a clip: the `details` of a processing result. */
export const AnalysisDetails = Type.Object(
  {
    schema_version: Count('A newer one only adds fields', 1),
    model: Type.Object({
      name: Word('Name in the model manifest'),
      sha256: Sha256('SHA-256 of the weights that were loaded'),
      licence: Word('Licence of the weights, SPDX where one exists'),
    }),
    second_model: Type.Optional(
      Type.Object(
        {
          name: Word('Name in the model manifest'),
          sha256: Sha256('SHA-256 of the weights that were loaded'),
          licence: Word('Licence of the weights, SPDX where one exists'),
        },
        { description: 'The detector that was asked for a second opinion. Absent: none was asked' },
      ),
    ),
    frames: Type.Object({
      decoded: Count('Pictures decoded'),
      analysed: Count('Pictures shown to the model'),
    }),
    coverage: Type.Optional(
      Type.Object(
        {
          expected_ms: Type.Integer({
            minimum: 0,
            maximum: 1e12,
            description: 'How long the clip should be: by its metadata, else by its container',
          }),
          seen_ms: Type.Integer({
            minimum: 0,
            maximum: 1e12,
            description: 'How much of it is shown by pictures that decoded without an error',
          }),
          longest_gap_ms: Type.Integer({
            minimum: 0,
            maximum: 1e12,
            description: 'Longest stretch that no such picture shows',
          }),
          pictures: Type.Integer({
            minimum: 0,
            maximum: 1e9,
            description: 'Pictures that the container names',
          }),
          pictures_seen: Type.Integer({
            minimum: 0,
            maximum: 1e9,
            description: 'Those that decoded without an error, and whose references did',
          }),
          blank_frames: Type.Integer({
            minimum: 0,
            maximum: 1e9,
            description: 'Analysed frames that are of one colour',
          }),
        },
        {
          description:
            'How much of the clip was seen. Absent: not measured (an older worker, no time stamps)',
        },
      ),
    ),
    detections: Type.Array(
      Type.Object({
        label: Word('COCO class name'),
        count_max: Count('Most of them seen in one frame', 1),
        confidence_max: Type.Number({ minimum: 0, maximum: 1 }),
        first_ms: Count('Time in the clip of the first sighting'),
        last_ms: Count('Time in the clip of the last sighting'),
        frames: Count('Analysed frames that show it', 1),
        boxes: Type.Array(Box, {
          maxItems: BOXES_MAX,
          description: 'Boxes of this label in the best frame',
        }),
        tracks: Type.Optional(
          Type.Array(
            Type.Object({
              first_ms: Count('Time in the clip of its first sighting'),
              last_ms: Count('Time in the clip of its last sighting'),
              frames: Count('Analysed frames that show it', 1),
              confidence_max: Type.Number({ minimum: 0, maximum: 1 }),
              travelled: Type.Number({
                minimum: 0,
                maximum: 10_000,
                description: 'How far it got from where it was first seen, in its own sizes',
              }),
              stood: Type.Boolean({
                description: 'Whether it stood in one place from the beginning of the clip to its end',
              }),
              second_opinion: Type.Optional(
                Type.Object(
                  {
                    asked: Count('Pictures of it that were shown to a detector of another family', 1),
                    agreed: Count('Those in which that one saw the same'),
                  },
                  { description: 'Absent: not asked, because it was sure, or no such detector is there' },
                ),
              ),
            }),
            {
              maxItems: TRACKS_MAX,
              description: 'The things behind the label, the surest first. Absent: an older worker',
            },
          ),
        ),
      }),
      { maxItems: LABELS_MAX },
    ),
    best_frame: Type.Optional(
      Type.Object({
        blobName: Address('Annotated picture in the frames container'),
        at_ms: Count('Time in the clip'),
      }),
    ),
    cpu_ms: Count('CPU time of worker and decoder for this clip'),
    strategy: OneOf(['every-frame', 'fixed-rate', 'key-frames'], 'Which frames were analysed'),
  },
  { $id: 'dachawatch/analysis-details/1' },
);
export type AnalysisDetails = Static<typeof AnalysisDetails>;
