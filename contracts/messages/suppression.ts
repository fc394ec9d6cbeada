/** Why something that moved started no recording: what the model of the scene found, what zones add, then what bounds
 *  the recording. The codes are stable: they are in notes on disk, in telemetry and in file names. A new one needs a text
 *  `suppressed.<code>` in each language of the page. */
export const SUPPRESSIONS = {
  learning: 'the scene is being learnt',
  'too-small': 'smaller than the sensitivity asks for',
  'too-short': 'not seen long enough',
  'in-place': 'it stays, or sways, where it is',
  lighting: 'the same surface in another light',
  'whole-scene': 'most of the picture changed at once',
  'outside-zones': 'in no zone, and over no line that counts',
  'zone-inactive': 'in a zone that is not active at this time',
  'zone-too-small': 'smaller than its zone asks for',
  'zone-dwell': 'not in its zone for long enough',
  cooldown: 'too soon behind the last clip of its camera',
  'daily-limit': 'its camera has recorded as much as it may within 24 hours',
} as const satisfies Record<string, string>;

export type SuppressionReason = keyof typeof SUPPRESSIONS;
export const SUPPRESSION_REASONS = Object.keys(SUPPRESSIONS) as [SuppressionReason, ...SuppressionReason[]];

/** Suppressed triggers by reason; a reason that did not occur is not there. */
export type SuppressionCounts = Readonly<Partial<Record<SuppressionReason, number>>>;
